"""The journal of row changes: what was made, changed and deleted can be taken back, unless it was touched since."""

import pytest

from polls.journal import ChangedSince, Journal, revert
from polls.models import Instrument, InstrumentVersion

from .. import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def instrument():
    return factories.poll().version.instrument


def test_a_change_is_taken_back(instrument):
    before = instrument.name
    journal = Journal()
    assert journal.update(instrument, name="Another", position=4)
    assert not journal.update(instrument, name="Another")
    revert(journal.changes)
    instrument.refresh_from_db()
    assert (instrument.name, instrument.position) == (before, 0)


def test_what_was_made_is_deleted_and_taking_that_back_makes_it_again(instrument):
    journal = Journal()
    made = journal.create(Instrument(bank=instrument.bank, key="new", name="New"))
    taken_back = revert(journal.changes)
    assert not Instrument.objects.filter(key="new").exists()
    revert(taken_back.changes)
    assert Instrument.objects.get(key="new").pk == made.pk


def test_what_was_deleted_comes_back_with_its_key_and_all_its_columns(instrument):
    made = Instrument.objects.create(bank=instrument.bank, key="old", name="Old", position=3)
    journal, pk = Journal(), made.pk
    journal.delete(made)
    revert(journal.changes)
    assert Instrument.objects.filter(pk=pk, key="old", name="Old", position=3).exists()


def test_a_later_change_of_the_same_column_is_never_overwritten(instrument):
    journal = Journal()
    journal.update(instrument, name="Another")
    Instrument.objects.filter(pk=instrument.pk).update(name="Later")
    with pytest.raises(ChangedSince):
        revert(journal.changes)


def test_a_later_change_of_another_column_stays(instrument):
    journal = Journal()
    journal.update(instrument, name="Another")
    Instrument.objects.filter(pk=instrument.pk).update(position=9)
    revert(journal.changes)
    instrument.refresh_from_db()
    assert instrument.name != "Another"
    assert instrument.position == 9


def test_what_is_in_use_by_now_is_not_deleted(instrument):
    journal = Journal()
    made = journal.create(Instrument(bank=instrument.bank, key="new"))
    InstrumentVersion.objects.create(instrument=made, number=1, definition=factories.YES_NO.as_json())
    with pytest.raises(ChangedSince):
        revert(journal.changes)
