"""Somebody with an account and nothing else: what the start page says, and each of the three doors to a programme."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests import factories as make
from workshops.models import Programme
from workshops.programmes import templates
from workshops.programmes.file.io import export

from .page_checks import assert_accessible, assert_fits, every_look
from .sign_in import sign_in

pytestmark = pytest.mark.once  # what a page does is the same on every stack

OWN = templates.template("our_own_baby_room").text
WRONG = OWN.replace('type = "words"', 'type = "wrods"').replace('poll = "room_calm"', 'poll = "room_clam"')
LINE = next(number for number, line in enumerate(WRONG.splitlines(), 1) if "wrods" in line)


@pytest.fixture
def page(site, desk) -> Page:
    page = desk()
    sign_in(page, site, make.person("ada@example.org"))
    return page


def looks_right(page: Page) -> None:
    for _look in every_look(page, 320, 1440):
        assert_accessible(page)
        assert_fits(page)


def test_the_start_page_says_what_this_is_and_leads_both_ways(site, phone):
    page = phone()
    page.goto("/")
    looks_right(page)
    expect(page.get_by_label("Workshop code")).to_be_in_viewport()
    page.get_by_role("link", name="Run workshops").click()
    expect(page.get_by_label("Email")).to_be_visible()


def test_a_template_is_chosen_with_the_keyboard_and_leads_to_its_first_workshop(page):
    page.goto("/programmes/new/")
    looks_right(page)
    page.get_by_role("radio", name="The Ideal Baby Room").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Use this template")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("“Our own baby room” is made, and you are its owner.")).to_be_visible()
    assert Programme.objects.get().workshops.get().agenda.exists()


def test_a_file_with_mistakes_is_mended_by_a_button_and_made(page, console_errors_expected):
    console_errors_expected.append("422")
    page.goto("/programmes/new/")
    page.get_by_text("Or paste it").click()
    page.get_by_label("The text of the file").fill(WRONG)
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_role("heading", name="2 things to mend in your file")).to_be_visible()
    expect(page.locator(".file-errors")).to_contain_text(f"Line {LINE}")
    looks_right(page)
    page.get_by_role("button", name="Mend both and look").click()
    expect(page.get_by_role("heading", name="Your file is in order")).to_be_visible()
    looks_right(page)
    assert not Programme.objects.exists()
    page.get_by_role("button", name="Make this programme").click()
    expect(page.get_by_text("is made, and you are its owner")).to_be_visible()
    assert export(Programme.objects.get()) == OWN


def test_a_title_is_enough_and_its_settings_and_sheet_are_made_ones_own(page):
    page.goto("/programmes/new/")
    page.get_by_role("textbox", name="Title").fill("Our garden")
    page.keyboard.press("Enter")
    expect(page.get_by_text("“Our garden” is made, and you are its owner.")).to_be_visible()

    page.goto("/programmes/our-garden/settings/")
    looks_right(page)
    page.get_by_label("Colour").fill("20")
    expect(page.locator("[data-hue-value]")).to_have_text("20")
    page.get_by_label("Contact").fill("Ask Ada.")
    page.locator("#about").get_by_role("button").click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()

    page.get_by_role("link", name="Read and change it").click()
    expect(page.locator(".phone-sheet")).to_contain_text("Ask Ada.")
    page.get_by_label("First sentence").fill("We plan our garden.")
    page.get_by_role("button", name="Show it on the phone").click()
    expect(page.locator(".phone-sheet")).to_contain_text("We plan our garden.")
    looks_right(page)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Information sheet 1 is saved.")).to_be_visible()
    assert Programme.objects.get().sheets.get().lead == "We plan our garden."
