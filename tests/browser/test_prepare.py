"""Preparing a workshop in the browser: five pastes, typing without looking up, reordering, and nothing typed is lost."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from polls.types import Question
from tests import factories as make
from workshops.actions.authoring import agenda
from workshops.models import Workshop

from .page_checks import assert_accessible, assert_fits, every_look
from .sign_in import sign_in

pytestmark = pytest.mark.once  # what a page does is the same on every stack

PASTES = (
    "What would help most in your first month?\n- A mentor in the room\n- Time to watch\n- A course",
    "How important is time outdoors?\n1. Not at all important\n2. A little\n3. Very important",
    "What matters most? Choose your top two.\na) Calm\nb) Light\nc) Air",
    "In one word: how does it feel?",
    "How many babies are in the room?",
)
TYPES = ["single_choice", "scale", "ranking", "words", "number"]


@pytest.fixture
def workshop(transactional_db):
    """Welcome and goodbye, no question yet."""
    made = make.workshop(make.programme(contact="study@example.org"), started=False)
    make.pause_item(made, "Welcome", 5)
    make.pause_item(made, "Goodbye", 5)
    agenda.remove_step(made, None, made.agenda.get(poll__isnull=False).pk)
    made.log.all().delete()
    return made


@pytest.fixture
def page(workshop, site, desk) -> Page:
    page = desk()
    sign_in(page, site, make.staff(workshop.programme))
    page.goto(f"/workshops/{workshop.code}/")
    return page


class Hands:
    """Somebody's hands: what they press and paste, counted; letters that are typed are not."""

    def __init__(self, page: Page) -> None:
        self.page, self.presses = page, 0

    def press(self, keys: str) -> None:
        self.presses += 1
        self.page.keyboard.press(keys)

    def click(self, what: Any) -> None:
        self.presses += 1
        what.click()

    def paste(self, words: str) -> None:
        self.presses += 1
        self.page.evaluate(
            """words => {
                const data = new DataTransfer();
                data.setData("text/plain", words);
                const event = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
                if (document.activeElement.dispatchEvent(event)) document.execCommand("insertText", false, words);
            }""",
            words,
        )


def titles(of: Workshop) -> list[str]:
    return list(of.agenda.values_list("title", flat=True))


def types(of: Workshop) -> list[str]:
    return [item.required_poll.question.type for item in of.agenda.filter(poll__isnull=False)]


def focused(page: Page) -> str:
    return page.evaluate("() => document.activeElement.id")


def test_five_questions_are_five_pastes_by_keyboard_alone(page, workshop):
    hands = Hands(page)
    page.locator("#one").focus()
    for number, words in enumerate(PASTES, 1):
        hands.paste(words)
        if "\n" in words:
            expect(page.locator("#becomes")).to_have_text(words.splitlines()[0])
            hands.press("Control+Enter")
        else:
            hands.press("Enter")
        expect(page.locator("li.step:not(.is-talk)")).to_have_count(number)
        expect(page.locator("#one")).to_have_value("")
        assert focused(page) == "one"
    assert types(workshop) == TYPES
    assert titles(workshop)[0] == "Welcome"
    assert titles(workshop)[-1] == "Goodbye"
    assert hands.presses == 10


def test_a_whole_agenda_is_one_paste_and_one_press(page, workshop):
    hands = Hands(page)
    hands.click(page.locator("#one"))
    hands.paste("\n\n".join(PASTES))
    expect(page.locator("#becomes")).to_have_text("5 questions")
    hands.click(page.get_by_role("button", name="Add the 5 questions"))
    expect(page.locator("li.step:not(.is-talk)")).to_have_count(5)
    expect(page.get_by_text("Added 5 questions.")).to_be_visible()
    assert types(workshop) == TYPES
    assert hands.presses == 3


def test_from_five_typed_questions_to_open_doors(page, workshop):
    """Five questions from nothing, one given another type with a tap, minutes set, doors opened."""
    hands = Hands(page)
    hands.click(page.locator("#one"))
    for number, words in enumerate(PASTES, 1):
        first, *options = words.splitlines()
        page.keyboard.type(first)
        for label in options:
            hands.press("Shift+Enter" if label == options[0] else "Enter")
            page.keyboard.type(label.split(" ", 1)[1])
        hands.press("Control+Enter" if options else "Enter")
        expect(page.locator("li.step:not(.is-talk)")).to_have_count(number)
    hands.click(page.locator("label", has=page.locator("#type-open_text")))
    expect(page.locator("#type-open_text")).to_be_checked()
    hands.click(page.get_by_role("button", name="Open the doors"))
    expect(page).to_have_url(f"{page.url.split('/workshops')[0]}/workshops/{workshop.code}/console/")
    workshop.refresh_from_db()
    assert workshop.is_running
    assert types(workshop) == [*TYPES[:4], "open_text"]
    assert hands.presses <= 25


def test_what_is_in_the_bank_is_found_and_added_with_one_key(page, workshop):
    make.poll(Question("open_text", "What is outdoors?"), bank=workshop.programme.bank)
    page.locator("#one").focus()
    page.keyboard.type("out")
    expect(page.locator("#found [aria-selected=true]")).to_contain_text("What is outdoors?")
    expect(page.locator("#one")).to_have_attribute("aria-expanded", "true")
    assert_accessible(page)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Added: “What is outdoors?”.")).to_be_visible()
    expect(page.locator("#one")).to_have_attribute("aria-expanded", "false")
    page.keyboard.type("out")
    expect(page.locator("#found")).to_contain_text("Already in this agenda")
    expect(page.locator("#found [aria-selected=true]")).to_contain_text("Make “out” a new question")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".step.is-talk", has_text="out")).to_be_visible()
    page.keyboard.type("out")
    expect(page.locator("#found")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#found")).to_have_count(0)
    expect(page.locator("#one")).to_have_value("out")


def test_moving_by_keyboard_keeps_the_focus_and_the_menu(page, workshop):
    step = workshop.agenda.get(title="Goodbye")
    page.locator(f"#menu-{step.pk}").press("Enter")
    page.locator(f"#up-{step.pk}").press("Enter")
    expect(page.locator(".step .what h3").last).to_have_text("Welcome")
    assert focused(page) == f"menu-{step.pk}"  # it is first now and has no "Move up"
    page.locator(f"#down-{step.pk}").press("Enter")
    expect(page.locator(".step .what h3").last).to_have_text("Goodbye")
    page.keyboard.press("Escape")
    expect(page.locator("details[open]")).to_have_count(0)
    assert focused(page) == f"menu-{step.pk}"


def test_a_step_is_dragged_by_its_time(page, workshop):
    steps = page.locator(".step[data-step]")
    steps.last.locator(".at").drag_to(steps.first, target_position={"x": 200, "y": 3})
    expect(steps.first.locator("h3")).to_have_text("Goodbye")
    assert titles(workshop) == ["Goodbye", "Welcome"]


def test_minutes_typed_while_others_are_saved_are_not_lost(page, workshop):
    first, last = (workshop.agenda.get(title=title) for title in ("Welcome", "Goodbye"))
    page.locator(f"#minutes-{first.pk}").fill("7")
    with page.expect_response(lambda answer: f"/steps/{first.pk}/" in answer.url):
        page.locator(f"#minutes-{last.pk}").click()
        page.keyboard.press("Control+A")
        page.keyboard.type("1")
    expect(page.locator(".agenda-head b")).to_have_text("12")
    page.keyboard.type("2")
    expect(page.locator(f"#minutes-{last.pk}")).to_have_value("12")
    page.keyboard.press("Tab")
    expect(page.locator(".agenda-head b")).to_have_text("19")


def test_what_is_in_the_box_stays_when_a_step_is_removed(page, workshop):
    step = workshop.agenda.get(title="Goodbye")
    page.locator("#one").fill("What would you")
    page.locator(f"#menu-{step.pk}").click()
    page.locator(f"#remove-{step.pk}").click()
    expect(page.get_by_text("You removed “Goodbye” from the agenda")).to_be_visible()
    expect(page.locator("#one")).to_have_value("What would you")
    page.locator("h1").click()
    page.keyboard.press("Control+z")
    expect(page.locator(".step", has_text="Goodbye")).to_be_visible()


def test_somebody_may_type_on_while_the_last_question_is_on_its_way(page, workshop):
    page.locator("#one").focus()
    for words in ("What do you see?", "What do you hear?", "What do you smell?"):
        page.keyboard.type(words)
        page.keyboard.press("Enter")
    page.keyboard.type("And")
    expect(page.locator("li.step:not(.is-talk)")).to_have_count(3)
    expect(page.locator("#one")).to_have_value("And")
    assert titles(workshop)[1:4] == ["What do you see?", "What do you hear?", "What do you smell?"]


def test_something_is_added_below_a_chosen_step_and_the_next_below_that(page, workshop):
    step = workshop.agenda.get(title="Welcome")
    page.locator(f"#menu-{step.pk}").click()
    page.get_by_role("link", name="Add below").click()
    assert focused(page) == "one"
    expect(page.get_by_text("below “Welcome”")).to_be_visible()
    for words in ("What do you see?", "What do you hear?"):
        page.keyboard.type(words)
        page.keyboard.press("Enter")
        expect(page.get_by_text(f"Added: “{words}”.")).to_be_visible()
    assert titles(workshop) == ["Welcome", "What do you see?", "What do you hear?", "Goodbye"]


def test_what_was_typed_stays_when_the_connection_is_gone(page, workshop, console_errors_expected):
    console_errors_expected += ["ERR_INTERNET_DISCONNECTED", "htmx"]
    page.locator("#one").focus()
    page.context.set_offline(True)
    page.keyboard.type("What do you see?")
    page.keyboard.press("Enter")
    expect(page.get_by_text("That did not arrive.")).to_be_visible()
    expect(page.locator("#one")).to_have_value("What do you see?")
    page.context.set_offline(False)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Added: “What do you see?”.")).to_be_visible()


@pytest.mark.looks
def test_the_page_suits_every_screen(page, workshop):
    Workshop.objects.filter(pk=workshop.pk).update(code="WMWMWM")  # the widest there is
    page.goto("/workshops/WMWMWM/")
    agenda.add_questions(
        workshop, None, [(Question(name, "What would help most?"), 20) for name in ("single_choice", "words")]
    )
    agenda.add_talk(workshop, None, "Walk us in: what do you see?", minutes=30)
    page.reload()
    page.locator("#one").focus()
    Hands(page).paste(PASTES[0])
    expect(page.locator("#becomes")).to_be_visible()
    for _look in every_look(page, 320, 390, 1440):
        assert_fits(page)
        assert_accessible(page)


@pytest.mark.looks
def test_the_widest_code_fits_every_page_that_shows_it(page, workshop):
    Workshop.objects.filter(pk=workshop.pk).update(code="WMWMWM")
    for address in ("/workshops/", "/workshops/WMWMWM/console/", "/workshops/WMWMWM/joining-sheet/"):
        page.goto(address)
        for _look in every_look(page, 320):
            assert_fits(page)


def test_everything_works_without_a_script(workshop, site, desk):
    page = desk(java_script_enabled=False)
    sign_in(page, site, make.staff(workshop.programme))
    page.goto(f"/workshops/{workshop.code}/")
    page.locator("#one").fill(PASTES[0])
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("radio", name="Choose any").check()
    page.get_by_role("button", name="Add the question").click()
    assert types(workshop) == ["multiple_choice"]
    step = workshop.agenda.get(title="Goodbye")
    page.locator(f"#minutes-{step.pk}").fill("9")
    page.locator(f"#minutes-{step.pk}").press("Enter")
    expect(page.locator(".agenda-head b")).to_have_text("16")
    page.locator(f"#menu-{step.pk}").click()
    page.locator(f"#up-{step.pk}").click()
    assert titles(workshop)[-1] == PASTES[0].splitlines()[0]
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Took back:")).to_be_visible()
    assert titles(workshop)[-1] == "Goodbye"
