"""What people do in their small group: write, agree, put in order, call for help.

Every item is one intention with an `op`: sent again it has the same answer and no second effect. Whoever changes a
text says which wording they saw; if somebody else has changed it meanwhile both texts are kept, and the answer
(`Conflict`) hands over the newer one, so that the phone can offer a choice.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from polls.ballot_box import Refusal

from .. import grouping
from ..breakouts import current_round
from ..live import notify
from ..live.topics import PLACES, Topic, pad
from ..models import Agreement, Contribution, Group, Participant, Place, Prompt, Round
from ..models.breakouts import TEXT_LIMIT
from .groupwork_batch import Batch

NOTES_LIMIT = 40  # in one group: a pad stays one small picture


@dataclass(frozen=True, slots=True)
class Intention:
    workshop_id: int
    voter: str
    op: str


@dataclass(frozen=True, slots=True)
class Add(Intention):
    """A new note in this group."""

    group: int
    text: str


@dataclass(frozen=True, slots=True)
class Edit(Intention):
    """Other words for a note, by its author or the scribe, who saw wording `revision`."""

    note: int
    revision: int
    text: str


@dataclass(frozen=True, slots=True)
class TakeBack(Intention):
    note: int


@dataclass(frozen=True, slots=True)
class Agree(Intention):
    note: int
    on: bool


@dataclass(frozen=True, slots=True)
class Move(Intention):
    """The scribe puts a note at this place in the list, from 0."""

    note: int
    place: int


@dataclass(frozen=True, slots=True)
class Pick(Intention):
    """This is the sentence that the group brings to the plenary; `on` false takes it back."""

    note: int
    on: bool


@dataclass(frozen=True, slots=True)
class Scribe(Intention):
    """Become the scribe of a group that has none, or hand over."""

    group: int
    on: bool


@dataclass(frozen=True, slots=True)
class Help(Intention):
    group: int
    on: bool


@dataclass(frozen=True, slots=True)
class Choose(Intention):
    """Sit down in this group, where people choose."""

    group: int


@dataclass(frozen=True, slots=True)
class StandUp(Intention):
    """Give up one's place where people choose, to choose another."""


@dataclass(frozen=True, slots=True)
class Table(Intention):
    """The number on one's table, where groups are tables."""

    table: int


@dataclass(frozen=True, slots=True)
class Done:
    op: str
    group: int = 0
    note: int = 0
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Conflict:
    """Not taken over: somebody changed the note meanwhile; what was sent is kept beside it."""

    op: str
    note: int
    revision: int
    text: str


Outcome = Done | Conflict | Refusal


class _No(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code, self.message = code, message


def write(items: Sequence[Intention]) -> list[Outcome]:
    """Do each in the order given, in one transaction; one outcome per item."""
    with transaction.atomic():
        outcomes: list[Outcome] = []
        for moves, run in groupby(items, _is_move):  # who sits elsewhere from here on is asked for anew
            together = list(run)
            batch = Batch([] if moves else together)
            outcomes += [_write(batch, item) for item in together]
        return outcomes


def _is_move(item: Intention) -> bool:
    return isinstance(item, Choose | StandUp | Table)


def _write(batch: Batch, item: Intention) -> Outcome:
    try:
        return _ACTIONS[type(item)](batch, item)
    except _No as no:
        return Refusal(0, item.op, no.code, no.message)


# --- who may ---------------------------------------------------------------------------------------------


def _group(batch: Batch, item: Any, group_id: int, *, open_only: bool = True) -> Group:
    """The group under lock, if this person sits in it and its round still takes notes."""
    group = batch.groups.get(group_id)
    here = (group_id, item.voter) in batch.seated
    if group is None or group.round.workshop_id != item.workshop_id or not here:
        # The same words for another group as for one that does not exist.
        raise _No("forbidden", _("That is not your group."))
    if item.voter not in batch.rehearsal:
        raise _No("consent", _("You have left this workshop. Join again to answer."))
    if open_only and not group.round.is_open:
        raise _No("closed", _("The group time is over, so this was not added."))
    return group


def _note(batch: Batch, item: Any) -> tuple[Contribution, Group]:
    # What is flagged for safeguarding is out of sight for its group too, and stays as it was written.
    note = batch.notes.get(item.note)
    if note is None or note.taken_back_at or note.safeguarding:
        raise _No("forbidden", _("That note is not there any more."))
    group = _group(batch, item, note.group_id)
    if note.author != item.voter and not group.round.shows_others:
        raise _No("forbidden", _("Others’ notes are not open yet."))
    return note, group


def _require_scribe(item: Any, group: Group) -> None:
    if group.scribe != item.voter:
        raise _No("forbidden", _("Only the scribe can do that."))


def _changed(group: Group, *topics: Topic) -> None:
    notify.changed(group.round.workshop_id, pad(group.pk), Topic.BREAKOUTS, *topics)


def tidy(text: str) -> str:
    """Without control and direction characters; lines and spaces as people see them. Raises `_No`."""
    kept = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co"))
    words = "\n".join(" ".join(line.split()) for line in kept.splitlines()).strip()
    if not words:
        raise _No("invalid", _("Write a few words first."))
    if len(words) > TEXT_LIMIT:
        raise _No("invalid", _("A note can have up to 1,000 letters; write two."))
    return words


# --- notes -------------------------------------------------------------------------------------------------


def _add(batch: Batch, item: Add) -> Outcome:
    sent = batch.sent.get((item.voter, item.op))
    if sent and sent.note_op != item.op:  # the number of an edit: what was meant by it is done
        raise _No("invalid", _("That could not be read. Load the page again, and press again."))
    if sent:
        return Done(item.op, sent.group, sent.note, sent.note_revision)
    text = tidy(item.text)
    group = _group(batch, item, item.group)
    if batch.number_of_notes(group) >= NOTES_LIMIT:
        raise _No("invalid", _("This group has as many notes as fit. Change one of yours instead."))
    note = batch.add(group, item, text)
    _changed(group)
    return Done(item.op, group.pk, note.pk, 1)


def _edit(batch: Batch, item: Edit) -> Outcome:
    text = tidy(item.text)
    note, group = _note(batch, item)
    if item.voter not in (note.author, group.scribe):
        raise _No("forbidden", _("Only its author and the scribe can change a note."))
    if known := batch.sent.get((item.voter, item.op)):
        kept = Done(item.op, group.pk, note.pk, known.revision)
        return kept if known.kept else Conflict(item.op, note.pk, note.revision, note.text)
    if note.revision != item.revision and note.text != text:
        batch.word(note, item, text, kept=False)
        return Conflict(item.op, note.pk, note.revision, note.text)
    if note.text != text:
        note.text, note.revision, note.changed_at = text, note.revision + 1, timezone.now()
        # What was let onto the wall were the old words.
        note.check_state, note.redacted = Contribution.Check.PENDING, ""
        note.save(update_fields=["text", "revision", "changed_at", "check_state", "redacted"])
        batch.word(note, item, text)
        _changed(group, Topic.QUEUE)
    return Done(item.op, group.pk, note.pk, note.revision)


def _take_back(batch: Batch, item: TakeBack) -> Outcome:
    gone = Contribution.objects.filter(pk=item.note, author=item.voter, taken_back_at__isnull=False).first()
    if gone:
        return Done(item.op, gone.group_id, gone.pk, gone.revision)
    note, group = _note(batch, item)
    if note.author != item.voter:
        raise _No("forbidden", _("Only its author can take a note back."))
    note.taken_back_at = timezone.now()
    note.save(update_fields=["taken_back_at"])
    if group.pick_id == note.pk:
        group.pick = None
        group.save(update_fields=["pick"])
    _changed(group, Topic.QUEUE, Topic.STAGE)
    return Done(item.op, group.pk, note.pk, note.revision)


def _agree(batch: Batch, item: Agree) -> Outcome:
    note, group = _note(batch, item)
    if note.author == item.voter:
        raise _No("invalid", _("Your own note has your agreement already."))
    if item.on:
        batch.agree(note, item.voter)
    else:
        Agreement.objects.filter(contribution=note, voter=item.voter).delete()
    _changed(group)
    return Done(item.op, group.pk, note.pk, note.revision)


def _move(batch: Batch, item: Move) -> Outcome:
    note, group = _note(batch, item)
    _require_scribe(item, group)
    notes = list(group.contributions.filter(taken_back_at__isnull=True).exclude(pk=note.pk))
    notes.insert(min(item.place, len(notes)), note)
    for position, each in enumerate(notes, start=1):
        each.position = position
    Contribution.objects.bulk_update(notes, ["position"])
    _changed(group)
    return Done(item.op, group.pk, note.pk, note.revision)


def _pick(batch: Batch, item: Pick) -> Outcome:
    note, group = _note(batch, item)
    if item.on:
        group.pick = note
    elif group.pick_id == note.pk:
        group.pick = None
    group.save(update_fields=["pick"])
    _changed(group, Topic.STAGE)  # which group the console's main button shows next
    return Done(item.op, group.pk, note.pk, note.revision)


# --- the group -----------------------------------------------------------------------------------------------


def _scribe(batch: Batch, item: Scribe) -> Outcome:
    group = _group(batch, item, item.group)
    if item.on and group.scribe not in ("", item.voter):
        raise _No("forbidden", _("This group has a scribe. They can hand over with one tap."))
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


def _choose(batch: Batch, item: Choose) -> Outcome:
    group = Group.objects.filter(
        pk=item.group, round__workshop=item.workshop_id, round__closed_at__isnull=True
    ).first()
    if group is None:
        raise _No("forbidden", _("That group is not there any more."))
    _require_choice(group.round)
    seated = group.round.places.filter(voter=item.voter).first()
    if seated and seated.group_id != group.pk:
        _require_free(group.round)
    sit_down(item.voter, group)
    return Done(item.op, group.pk)


def _stand_up(batch: Batch, item: StandUp) -> Outcome:
    current = current_round(item.workshop_id)
    if current is None:
        raise _No("forbidden", _("That group is not there any more."))
    _require_choice(current)
    _require_free(current)
    stand_up(item.voter, current)
    return Done(item.op)


def _require_choice(current: Round) -> None:
    if current.made != Round.Made.SELF_CHOSEN:
        raise _No("forbidden", _("In this round the facilitator makes the groups."))


def _require_free(current: Round) -> None:
    """People may think again as long as groups talk; then each group's sentence is shared, with who said it."""
    if current.recalled_at:
        raise _No("closed", _("Everybody was called back, so groups stay as they are."))


def _table(batch: Batch, item: Table) -> Outcome:
    Participant.objects.filter(voter=item.voter).update(table=item.table)
    current = current_round(item.workshop_id)
    if current is None or current.made != Round.Made.BY_TABLE:
        return Done(item.op)
    group, new = Group.objects.get_or_create(
        round=current,
        number=item.table,
        defaults={"name": table_name(item.table)},
    )
    if new and current.opened_at and (asked := _asked_elsewhere(current)):
        group.prompt, group.question = asked, asked.text
        group.save(update_fields=["prompt", "question"])
    sit_down(item.voter, group)
    return Done(item.op, group.pk)


def _asked_elsewhere(current: Round) -> Prompt | None:
    """What the first of the groups talks about; the prompt on stage where there is no group yet."""
    first = current.groups.filter(prompt__isnull=False).exclude(question="").select_related("prompt").first()
    if first:
        return first.prompt
    return current.item.prompt if current.item else None


def table_name(number: int) -> str:
    return _("Table %(n)d") % {"n": number}


# --- places ----------------------------------------------------------------------------------------------------


def sit_down(voter: str, group: Group) -> None:
    """Give somebody their place; who sat elsewhere in this round moves, and is no scribe there any more."""
    place, new = Place.objects.get_or_create(round_id=group.round_id, voter=voter, defaults={"group": group})
    if not new and place.group_id != group.pk:
        _leave(place)
        place.group = group
        place.save(update_fields=["group"])
    _tell_of_places(group.round, group.pk)


def stand_up(voter: str, current: Round) -> None:
    """Without a group from here on. Where the facilitator seats people they wait for a place, else they choose one."""
    place = current.places.filter(voter=voter).first()
    if place is None:
        return
    _leave(place)
    if current.made == Round.Made.BY_HAND:
        place.group = None
        place.save(update_fields=["group"])
    else:
        place.delete()
    _tell_of_places(current)


def _leave(place: Place) -> None:
    """Who goes is no scribe there any more, and the others see that they have gone."""
    if place.group_id is not None:
        Group.objects.filter(pk=place.group_id, scribe=place.voter).update(scribe="")
        notify.changed(place.round.workshop_id, pad(place.group_id))


def _tell_of_places(current: Round, *groups: int) -> None:
    """Who has no place yet sees the groups' sizes under minus the number of the round."""
    names = [pad(group) for group in (-current.pk, *groups)]
    notify.changed(current.workshop_id, PLACES, Topic.BREAKOUTS, *names)


@transaction.atomic
def place_latecomer(workshop_id: int, voter: str) -> None:
    """Who comes while groups are there sits down in the smallest. Where people choose, they choose themselves; while
    the facilitator seats them by hand, they wait for that."""
    current = current_round(workshop_id)
    if current is None or current.made in (Round.Made.SELF_CHOSEN, Round.Made.BY_TABLE):
        return
    current = Round.objects.select_for_update(of=("self",), no_key=True).get(pk=current.pk)
    place = current.places.filter(voter=voter).first()
    if current.seats_by_hand:
        if place is None:
            Place.objects.create(round=current, voter=voter)
            _tell_of_places(current)
    elif place is None or place.group_id is None:
        sit_in_the_smallest(current, [voter])


def sit_in_the_smallest(current: Round, voters: Sequence[str]) -> None:
    """One after the other, each in the group that is the smallest by then; nowhere where there is none."""
    groups = list(current.groups.all())
    taken = Counter(current.places.values_list("group", flat=True))
    sizes = [taken[group.pk] for group in groups]
    for voter in voters if groups else ():
        smallest = grouping.place_latecomer(sizes)
        sizes[smallest] += 1
        sit_down(voter, groups[smallest])


_ACTIONS: dict[type[Intention], Callable[[Batch, Any], Outcome]] = {
    Add: _add,
    Edit: _edit,
    TakeBack: _take_back,
    Agree: _agree,
    Move: _move,
    Pick: _pick,
    Scribe: _scribe,
    Help: _help,
    Choose: _choose,
    StandUp: _stand_up,
    Table: _table,
}
