"""A questionnaire on a phone: answered with a script and without, on a weak signal, and stopped in between."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect

from polls.models import Ballot
from polls.types.base import Option, Question
from tests import factories as make
from workshops.actions.authoring import questionnaires
from workshops.models import Participant, Workshop

from .page_checks import assert_accessible, assert_fits, every_look
from .steps import BABIES

pytestmark = pytest.mark.once  # what a page does is the same on every stack

CALM = Question(
    "scale", "How calm is the room?", settings={"points": ["Hardly ever", "Some days", "Most days"]}
)
HOURS = Question("number", "How many hours a day?", settings={"min": 1, "max": 12, "unit": "hours"})
RANK = Question(
    "ranking", "What helps most?", options=(Option("a", "Time"), Option("b", "Space"), Option("c", "People"))
)


@pytest.fixture
def open_link(transactional_db):
    made = make.questionnaire(None, BABIES, CALM, HOURS)
    make.pause_item(made, "Thank you. The last one is yours.")
    make.poll_item(made, RANK)
    return reopened(made)


def reopened(made: Workshop) -> Workshop:
    """With the questions that have been added since."""
    questionnaires.close_now(made.pk, None)
    questionnaires.open_now(made.pk, None)
    made.refresh_from_db()
    return made


def begin(page: Page, made: Workshop) -> Page:
    page.goto(f"/w/{made.code}/")
    page.get_by_role("link", name="Begin").click()
    for words in ("I have read", "My answers"):
        page.get_by_label(words).first.check()
    page.get_by_role("button", name="Continue").click()
    asked(page, BABIES)
    return page


def asked(page: Page, question: Question) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(question.text)


def save(page: Page) -> None:
    page.get_by_role("button", name="Save and go on").click()


def stored() -> list:
    cast = Ballot.objects.filter(revision__gt=0).order_by("poll__agenda_item__position")
    return [ballot.value for ballot in cast]


def test_somebody_answers_goes_back_stops_and_goes_on_later(site, phone, open_link):
    page = begin(phone(), open_link)
    page.get_by_text("6 to 8").click()
    save(page)
    asked(page, CALM)
    expect(page.get_by_text("Saved: 6 to 8")).to_be_visible()
    expect(page.get_by_text("1 of 4 answered")).to_be_visible()
    page.get_by_text("Most days").click()
    save(page)
    asked(page, HOURS)
    page.get_by_role("link", name="Back").click()
    asked(page, CALM)
    expect(page.get_by_role("heading", name="Saved: Most days")).to_be_visible()
    page.get_by_role("link", name="Change my answer").click()
    page.get_by_text("Some days").click()
    save(page)
    asked(page, HOURS)
    page.get_by_label("How many hours a day?").fill("4")

    again = page.context.new_page()  # the tab was closed; what was half typed is still there
    page.close()
    again.goto(f"/w/{open_link.code}/")
    asked(again, HOURS)
    expect(again.get_by_label("How many hours a day?")).to_have_value("4")
    save(again)
    asked(again, RANK)
    expect(again.get_by_text("Thank you. The last one is yours.")).to_be_visible()
    again.get_by_role("link", name="Skip this one").click()
    expect(again.get_by_role("heading", name="That was the last question")).to_be_visible()
    expect(again.get_by_text("You answered 3 of 4")).to_be_visible()
    assert stored() == ["n6_8", 2, 4]
    assert Ballot.objects.filter(status="issued").count() == 1
    assert Participant.objects.count() == 1


def test_without_a_signal_people_go_on_and_everything_is_stored_later(
    site, phone, open_link, console_errors_expected
):
    console_errors_expected += ["ERR_INTERNET_DISCONNECTED", "Failed to fetch"]
    page = begin(phone(), open_link)
    page.context.set_offline(True)
    page.get_by_text("6 to 8").click()
    save(page)
    expect(page.get_by_role("heading", name="Not saved yet, trying again")).to_be_visible()
    page.get_by_role("link", name="Next question").click()
    asked(page, CALM)
    expect(page.get_by_text("Answers not saved yet: 1.")).to_be_visible()
    page.get_by_role("link", name="Skip this one").click()
    asked(page, HOURS)
    page.get_by_label("How many hours a day?").fill("99")
    save(page)
    page.get_by_role("link", name="Next question").click()
    asked(page, RANK)
    page.context.set_offline(False)
    # What cannot be right is brought back with its sentence, wherever somebody is by then.
    asked(page, HOURS)
    expect(page.locator("#stage [data-error]:visible")).to_be_visible()
    expect(page.get_by_label("How many hours a day?")).to_have_value("99")
    page.get_by_label("How many hours a day?").fill("9")
    save(page)
    asked(page, RANK)
    assert stored() == ["n6_8", 9]


def test_what_waits_is_sent_by_the_next_visit(site, phone, open_link, console_errors_expected):
    console_errors_expected += ["ERR_INTERNET_DISCONNECTED", "Failed to fetch"]
    page = begin(phone(), open_link)
    page.context.set_offline(True)
    page.get_by_text("6 to 8").click()
    save(page)
    expect(page.get_by_role("heading", name="Not saved yet, trying again")).to_be_visible()
    again = page.context.new_page()
    page.close()
    again.context.set_offline(False)
    again.goto(f"/w/{open_link.code}/")
    expect(again.get_by_text("1 of 4 answered")).to_be_visible()
    assert stored() == ["n6_8"]


def test_closed_while_somebody_is_answering(site, phone, open_link):
    page = begin(phone(), open_link)
    page.get_by_text("6 to 8").click()
    save(page)
    asked(page, CALM)
    questionnaires.close_now(open_link.pk, None)
    page.get_by_text("Most days").click()
    save(page)
    expect(page.get_by_role("heading", name="Closed before your answer arrived")).to_be_visible()
    expect(page.get_by_text("This questionnaire has just closed.")).to_be_visible()
    page.get_by_role("link", name="See how it ended").click()
    expect(page.get_by_role("heading", name="Thank you for taking part")).to_be_visible()
    expect(page.get_by_text("It wasn’t counted this time.")).to_be_visible()
    expect(page.get_by_text("Your answer: 6 to 8")).to_be_visible()
    assert stored() == ["n6_8"]
    kept = page.evaluate("() => JSON.stringify(Object.keys(localStorage))")
    assert json.loads(kept) == []


@pytest.mark.slow
def test_the_page_says_by_itself_when_the_time_is_up_and_not_where_it_was_moved(site, phone, open_link):
    page = begin(phone(), open_link)
    page.evaluate("() => { document.body.dataset.closes = '1'; }")
    expect(page.locator("body")).to_have_attribute("data-closes", str(int(open_link.closes_at.timestamp())))
    expect(page.locator("#closed-note")).to_be_hidden()
    questionnaires.close_now(open_link.pk, None)
    page.evaluate("() => { document.body.dataset.closes = '1'; }")
    expect(page.get_by_text("This questionnaire has just closed.")).to_be_visible()


def test_without_a_script(site, phone, open_link, console_errors_expected):
    console_errors_expected.append("422")  # what is refused
    page = begin(phone(java_script_enabled=False), open_link)
    page.get_by_text("6 to 8").click()
    save(page)
    asked(page, CALM)
    expect(page.get_by_text("Saved: 6 to 8")).to_be_visible()
    page.get_by_role("link", name="Skip this one").click()
    asked(page, HOURS)
    page.get_by_label("How many hours a day?").fill("99")
    save(page)
    expect(page.get_by_label("How many hours a day?")).to_have_value("99")
    page.get_by_label("How many hours a day?").fill("9")
    save(page)
    asked(page, RANK)
    page.get_by_role("link", name="Back").click()
    expect(page.get_by_role("heading", name="Saved: 9 hours")).to_be_visible()
    page.get_by_role("link", name="Change my answer").click()
    page.get_by_label("How many hours a day?").fill("8")
    save(page)
    asked(page, RANK)
    assert stored() == ["n6_8", 8]


@pytest.mark.looks
def test_pages_are_accessible_and_fit(site, phone, open_link):
    page = phone()
    page.goto(f"/w/{open_link.code}/")
    looked_at(page)
    begin(page, open_link)
    looked_at(page)
    page.get_by_text("6 to 8").click()
    save(page)
    page.get_by_role("link", name="Back").click()
    looked_at(page)
    page.get_by_role("link", name="All questions").click()
    looked_at(page)
    questionnaires.close_now(open_link.pk, None)
    page.reload()
    looked_at(page)


def looked_at(page: Page) -> None:
    for _look in every_look(page, 320, 390, 1440):
        assert_fits(page)
        assert_accessible(page)
