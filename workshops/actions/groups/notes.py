"""Commands of participants in their breakout group: write, agree, reorder, call for help.

Every item is one intention with an `op`: sent again it has the same answer and no second effect. Whoever changes a
text says which wording they saw; if somebody else has changed it meanwhile both texts are kept, and the answer
(`Conflict`) hands over the newer one, so that the phone can offer a choice.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from polls.ballot_box import Refusal

from ...models import Agreement, Contribution, Group
from ...models.groups import TEXT_LIMIT
from ...signals import announce
from ...signals.topics import PLACES, Topic, pad
from .. import copies
from . import membership
from .notes_batch import Batch
from .requests import (
    Add,
    Agree,
    Choose,
    Conflict,
    Done,
    Edit,
    GroupRequest,
    Help,
    Move,
    Outcome,
    Pick,
    Rejected,
    Scribe,
    StandUp,
    Table,
    TakeBack,
)

# In one group: a pad is one picture, which goes to all its screens whenever it changes, and stays about 64 KiB small.
NOTES_LIMIT = 40  # …and in groups of more than ten NOTES_EACH a person, as long as their letters fit
NOTES_EACH = 4
LATE = timedelta(minutes=10)  # after the end: a note written in time may have waited for a signal
NOTE_LETTERS = 200  # what is drawn around a note
LETTERS_LIMIT = NOTES_LIMIT * (TEXT_LIMIT + NOTE_LETTERS)  # so many notes always fit, however long they are


def write(items: Sequence[GroupRequest]) -> list[Outcome]:
    """Do each in the order given, in one transaction; one outcome per item."""
    with transaction.atomic():
        outcomes: list[Outcome] = []
        if moving := {item.workshop_id for item in items if _is_move(item)}:
            membership.hold(moving)
        for moves, run in groupby(items, _is_move):  # who sits elsewhere from here on is asked for anew
            together = list(run)
            batch = Batch([] if moves else together)
            outcomes += [_write(batch, item) for item in together]
            batch.close()
        return outcomes


def _is_move(item: GroupRequest) -> bool:
    return isinstance(item, Choose | StandUp | Table)


def _write(batch: Batch, item: GroupRequest) -> Outcome:
    try:
        return _ACTIONS[type(item)](batch, item)
    except Rejected as no:
        return Refusal(0, item.op, no.code, no.message)


# --- who may ---------------------------------------------------------------------------------------------


def _group(
    batch: Batch,
    item: Any,
    group_id: int,
    *,
    open_only: bool = True,
    own: bool = False,
    late: timedelta = timedelta(),
) -> Group:
    """The group under lock, if this person sits in it (or it is about a note of their `own` there) and its round still
    takes notes, or did so until `late` ago."""
    group = batch.groups.get(group_id)
    here = own or (group_id, item.voter) in batch.seated
    if group is None or group.round.workshop_id != item.workshop_id or not here:
        # The same words for another group as for one that does not exist.
        raise Rejected("forbidden", _("That is not your group."))
    if item.voter not in batch.rehearsal:
        raise Rejected("consent", _("You have left this workshop. Join again to answer."))
    ended = group.round.closed_at
    is_late = bool(late and ended and group.round.opened_at and timezone.now() - ended <= late)
    if open_only and not group.round.is_open and not is_late:
        raise Rejected("closed", _("The group time is over, so this was not added."))
    return group


def _note(batch: Batch, item: Any, *, from_elsewhere: bool = False) -> tuple[Contribution, Group]:
    """A note and its group under lock. `from_elsewhere`: its author may do this from another group too, for words stay
    where they were written when people move."""
    # What is flagged for safeguarding is out of sight for its group too, and stays as it was written.
    note = batch.notes.get(item.note)
    if note is None or note.taken_back_at or note.text.is_flagged:
        raise Rejected("forbidden", _("That note is not there any more."))
    group = _group(batch, item, note.group_id, own=from_elsewhere and note.author == item.voter)
    if note.author != item.voter and not group.round.shows_others:
        raise Rejected("forbidden", _("Others’ notes are not open yet."))
    return note, group


def _require_scribe(item: Any, group: Group) -> None:
    if group.scribe != item.voter:
        raise Rejected("forbidden", _("Only the scribe can do that."))


def _where(batch: Batch, item: Any, group: Group) -> list[str]:
    """More topics to announce: the author of a note may have left its group, and gets it with their place."""
    return [] if (group.pk, item.voter) in batch.seated else [PLACES]


def _changed(group: Group, *topics: str) -> None:
    announce.changed(group.round.workshop_id, pad(group.pk), Topic.BREAKOUTS, *topics)


def _require_room(batch: Batch, group: Group, letters: int, *, more: int = 0) -> None:
    """Check that `more` notes with `letters` characters still fit into the group; a shorter note always does."""
    filled = batch.filled[group.pk]
    most = max(NOTES_LIMIT, NOTES_EACH * filled.people)
    room = LETTERS_LIMIT - filled.letters - filled.notes * NOTE_LETTERS
    if (more and filled.notes >= most) or (letters > 0 and letters + more * NOTE_LETTERS > room):
        raise Rejected(
            "invalid",
            _("The group’s notes are full, so this was not saved. Take one of yours back, then try again."),
        )


def tidy(text: str) -> str:
    """Without control and direction characters; lines and spaces as people see them. Raises `No`."""
    kept = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co"))
    words = "\n".join(" ".join(line.split()) for line in kept.splitlines()).strip()
    if not words:
        raise Rejected("invalid", _("Write a few words first."))
    if len(words) > TEXT_LIMIT:
        raise Rejected("invalid", _("A note can have up to 1,000 letters; write two."))
    return words


# --- notes -------------------------------------------------------------------------------------------------


def _add(batch: Batch, item: Add) -> Outcome:
    if added := batch.added.get((item.voter, item.op)):
        return Done(item.op, added.group, added.note, added.revision)
    if (item.voter, item.op) in batch.sent:  # the number of an edit: what was meant by it is done
        raise Rejected("invalid", _("That could not be read. Load the page again, and press again."))
    text = tidy(item.text)
    group = _group(batch, item, item.group, late=LATE)
    _require_room(batch, group, len(text), more=1)
    note = batch.add(group, item, text)
    _changed(group)
    return Done(item.op, group.pk, note.pk, 1)


def _edit(batch: Batch, item: Edit) -> Outcome:
    text = tidy(item.text)
    note, group = _note(batch, item, from_elsewhere=True)
    if item.voter not in (note.author, group.scribe):
        raise Rejected("forbidden", _("Only its author and the scribe can change a note."))
    now = note.text
    if known := batch.sent.get((item.voter, item.op)):
        kept = Done(item.op, group.pk, note.pk, known.revision)
        return Conflict(item.op, note.pk, now.revision, now.words) if known.is_lost else kept
    if now.revision != item.rev and now.words != text:
        batch.keep_beside(note, item, text)
        return Conflict(item.op, note.pk, now.revision, now.words)
    if now.words != text:
        _require_room(batch, group, longer := len(text) - len(now.words))
        batch.filled[group.pk].letters += longer
        batch.revise(note, item, text)
        # The console's main button carries the wording that it would show.
        stage = [Topic.STAGE] if group.pick_id == note.pk else []
        _changed(group, Topic.QUEUE, *stage, *_where(batch, item, group))
    return Done(item.op, group.pk, note.pk, note.text.revision)


def _take_back(batch: Batch, item: TakeBack) -> Outcome:
    own = Contribution.objects.filter(pk=item.note, author=item.voter, taken_back_at__isnull=False)
    if gone := own.select_related("text").first():
        return Done(item.op, gone.group_id, gone.pk, gone.text.revision)
    note, group = _note(batch, item, from_elsewhere=True)
    if note.author != item.voter:
        raise Rejected("forbidden", _("Only its author can take a note back."))
    note.taken_back_at = timezone.now()
    note.save(update_fields=["taken_back_at"])
    if group.pick_id == note.pk:
        group.pick = None
        group.save(update_fields=["pick"])
    if copies.follow([note.text.pk]):
        _changed(group, Topic.TALLY, Topic.AGENDA)
    _changed(group, Topic.QUEUE, Topic.STAGE, *_where(batch, item, group))
    return Done(item.op, group.pk, note.pk, note.text.revision)


def _agree(batch: Batch, item: Agree) -> Outcome:
    note, group = _note(batch, item)
    if note.author == item.voter:
        raise Rejected("invalid", _("Your own note has your agreement already."))
    if item.on:
        batch.agree(note, item.voter)
    else:
        Agreement.objects.filter(contribution=note, voter=item.voter).delete()
    _changed(group)
    return Done(item.op, group.pk, note.pk, note.text.revision)


def _move(batch: Batch, item: Move) -> Outcome:
    note, group = _note(batch, item)
    _require_scribe(item, group)
    notes = list(group.contributions.filter(taken_back_at__isnull=True).exclude(pk=note.pk))
    notes.insert(min(item.place, len(notes)), note)
    for position, each in enumerate(notes, start=1):
        each.position = position
    Contribution.objects.bulk_update(notes, ["position"])
    _changed(group)
    return Done(item.op, group.pk, note.pk, note.text.revision)


def _pick(batch: Batch, item: Pick) -> Outcome:
    note, group = _note(batch, item)
    if item.on:
        group.pick = note
    elif group.pick_id == note.pk:
        group.pick = None
    group.save(update_fields=["pick"])
    _changed(group, Topic.STAGE)  # which group the console's main button shows next
    return Done(item.op, group.pk, note.pk, note.text.revision)


# --- the group -----------------------------------------------------------------------------------------------


def _scribe(batch: Batch, item: Scribe) -> Outcome:
    group = _group(batch, item, item.group)
    if item.on and group.scribe not in ("", item.voter):
        raise Rejected("forbidden", _("This group has a scribe. They can hand over with one tap."))
    if item.on or group.scribe == item.voter:
        group.scribe = item.voter if item.on else ""
        group.save(update_fields=["scribe"])
        _changed(group)
    return Done(item.op, group.pk)


def _help(batch: Batch, item: Help) -> Outcome:
    group = _group(batch, item, item.group, open_only=False)
    if item.on != (group.help_at is not None):
        group.help_at = timezone.now() if item.on else None
        group.save(update_fields=["help_at"])
        _changed(group, Topic.HELP)
    return Done(item.op, group.pk)


_ACTIONS: dict[type[GroupRequest], Callable[[Batch, Any], Outcome]] = {
    Add: _add,
    Edit: _edit,
    TakeBack: _take_back,
    Agree: _agree,
    Move: _move,
    Pick: _pick,
    Scribe: _scribe,
    Help: _help,
    Choose: lambda batch, item: membership.choose(item),
    StandUp: lambda batch, item: membership.leave_group(item),
    Table: lambda batch, item: membership.say_table(item),
}
