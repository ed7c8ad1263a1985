"""What somebody is typing is never gone: their words stay on their phone when the question closes under them."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests import factories as make
from tests.poll_samples import QUESTIONS
from workshops.actions import facilitation, groups
from workshops.models import Contribution, Workshop

from .group_steps import OFFLINE, right, said, seated
from .steps import on_stage

pytestmark = pytest.mark.once  # what a page does is the same on every stack


@pytest.fixture
def room(transactional_db) -> Workshop:
    return make.workshop(
        None, QUESTIONS["open"], QUESTIONS["number"], QUESTIONS["ranking"], QUESTIONS["single"]
    )


@pytest.fixture
def page(site, phone, room) -> Page:
    launch(room, 0)
    page = seated(phone(viewport={"width": 320, "height": 640}), site, make.participant(room))
    on_stage(page, "ballot")
    return page


def launch(room: Workshop, place: int) -> None:
    facilitation.launch(room.pk, None, room.agenda.order_by("position")[place].pk)


def kept(page: Page):
    return page.get_by_label("Not sent: the question has closed")


def type_in(page: Page, words: str) -> None:
    page.locator("form.ballot textarea").press_sequentially(words)


def test_words_that_are_typed_when_the_question_closes_stay_with_the_keyboard_on_them(page, room):
    type_in(page, "More time outs")
    facilitation.close(room.pk, None)
    on_stage(page, "closed")
    expect(kept(page)).to_have_value("More time outs")
    expect(kept(page)).to_be_focused()
    expect(kept(page)).to_be_in_viewport()
    expect(page.locator("#kept-words")).to_have_attribute("aria-live", "off")  # the focus has said it
    right(page)


def test_they_stay_over_the_next_question_and_a_reload_until_they_are_put_away(page, room):
    type_in(page, "More time outside")
    launch(room, 1)
    expect(page.get_by_label("How many babies?").first).to_be_visible()
    expect(kept(page)).to_have_value("More time outside")
    page.reload()
    expect(kept(page)).to_have_value("More time outside")
    right(page)
    page.get_by_role("button", name="Put it away").press("Enter")
    expect(kept(page)).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.reload()
    on_stage(page, "ballot")
    expect(kept(page)).to_have_count(0)


@pytest.mark.parametrize("stage", ["joining", "ended"])
def test_they_stay_whatever_comes_on_stage(page, room, stage):
    type_in(page, "Calm")
    {"joining": facilitation.joining, "ended": facilitation.end}[stage](room.pk, None)
    on_stage(page, stage)
    expect(kept(page)).to_have_value("Calm")


def test_they_are_copied_with_one_press(page, room):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    type_in(page, "More time outside")
    facilitation.close(room.pk, None)
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_focused()
    assert page.evaluate("navigator.clipboard.readText()") == "More time outside"


def test_whoever_had_left_the_field_keeps_their_place_and_hears_of_it_once(page, room):
    type_in(page, "More time outside")
    page.get_by_role("link", name="Help").focus()
    facilitation.close(room.pk, None)
    expect(kept(page)).to_have_value("More time outside")
    expect(page.locator("#kept-words")).to_have_attribute("aria-live", "polite")
    expect(kept(page)).not_to_be_focused()


def test_a_number_and_a_ranking_stay_too(page, room):
    launch(room, 1)
    page.locator("[name=number]").fill("17")
    launch(room, 2)
    expect(kept(page)).to_have_value("17")
    page.get_by_role("button", name="Garden").click()
    page.get_by_role("button", name="Quiet").click()
    facilitation.close(room.pk, None)
    expect(kept(page)).to_have_count(2)
    expect(kept(page).last).to_have_value("Quiet: 2\nGarden: 1")
    right(page)


@pytest.mark.parametrize(("place", "field", "words"), [(0, "textarea", "Calm "), (1, "[name=number]", "17 ")])
@pytest.mark.parametrize("then", ["close", "next", "reload"])
def test_nothing_is_said_of_an_answer_that_was_sent(page, room, place, field, words, then):
    if place:
        launch(room, place)
    page.locator(f"form.ballot {field}").fill(words)
    page.get_by_role("button", name="Send my answer").click()
    expect(page.locator("#receipt")).to_contain_text("Saved")
    if then == "next":
        launch(room, 3)
        expect(page.get_by_label("Ground floor")).to_be_visible()
    else:
        facilitation.close(room.pk, None)
        on_stage(page, "closed")
    if then == "reload":
        page.reload()
        on_stage(page, "closed")
    expect(kept(page)).to_have_count(0)


def test_a_change_that_was_begun_and_undone_is_not_unsent(page, room):
    type_in(page, "Calm")
    page.get_by_role("button", name="Send my answer").click()
    page.get_by_role("link", name="Change my answer").click()
    field = page.locator("form.ballot textarea")
    field.fill("Calmer")
    field.fill("Calm")
    facilitation.close(room.pk, None)
    on_stage(page, "closed")
    expect(kept(page)).to_have_count(0)


def test_ticks_alone_are_no_words(page, room):
    launch(room, 3)
    page.get_by_label("Garden").check()
    facilitation.close(room.pk, None)
    on_stage(page, "closed")
    expect(kept(page)).to_have_count(0)


def test_an_answer_that_came_too_late_keeps_its_words_and_is_sent_when_the_question_opens_again(
    page, room, console_errors_expected
):
    console_errors_expected += OFFLINE
    page.context.set_offline(True)
    type_in(page, "More time outside")
    page.get_by_role("button", name="Send my answer").click()
    expect(page.locator("#receipt")).to_contain_text("Not saved yet")
    expect(kept(page)).to_have_count(0)  # it is on its way
    facilitation.close(room.pk, None)
    page.context.set_offline(False)
    expect(kept(page)).to_have_value("More time outside")
    facilitation.reopen(room.pk, None)
    expect(page.locator("#receipt")).to_contain_text("Saved: More time outside")
    expect(kept(page)).to_have_count(0)


def test_words_are_in_their_field_again_when_the_question_opens_again(page, room):
    type_in(page, "More time")
    facilitation.close(room.pk, None)
    expect(kept(page)).to_have_value("More time")
    facilitation.reopen(room.pk, None)
    on_stage(page, "ballot")
    expect(page.locator("form.ballot textarea")).to_have_value("More time")
    expect(kept(page)).to_have_count(0)


def test_the_next_person_on_a_shared_phone_does_not_see_them(page, room, site):
    type_in(page, "My own words")
    launch(room, 1)
    expect(kept(page)).to_have_value("My own words")
    page.context.clear_cookies()
    seated(page, site, make.participant(room))
    on_stage(page, "ballot")
    expect(kept(page)).to_have_count(0)


def test_a_note_that_was_begun_stays_when_the_group_time_ends_and_can_still_be_added(pair, two_groups):
    (_one, ada), _bea = pair
    ada.get_by_label("Add a note for the group").fill("Half a thought")
    ada.get_by_role("link", name="Help").focus()
    groups.close_round(two_groups[0].pk, None)
    facilitation.joining(two_groups[0].pk, None)
    on_stage(ada, "joining")
    expect(ada.get_by_label("Add a note for the group")).to_have_value("Half a thought")
    ada.reload()
    expect(ada.get_by_label("Add a note for the group")).to_have_value("Half a thought")
    right(ada)
    ada.get_by_role("button", name="Add note").click()
    said(ada, "Saved. Your note is with the group.")
    assert Contribution.objects.get().text.words == "Half a thought"
    expect(ada.get_by_label("Add a note for the group")).to_be_hidden()
