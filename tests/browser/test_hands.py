"""A slip of the facilitator's hand does nothing: a key that is held, a click too many."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from polls.models import Poll
from tests import factories as make
from tests.poll_samples import QUESTIONS
from workshops.actions import facilitation

from .steps import on_stage

pytestmark = pytest.mark.once  # what a page does is the same on every stack
SETTLING = re.compile(r"\bis-settling\b")


@pytest.fixture
def room(transactional_db):
    return make.workshop(None, QUESTIONS["single"], QUESTIONS["single"], QUESTIONS["single"])


@pytest.fixture
def sent(console) -> list[str]:
    """What the console has sent: a press that does something sends it in the same moment."""
    posts: list[str] = []
    console.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    return posts


def settled(page: Page) -> None:
    """Until presses count again."""
    expect(page.locator("html")).not_to_have_class(SETTLING)


def states(room) -> list[str]:
    return list(
        Poll.objects.filter(agenda_item__workshop=room)
        .order_by("agenda_item__position")
        .values_list("state", flat=True)
    )


def place_of(page: Page, selector: str) -> tuple[float, float]:
    box = page.locator(selector).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_enter_that_is_held_presses_once(console, room, sent):
    button = console.locator("#main-button")
    expect(button).to_contain_text("Next")
    button.focus()
    for _ in range(10):
        console.keyboard.down("Enter")  # the same key again, as a keyboard repeats it
    on_stage(console, "ballot")
    console.keyboard.down("Enter")
    settled(console)
    for _ in range(10):
        console.keyboard.down("Enter")
    console.keyboard.up("Enter")
    assert len(sent) == 1
    assert states(room) == ["open", "draft", "draft"]


def test_two_presses_of_enter_launch_and_do_not_close(console, room, sent):
    console.locator("#main-button").focus()
    console.keyboard.press("Enter")
    on_stage(console, "ballot")
    console.keyboard.press("Enter")
    settled(console)
    assert len(sent) == 1
    assert states(room) == ["open", "draft", "draft"]
    console.locator("#main-button").press("Enter")  # later, and meant
    on_stage(console, "closed")


def test_two_clicks_at_one_place_launch_and_do_not_close(console, room, sent):
    at = place_of(console, "#main-button")
    console.mouse.click(*at)
    on_stage(console, "ballot")
    console.mouse.click(*at)
    settled(console)
    assert len(sent) == 1
    assert states(room) == ["open", "draft", "draft"]


def test_what_ends_the_workshop_is_never_where_next_was(console, room, sent):
    for item in room.agenda.all():
        facilitation.launch(room.pk, None, item.pk)
    on_stage(console, "ballot")
    expect(console.locator("#stage")).not_to_contain_text("End workshop")
    expect(console.locator("#stage")).to_contain_text("This is the last step.")
    console.locator("#end").click()
    console.mouse.click(*place_of(console, "#end-yes"))  # at once: nobody has read the question
    settled(console)
    assert sent == []
    expect(console.locator("#end-yes")).to_be_visible()
    console.locator("#end-yes").click()
    on_stage(console, "ended")


def test_two_clicks_on_close_in_twenty_seconds_show_no_results(console, room, sent):
    facilitation.launch(room.pk, None, room.agenda.first().pk)
    on_stage(console, "ballot")
    settled(console)
    at = place_of(console, "#close-in")
    console.mouse.click(*at)
    expect(console.locator("#close-in")).to_be_hidden()
    console.mouse.click(*at)
    settled(console)
    console.mouse.click(*at)  # nothing has taken its place
    assert len(sent) == 1
    poll = Poll.objects.filter(agenda_item__workshop=room).order_by("agenda_item__position").first()
    assert poll.closes_at is not None
    assert poll.revealed_at is None
    assert states(room)[0] == "open"
