"""A workshop by keyboard alone: join, agree, say who one is, answer every kind of question, change, leave.

Nothing is clicked and nothing is focused from outside: Tab and Shift+Tab move, Enter, Space and arrows act, letters
are typed. Wherever the keyboard stands, it can be seen there, and the order follows the page from top to bottom.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from polls import ballot_box
from polls.models import Ballot, Poll
from polls.types import POLL_TYPES
from tests import factories as make
from tests.poll_samples import QUESTIONS
from workshops.actions import facilitation
from workshops.models import Workshop

pytestmark = pytest.mark.once  # what a page does is the same on every stack

STEPS = 80  # Tab presses within which everything on a phone's page is reached

#: where the keyboard is: its words, whether it can be seen, and where it stands in the page
PLACE = """() => {
  const at = document.activeElement;
  const words = at.getAttribute('aria-label') || (at.labels && at.labels[0] || at).textContent;
  const painted = /radio|checkbox/.test(at.type) ? at.closest('label') : at;
  const marked = [at, painted, at.nextElementSibling].filter(Boolean).some((one) => {
    const style = getComputedStyle(one);
    return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  });
  const box = painted.getBoundingClientRect();
  return {
    tag: at.tagName, type: at.type || '', words: words.replace(/\\s+/g, ' ').trim(),
    name: at.name || '', value: at.value || '', marked,
    inSight: box.bottom > 0 && box.top < innerHeight && box.width > 0,
  };
}"""

#: nothing asks for a place in the order of Tab other than the one it has in the page
OUT_OF_ORDER = "() => [...document.querySelectorAll('[tabindex]')].filter((one) => one.tabIndex > 0).length"


class Keyboard:
    """A person who has no pointer."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    @property
    def place(self) -> dict:
        return self.page.evaluate(PLACE)

    def to(self, is_there: Callable[[dict], bool], key: str = "Tab") -> dict:
        """Tab until somewhere; every stop on the way can be seen."""
        walked = []
        for _step in range(STEPS):
            self.press(key)
            place = self.place
            if place["tag"] == "BODY":
                continue  # round the end of the page
            walked.append(place["words"])
            assert place["marked"], f"the keyboard is on “{place['words']}”, and nobody can see it"
            assert place["inSight"], f"the keyboard is on “{place['words']}”, which is out of sight"
            if is_there(place):
                return place
        raise AssertionError(f"not reached by {key}: {walked}")

    def to_words(self, words: str, key: str = "Tab") -> dict:
        return self.to(lambda place: words in place["words"], key)

    def to_field(self, name: str, value: str | None = None) -> dict:
        return self.to(lambda place: place["name"] == name and value in (None, place["value"]))

    def press_button(self, words: str, key: str = "Enter") -> None:
        self.to_words(words)
        self.press(key)


@pytest.fixture
def room(transactional_db) -> Workshop:
    """A workshop with a profile and one question of every type there is."""
    asked = [question for name, question in QUESTIONS.items() if name in ANSWERED]
    workshop = make.workshop(None, *asked)
    make.poll_item(workshop, QUESTIONS["single"], profile=True)
    make.poll_item(workshop, QUESTIONS["number"], profile=True)
    for item in workshop.agenda.filter(profile=True):
        ballot_box.open_poll(item.poll_id)
    return workshop


# --- one way to answer each type: (keys that fill it in, what is stored then) ---------------------------------


def single(keys: Keyboard) -> None:
    keys.to_field("choice")
    keys.press("Space")
    keys.press("ArrowDown")


def multiple(keys: Keyboard) -> None:
    for value in ("a", "c"):
        keys.to_field("option", value)
        keys.press("Space")


def scale(keys: Keyboard) -> None:
    keys.to_field("point")
    keys.press("Space")
    for _step in range(2):
        keys.press("ArrowDown")


def ranking(keys: Keyboard) -> None:
    keys.press_button("Garden")
    keys.press("Enter")  # the focus is on the next that can be added
    keys.press_button("Move Ground floor up", "Space")


def words(keys: Keyboard) -> None:
    keys.to_field("word")
    keys.page.keyboard.type("calm")
    keys.press("Tab")
    keys.page.keyboard.type("warm")


def open_text(keys: Keyboard) -> None:
    keys.to_field("text")
    keys.page.keyboard.type("Time off the floor")


def number(keys: Keyboard) -> None:
    keys.to_field("number")
    keys.page.keyboard.type("12")


def points(keys: Keyboard) -> None:
    keys.to_words("More for Ground floor")
    for _step in range(12):
        keys.press("Space")
    keys.to_field("points_c")
    keys.page.keyboard.type("40")


def statement(keys: Keyboard) -> None:
    keys.to_field("agreement")
    keys.press("Space")
    keys.press("ArrowDown")


ANSWERED = {
    "single": (single, "b"),
    "multiple": (multiple, ["a", "c"]),
    "scale": (scale, 3),
    "ranking_top": (ranking, ["a", "c"]),
    "words": (words, ["calm", "warm"]),
    "open": (open_text, "Time off the floor"),
    "number": (number, 12),
    "points": (points, {"a": 60, "c": 40}),
    "statement": (statement, {"choice": "live_with"}),
}


def test_every_type_is_answered_here():
    assert sorted(QUESTIONS[name].type for name in ANSWERED) == sorted(POLL_TYPES)


def join(keys: Keyboard, workshop: Workshop) -> None:
    keys.page.goto("/")
    assert keys.page.evaluate(OUT_OF_ORDER) == 0
    keys.to_field("code")
    keys.page.keyboard.type(workshop.code)
    keys.press("Enter")
    keys.page.wait_for_url("**/consent/")
    for value in ("read", "pooled"):
        keys.to_field("consent", value)
        keys.press("Space")
    keys.press_button("Continue")
    keys.page.wait_for_url("**/profile/")


def say_who(keys: Keyboard) -> None:
    keys.to(lambda place: place["name"].endswith("-choice"))
    keys.press("Space")
    keys.press("ArrowDown")
    keys.to(lambda place: place["name"].endswith("-number"))
    keys.page.keyboard.type("9")
    keys.press_button("Go in", "Space")
    expect(keys.page.locator("[data-signal=connected]")).to_be_visible()


def stored(poll: Poll) -> object:
    return Ballot.objects.get(poll=poll, status=Ballot.Status.CAST).value


def test_the_whole_way_needs_no_pointer(site, desk, room):
    page = desk()
    keys = Keyboard(page)
    join(keys, room)
    say_who(keys)
    profile = [item.poll for item in room.agenda.filter(profile=True).order_by("position")]
    assert [stored(poll) for poll in profile] == ["b", 9]

    for place, (fill, value) in enumerate(ANSWERED.values()):
        item = room.agenda.filter(profile=False).order_by("position")[place]
        facilitation.launch(room.pk, None, item.pk)
        expect(page.locator(f"form.ballot[data-poll='{item.poll_id}'][data-upgraded]")).to_be_visible()
        assert page.evaluate("document.activeElement.tagName") == "H1"  # it reads the new question first
        fill(keys)
        keys.press_button("Send my")
        expect(page.locator("#receipt")).to_contain_text("Saved:")
        assert page.evaluate("document.activeElement.closest('#receipt') !== null")
        assert stored(item.poll) == value
        keys.press_button("Change my answer")  # the form comes back with the keyboard in it
        assert page.evaluate("document.activeElement.closest('form.ballot') !== null"), (
            item.poll.question.type
        )
        assert keys.place["inSight"]

    # The last one, changed: the keyboard is on what was answered.
    assert (keys.place["name"], keys.place["value"]) == ("agreement", "live_with")
    keys.press("ArrowDown")
    keys.press_button("Send my answer")
    expect(page.locator("#receipt")).to_contain_text("Saved: Disagree")
    assert stored(item.poll) == {"choice": "disagree"}

    keys.press_button("Leave")
    page.wait_for_url("**/leave/")
    keys.press_button("Leave", "Space")
    expect(page.get_by_role("heading", name="You have left")).to_be_visible()


def test_the_way_back_is_the_way_there_backwards(site, desk, room):
    page = desk()
    keys = Keyboard(page)
    page.goto("/")
    there = []
    for _step in range(STEPS):
        keys.press("Tab")
        if keys.place["tag"] == "BODY":
            break
        there.append(keys.place["words"])
    back = []
    for _step in there:
        keys.press("Shift+Tab")
        back.append(keys.place["words"])
    assert there == back[::-1]
    assert there[0] == "Skip to the code"


def test_the_link_past_the_top_leads_past_the_top(site, desk, room):
    page = desk()
    page.goto("/")
    keys = Keyboard(page)
    keys.press("Tab")
    assert keys.place["inSight"]
    keys.press("Enter")  # it leads to the field itself
    assert keys.place["name"] == "code"
