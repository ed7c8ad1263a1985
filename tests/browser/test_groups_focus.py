"""A group on a phone, and where eyes, fingers and the keyboard are: nothing important happens out of sight."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests import factories as make
from tests.workshops.groups.people import group_of, mate_of
from workshops.actions import facilitation, groups
from workshops.actions.groups import notes as note_actions

from .group_steps import add, do, note_of, notes, press, right, said, seated

pytestmark = pytest.mark.once  # what a page does is the same on every stack

SMALL = {"viewport": {"width": 320, "height": 640}}


def test_before_the_groups_begin_a_phone_says_one_thing(site, phone, transactional_db):
    workshop = make.workshop()
    item = make.prompt_item(workshop, "Walk us in")
    page = seated(phone(), site, make.participant(workshop))
    facilitation.launch(workshop.pk, None, item.pk)
    expect(page.get_by_role("heading", name="Walk us in")).to_be_visible()
    groups.make(workshop.pk, None, "random", groups=1)
    expect(page.locator("#group .prompt")).to_contain_text("You are in Group 1: 1 person")
    expect(page.locator("main :is(h1, h2):visible")).to_have_text(
        ["The question comes here as soon as the groups begin."]
    )
    right(page)
    groups.open_round(workshop.pk, None)
    expect(page.locator("main h1:visible")).to_have_text(["Walk us in"])


def test_more_opens_below_and_stays_under_the_finger(pair):
    (_one, ada), (_mate, bea) = pair
    add(bea, "Soft light")
    expect(notes(ada)).to_have_text(["Soft light"])
    more = ada.locator("#notes").get_by_text("More")
    for width in (320, 390):
        ada.set_viewport_size({"width": width, "height": 844})
        before = more.bounding_box()
        more.click()
        expect(ada.get_by_role("button", name="Share with the room")).to_be_visible()
        assert more.bounding_box() == before
        more.click()


def test_where_the_keyboard_was_is_never_lost_when_the_picture_changes(pair):
    (_one, ada), (_mate, bea) = pair
    for text in ("one", "two", "three"):
        add(ada, text)
    expect(notes(bea)).to_have_count(3)
    ada.get_by_role("button", name="I’ll take notes").press("Enter")
    expect(ada.get_by_role("button", name="Hand over")).to_be_focused()
    two = ada.locator("#notes > li", has_text="two")
    two.get_by_text("More").press("Enter")
    two.get_by_role("button", name="Move up").press("Enter")
    expect(notes(ada)).to_have_text(["two", "one", "three"])
    expect(two.get_by_role("button", name="Move down")).to_be_focused()  # it is first, so it moves up no more
    two.get_by_role("button", name="Take back").press("Enter")
    expect(notes(ada)).to_have_text(["one", "three"])
    expect(ada.get_by_role("heading", name="Our shared notes")).to_be_focused()


def test_a_follow_up_question_that_is_open_keeps_the_keyboard_and_the_page_where_they_are(pair):
    (_one, ada), (_mate, bea) = pair
    probe = ada.locator("#group summary", has_text="If the talk slows down")
    probe.click()
    before = ada.evaluate("scrollY")
    add(bea, "Soft light")
    expect(notes(ada)).to_have_text(["Soft light"])
    expect(probe).to_be_focused()
    expect(ada.locator("#group").get_by_text("What would a baby notice first?")).to_be_visible()
    assert ada.evaluate("scrollY") == before


def test_words_on_the_way_cover_no_button(pair):
    (_one, ada), _bea = pair
    add(ada, "Soft light")
    said(ada, "Saved. Your note is with the group.")
    under = ada.evaluate(
        """() => { const box = document.getElementById("said").getBoundingClientRect();
                   return document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2).id; }"""
    )
    assert under != "said"


def test_who_types_is_not_led_away_by_somebody_elses_change(pair):
    (_one, ada), (mate, _bea) = pair
    add(ada, "Soft light")
    expect(notes(ada)).to_have_text(["Soft light"])
    do(note_actions.Scribe, mate, group_of(mate).pk, True)
    press(ada, "Soft light", "Edit")
    ada.get_by_label("Change this note").fill("Soft light everywhere")
    do(note_actions.Edit, mate, note_of("Soft light").pk, 1, "Soft, warm light")
    ada.evaluate(
        """() => { const send = WebSocket.prototype.send;
                   WebSocket.prototype.send = function (text) { setTimeout(() => send.call(this, text), 1500); }; }"""
    )  # a slow network
    ada.get_by_role("button", name="Save the change").click()
    box = ada.get_by_label("Add a note for the group")
    box.click()
    box.press_sequentially("Half a ")
    said(ada, "Two of you changed this note. Choose which words stay.")
    expect(box).to_be_focused()
    box.press_sequentially("thought")
    expect(box).to_have_value("Half a thought")


def test_a_change_to_a_note_that_is_gone_can_be_added_as_a_new_one(pair):
    (_one, ada), (_mate, bea) = pair
    for text in ("Soft light", "A chair"):
        add(ada, text)
    expect(notes(bea)).to_have_count(2)
    bea.get_by_role("button", name="I’ll take notes").click()
    press(bea, "Soft light", "Edit")
    bea.get_by_label("Change this note").fill("Soft light everywhere")
    press(ada, "Soft light", "Take back")
    expect(notes(bea)).to_have_text(["A chair"])
    bea.get_by_role("button", name="Save the change").click()
    line = bea.locator("#unsent > li")
    expect(line.get_by_role("alert")).to_have_text("That note is not there any more.")
    expect(line.get_by_role("button")).to_have_text(["Add as a new note", "Throw away"])
    right(bea)
    line.get_by_role("button", name="Add as a new note").click()
    expect(notes(ada)).to_have_text(["A chair", "Soft light everywhere"])
    expect(line).to_have_count(0)


# --- without a script ---------------------------------------------------------------------------------------


@pytest.fixture
def plain(two_groups, site, phone):
    """A small phone without the script, in a group whose pad is long."""
    _workshop, people = two_groups
    one, mate = people[0], mate_of(people[0])
    for n in range(12):
        do(note_actions.Add, mate, group_of(mate).pk, f"Thought number {n}")
    page = seated(phone(java_script_enabled=False, **SMALL), site, one, connected=False)
    return one, mate, page


def in_sight(page: Page, words: str) -> None:
    expect(page.get_by_text(words, exact=True)).to_be_in_viewport()


def test_without_a_script_a_page_comes_back_to_what_was_done(plain, console_errors_expected):
    console_errors_expected += ["409", "422"]
    _one, mate, page = plain
    press(page, "Thought number 7", "I agree")
    in_sight(page, "Thought number 7")
    add(page, "Soft light")
    in_sight(page, "Soft light")
    press(page, "Soft light", "Edit")
    expect(page.get_by_label("Change this note")).to_be_in_viewport()
    do(note_actions.Scribe, mate, group_of(mate).pk, True)
    do(note_actions.Edit, mate, note_of("Soft light").pk, 1, "Soft, warm light")
    page.get_by_label("Change this note").fill("Soft light everywhere")
    page.get_by_role("button", name="Save the change").click()
    in_sight(page, "Somebody changed this note meanwhile")
    page.get_by_role("button", name="Keep both").click()
    in_sight(page, "Soft light everywhere")
    page.get_by_label("Add a note for the group").fill("x" * 1001)
    page.get_by_role("button", name="Add note").click()
    expect(page.get_by_label("Add a note for the group")).to_have_value("x" * 1001)
    expect(page.get_by_role("alert")).to_be_in_viewport()
