"""The list of a programme's questions: what stands on it, who may look, what it asks the database."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from polls.models import ComparabilityMark, Instrument, Poll
from polls.types.base import Option
from workshops.actions import facilitation
from workshops.models import Plan, Prompt, Role

from ... import factories
from ...factories import YES_NO, signed_in, staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def programme():
    made = factories.programme(title="The ideal baby room")
    made.domains.create(key="calm", title="Calm rooms", position=1)
    return made


@pytest.fixture
def facilitator(programme):
    return signed_in(staff(programme))


def text_of(answer) -> str:
    assert answer.status_code == 200
    page = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", answer.content.decode(), flags=re.DOTALL)
    return " ".join(strip_tags(page.split("<main")[1].replace("<", " <")).split())


def url_of(programme, query: str = "") -> str:
    return f"/programmes/{programme.key}/questions/{query}"


def asked(programme, question=YES_NO, *, of: Instrument | None = None) -> Poll:
    """A workshop that has asked this question, or the newest version of this instrument; one person answered."""
    workshop = factories.workshop(programme, question)
    if of:
        Poll.objects.filter(agenda_item__workshop=workshop).update(version=of.latest)
    poll = factories.launched(workshop)
    factories.vote(factories.participant(workshop), poll, "yes")
    facilitation.end(workshop.pk, None)
    return Poll.objects.get(pk=poll.pk)


def revised(instrument: Instrument, **changed) -> None:
    last = instrument.latest
    definition = replace(last.question, **changed).as_json()
    instrument.versions.create(number=last.number + 1, definition=definition)


# --- what stands on it --------------------------------------------------------------------------------


def test_an_empty_list_says_how_questions_come_into_it(programme, facilitator):
    assert "No question yet." in text_of(facilitator.get(url_of(programme)))


def test_a_question_stands_under_its_domain_with_its_version_and_workshops(programme, facilitator):
    poll = asked(programme)
    programme.domains.get().instruments.add(poll.version.instrument)
    asked(programme, of=poll.version.instrument)
    page = text_of(facilitator.get(url_of(programme)))
    assert "Calm rooms Is it calm?" in page
    assert "Choose one of 2 1 2 Added up" in page


def test_a_question_without_a_domain_stands_last(programme, facilitator):
    first, second = factories.poll(bank=programme.bank), factories.poll(bank=programme.bank)
    Instrument.objects.filter(pk=first.version.instrument_id).update(position=1)
    programme.domains.get().instruments.add(second.version.instrument)
    page = text_of(facilitator.get(url_of(programme)))
    assert page.index("Calm rooms") < page.index("Closing and other questions")
    assert "none yet Not asked yet" in page


def test_a_changed_meaning_is_said_and_its_versions_open_below_it(programme, facilitator):
    poll = asked(programme)
    instrument = poll.version.instrument
    revised(instrument, text="Is it quiet?")
    asked(programme, of=instrument)
    assert "2 Side by side: the meaning changed" in text_of(facilitator.get(url_of(programme)))
    page = text_of(facilitator.get(url_of(programme, f"?open={instrument.key}")))
    assert "Version 2 Wording of the question: Is it calm? → became Is it quiet?" in page
    assert (
        "It asks something else: a new series, side by side with the older answers. from workshop 2 on"
        in page
    )
    assert "Version 1 The first version: Is it calm? workshop 1" in page


def test_a_mark_is_said_with_its_reason_and_who_set_it(programme, facilitator):
    instrument = asked(programme).version.instrument
    revised(instrument, options=(*YES_NO.options, Option("maybe", "Maybe")))
    earlier, later = instrument.versions.all()
    by = factories.person("owner@example.org")
    ComparabilityMark.objects.create(earlier=earlier, later=later, kind="option", reason="They asked.", by=by)
    page = text_of(facilitator.get(url_of(programme, f"?open={instrument.key}")))
    assert "Added up, with a mark: option added" in page
    assert (
        "Option added: Maybe . It counts only people who could choose it. They asked. owner@example.org,"
        in page
    )
    assert "not asked yet" in page


def test_a_draft_is_no_version_yet(programme, facilitator):
    instrument = asked(programme).version.instrument
    draft = replace(YES_NO, text="Is it quiet?").as_json()
    instrument.versions.create(number=2, definition=draft, draft=True)
    page = text_of(facilitator.get(url_of(programme, f"?open={instrument.key}")))
    assert "Is it quiet?" not in page
    assert "a change is being written" in page
    assert "Added up" in page


def test_a_rehearsal_asks_nobody(programme, facilitator):
    workshop = factories.workshop(programme)
    poll = factories.launched(workshop)
    factories.vote(factories.participant(workshop, rehearsal=True), poll, "yes")
    facilitation.end(workshop.pk, None)
    assert "none yet Not asked yet" in text_of(facilitator.get(url_of(programme)))


def test_questions_about_people_have_a_list_of_their_own(programme, facilitator):
    planned = factories.poll(bank=programme.bank).version.instrument
    Plan.objects.create(programme=programme, key="plan", title="Plan", profile=[planned.key])
    workshop = factories.workshop(programme)
    factories.poll_item(workshop, replace(YES_NO, text="Are you new here?"), profile=True)
    page = text_of(facilitator.get(url_of(programme)))
    assert "Questions 1 About people 2 Breakouts 0 Removed 0" in page
    assert "Are you new here?" not in page
    assert "Are you new here?" in text_of(facilitator.get(url_of(programme, "?tab=people")))


def test_breakouts_have_a_list_of_their_own(programme, facilitator):
    Prompt.objects.create(
        programme=programme, key="walk", text="Walk us in", probes=["What do you hear?"], minutes=12
    )
    page = text_of(facilitator.get(url_of(programme, "?tab=breakouts&q=walk")))
    assert "Walk us in What do you hear? 12 none yet" in page
    assert "Nothing matches." in text_of(facilitator.get(url_of(programme, "?tab=breakouts&q=run")))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=QUIET", ["Is it quiet?"]),
        ("q=maybe", ["Is it quiet?"]),
        ("q=it+is", ["Is it calm?", "Is it quiet?"]),
        ("how=ranking", ["Is it quiet?"]),
        ("how=nonsense&adds=nonsense", ["Is it calm?", "Is it quiet?"]),
        ("adds=added", ["Is it calm?"]),
        ("adds=apart", []),
        ("tab=nonsense", ["Is it calm?", "Is it quiet?"]),
        ("page=9", ["Is it calm?", "Is it quiet?"]),
    ],
)
def test_the_list_is_searched_and_filtered(programme, facilitator, query, found):
    asked(programme)
    quiet = replace(
        YES_NO, type="ranking", text="Is it quiet?", options=(*YES_NO.options, Option("maybe", "Maybe"))
    )
    factories.poll(quiet, bank=programme.bank)
    page = text_of(facilitator.get(url_of(programme, f"?{query}")))
    assert [text for text in ("Is it calm?", "Is it quiet?") if text in page] == found


# --- removing -----------------------------------------------------------------------------------------


def test_a_removed_question_waits_and_comes_back(programme, facilitator):
    instrument = asked(programme).version.instrument
    for _twice in range(2):
        answer = facilitator.post(url_of(programme, f"{instrument.key}/remove/"), follow=True)
    page = text_of(answer)
    assert "is removed. Its answers stay." in page
    assert "Questions 0 About people 0 Breakouts 0 Removed 1" in page
    assert "for 10 minutes" in page
    back = {"next": url_of(programme, "?tab=removed")}
    answer = facilitator.post(
        f"/programmes/{programme.key}/removed/question/{instrument.pk}/restore/", back, follow=True
    )
    assert "Questions 1 About people 0 Breakouts 0 Removed 0" in text_of(answer)


def test_a_removed_breakout_waits_too(programme, facilitator):
    Prompt.objects.create(programme=programme, key="walk", text="Walk us in")
    answer = facilitator.post(f"/programmes/{programme.key}/prompts/walk/remove/", follow=True)
    assert "Breakouts 0 Removed 1" in text_of(answer)
    assert "Walk us in Breakout, removed on" in text_of(facilitator.get(url_of(programme, "?tab=removed")))


# --- who may ------------------------------------------------------------------------------------------


def test_who_reads_results_may_look_and_change_nothing(programme):
    instrument = asked(programme).version.instrument
    reader = signed_in(staff(programme, Role.RESEARCHER))
    page = text_of(reader.get(url_of(programme, f"?open={instrument.key}")))
    assert "Results" in page
    assert "Remove" not in page.replace("Removed", "")
    assert "New question" not in page
    assert reader.post(url_of(programme, f"{instrument.key}/remove/")).status_code == 403


def test_a_question_of_another_programme_is_not_there(programme, facilitator):
    foreign = factories.poll(bank=factories.programme().bank).version.instrument
    assert facilitator.post(url_of(programme, f"{foreign.key}/remove/")).status_code == 404
    other = signed_in(staff(factories.programme()))
    assert other.get(url_of(programme)).status_code == 404


# --- how many queries ---------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["", "?adds=added", "?q=calm&page=2", "?tab=people", "?tab=breakouts"])
def test_more_questions_ask_the_database_no_more(programme, facilitator, query):
    def queries() -> int:
        facilitator.get(url_of(programme, query))
        with CaptureQueriesContext(connection) as found:
            assert facilitator.get(url_of(programme, query)).status_code == 200
        return len(found)

    poll = asked(programme)
    revised(poll.version.instrument, text="Is it quiet?")
    Prompt.objects.create(programme=programme, key="walk", text="Walk us in")
    few = queries()
    for number in range(299):
        instrument = factories.poll(bank=programme.bank).version.instrument
        if number % 3 == 0:
            revised(instrument, text=f"Is it quiet at {number}?")
        Prompt.objects.create(programme=programme, key=f"walk-{number}", text="Walk us in")
    assert queries() == few <= 24


def test_a_long_list_has_pages(programme, facilitator):
    for _ in range(51):
        factories.poll(bank=programme.bank)
    first = text_of(facilitator.get(url_of(programme, "?how=single_choice")))
    assert "1 to 50 of 51" in first
    answer = facilitator.get(url_of(programme, "?how=single_choice&page=2"))
    assert "51 to 51 of 51" in text_of(answer)
    assert 'href="?how=single_choice&amp;page=1"' in answer.content.decode()
