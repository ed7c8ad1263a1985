"""The log of a programme, and undo."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.db import IntegrityError
from django.utils import timezone

from workshops.actions import log
from workshops.actions.log import Stale, UndoRefused, check_rev, last_undoable, logged, undo
from workshops.models import LogEntry, Prompt

from ... import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def verbs(monkeypatch):
    monkeypatch.setattr(
        log, "SENTENCES", log.SENTENCES | {"renamed": "Renamed %(about)s", "removed_it": "Removed %(about)s"}
    )


@pytest.fixture
def programme():
    return factories.programme(title="First")


@pytest.fixture
def person():
    return factories.person("owner@example.org")


def renamed(programme, person, title="Second", verb="renamed"):
    with logged(programme, person, verb, about=programme.title) as journal:
        journal.update(programme, title=title)
    return programme.log.first()


def test_an_action_and_its_row_stand_or_fall_together(programme, person):
    def broken():
        with logged(programme, person, "renamed") as journal:
            journal.update(programme, title="Second")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    programme.refresh_from_db()
    assert programme.title == "First"
    assert not programme.log.exists()


def test_an_action_that_changes_nothing_leaves_no_row(programme, person):
    renamed(programme, person, "First")
    assert not programme.log.exists()


def test_undo_takes_an_action_back_and_is_in_the_log_itself(programme, person):
    entry = renamed(programme, person)
    undo(entry, person)
    programme.refresh_from_db()
    assert programme.title == "First"
    assert [log.sentence(row) for row in programme.log.all()] == ["Took back: Renamed First", "Renamed First"]


def test_a_second_press_on_undo_takes_nothing_else_back(programme, person):
    entry = renamed(programme, person)
    undo(entry, person)
    with pytest.raises(UndoRefused, match="already"):
        undo(entry, person)
    assert programme.log.count() == 2


def test_undo_refuses_in_one_sentence_where_a_later_change_touched_the_same(programme, person):
    entry = renamed(programme, person)
    renamed(programme, person, "Third")
    with pytest.raises(UndoRefused, match="“Third” was changed after this"):
        undo(entry, person)
    programme.refresh_from_db()
    assert programme.title == "Third"


@pytest.mark.parametrize(("verb", "after", "can"), [
    ("renamed", timedelta(minutes=9), True), ("renamed", timedelta(minutes=11), False),
    ("removed_it", timedelta(days=29), True), ("removed_it", timedelta(days=31), False),
])  # fmt: skip
def test_undo_ends_after_ten_minutes_and_bringing_back_after_thirty_days(programme, person, verb, after, can):
    entry = renamed(programme, person, verb=verb)
    with time_machine.travel(timezone.now() + after):
        if can:
            undo(entry, person)
        else:
            with pytest.raises(UndoRefused, match="too long ago"):
                undo(entry, person)


def test_the_line_with_undo_offers_ones_own_newest_action(programme, person):
    assert last_undoable(person, programme=programme) is None
    entry = renamed(programme, person)
    assert last_undoable(person, programme=programme) == entry
    assert last_undoable(factories.person("b@example.org"), programme=programme) is None
    undo(entry, person)
    assert last_undoable(person, programme=programme) is None
    assert LogEntry.objects.count() == 2


def test_of_two_editors_the_second_is_told():
    check_rev(3, None)
    check_rev(3, 3)
    with pytest.raises(Stale):
        check_rev(3, 2)


# --- autosaves -------------------------------------------------------------------------------------


def typed(programme, person, title, path="/card/", **more):
    with logged(programme, person, "renamed", about=title, path=path, merge_with_last=True) as journal:
        journal.update(programme, title=title, **more)
    return programme.log.first()


def test_autosaves_of_one_card_are_one_entry_and_undone_at_once(programme, person):
    typed(programme, person, "Sec")
    typed(programme, person, "Second", team="We")
    entry = typed(programme, person, "Second try")
    assert [log.sentence(row) for row in programme.log.all()] == ["Renamed Second try"]
    undo(entry, person)
    programme.refresh_from_db()
    assert (programme.title, programme.team) == ("First", "")


def test_a_row_made_and_then_filled_is_unmade_by_one_undo(programme, person):
    with logged(programme, person, "renamed", path="/card/", merge_with_last=True) as journal:
        prompt = journal.create(Prompt(programme=programme, key="a", text="W"))
    with logged(programme, person, "renamed", path="/card/", merge_with_last=True) as journal:
        journal.update(prompt, text="Why?")
    undo(programme.log.get(), person)
    assert not programme.prompts.exists()


def test_an_autosave_begins_an_entry_of_its_own_at_another_card_or_after_two_minutes(programme, person):
    typed(programme, person, "Second")
    typed(programme, person, "Third", path="/other/")
    assert programme.log.count() == 2
    with time_machine.travel(timezone.now() + timedelta(minutes=3)):
        typed(programme, person, "Fourth", path="/other/")
    assert programme.log.count() == 3


def test_an_autosave_does_not_take_somebody_elses_change_into_its_entry(programme, person):
    typed(programme, person, "Second")
    typed(programme, factories.person("b@example.org"), "Theirs")
    entry = typed(programme, person, "Third")
    assert programme.log.count() == 3
    undo(entry, person)
    programme.refresh_from_db()
    assert programme.title == "Theirs"


def test_an_autosave_after_undo_begins_an_entry_of_its_own(programme, person):
    undo(typed(programme, person, "Second"), person)
    programme.refresh_from_db()
    typed(programme, person, "Third")
    assert programme.log.count() == 3


def test_an_entry_that_is_there_cannot_be_written_again(programme, person):
    entry = renamed(programme, person)
    entry.about = "Something else"
    with pytest.raises(IntegrityError):
        entry.save()


def test_no_other_code_writes_entries():
    """Append-only: whoever writes an action goes through `logged` or `note`."""
    writes = re.compile(
        r"LogEntry(\.objects)?\(|\.log\.(create|update|bulk_|get_or)|LogEntry\S*\.(create|update|bulk_)"
    )
    found = {
        str(path.relative_to(settings.BASE_DIR))
        for app in ("polls", "workshops", "visions")
        for path in (settings.BASE_DIR / app).rglob("*.py")
        if writes.search(path.read_text()) and "migrations" not in path.parts
    }
    assert found <= {"workshops/actions/log.py", "workshops/models/log.py", "polls/journal.py"}
