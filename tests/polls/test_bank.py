"""Writing questions: what people were asked stays, and what was changed is said."""

from dataclasses import replace

import pytest

from polls import ballot_box, bank
from polls.journal import ChangedSince, Immutable, Journal, revert
from polls.models import ComparabilityMark, Poll

from .. import factories

pytestmark = pytest.mark.django_db
QUESTION = factories.YES_NO
CHANGED = replace(QUESTION, text="Is it quiet?")


@pytest.fixture
def poll():
    return factories.poll()


@pytest.fixture
def instrument(poll):
    return poll.version.instrument


def asked(poll):
    ballot_box.open_poll(poll.pk)


def numbers(instrument):
    return [(version.number, version.draft) for version in instrument.versions.all()]


def test_a_question_that_nobody_was_asked_is_changed_in_place_and_its_planned_poll_follows(poll, instrument):
    bank.save_definition(Journal(), instrument, CHANGED)
    assert numbers(instrument) == [(1, False)]
    assert Poll.objects.get().question.text == "Is it quiet?"


def test_a_question_that_was_asked_is_changed_in_a_draft_that_nobody_is_asked(poll, instrument):
    asked(poll)
    for text in ("Is it q", "Is it quiet?"):
        bank.save_definition(Journal(), instrument, replace(QUESTION, text=text))
    assert numbers(instrument) == [(1, False), (2, True)]
    assert instrument.latest.question.text == "Is it calm?"
    assert Poll.objects.get().question.text == "Is it calm?"


def test_a_draft_that_says_the_same_again_is_dropped(poll, instrument):
    asked(poll)
    bank.save_definition(Journal(), instrument, CHANGED)
    bank.save_definition(Journal(), instrument, QUESTION)
    assert numbers(instrument) == [(1, False)]


def test_a_version_that_people_were_asked_cannot_be_changed(poll):
    asked(poll)
    version = poll.version
    version.definition = CHANGED.as_json()
    with pytest.raises(Immutable):
        version.save()


@pytest.mark.parametrize("kind", ["typo", "option"])
def test_a_typo_and_an_added_option_leave_a_mark_with_who_and_why(poll, instrument, kind):
    asked(poll)
    who = factories.person()
    draft = bank.save_definition(Journal(), instrument, CHANGED)
    bank.publish(Journal(), instrument, kind=kind, reason="A letter was missing", by=who)
    mark = ComparabilityMark.objects.get()
    assert (mark.earlier, mark.later, mark.kind) == (poll.version, draft, kind)
    assert (mark.reason, mark.by) == ("A letter was missing", who)


def test_a_changed_meaning_leaves_no_mark(poll, instrument):
    asked(poll)
    bank.save_definition(Journal(), instrument, CHANGED)
    bank.publish(Journal(), instrument)
    assert not ComparabilityMark.objects.exists()
    assert numbers(instrument) == [(1, False), (2, False)]


def test_without_a_draft_there_is_nothing_to_publish(instrument):
    with pytest.raises(bank.NoDraft):
        bank.publish(Journal(), instrument)


def test_polls_to_come_ask_the_new_version_and_those_that_were_opened_do_not(poll, instrument):
    asked(poll)
    coming = Poll.objects.create(version=poll.version)
    bank.save_definition(Journal(), instrument, CHANGED)
    made = bank.publish(Journal(), instrument, polls=Poll.objects.all())
    coming.refresh_from_db()
    poll.refresh_from_db()
    assert (poll.version.number, coming.version) == (1, made)


def test_publishing_is_taken_back_whole(poll, instrument):
    asked(poll)
    coming = Poll.objects.create(version=poll.version)
    bank.save_definition(Journal(), instrument, CHANGED)
    journal = Journal()
    bank.publish(journal, instrument, kind="typo", polls=Poll.objects.all())
    revert(journal.changes)
    coming.refresh_from_db()
    assert numbers(instrument) == [(1, False), (2, True)]
    assert coming.version == poll.version
    assert not ComparabilityMark.objects.exists()


def test_publishing_is_not_taken_back_once_people_were_asked_the_new_version(poll, instrument):
    asked(poll)
    coming = Poll.objects.create(version=poll.version)
    bank.save_definition(Journal(), instrument, CHANGED)
    journal = Journal()
    bank.publish(journal, instrument, polls=Poll.objects.all())
    asked(coming)
    with pytest.raises(ChangedSince):
        revert(journal.changes)


def test_an_edit_is_not_taken_back_once_people_were_asked_what_it_made(poll, instrument):
    journal = Journal()
    bank.save_definition(journal, instrument, CHANGED)
    asked(poll)
    with pytest.raises(ChangedSince):
        revert(journal.changes)


def test_a_file_that_changes_a_question_keeps_the_draft_of_the_editor(poll, instrument):
    asked(poll)
    bank.save_definition(Journal(), instrument, CHANGED)
    bank.revise(Journal(), instrument, replace(QUESTION, text="Is it loud?"))
    assert numbers(instrument) == [(1, False), (2, False), (3, True)]
    assert instrument.latest.question.text == "Is it loud?"
    assert bank.published_and_draft(instrument)[1].question.text == "Is it quiet?"


def test_the_revision_of_a_card_counts_on_when_something_is_taken_back(instrument):
    journal = Journal()
    journal.update(instrument, name="Calm", rev=1)
    revert(journal.changes)
    instrument.refresh_from_db()
    assert (instrument.name == "Calm", instrument.rev) == (False, 2)


# --- measures --------------------------------------------------------------------------------------


def kept(instrument, label="Calm", members=("yes",)):
    bank.keep_measure(
        Journal(), instrument, "calm", label=label, kind="merge", definition={"members": list(members)}
    )
    instrument = type(instrument).objects.get(pk=instrument.pk)
    return [(measure.number, measure.label) for measure in instrument.measures.all()]


def test_a_measure_is_changed_in_place_until_a_result_has_been_frozen_with_it(poll, instrument):
    assert kept(instrument) == [(1, "Calm")]
    assert kept(instrument, "Very calm") == [(1, "Very calm")]
    asked(poll)
    ballot_box.close_poll(poll.pk)
    assert kept(instrument, "Calmer") == [(1, "Very calm"), (2, "Calmer")]
    assert kept(instrument, "Calmest") == [(1, "Very calm"), (2, "Calmest")]


def test_a_measure_that_is_dropped_comes_back_with_undo(instrument):
    kept(instrument)
    journal = Journal()
    bank.drop_measure(journal, instrument, "calm")
    assert not instrument.measures.exists()
    revert(journal.changes)
    assert instrument.measures.get().label == "Calm"
