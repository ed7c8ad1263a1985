"""Steps that browser tests take: join, and wait for the stage."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from polls.types.base import Option, Question
from workshops.models import Workshop

BABIES = Question(
    "single_choice",
    "In the ideal baby room, how many babies are in the room?",
    options=(Option("few", "5 or fewer"), Option("n6_8", "6 to 8"), Option("n9_12", "9 to 12")),
    settings={"pass_label": "Not sure"},
)


def join(page: Page, workshop: Workshop, signal: str = "Connected") -> Page:
    """Take part as a first-time user does: by the link, the sheet and three ticks."""
    page.goto(f"/w/{workshop.code}/")
    page.get_by_role("link", name="Join this workshop").click()
    for words in ("I have read", "My answers"):
        page.get_by_label(words).first.check()
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("[data-signal]")).to_have_text(signal)
    expect(page.locator("#stage")).to_be_visible()
    return page


def on_stage(page: Page, state: str) -> None:
    expect(page.locator("#stage")).to_have_attribute("data-state", state)
