"""From a fresh install to pooled results, in the browser alone: no file, no terminal."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Page, expect

from polls.models import Poll
from polls.types import POLL_TYPES
from tests import factories as make
from visions.results.aggregates import load_findings
from workshops.actions import facilitation
from workshops.models import Plan, Programme, Workshop

from ..patience import until
from .conftest import Open
from .hands import Hands
from .sign_in import sign_in

pytestmark = pytest.mark.once  # what a page does is the same on every stack

FIVE = (
    ("How calm is your room on most days?", ["Hardly ever", "Some days", "Most days"]),
    ("What would help most?", ["A mentor", "More time", "More space"]),
    ("In one word: how does it feel?", []),
    ("How many babies are in the room?", []),
    ("What should come first? Choose your top two.", ["Sleep", "Food", "Play"]),
)
#: one question of every type, as somebody pastes it, and the name of the type that they tap where another was guessed
EVERY_TYPE = {
    "single_choice": "Where do babies sleep best?\n- In the garden\n- In a quiet room",
    "multiple_choice": "What is in the room? Choose any that apply.\n- Blankets\n- Books\n- Windows",
    "scale": "How important is fresh air?\n- Not at all important\n- Somewhat important\n- Very important",
    "ranking": "Rank these, best first.\n- Calm\n- Light\n- Air",
    "words": "In one word: how does it feel?",
    "open_text": "What would make it better?",
    "number": "How many babies are in the room?",
    "points": "Share 100 points: where does time go?\n- Care\n- Play\n- Paper",
    "statement": "We agree: babies belong outside every day.",
}


@pytest.fixture
def person(transactional_db):
    """Somebody with an account, on an install that holds nothing else."""
    return make.person("new@example.org")


@pytest.fixture
def page(person, site, desk) -> Page:
    page = desk()
    sign_in(page, site, person)
    page.goto("/workshops/")
    return page


def begin(hands: Hands, title: str) -> Workshop:
    """A programme with nothing but a title; returns its first workshop, whose page is open."""
    page = hands.page
    hands.click(page.get_by_role("link", name=re.compile("Make a programme|New programme")).first)
    hands.click(page.get_by_role("textbox", name="Title"))
    hands.type(title)
    hands.press("Enter")
    expect(page.locator("#one")).to_be_visible()
    return Workshop.objects.get()


def report(what: str, hands: Hands, begun: float) -> None:
    print(f"\n{what}: {hands.presses} presses, {time.monotonic() - begun:.0f} s")


def test_a_workshop_of_five_questions_from_nothing(page):
    hands, begun = Hands(page), time.monotonic()
    begin(hands, "Calm rooms")
    hands.click(page.locator("#one"))
    for number, (question, options) in enumerate(FIVE, 1):
        hands.type(question)
        for place, label in enumerate(options):
            hands.press("Enter" if place else "Shift+Enter")
            hands.type(label)
        hands.press("Control+Enter" if options else "Enter")
        expect(page.locator("li.step:not(.is-talk)")).to_have_count(number)
    hands.click(page.get_by_role("button", name="Open the doors"))
    expect(page).to_have_url(re.compile("/console/$"))
    report("Five questions from nothing", hands, begun)
    assert Workshop.objects.get().is_running
    assert hands.presses <= 25


def test_a_pasted_agenda_of_five_questions(page):
    hands, begun = Hands(page), time.monotonic()
    begin(hands, "Calm rooms")
    hands.click(page.locator("#one"))
    hands.paste("\n\n".join("\n- ".join([question, *options]) for question, options in FIVE))
    hands.click(page.get_by_role("button", name="Add the 5 questions"))
    expect(page.get_by_text("Added 5 questions.")).to_be_visible()
    report("A pasted agenda of five questions from nothing", hands, begun)
    assert Poll.objects.count() == 5


@pytest.mark.slow
def test_a_programme_of_every_type_is_planned_twice_run_mended_and_added_up(
    page, phone, console_errors_expected
):
    """A typo is mended and added up; a changed meaning stands side by side."""
    # htmx says in the console that it asks for a series anew before the last answer has come
    console_errors_expected += ["htmx:afterRequest", "htmx:sendAbort"]
    hands = Hands(page)
    first = begin(hands, "The calm room")
    add_every_type(hands)
    assert {poll.question.type for poll in Poll.objects.all()} == set(POLL_TYPES)
    plan = keep_as_a_plan(hands, first)
    one, other = plan_two(hands, first.programme, plan)

    hold(page, phone, one, {"single_choice": "o1", "scale": 3}, rehearsed=3)
    change(page, first.programme, "Where do babies sleep best?", "Where do babys sleep best?", "Only a typo")
    change(
        page,
        first.programme,
        "How important is fresh air?",
        "How important is warmth?",
        "It asks something else now",
    )
    hold(page, phone, other, {"single_choice": "o2", "scale": 1})

    page.goto(f"/programmes/{first.programme.key}/")
    expect(page.get_by_text("Added up, with a mark: only a typo").first).to_be_visible()
    expect(page.get_by_text("Side by side: the meaning changed").first).to_be_visible()
    found = load_findings(first.programme)
    sleep = next(each for each in found.instruments if "sleep" in each.key)
    assert (sleep.counts.valid, [each.hits for each in sleep.options]) == (
        22,
        [11, 11],
    )  # no phone of the rehearsal


def add_every_type(hands: Hands) -> None:
    page = hands.page
    page.locator("#one").focus()
    for number, (name, words) in enumerate(EVERY_TYPE.items(), 1):
        hands.paste(words)
        hands.press("Control+Enter" if "\n" in words else "Enter")
        expect(page.locator("li.step:not(.is-talk)")).to_have_count(number)
        tap = page.locator(f"#type-{name}")
        if not tap.is_checked():
            hands.click(page.locator("label", has=tap))
            expect(tap).to_be_checked()


def keep_as_a_plan(hands: Hands, workshop: Workshop) -> Plan:
    page = hands.page
    hands.click(page.get_by_role("link", name="Keep as a plan"))
    page.get_by_role("textbox", name="Title").fill("The calm hour")
    hands.press("Enter")
    expect(page).not_to_have_url(re.compile("keep-as-plan"))
    return workshop.programme.plans.get()


def plan_two(hands: Hands, programme: Programme, plan: Plan) -> list[Workshop]:
    page = hands.page
    page.goto(f"/programmes/{programme.key}/plan/")
    hands.click(page.locator(f"input[name=plan][value='{plan.pk}']"))
    page.locator("#id_date").fill("2031-05-06")
    page.locator("#id_time").fill("18:30")
    page.locator("#id_many").fill("2")
    page.locator("#id_many").press("Tab")
    expect(page.locator("#series input[type=date]")).to_have_count(2)
    hands.click(page.locator("main form button.is-main"))
    expect(page).not_to_have_url(re.compile("/plan/$"))
    return list(plan.workshops.exclude(starts_at=None).order_by("number"))


def hold(page: Page, phone: Open, workshop: Workshop, answers: dict, rehearsed: int = 0) -> None:
    """Open the doors by the button, rehearse, ask the questions, with people who answer; end it."""
    page.goto(f"/workshops/{workshop.code}/")
    page.get_by_role("button", name="Open the doors").click()
    expect(page).to_have_url(re.compile("/console/$"))
    if rehearsed:
        page.locator("summary", has_text="Rehearse").click()
        page.locator("input[name=phones]").fill(str(rehearsed))
        page.get_by_role("button", name="Rehearse").click()
        until(lambda: workshop.participants.filter(rehearsal=True).count() == rehearsed)
    ada = phone()
    take_part(ada, workshop)
    people = [make.participant(workshop) for _ in range(11)]
    for item in workshop.agenda.filter(poll__isnull=False, profile=False).order_by("position"):
        facilitation.launch(workshop.pk, None, item.pk)
        kind = item.required_poll.question.type
        expect(ada.locator("#stage")).to_have_attribute("data-poll", str(item.poll_id))
        if kind in answers:
            for who in people:
                make.vote(who, Poll.objects.get(pk=item.poll_id), answers[kind])
        facilitation.close(workshop.pk, None)
    facilitation.end(workshop.pk, None)


def take_part(page: Page, workshop: Workshop) -> None:
    page.goto(f"/w/{workshop.code}/")
    page.get_by_role("link", name="Join this workshop").click()
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#stage")).to_be_visible()


def change(page: Page, programme: Programme, old: str, new: str, kind: str) -> None:
    """Find a question in the list, type another wording, say what it is, save it as the next version."""
    page.goto(f"/programmes/{programme.key}/questions/")
    page.get_by_role("link", name=old, exact=True).click()
    page.get_by_label("Question", exact=True).fill(new)
    page.get_by_label("Question", exact=True).press("Tab")
    page.get_by_text(kind, exact=True).click()
    page.get_by_role("button", name="Save as version 2").click()
    expect(page.get_by_text(new).first).to_be_visible()
