"""What was removed: thirty days to bring it back, then gone where nobody has answered."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from polls.models import Instrument, Poll
from workshops.actions import log
from workshops.actions.authoring import agenda, removed
from workshops.models import Plan, Programme, Prompt, Role, Workshop
from workshops.programmes.removed import of as removed_from

from .... import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def programme():
    return factories.programme()


@pytest.fixture
def person(programme):
    return factories.staff(programme, Role.OWNER)


def remove(row, days=0):
    row.removed_at = timezone.now() - timedelta(days=days)
    row.save()
    return row


def plan(programme):
    return Plan.objects.create(programme=programme, key="plan", title="Five questions")


def test_what_was_removed_is_listed_newest_first_and_comes_back(programme, person):
    workshop = remove(factories.workshop(programme, started=False), days=2)
    mine = remove(plan(programme), days=1)
    remove(plan(factories.programme()))
    assert [(one.kind, one.name) for one in removed_from(programme)] == [
        ("plan", "Five questions"), ("workshop", str(workshop)),
    ]  # fmt: skip
    removed.restore(programme, mine, person)
    mine.refresh_from_db()
    assert mine.removed_at is None
    assert [one.kind for one in removed_from(programme)] == ["workshop"]
    assert log.sentence(programme.log.first()) == "Brought back Five questions"


def test_bringing_back_twice_is_bringing_back(programme, person):
    mine = remove(plan(programme))
    removed.restore(programme, mine, person)
    removed.restore(programme, mine, person)
    assert programme.log.count() == 1


def test_a_step_of_an_agenda_comes_back_by_its_entry(programme, person):
    workshop = factories.workshop(programme, started=False)
    pause = factories.pause_item(workshop)
    agenda.remove_step(workshop, person, pause.pk)
    [thing] = removed_from(programme)
    assert (thing.kind, thing.name) == ("step", "Tea")
    with time_machine.travel(timezone.now() + timedelta(days=29)):
        log.undo(programme.log.get(pk=thing.pk), person)
        assert removed_from(programme) == []
    assert workshop.agenda.filter(title="Tea").exists()


def test_after_thirty_days_it_is_no_longer_offered(programme):
    remove(plan(programme), days=31)
    assert removed_from(programme) == []


# --- deleting for good ----------------------------------------------------------------------------------------


def purged(**options) -> str:
    out = io.StringIO()
    call_command("apply_retention", stdout=out, verbosity=2, **options)
    return out.getvalue()


def test_what_waited_thirty_days_is_deleted_and_said(programme):
    remove(factories.workshop(programme, started=False), days=31)
    remove(plan(programme), days=31)
    recent = remove(Plan.objects.create(programme=programme, key="recent", title="Recent"), days=29)
    said = purged()
    assert f"{programme.title}: removed 2 things removed before." in said
    assert not Workshop.objects.exists()
    assert not Poll.objects.exists()
    assert list(Plan.objects.all()) == [recent]
    assert purged() == "There is nothing to remove.\n"


def test_a_dry_run_says_the_same_and_deletes_nothing(programme):
    remove(plan(programme), days=31)
    assert "would remove 1 thing removed before." in purged(dry_run=True)
    assert Plan.objects.exists()


def test_what_has_answers_stays(programme):
    workshop = factories.workshop(programme)
    person = factories.participant(workshop)
    factories.vote(person, factories.launched(workshop), "yes")
    instrument = remove(programme.bank.instruments.get(), days=31)
    prompt = remove(factories.prompt_item(workshop).prompt, days=31)
    remove(workshop, days=31)
    remove(programme, days=31)
    assert purged() == "There is nothing to remove.\n"
    assert (Instrument.objects.get(), Prompt.objects.get()) == (instrument, prompt)


def test_a_question_that_nobody_was_asked_goes_with_its_versions(programme):
    factories.poll(bank=programme.bank).delete()
    remove(programme.bank.instruments.get(), days=31)
    assert "removed 1 thing removed before." in purged()
    assert not Instrument.objects.exists()


def test_a_programme_without_answers_goes_as_a_whole(programme, person):
    factories.workshop(programme, started=False)
    remove(programme, days=31)
    kept = factories.programme()
    assert "On this server: removed 1 thing removed before." in purged()
    assert list(Programme.objects.all()) == [kept]
    assert not Instrument.objects.exists()
