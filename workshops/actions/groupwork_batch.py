"""What a batch of intentions in small groups stands on, read at once: six queries at most, whatever their number.

Prepared queries, for notes come as fast as votes do. All groups that the batch touches are locked first, in the order
of their numbers: two processes wait for each other and never in a circle. What is read afterwards stays as it is until
the commit, and actions keep it up to date for those that come after them in the same batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce, Length

from polls.prepared import Insert, Prepared, Upsert

from ..models import Agreement, Contribution, Group, Participant, Place, Round, Wording

_GROUP_FIELDS = [field.attname for field in Group._meta.concrete_fields]
_ROUND_FIELDS = [field.attname for field in Round._meta.concrete_fields]
_NOTE_FIELDS = [field.attname for field in Contribution._meta.concrete_fields]

_GROUP_OF = Prepared(
    lambda notes: Contribution.objects.filter(pk__in=notes).order_by().values_list("pk", "group_id"), int
)
_under_lock = Group.objects.select_for_update(of=("self",), no_key=True).order_by("pk")
_GROUPS = Prepared(
    lambda groups: _under_lock.filter(pk__in=groups).values_list(
        *_GROUP_FIELDS, *(f"round__{name}" for name in _ROUND_FIELDS)
    ),
    int,
)
_SEATED = Prepared(
    lambda groups, voters: Place.objects.filter(group__in=groups, voter__in=voters).values_list(
        "group_id", "voter"
    ),
    int,
    str,
)
_HERE = Prepared(
    lambda voters: Participant.objects.filter(voter__in=voters, left_at__isnull=True).values_list(
        "voter", "rehearsal"
    ),
    str,
)
_NOTES = Prepared(
    lambda notes: Contribution.objects.filter(pk__in=notes).order_by().values_list(*_NOTE_FIELDS), int
)
_here = Q(contributions__taken_back_at__isnull=True)
_people = Place.objects.filter(group=OuterRef("pk")).order_by().values("group")
_FILLED = Prepared(
    lambda groups: (
        Group.objects.filter(pk__in=groups)
        .order_by()
        .annotate(
            notes=Count("contributions", filter=_here),
            last=Coalesce(Max("contributions__position"), 0),
            letters=Coalesce(Sum(Length("contributions__text"), filter=_here), 0),
            people=Coalesce(Subquery(_people.annotate(n=Count("pk")).values("n")), 0),
        )
        .values_list("pk", "notes", "last", "letters", "people")
    ),
    int,
)
_SENT = Prepared(
    lambda voters, ops: (
        Wording.objects.filter(by__in=voters, op__in=ops)
        .order_by()
        .values_list(
            "by", "op", "revision", "kept", "contribution_id", "contribution__op", "contribution__group_id",
            "contribution__revision",
        )
    ),
    str,
    str,
)  # fmt: skip

_NOTE, _WORDING = Insert(Contribution), Insert(Wording)
_AGREEMENT = Upsert(Agreement, unique=("contribution", "voter"), update=())


@dataclass(frozen=True, slots=True)
class Sent:
    """What an operation came to that was done before: the wording it made, and its note as that stands now."""

    revision: int
    kept: bool
    note: int
    note_op: str
    group: int
    note_revision: int


@dataclass(slots=True)
class Filled:
    """How full a group is: its notes and their letters, the position of the last, and the people who sit in it."""

    notes: int = 0
    last: int = 0
    letters: int = 0
    people: int = 0


class Batch:
    """`groups` (locked, with their rounds) and `notes` by number; `seated`, `rehearsal` and `sent` of these people;
    how full groups are that somebody writes in (`filled`)."""

    def __init__(self, items: Sequence[Any]) -> None:
        asked = {item.note for item in items if hasattr(item, "note")}
        group_of = dict(_GROUP_OF.rows(list(asked)))
        named = {item.group for item in items if hasattr(item, "group")} | set(group_of.values())
        voters = list({item.voter for item in items})
        writing = [item for item in items if hasattr(item, "text")]
        written_in = {
            item.group if hasattr(item, "group") else group_of.get(item.note, 0) for item in writing
        }
        self.groups = {group.pk: group for group in map(_group, _GROUPS.rows(sorted(named)))}
        self.notes = {note.pk: note for note in map(_note, _NOTES.rows(list(asked)))}
        self.seated = set(_SEATED.rows(list(named), voters))
        #: people who are here → whether they rehearse
        self.rehearsal = dict(_HERE.rows(voters))
        self.sent = {
            (by, op): Sent(*found)
            for by, op, *found in _SENT.rows(list({i.voter for i in writing}), list({i.op for i in writing}))
        }
        self.filled = {group: Filled(*counts) for group, *counts in _FILLED.rows(sorted(written_in))}

    # -- what is written on the way ------------------------------------------------------------------------

    def add(self, group: Group, item: Any, text: str) -> Contribution:
        """A new note, last in its group."""
        filled = self.filled[group.pk]
        filled.notes, filled.last, filled.letters = (
            filled.notes + 1,
            filled.last + 1,
            filled.letters + len(text),
        )
        note = Contribution(
            group=group, author=item.voter, op=item.op, text=text, position=filled.last,
            rehearsal=self.rehearsal[item.voter],
        )  # fmt: skip
        note.pk = _NOTE.write(note)
        self.word(note, item, text)
        return note

    def word(self, note: Contribution, item: Any, text: str, *, kept: bool = True) -> None:
        """Keep this wording; not `kept` is one that lost."""
        _WORDING.write(
            Wording(
                contribution=note, revision=note.revision, text=text, by=item.voter, op=item.op, kept=kept
            )
        )
        self.sent[item.voter, item.op] = Sent(
            note.revision, kept, note.pk, note.op, note.group_id, note.revision
        )

    @staticmethod
    def agree(note: Contribution, voter: str) -> None:
        """Once a person, however often they say so."""
        _AGREEMENT.write([Agreement(contribution=note, voter=voter)])


def _group(row: tuple[Any, ...]) -> Group:
    group = _made(Group, _GROUP_FIELDS, row[: len(_GROUP_FIELDS)])
    group.round = _made(Round, _ROUND_FIELDS, row[len(_GROUP_FIELDS) :])
    return group


def _note(row: tuple[Any, ...]) -> Contribution:
    return _made(Contribution, _NOTE_FIELDS, row)


def _made(model: Any, fields: Sequence[str], row: Sequence[Any]) -> Any:
    return model.from_db(None, fields, row)
