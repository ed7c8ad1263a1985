"""Steps that people take in their small group, in a browser."""

from __future__ import annotations

from zlib import crc32

from playwright.sync_api import Page, expect

from tests import factories as make
from workshops.actions.groups import notes as note_actions
from workshops.models import Contribution, Participant

from .page_checks import assert_accessible, assert_fits

OFFLINE = ["ERR_INTERNET_DISCONNECTED", "WebSocket connection", "Failed to load resource"]


def seated(page: Page, site, who: Participant, connected: bool = True) -> Page:
    """This person's phone, on the page where it stays."""
    name, value = make.phone(who).cookies.output(header="").strip().split(";")[0].split("=", 1)
    page.context.add_cookies([{"name": name, "value": value.strip('"'), "url": site.url}])
    page.goto(f"/w/{who.workshop.code}/")
    if connected:
        expect(page.locator("[data-signal]")).to_have_text("Connected")
    return page


def add(page: Page, text: str) -> None:
    page.get_by_label("Add a note for the group").fill(text)
    page.get_by_role("button", name="Add note").click()


def notes(page: Page):
    return page.locator("#notes > li > .words")


def said(page: Page, words: str) -> None:
    expect(page.locator("#said")).to_contain_text(words)


def do(kind, who: Participant, *values):
    """What another of this person's group does, on a phone that is not in this test; the page hears of it by itself."""
    op = f"{kind.__name__}-{crc32(repr(values).encode())}"
    return note_actions.write([kind(who.workshop_id, who.voter, op, *values)])[0]


def note_of(text: str) -> Contribution:
    return Contribution.objects.get(text__words=text)


def press(page: Page, text: str, name: str) -> None:
    """A button of the note with this text; the rarer ones stand behind More."""
    li = page.locator("#notes > li, #elsewhere > li", has_text=text)
    button = li.get_by_role("button", name=name)
    if not button.is_visible():
        li.get_by_text("More").click()
    button.click()


def right(*pages: Page) -> None:
    for page in pages:
        assert_fits(page)
        assert_accessible(page)
