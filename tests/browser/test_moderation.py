"""Words are checked by keyboard alone, one key an item; the keys are silent while somebody types, and can be turned off."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from polls.lifecycle import Reveal
from polls.models import Poll, Text
from polls.types.base import Question
from tests import factories as make
from tests.patience import until
from workshops.actions import facilitation
from workshops.actions.moderation import decide
from workshops.models import Role, TextMark

from .page_checks import assert_accessible, assert_fits, every_look
from .sign_in import sign_in
from .steps import join

TEXTS = Question("open_text", "What would you change?")
ITEMS = 20


@pytest.fixture
def queue(desk, site, transactional_db):
    """A console before answers that wait, the keyboard on the first of them."""

    def open_queue(*answers: str, **screen: object):
        room = make.workshop(None, TEXTS)
        Poll.objects.filter(agenda_item__workshop=room).update(reveal=Reveal.LIVE)
        poll = make.launched(room)
        for answer in answers:
            make.vote(make.participant(room), poll, answer)
        page = desk(**screen)
        sign_in(page, site, make.staff(room.programme, Role.OWNER))
        page.goto(f"/workshops/{room.code}/console/")
        if screen.get("java_script_enabled", True):
            expect(page.locator("[data-signal=connected]")).to_have_count(1)
        return room, poll, page

    return open_queue


def into_the_queue(page: Page) -> None:
    """By Tab alone: the second skip link leads to the queue, one more Tab to its first item."""
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")


def focused(page: Page) -> str:
    """The text of the item that has the focus; empty outside of the queue."""
    return page.evaluate(
        "() => { const one = document.activeElement.closest('#queue [data-ref]');"
        " return one ? (one.querySelector('q') || one).textContent : ''; }"
    )


def states() -> dict[str, str]:
    """Words that somebody has decided about, with their state."""
    found = Text.objects.filter(decision__isnull=False).select_related("decision")
    return {text.words: text.state for text in found if text.state != "pending"}


def replacement(words: str) -> str:
    return Text.objects.get(words=words).replacement


def decided() -> int:
    return len(states())


def test_twenty_items_are_decided_with_one_key_each_the_next_under_the_fingers_at_once(queue, wall):
    answers = [
        f"I would ask Anna Smith about number {n}" if n % 5 == 0 else f"Softer light in corner {n}"
        for n in range(ITEMS)
    ]
    room, _poll, page = queue(*answers)
    screen = wall()
    screen.goto(f"/wall/{room.wall_key}/")
    into_the_queue(page)
    presses = 0
    for number in range(ITEMS):
        text = focused(page)
        assert text in answers, "the focus is not on an item"
        page.keyboard.press("r" if "Anna" in text else "s")
        presses += 1
        if number + 1 < ITEMS:
            until(lambda text=text: focused(page) not in ("", text))
        until(lambda text=text: text in states())
    expect(screen.locator("#tally")).to_contain_text("Softer light")
    expect(screen.locator("#tally")).not_to_contain_text("Anna")
    expect(page.locator("#queue")).to_contain_text("Nothing waiting.")
    assert presses == ITEMS == decided()
    assert list(states().values()).count("redacted") == ITEMS // 5


def test_keys_pressed_faster_than_the_server_answers_are_all_stored_each_for_its_own_item(queue):
    _room, _poll, page = queue(*(f"Softer light in corner {n}" for n in range(12)))
    into_the_queue(page)
    told = []
    for number in range(12):
        told.append((focused(page), "h" if number % 3 == 0 else "s"))
        page.keyboard.press(told[-1][1])
    until(lambda: decided() == 12)
    assert states() == {text: "shown" if key == "s" else "hidden" for text, key in told}


def test_next_previous_hide_flag_and_undo_by_keyboard(queue):
    _room, _poll, page = queue("one", "two", "three")
    into_the_queue(page)
    first = focused(page)
    page.keyboard.press("j")
    second = focused(page)
    page.keyboard.press("k")
    assert focused(page) == first != second
    page.keyboard.press("h")
    until(lambda: decided() == 1)
    page.keyboard.press("u")
    until(lambda: decided() == 0)
    until(lambda: focused(page) == first)
    page.keyboard.press("f")
    until(lambda: states().get(first) == "flagged")
    expect(page.locator("#queue")).not_to_contain_text(first)
    expect(page.locator("#tally")).not_to_contain_text(first)
    page.keyboard.press("u")  # a slip: whoever has just flagged it may undo it
    until(lambda: decided() == 0)
    expect(page.locator("#queue")).to_contain_text(first)


def test_an_undo_quicker_than_the_next_picture_brings_its_item_back_at_once(queue):
    _room, _poll, page = queue("one", "two", "three")
    into_the_queue(page)
    first = focused(page)
    held: list[Route] = []
    page.route(
        "**/decide/", lambda route: held.append(route)
    )  # no picture comes before its decision has arrived
    page.keyboard.press("h")
    assert focused(page) not in ("", first)
    page.keyboard.press("u")
    assert focused(page) == first
    page.unroute("**/decide/")  # and what was held goes on
    page.keyboard.press("s")
    until(lambda: states().get(first) == "shown")
    assert decided() == 1


def test_what_an_undo_brings_back_takes_the_focus_from_nobody_who_types_or_undoes_again(queue):
    room, poll, page = queue("one", "two", "three")
    into_the_queue(page)
    page.keyboard.press("h")
    page.keyboard.press("u")
    page.keyboard.press("e")
    box = page.locator("#reword-words")
    expect(box).to_be_focused()
    make.vote(make.participant(room), poll, "four")
    expect(page.locator("#queue [data-waiting] > [data-ref]")).to_have_count(4)  # a new picture has come
    expect(box).to_be_focused()
    page.keyboard.type("shhh")
    page.keyboard.press("Escape")
    for key in ("h", "h"):
        page.keyboard.press(key)
    until(lambda: decided() == 2)
    page.locator("#queue-undo").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    until(lambda: decided() == 0)
    assert states() == {}


def test_other_words_are_typed_without_a_key_of_theirs_deciding_anything(queue):
    room, poll, page = queue("Anna shows how", "Softer light")
    into_the_queue(page)
    text = focused(page)
    page.keyboard.press("e")
    box = page.locator("#reword-words")
    expect(box).to_be_focused()
    box.fill("")
    page.keyboard.type("shhh")
    (other,) = {"Anna shows how", "Softer light"} - {text}
    decide(room.pk, None, make.text(poll, other).ref, "shown")
    expect(page.locator("#queue [data-waiting] > [data-ref]")).to_have_count(1)  # a new picture has come
    assert box.input_value() == "shhh"
    page.keyboard.press("Control+Enter")
    until(lambda: replacement(text) == "shhh")
    expect(page.locator("#reword")).to_be_hidden()


def test_keys_can_be_turned_off_and_stay_off_and_decide_nothing_outside_the_queue(queue):
    _room, _poll, page = queue("one", "two")
    page.locator("body").press("s")
    page.locator("#queue-keys").click()
    page.reload()
    expect(page.locator("#queue-keys")).to_have_attribute("aria-pressed", "false")
    into_the_queue(page)
    assert focused(page) in ("one", "two")
    for key in "shrfeu":
        page.keyboard.press(key)
    page.locator("#queue-keys").click()
    page.locator("#queue [data-ref] button").first.focus()
    page.keyboard.down("s")
    for _repeat in range(5):
        page.keyboard.down("s")  # held: decides once
    page.keyboard.up("s")
    until(lambda: decided() == 1)
    assert focused(page) in ("one", "two")
    assert decided() == 1


def test_one_key_goes_to_the_words_from_anywhere_unless_somebody_types_or_keys_are_off(queue):
    _room, _poll, page = queue("one", "two")
    expect(page.locator("#queue-tools .keys")).to_contain_text("Q go to these words")
    page.locator("#main-button").focus()
    page.keyboard.press("s")
    assert focused(page) == ""
    page.keyboard.press("q")
    first = focused(page)
    assert first in ("one", "two")
    page.keyboard.press("s")
    until(lambda: list(states()) == [first])

    page.get_by_text("Quick poll", exact=True).click()
    box = page.locator("#quick-text")
    box.press("q")
    expect(box).to_have_value("q")
    expect(box).to_be_focused()
    page.locator("#queue-keys").click()
    page.locator("#main-button").focus()
    page.keyboard.press("q")
    assert focused(page) == ""
    assert decided() == 1


def test_words_are_shown_at_once_and_checked_first_again_with_one_press_on_every_screen(queue, wall, phone):
    named = "Please ask Anna Smith about it"
    room, _poll, page = queue("Softer light", named)
    screen, other = wall(), phone()
    screen.goto(f"/wall/{room.wall_key}/")
    join(other, room)
    for each in (screen, other):
        expect(each.locator("#tally")).not_to_contain_text("Softer light")
    switch = page.locator("#at-once")
    expect(switch).to_have_text("Show new words without checking")
    expect(page.locator("#at-once-means")).to_contain_text("appear on the wall straight away")
    switch.press("Enter")
    for each in (screen, other):
        expect(each.locator("#tally")).to_contain_text("Softer light")
        expect(each.locator("#tally")).not_to_contain_text("Anna")
    expect(page.locator("#queue [data-waiting] q")).to_have_text([named])
    expect(switch).to_have_text("Check words first")
    expect(switch).to_be_focused()
    assert decided() == 0
    switch.press("Enter")
    for each in (screen, other):
        expect(each.locator("#tally")).not_to_contain_text("Softer light")
    expect(page.locator("#queue [data-waiting] q")).to_have_count(2)


def test_a_sentence_on_the_wall_is_brought_to_the_vision_held_back_and_asked_about_with_one_press_each(queue):
    room, poll, page = queue("Softer light")
    decide(room.pk, None, make.text(poll, "Softer light").ref, "shown")
    facilitation.close(room.pk, None)
    page.locator("#decided").click()
    page.get_by_role("button", name="For the vision", exact=True).click()
    until(lambda: TextMark.objects.exists())
    expect(page.locator(".htmx-request")).to_have_count(0)
    page.get_by_role("button", name="Not for the vision").click()
    until(lambda: not TextMark.objects.exists())
    expect(page.locator(".htmx-request")).to_have_count(0)  # a form takes one press at a time
    page.get_by_role("button", name="Ask the room").click()
    expect(page.locator("#stage h1")).to_have_text("Softer light")
    expect(page.locator("#stage .live")).to_have_text("Voting is open")


def test_what_is_refused_comes_back_with_a_sentence(queue):
    _room, poll, page = queue("one", "two")
    into_the_queue(page)
    text = focused(page)
    page.locator(f'[data-ref="{make.text(poll, text).ref}"] [data-reword]').click()
    page.locator("#reword-words").fill("x" * 200)
    page.get_by_role("button", name="Show these words").click()
    expect(page.locator("#notice")).to_contain_text("Keep it about as short")
    expect(page.locator(f'[data-ref="{make.text(poll, text).ref}"]')).to_be_visible()
    assert decided() == 0


def test_without_a_script_every_decision_has_its_button(queue):
    text = "I saw Anna Smith there"
    _room, _poll, page = queue(text, java_script_enabled=False)
    expect(page.locator("#queue-tools")).to_be_hidden()
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("What the wall shows instead").fill("I saw somebody")
    page.get_by_role("button", name="Show these words").click()
    until(lambda: replacement(text) == "I saw somebody")
    for name in ("Show", "Hide", "Show with names removed", "Flag"):
        page.locator("#decided").click()
        page.locator("#queue").get_by_role("button", name=name).first.click()
        page.wait_for_load_state()
    assert states() == {text: "flagged"}


@pytest.mark.looks
@pytest.mark.once
def test_the_queue_and_the_leads_page_are_accessible_and_fit(queue, tmp_path):
    room, poll, page = queue(
        "Softer light",
        "Please ask Anna Smith, 07700 900123, at Little Acorns Nursery in SW1A 1AA or write to anna@example.org",
        "https://example.org/" + "a" * 120,
        "gone",
    )
    decide(room.pk, None, make.text(poll, "gone").ref, "flagged")
    expect(page.locator("#queue")).not_to_contain_text("gone")
    page.locator("#decided").click()
    page.locator("[data-reword]").first.click()
    for name in ("queue", "lead", "people"):
        if name == "lead":
            page.goto(f"/programmes/{room.programme.key}/safeguarding/")
        if name == "people":
            page.goto(f"/programmes/{room.programme.key}/people/")
        for look in every_look(page, 320, 390, 1440):
            assert_accessible(page)
            assert_fits(page)
            page.screenshot(path=tmp_path / f"{name}-{look}.png", full_page=True)
