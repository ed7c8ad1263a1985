"""From a plan to a workshop: its agenda, its draft polls, its sheet."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from polls import ballot_box
from polls.models import Poll
from tests import factories as make
from workshops.actions.authoring.programme_file import load
from workshops.actions.authoring.workshops import plan_workshop
from workshops.models import AgendaItem, Workshop
from workshops.programmes.planning import PlanIncomplete

pytestmark = pytest.mark.django_db
FILE = Path(__file__).parents[3] / "programmes" / "ideal_baby_room.toml"


@pytest.fixture
def programme():
    return load(FILE.read_text()).programme


@pytest.fixture
def plan(programme):
    return programme.plans.get()


def test_a_planned_workshop_has_its_whole_agenda_in_order(programme, plan):
    workshop = plan_workshop(programme, plan)
    items = list(workshop.agenda.all())
    assert [item.position for item in items] == list(range(22))
    assert [item.title for item in items][:8] == [
        "Role", "Kind of setting", "Region", "Years with under-twos", "Babies in your room now",
        "Welcome, purpose and joining", "About you, on your phone", "Words: look and feel",
    ]  # fmt: skip
    assert [item.kind for item in items[5:10]] == ["pause", "pause", "poll", "poll", "prompt"]
    assert sum(item.minutes for item in items) == 60
    assert [item.profile for item in items] == [True] * 5 + [False] * 17


def test_every_question_has_a_draft_poll_of_its_own(programme, plan):
    workshop = plan_workshop(programme, plan)
    for item in workshop.agenda.filter(kind=AgendaItem.Kind.POLL).select_related("poll__version__instrument"):
        assert item.poll.is_draft
        assert item.poll.version.instrument.name == item.title
    assert Poll.objects.count() == workshop.agenda.filter(kind=AgendaItem.Kind.POLL).count() == 13


def test_what_people_say_about_themselves_is_never_shown_to_the_room(programme, plan):
    workshop = plan_workshop(programme, plan)
    reveals = {item.profile: set() for item in workshop.agenda.all()}
    for item in workshop.agenda.exclude(poll=None).select_related("poll"):
        reveals[item.profile].add(item.poll.reveal)
    assert reveals == {True: {"never"}, False: {"after_close"}}


def test_a_question_may_say_when_it_is_revealed():
    text = FILE.read_text().replace('key = "outdoors"', 'key = "outdoors"\nreveal = "live"')
    programme = load(text).programme
    workshop = plan_workshop(programme, programme.plans.get())
    assert workshop.agenda.get(title="Way to the outdoors").poll.reveal == "live"


def test_the_newest_sheet_and_version_are_taken(programme, plan):
    before = plan_workshop(programme, plan)
    make.participant(before)
    for item in before.agenda.filter(title="Where in the nursery"):
        ballot_box.open_poll(item.poll_id)
    text = (
        FILE.read_text()
        .replace("Where in the nursery is", "Where is")
        .replace("Who can I ask?", "Questions?")
    )
    load(text)
    workshop = plan_workshop(programme, plan)
    assert workshop.sheet.number == 2
    assert workshop.agenda.get(title="Where in the nursery").poll.version.number == 2


def test_workshops_are_numbered_by_themselves_or_as_said(programme, plan):
    start = datetime(2026, 11, 26, 18, 30, tzinfo=UTC)
    first = plan_workshop(programme, plan)
    fifth = plan_workshop(
        programme, plan, number=5, title="Managers", starts_at=start, expected=22, synthetic=True
    )
    sixth = plan_workshop(programme, plan)
    assert [one.number for one in (first, fifth, sixth)] == [1, 5, 6]
    assert (first.title, first.starts_at, first.expected, first.synthetic) == (
        programme.title,
        None,
        None,
        False,
    )
    assert (fifth.title, fifth.starts_at, fifth.expected, fifth.synthetic) == ("Managers", start, 22, True)
    assert first.minutes == 60
    assert first.is_planned
    assert len({one.code for one in Workshop.objects.all()}) == 3


def test_a_plan_that_names_a_lost_question_makes_nothing(programme, plan):
    plan.agenda.append({"poll": "lost"})
    with pytest.raises(PlanIncomplete, match="lost"):
        plan_workshop(programme, plan)
    assert not Workshop.objects.exists()
    assert not Poll.objects.exists()


def test_planning_takes_the_same_queries_however_long_the_agenda(programme, plan, django_assert_num_queries):
    short = programme.plans.create(
        key="short", title="Short", profile=plan.profile[:1], agenda=plan.agenda[2:5]
    )
    with django_assert_num_queries(11):
        plan_workshop(programme, short)
    with django_assert_num_queries(11):
        plan_workshop(programme, plan)
