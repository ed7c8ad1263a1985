"""Taking back what was just done on stage: launch, close, reveal, joining screen and end.

    with stage_transaction(workshop_id, by, "close", rev=rev) as workshop, undoable(workshop, "close"):

compares the workshop before and after, and keeps what was changed in `Workshop.undo`, as it was before. The next
gesture drops it, so an undo never meets what somebody else has done since; `rev` makes two presses one undo.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext as _

from polls import ballot_box
from polls.lifecycle import State

from ..models import Workshop
from ..signals import announce
from ..signals.topics import PLACES, pad
from .log import note
from .stage import GestureRejected, clear_timer, stage_transaction

#: a press in the last moment may take so long to arrive
GRACE = timedelta(seconds=2)

_FIELDS = ("status", "stage_item_id", "stage_at", "timer_ends_at", "timer_seconds", "began_at", "ended_at")

#: what there is to undo: rows by their number, as JSON
Rows = dict[str, list[Any]]


@contextmanager
def undoable(workshop: Workshop, verb: str) -> Iterator[None]:
    """What is done inside can be undone for `UNDO_FOR`."""
    before = _snapshot(workshop)
    yield
    after = _snapshot(workshop)
    workshop.undo = {
        "verb": verb,
        "at": timezone.now().isoformat(),
        "rev": workshop.stage_rev + 1,
        **{kind: _changed(before[kind], after[kind]) for kind in before},
    }


def _snapshot(workshop: Workshop) -> dict[str, Rows]:
    items = workshop.agenda.values_list("pk", "launched_at", "done_at")
    polls = workshop.agenda.filter(poll__isnull=False).values_list(
        "poll", "poll__state", "poll__closes_at", "poll__revealed_at"
    )
    rounds = workshop.rounds.values_list("pk", "recalled_at", "closed_at")
    return {
        "fields": {name: _json([getattr(workshop, name)]) for name in _FIELDS},
        "items": {str(pk): _json(moments) for pk, *moments in items},
        "polls": {str(pk): _json([state, *moments]) for pk, state, *moments in polls},
        "rounds": {str(pk): _json(moments) for pk, *moments in rounds},
    }


def _json(values: list[Any]) -> list[Any]:
    return [value.isoformat() if isinstance(value, datetime) else value for value in values]


def _moment(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def _changed(before: Rows, after: Rows) -> Rows:
    return {key: values for key, values in before.items() if after.get(key) != values}


def undo(workshop_id: int, by: User | None, rev: int) -> None:
    """Take back the gesture that made the stage's revision `rev`; once, in time, and if it was the last one."""
    with stage_transaction(workshop_id, by, "undo") as workshop:
        done, until = workshop.undo, workshop.undo_until
        if done is None or until is None or done["rev"] != rev:
            raise GestureRejected(
                _("There is nothing to undo: it is undone already, or something was done since.")
            )
        if timezone.now() > until + GRACE:
            raise GestureRejected(_("That was too long ago to be undone."))
        workshop.undo = None
        for name, (value,) in done["fields"].items():
            setattr(workshop, name, _moment(value) if name.endswith("_at") else value)
        _put_back_polls(workshop, done["polls"])
        _put_back_items(workshop, done["items"])
        _put_back_rounds(workshop, done["rounds"])
        if done["verb"] == "end":
            note(workshop.programme, by, "undone", about=_("the end of the workshop"), workshop=workshop)


def _put_back_polls(workshop: Workshop, rows: Rows) -> None:
    joined = workshop.participants.filter(rehearsal=False).count()
    for pk, (state, closes_at, revealed_at) in rows.items():
        poll = ballot_box.take_back(
            int(pk),
            state=state,
            closes_at=_moment(closes_at),
            revealed=bool(revealed_at),
            joined=joined,
            attended=workshop.attended,
        )
        if closes_at and not poll.closes_at:
            clear_timer(workshop)  # its countdown has run out meanwhile


def _put_back_items(workshop: Workshop, rows: Rows) -> None:
    for item in workshop.agenda.filter(pk__in=rows).select_related("poll"):
        launched_at, done_at = map(_moment, rows[str(item.pk)])
        if not (item.poll and item.poll.state == State.CLOSED and launched_at is None):
            item.launched_at = launched_at  # else people have answered: it was asked, and comes again
        item.done_at = done_at
        item.save(update_fields=["launched_at", "done_at"])


def _put_back_rounds(workshop: Workshop, rows: Rows) -> None:
    for current in workshop.rounds.filter(pk__in=rows):
        current.recalled_at, current.closed_at = map(_moment, rows[str(current.pk)])
        current.save(update_fields=["recalled_at", "closed_at"])
        pads = [pad(pk) for pk in current.groups.values_list("pk", flat=True)]
        announce.changed(workshop.pk, PLACES, *pads)
