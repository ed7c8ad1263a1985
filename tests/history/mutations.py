"""Faults of the product that a history must find: a checker that has never found one proves nothing.

Applied from outside, when Django starts with `tests.history.settings` and HISTORY_MUTATION names them; the product
has no hook for it. `slow_disk` is no fault but the weather in which one of them shows: commits take a while.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from django.apps import AppConfig
from django.db import connection, transaction
from django.db.backends.signals import connection_created

LATE_SECONDS = 0.25  # how far the announced, or acknowledged, is ahead of what is stored
CONFLICT = re.compile(r"\s+ON CONFLICT\b.*", re.DOTALL)


def ack_before_commit() -> None:
    """Every answer is judged and acknowledged at once, and written a moment later: a crash in between loses it."""
    _write_later(lambda items: True)


def note_ack_before_commit() -> None:
    """The same for what people do in groups alone."""
    from workshops.actions.groups.notes import GroupRequest

    _write_later(lambda items: any(isinstance(item, GroupRequest) for item in items))


def _write_later(concerns: Callable[[list[Any]], bool]) -> None:
    from workshops.actions import batch
    from workshops.live import write_batcher

    write = batch.write

    def judge_and_write_later(items: Iterable[Any]) -> Any:
        items = list(items)
        if not concerns(items):
            return write(items)
        with transaction.atomic():
            outcomes = write(items)
            transaction.set_rollback(True)
        timer = threading.Timer(LATE_SECONDS, _alone, [write, items])
        timer.daemon = True
        timer.start()
        return outcomes

    _replace(write_batcher, "batch", "write", judge_and_write_later)


def _replace(module: Any, path: str, name: str, by: Any) -> None:
    """Where `module.path.name` is looked up, it is `by` from now on. Fails where there is no such name."""
    target = getattr(module, path)
    getattr(target, name)
    setattr(target, name, by)


def _alone(write: Callable, items: list[Any]) -> None:
    try:
        write(items)
    finally:
        connection.close()


def two_ballots() -> None:
    """Answers are plainly inserted where the product says: insert, or change the voter's one ballot.

    Needs a database without its unique constraint (`drop_constraints`).
    """

    def insert_plainly(execute: Callable, sql: str, params: Any, many: bool, context: dict) -> Any:
        if isinstance(sql, str) and sql.startswith('INSERT INTO "polls_ballot"'):
            sql, found = CONFLICT.subn("", sql)
            assert found, "the product inserts ballots in another way now: this mutation changes nothing"
        return execute(sql, params, many, context)

    def install(connection: Any, **_: Any) -> None:
        connection.execute_wrappers.append(insert_plainly)

    connection_created.connect(install, weak=False)


def drop_constraints(mutation: str) -> None:
    """Take away the database's own guards that this mutation needs gone; run once, before the first server."""
    for model, name in _guards(mutation):
        guard = next(c for c in model._meta.constraints if c.name == name)
        # SQLite makes the table anew from the model: this process forgets the constraint, servers have their own.
        model._meta.constraints.remove(guard)
        with connection.schema_editor() as editor:
            editor.remove_constraint(model, guard)


def _guards(mutation: str) -> list[tuple[Any, str]]:
    from polls.models import Ballot, Text
    from workshops.models import Contribution

    guards = {
        "two_ballots": [(Ballot, "one_ballot_per_voter")],
        "notes_twice": [(Contribution, "one_contribution_per_op"), (Text, "one_text_per_operation")],
    }
    return guards.get(mutation, [])


def announce_before_commit() -> None:
    """Screens are told at once instead of after the commit: they draw what was, and nobody tells them again."""
    from workshops.signals import announce as notify

    def changed(workshop_id: int, *topics: Any) -> None:
        notify.announce(workshop_id, topics)

    notify.changed = changed


def slow_disk() -> None:
    """Every commit of a write takes a quarter of a second."""
    from django.db.backends.base.base import BaseDatabaseWrapper

    commit = BaseDatabaseWrapper._commit

    def late_commit(self: BaseDatabaseWrapper) -> Any:
        time.sleep(LATE_SECONDS)
        return commit(self)

    BaseDatabaseWrapper._commit = late_commit


def closed_takes_answers() -> None:
    """The ballot box forgets to look whether a poll is open."""
    from polls import ballot_box

    _replace(ballot_box, "LockedPoll", "accepts_ballots", lambda self, at: True)


def last_arrival_wins() -> None:
    """The order of a phone's answers is ignored: what arrives last is kept."""
    from polls import ballot_box

    _replace(ballot_box, "_Box", "_refuse_change", lambda self, poll, row, paper: None)


def notes_twice() -> None:
    """What was sent before is not looked up: a retry is a second note.

    Needs a database without its unique constraints (`drop_constraints`).
    """
    from workshops.actions.groups import notes_batch

    class Nothing:
        @staticmethod
        def rows(*_lists: Any) -> list[Any]:
            return []

    for looked_up in ("_ADDED", "_SENT"):
        _replace(notes_batch, looked_up, "rows", Nothing.rows)


def edits_overwrite() -> None:
    """The wording that somebody saw is ignored: the last edit wins."""
    from workshops.actions.groups import notes as note_actions

    edit = note_actions._ACTIONS[note_actions.Edit]

    def overwrite(batch: Any, item: Any) -> Any:
        note = batch.notes.get(item.note)
        return edit(batch, replace(item, rev=note.text.revision) if note else item)

    note_actions._ACTIONS[note_actions.Edit] = overwrite


def pads_for_everybody() -> None:
    """A group's picture goes to all screens that look at a pad."""
    from workshops.live import group_pads

    show = group_pads.Pads._show

    def show_to_all(self: Any, group: int, html: str) -> None:
        own = self._groups
        self._groups = {group: set().union(*own.values())}
        show(self, group, html)
        self._groups = own

    _replace(group_pads, "Pads", "_show", show_to_all)


MUTATIONS: dict[str, Callable[[], None]] = {
    "ack_before_commit": ack_before_commit,
    "note_ack_before_commit": note_ack_before_commit,
    "notes_twice": notes_twice,
    "edits_overwrite": edits_overwrite,
    "pads_for_everybody": pads_for_everybody,
    "two_ballots": two_ballots,
    "announce_before_commit": announce_before_commit,
    "closed_takes_answers": closed_takes_answers,
    "last_arrival_wins": last_arrival_wins,
    "slow_disk": slow_disk,
}


class Mutated(AppConfig):
    name = "tests.history"
    label = "mutated"

    def ready(self) -> None:
        for name in os.environ["HISTORY_MUTATION"].split(","):
            MUTATIONS[name]()
