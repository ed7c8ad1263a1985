"""The card editor saves by itself, loses nothing that was typed, and tells two editors of each other."""

import re

import pytest
from playwright.sync_api import Page, expect

from polls import ballot_box
from polls.models import Instrument
from tests import factories as make
from tests.poll_samples import QUESTIONS

from .page_checks import assert_accessible, every_look, sideways
from .sign_in import sign_in

pytestmark = pytest.mark.once
SAVED = re.compile(r"^Saved \d\d:\d\d$")


@pytest.fixture
def workshop(transactional_db):
    made = make.workshop(make.programme(), QUESTIONS["single"], started=False)
    make.pause_item(made)
    return made


@pytest.fixture
def instrument(workshop):
    return workshop.agenda.first().poll.version.instrument


@pytest.fixture
def editor(desk, site, workshop):
    """`editor()`: another member of the team, on a laptop, with the card of the step open."""

    def open_card() -> Page:
        page = desk()
        sign_in(page, site, make.staff(workshop.programme))
        page.goto(card_of(workshop))
        return page

    return open_card


def card_of(workshop) -> str:
    return f"/workshops/{workshop.code}/items/{workshop.agenda.first().pk}/"


def question_of(instrument):
    return Instrument.objects.get(pk=instrument.pk).versions.last().question


def status(page: Page):
    return page.locator("[data-saved]")


def ask(page: Page):
    return page.get_by_label("Question", exact=True)


def test_what_is_typed_is_saved_on_leaving_the_field_and_the_preview_follows(editor, instrument):
    page = editor()
    ask(page).fill("Which part first?")
    ask(page).press("Tab")
    expect(status(page)).to_have_text(SAVED)
    assert question_of(instrument).text == "Which part first?"
    expect(page.frame_locator("[title='On a phone']").locator("h1")).to_have_text("Which part first?")


def test_what_is_typed_is_saved_while_somebody_types_and_the_field_is_left_alone(editor, instrument):
    page = editor()
    options = page.get_by_label("Options", exact=True)
    options.focus()
    options.press("Control+End")
    options.press_sequentially("\nRoof")
    expect(status(page)).to_have_text(SAVED)
    assert [option.key for option in question_of(instrument).options] == ["a", "b", "c", "d", "roof"]
    expect(options).to_be_focused()
    options.press_sequentially(" terrace")
    expect(options).to_have_value("Ground floor\nQuiet\nGarden\nNone\nRoof terrace")


def test_changing_the_type_shows_its_parts_and_keeps_the_list(editor, instrument):
    page = editor()
    page.get_by_role("radio", name="Scale").check()
    expect(page.get_by_label("Points of the scale")).to_have_value("Ground floor\nQuiet\nGarden\nNone")
    expect(page.get_by_label("Options", exact=True)).to_be_hidden()
    expect(status(page)).to_have_text(SAVED)
    page.get_by_role("radio", name="Choose any").check()
    expect(page.get_by_label("Options", exact=True)).to_be_visible()
    expect(page.get_by_label("Choose at most")).to_be_visible()


def test_a_lost_connection_loses_nothing_and_it_is_saved_once_it_is_back(
    editor, instrument, console_errors_expected
):
    console_errors_expected.append("ERR_INTERNET_DISCONNECTED")
    page = editor()
    page.context.set_offline(True)
    ask(page).fill("Typed in a tunnel?")
    ask(page).press("Tab")
    expect(status(page)).to_contain_text("no connection")
    page.context.set_offline(False)
    expect(status(page)).to_have_text(SAVED)
    assert question_of(instrument).text == "Typed in a tunnel?"


def test_a_save_that_is_never_answered_is_given_up_and_sent_again(editor, instrument):
    """A line that went dead without a word: the browser itself would wait for minutes, and save nothing meanwhile."""
    page = editor()
    page.clock.install()
    posts = []

    def only_the_second_arrives(route):
        if route.request.method == "POST":
            posts.append(route)
        if len(posts) != 1:
            route.continue_()

    page.context.route("**/items/*/**", only_the_second_arrives)
    ask(page).fill("Typed into a dead line?")
    with page.expect_request(lambda request: request.method == "POST"):
        page.clock.run_for(3000)
    page.clock.run_for(60_000)
    expect(status(page)).to_have_text(SAVED)
    assert question_of(instrument).text == "Typed into a dead line?"


def test_what_was_typed_before_the_page_was_closed_is_offered_back(
    editor, instrument, workshop, console_errors_expected
):
    console_errors_expected.append("ERR_INTERNET_DISCONNECTED")
    page = editor()
    page.context.set_offline(True)
    ask(page).fill("Typed in a tunnel?")
    page.close()
    assert question_of(instrument).text == "Which?"

    page = editor_again(page, workshop)
    expect(ask(page)).to_have_value("Which?")
    page.get_by_role("button", name="Put it back").click()
    expect(ask(page)).to_have_value("Typed in a tunnel?")
    expect(status(page)).to_have_text(SAVED)
    assert question_of(instrument).text == "Typed in a tunnel?"
    page.reload()
    expect(page.get_by_role("button", name="Put it back")).to_be_hidden()


def editor_again(closed: Page, workshop) -> Page:
    """The same person and device, with the connection back."""
    closed.context.set_offline(False)
    page = closed.context.new_page()
    page.goto(card_of(workshop))
    return page


def test_two_editors_are_told_and_the_second_decides(editor, instrument, console_errors_expected):
    console_errors_expected.append("409")
    first, second = editor(), editor()
    ask(first).fill("What the first wrote?")
    first.get_by_label("Notes for you").fill("From the first")
    first.get_by_label("Notes for you").press("Tab")
    expect(status(first)).to_have_text(SAVED)

    ask(second).fill("What the second wrote?")
    ask(second).press("Tab")
    conflict = second.get_by_role("alert").filter(has_text="has changed this card too")
    expect(conflict).to_contain_text("What the first wrote?")
    expect(conflict).to_contain_text("What the second wrote?")
    expect(ask(second)).to_have_value("What the second wrote?")
    assert question_of(instrument).text == "What the first wrote?"
    assert_accessible(second)

    conflict.get_by_role("button", name="Save it so").click()
    expect(ask(second)).to_have_value("What the second wrote?")
    expect(second.get_by_label("Notes for you")).to_have_value("From the first")
    assert question_of(instrument).text == "What the second wrote?"


def test_after_answers_a_change_says_what_follows_and_becomes_the_next_version(editor, instrument, workshop):
    ballot_box.open_poll(workshop.agenda.first().poll_id)
    page = editor()
    page.get_by_label("Options", exact=True).fill("Ground floor\nQuiet\nGarden\nNone\nRoof")
    page.get_by_label("Options", exact=True).press("Tab")
    expect(page.get_by_label("I added an option")).to_be_checked()
    expect(page.get_by_label("What became of each line").locator("li").last).to_have_text("new option")
    page.get_by_label("Why?").fill("Asked for")
    page.get_by_role("button", name="Save as version 2").click()
    expect(page.get_by_text("People are asked version 2 from now on.")).to_be_visible()
    assert_accessible(page)
    assert instrument.latest.number == 2


def test_a_sum_is_added_and_stays_one_sum_however_often_it_is_saved(editor, instrument):
    page = editor()
    page.get_by_text("Add a sum").click()
    page.get_by_label("Name of this sum").first.fill("Low")
    row = page.locator("[data-sum='0']")
    for label in ("Ground floor", "Quiet"):
        row.get_by_role("checkbox", name=label).check()
        expect(status(page)).to_have_text(SAVED)
    expect(row.locator("[name=sum-0-key]")).to_have_value("low")
    row.get_by_role("checkbox", name="Garden").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_label("Remove this sum")).to_be_visible()
    assert [measure.definition for measure in instrument.measures.all()] == [{"members": ["a", "b", "c"]}]


@pytest.mark.looks
def test_every_type_fits_its_page_and_everybody_can_use_it(editor):
    page = editor()
    for kind in ("Choose any", "Scale", "Number", "Statement", "Choose one"):
        page.get_by_role("radio", name=kind, exact=True).check()
        expect(status(page)).to_have_text(SAVED)
        page.set_viewport_size({"width": 320, "height": 900})
        assert sideways(page) == 0
        page.set_viewport_size({"width": 1440, "height": 900})
    for _look in every_look(page, 320, 1440):
        assert_accessible(page)
        assert sideways(page) == 0
