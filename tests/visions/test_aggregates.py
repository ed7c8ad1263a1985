"""Reads across workshops: which polls count, whose numbers are known, and which figures are printed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from polls.models import ComparabilityMark, InstrumentVersion, Measure, Poll
from polls.types import Question
from visions.results.aggregates import ResultLine, load_findings, round_half_up
from workshops.actions import facilitation
from workshops.models import Programme, Workshop

from .. import factories
from ..factories import YES_NO, vote


@pytest.fixture
def programme(db) -> Programme:
    return factories.programme()


def programme_question(programme: Programme, question: Question) -> InstrumentVersion:
    return factories.poll(question, bank=programme.bank).version


def answer(
    programme: Programme,
    asked: InstrumentVersion,
    *answers: Any,
    rehearsal: tuple[Any, ...] = (),
    attended: int | None = None,
) -> Workshop:
    """One more workshop, still running, that has asked this; one person for every answer."""
    workshop = factories.workshop(programme)
    Poll.objects.filter(agenda_item__workshop=workshop).update(version=asked)
    poll = factories.launched(workshop)
    for invented, values in ((False, answers), (True, rehearsal)):
        for value in values:
            vote(factories.participant(workshop, rehearsal=invented), poll, value)
    facilitation.head_count(workshop.pk, None, attended)
    facilitation.close(workshop.pk, None)
    return workshop


def ask(programme: Programme, *answers: str | None, **options: Any) -> Workshop:
    """The same with the programme's one question."""
    asked = InstrumentVersion.objects.filter(instrument__bank=programme.bank).first()
    return answer(programme, asked or programme_question(programme, YES_NO), *answers, **options)


def counted(programme: Programme, which: str = "all") -> dict[str, tuple[int, int]]:
    """`{option: (hits, valid)}` of the one question."""
    (asked,) = load_findings(programme, which).instruments
    return {line.key: (line.hits, line.valid) for line in asked.options}


# --- what counts ------------------------------------------------------------------------------------------


def test_a_closed_question_counts_while_its_workshop_still_runs(programme):
    facilitation.end(ask(programme, "yes", "no").pk, None)
    ask(programme, "yes")
    assert counted(programme) == {"yes": (2, 3), "no": (1, 3)}


def test_an_open_question_and_a_workshop_that_is_planned_do_not_count(programme):
    ask(programme, "yes")
    facilitation.reopen(ask(programme, "no").pk, None)
    planned = ask(programme, "no")
    Workshop.objects.filter(pk=planned.pk).update(status=Workshop.Status.PLANNED)
    assert counted(programme) == {"yes": (1, 1), "no": (0, 1)}


def test_a_rehearsal_is_in_no_line_and_in_no_step_from_the_room_to_the_base(programme):
    ask(programme, "yes", None, rehearsal=("no", "no"), attended=2)
    ask(programme, rehearsal=("no",))
    found = load_findings(programme)
    assert counted(programme) == {"yes": (1, 1), "no": (0, 1)}
    assert [meeting.joined for meeting in found.meetings] == [2]
    assert found.instruments[0].ledger == {
        "attended": 2, "joined": 2, "asked": 2, "issued": 2, "cast": 2, "passed": 1, "valid": 1, "after_reveal": 0,
    }  # fmt: skip


def test_real_and_synthetic_workshops_are_read_apart_or_together(programme):
    ask(programme, "yes")
    Workshop.objects.filter(pk=ask(programme, "no").pk).update(synthetic=True)
    assert {which: counted(programme, which) for which in ("all", "real", "synthetic")} == {
        "all": {"yes": (1, 2), "no": (1, 2)},
        "real": {"yes": (1, 1), "no": (0, 1)},
        "synthetic": {"yes": (0, 1), "no": (1, 1)},
    }


# --- how many people --------------------------------------------------------------------------------------


def test_the_people_who_attended_are_known_only_where_every_workshop_counted_them(programme):
    ask(programme, "yes", attended=12)
    ask(programme, "yes", attended=0)
    found = load_findings(programme)
    assert (found.attended, found.instruments[0].ledger["attended"]) == (12, 12)
    ask(programme, "yes")
    found = load_findings(programme)
    assert (found.attended, found.instruments[0].ledger["attended"]) == (None, None)
    assert found.joined == 3


def test_those_who_joined_a_workshop_where_a_question_did_not_run_were_not_asked_it(programme):
    ask(programme, "yes", attended=5)
    other = factories.workshop(programme)
    poll = factories.launched(other)
    for _ in range(2):
        vote(factories.participant(other), poll, "yes")
    facilitation.head_count(other.pk, None, 7)
    facilitation.close(other.pk, None)
    ledgers = [result.ledger for result in load_findings(programme).instruments]
    steps = [(ledger["attended"], ledger["joined"], ledger["asked"]) for ledger in ledgers]
    assert steps == [(12, 3, 1), (12, 3, 2)]


# --- one question over its workshops ------------------------------------------------------------------------


def test_each_workshop_is_a_cell_in_their_order_with_its_own_base(programme):
    ask(programme, "yes", "no")
    ask(programme, None)
    ask(programme, "no")
    line = load_findings(programme).instruments[0].line("option", "yes")
    assert [(cell.meeting.number, cell.hits, cell.valid) for cell in line.cells] == [
        (1, 1, 2),
        (2, 0, 0),
        (3, 0, 1),
    ]
    assert line.workshops == 2  # in one of the three nobody answered


def test_people_who_did_not_say_a_word_that_others_said_are_in_its_base(programme):
    asked = programme_question(programme, Question("words", "In a word?"))
    for said in (["calm"], ["light"]):
        answer(programme, asked, said)
    calm = next(line for line in load_findings(programme).instruments[0].options if line.label == "calm")
    assert [(cell.hits, cell.valid) for cell in calm.cells] == [(1, 1), (0, 1)]
    assert (calm.hits, calm.valid) == (1, 2)


def test_the_newest_wording_is_printed_also_where_an_older_one_was_asked_later(programme):
    older = programme_question(programme, YES_NO)
    newer = older.instrument.versions.create(
        number=2, definition=replace(YES_NO, text="Is it calm enough?").as_json()
    )
    ComparabilityMark.objects.create(earlier=older, later=newer, kind="typo")
    answer(programme, newer, "yes")
    answer(programme, older, "no")
    (result,) = load_findings(programme).instruments
    assert (result.question.text, result.pooled.tally["n"]) == ("Is it calm enough?", 2)
    assert [meeting.number for meeting in result.meetings] == [1, 2]


def test_of_two_askings_in_one_workshop_the_later_counts(programme):
    workshop = factories.workshop(programme, YES_NO, YES_NO)
    first, second = (item.poll for item in workshop.agenda.order_by("position"))
    Poll.objects.filter(pk=second.pk).update(version=first.version)
    who = factories.participant(workshop)
    for place, value in enumerate(("yes", "no")):
        vote(who, factories.launched(workshop, place), value)
    facilitation.end(workshop.pk, None)
    assert counted(programme) == {"yes": (0, 1), "no": (1, 1)}


def test_a_measure_is_read_in_its_newest_version(programme):
    asked = programme_question(programme, YES_NO)
    measure = {"instrument": asked.instrument, "key": "calm", "kind": "merge"}
    Measure.objects.create(number=1, label="Calm", definition={"members": ["yes"]}, **measure)
    Measure.objects.create(number=2, label="Any", definition={"members": ["yes", "no"]}, **measure)
    answer(programme, asked, "no")
    (line,) = load_findings(programme).instruments[0].measures
    assert (line.label, line.hits, line.valid) == ("Any", 1, 1)


# --- what is printed --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("valid", "printed"), [(19, False), (20, True), (21, True)])
def test_a_percentage_is_printed_from_twenty_answers(valid, printed):
    assert ResultLine("option", "yes", "Yes", 5, valid).has_percent is printed


def test_how_many_answered_is_no_share_of_anybody():
    assert ResultLine("answers", "", "50 people answered", 50, 50).has_percent is False


@pytest.mark.parametrize(
    ("share", "percentage"),
    [(0.0, 0), (0.0049, 0), (0.005, 1), (0.125, 13), (0.375, 38), (0.994, 99), (1.0, 100)],
)
def test_half_a_per_cent_is_rounded_up(share, percentage):
    assert round_half_up(share) == percentage


def test_the_ends_of_an_interval_are_rounded_to_the_nearest_percentage():
    line = ResultLine("option", "yes", "Yes", 51, 78)
    assert [round(end, 4) for end in line.interval] == [0.5433, 0.7499]
    assert (line.low, line.high) == (54, 75)
    nobody = ResultLine("option", "no", "No", 0, 78)
    assert (nobody.low, nobody.high) == (0, 5)
    assert (ResultLine("option", "no", "No", 0, 0).low, ResultLine("option", "no", "No", 0, 0).high) == (
        None,
        None,
    )
