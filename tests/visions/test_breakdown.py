"""A line by what people said about themselves: who counts where, and who stays hidden."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from polls.models import Instrument, Measure
from polls.types import Question
from polls.types.base import Option
from visions.results.aggregates import load_findings
from visions.results.breakdown import Subgroup, by_profile
from workshops.actions import facilitation
from workshops.models import Workshop

from .. import factories
from ..factories import YES_NO, vote

ROLE = Question(
    "single_choice",
    "What is your role?",
    options=(Option("educator", "Educator"), Option("leader", "Leader")),
    settings={"other": True},
)
HOURS = Question("number", "How many hours?", settings={"none_label": "None"})


@pytest.fixture
def workshop(db) -> Workshop:
    """Running; the role is asked at joining, and one question stands on stage."""
    planned = factories.workshop(None, YES_NO, started=False)
    factories.poll_item(planned, ROLE, profile=True)
    facilitation.start(planned.pk, None)
    factories.launched(planned)
    return planned


def answer(workshop: Workshop, role: Any, *values: Any, rehearsal: bool = False) -> None:
    """One person of this role for every value."""
    polls = {item.profile: item.poll for item in workshop.agenda.select_related("poll")}
    for value in values:
        who = factories.participant(workshop, rehearsal=rehearsal)
        if role:
            vote(who, polls[True], role)
        vote(who, polls[False], value)


def broken_down(workshop: Workshop, minimum: int = 0) -> dict[str, tuple[int | None, int | None]]:
    facilitation.end(workshop.pk, None)
    asked = next(
        one for one in load_findings(workshop.programme).instruments if one.question.text == YES_NO.text
    )
    found = by_profile(asked, asked.line("option", "yes"), minimum=minimum)
    return {group.label: (group.hits, group.valid) for group in found.subgroups}


def test_people_are_counted_under_what_they_said_and_those_who_said_nothing_apart(workshop):
    answer(workshop, "leader", "yes", "no")
    answer(workshop, "educator", "yes", None)
    answer(workshop, {"other": "Cook"}, "no")
    answer(workshop, None, "yes", "yes")
    assert broken_down(workshop) == {
        "Educator": (1, 1), "Leader": (1, 2), "Other": (0, 1), "Not stated": (2, 2),
    }  # fmt: skip


def test_a_rehearsal_is_in_no_group(workshop):
    answer(workshop, "leader", "yes")
    answer(workshop, "leader", "yes", rehearsal=True)
    answer(workshop, "educator", "no", rehearsal=True)
    assert broken_down(workshop) == {"Leader": (1, 1)}


def test_a_small_group_is_hidden_and_the_next_smallest_with_it(workshop):
    answer(workshop, "leader", *["yes"] * 4)
    answer(workshop, "educator", *["no"] * 5)
    answer(workshop, None, *["yes"] * 6)
    assert broken_down(workshop, minimum=5) == {
        "Educator": (None, None), "Leader": (None, None), "Not stated": (6, 6),
    }  # fmt: skip


def test_a_screen_of_staff_shows_groups_of_five(workshop):
    answer(workshop, "leader", *["yes"] * 5)
    answer(workshop, "educator", *["no"] * 5)
    facilitation.end(workshop.pk, None)
    asked = load_findings(workshop.programme).instruments[0]
    assert [group.valid for group in by_profile(asked, asked.line("option", "yes")).subgroups] == [5, 5]


def test_people_who_are_in_no_base_have_no_row(db):
    workshop = factories.workshop(None, HOURS, started=False)
    factories.poll_item(workshop, ROLE, profile=True)
    facilitation.start(workshop.pk, None)
    poll = factories.launched(workshop)
    measure = {"key": "long", "label": "Long", "kind": "band", "definition": {"low": 3}}
    Measure.objects.create(instrument=poll.version.instrument, **measure)
    answer(workshop, "leader", 2, 3, {"none": True})
    answer(workshop, "educator", {"none": True})
    facilitation.end(workshop.pk, None)
    asked = load_findings(workshop.programme).instrument(poll.version.instrument.key)
    found = by_profile(asked, asked.line("measure", "long"), minimum=0)
    assert [(group.label, group.hits, group.valid) for group in found.subgroups] == [("Leader", 1, 2)]


def test_rows_are_of_the_first_single_choice_of_the_profile_in_the_banks_order(db):
    workshop = factories.workshop(None, YES_NO, started=False)
    for position, question in ((3, replace(ROLE, text="Which setting?")), (1, HOURS), (2, ROLE)):
        item = factories.poll_item(workshop, question, profile=True)
        Instrument.objects.filter(versions__polls=item.poll_id).update(position=position)
    facilitation.start(workshop.pk, None)
    poll = factories.launched(workshop)
    vote(factories.participant(workshop), poll, "yes")
    facilitation.end(workshop.pk, None)
    asked = load_findings(workshop.programme).instrument(poll.version.instrument.key)
    assert by_profile(asked, asked.line("option", "yes"), minimum=0).by.name == ROLE.text


def test_a_measure_is_broken_down_in_its_newest_version(workshop):
    answer(workshop, "leader", "yes", "no", "no")
    poll = workshop.agenda.get(profile=False).poll
    measure = {"instrument": poll.version.instrument, "key": "calm", "label": "Calm", "kind": "merge"}
    Measure.objects.create(number=1, definition={"members": ["yes"]}, **measure)
    Measure.objects.create(number=2, definition={"members": ["no"]}, **measure)
    facilitation.end(workshop.pk, None)
    asked = load_findings(workshop.programme).instrument(poll.version.instrument.key)
    found = by_profile(asked, asked.line("measure", "calm"), minimum=0)
    assert [(group.label, group.hits, group.valid) for group in found.subgroups] == [("Leader", 2, 3)]


@pytest.mark.parametrize(("valid", "percentage"), [(19, None), (20, 25), (None, None)])
def test_a_group_has_a_percentage_from_twenty_answers(valid, percentage):
    assert Subgroup("Leader", valid and 5, valid).percent == percentage
