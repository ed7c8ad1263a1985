"""The rows that a batch of group requests needs, loaded at once: at most eight queries, whatever their number.

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
from django.utils import timezone

from polls import texts
from polls.models import Text, TextDecision
from polls.prepared import Insert, Prepared, Upsert

from ...models import Agreement, Contribution, Group, Participant, Place, Round, TextMark

_GROUP_FIELDS = [field.attname for field in Group._meta.concrete_fields]
_ROUND_FIELDS = [field.attname for field in Round._meta.concrete_fields]
_NOTE_FIELDS = [field.attname for field in Contribution._meta.concrete_fields]
_TEXT_FIELDS = [field.attname for field in Text._meta.concrete_fields]

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
    lambda notes: (
        Contribution.objects.filter(pk__in=notes)
        .order_by()
        .values_list(*_NOTE_FIELDS, *(f"text__{name}" for name in _TEXT_FIELDS), "text__decision__state")
    ),
    int,
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
            letters=Coalesce(Sum(Length("contributions__text__words"), filter=_here), 0),
            people=Coalesce(Subquery(_people.annotate(n=Count("pk")).values("n")), 0),
        )
        .values_list("pk", "notes", "last", "letters", "people")
    ),
    int,
)
_ADDED = Prepared(
    lambda voters, ops: (
        Contribution.objects.filter(author__in=voters, op__in=ops)
        .order_by()
        .values_list("author", "op", "group_id", "pk", "text__revision")
    ),
    str,
    str,
)
_SENT = Prepared(
    lambda voters, ops: (
        Text.objects.filter(voter__in=voters, op__in=ops)
        .order_by()
        .values_list("voter", "op", "revision", "standing")
    ),
    str,
    str,
)

_NOTE = Insert(Contribution)
_AGREEMENT = Upsert(Agreement, unique=("contribution", "voter"), update=())


@dataclass(frozen=True, slots=True)
class Added:
    """The note that an operation made before, as it stands now."""

    group: int
    note: int
    revision: int


@dataclass(frozen=True, slots=True)
class Sent:
    """The text that an operation wrote before: its revision, or the one that it lost against."""

    revision: int
    standing: str

    @property
    def is_lost(self) -> bool:
        return self.standing == Text.Standing.LOST


@dataclass(slots=True)
class GroupUsage:
    """How full a group is: its notes and their letters, the position of the last, and the people who sit in it."""

    notes: int = 0
    last: int = 0
    letters: int = 0
    people: int = 0


class Batch:
    """`groups` (locked, with their rounds) and `notes` (with their texts) by number; `seated`, `rehearsal`, `added` and
    `sent` of these people; how full groups are that somebody writes in (`filled`). `close` ends it."""

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
        writers, ops = list({i.voter for i in writing}), list({i.op for i in writing})
        new = [item for item in writing if hasattr(item, "group")]
        self.added = {
            (author, op): Added(*found)
            for author, op, *found in _ADDED.rows([i.voter for i in new], [i.op for i in new])
        }
        self.sent = {(by, op): Sent(*found) for by, op, *found in _SENT.rows(writers, ops)}
        #: texts that are no longer their notes', by number
        self.replaced: dict[int, Contribution] = {}
        self.filled = {group: GroupUsage(*counts) for group, *counts in _FILLED.rows(sorted(written_in))}

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
            group=group, author=item.voter, op=item.op, text=self._write(item, text), position=filled.last,
            rehearsal=self.rehearsal[item.voter],
        )  # fmt: skip
        note.pk = _NOTE.write(note)
        self.added[item.voter, item.op] = Added(group.pk, note.pk, 1)
        return note

    def revise(self, note: Contribution, item: Any, text: str) -> None:
        """A new revision of a note. Decisions about the former revision stay with it."""
        self.replaced[note.text.pk] = note
        note.text = self._write(item, text, note.text, revision=note.text.revision + 1)
        note.save(update_fields=["text"])

    def keep_beside(self, note: Contribution, item: Any, text: str) -> None:
        """Keep words that lost against others."""
        self._write(item, text, note.text, revision=note.text.revision, standing=Text.Standing.LOST)

    def _write(self, item: Any, words: str, former: Text | None = None, **fields: Any) -> Text:
        text = texts.add(
            Text(
                voter=item.voter, op=item.op, field="note", words=words, former=former, at=timezone.now(),
                rehearsal=self.rehearsal[item.voter], **fields,
            )
        )  # fmt: skip
        self.sent[item.voter, item.op] = Sent(text.revision, text.standing)
        return text

    def close(self) -> None:
        """Move the marks of the former revision to the new one."""
        texts.replace(list(self.replaced))
        for mark in TextMark.objects.filter(text__in=self.replaced) if self.replaced else ():
            mark.text = self.replaced[mark.text_id].text
            mark.save(update_fields=["text"])

    @staticmethod
    def agree(note: Contribution, voter: str) -> None:
        """Once a person, however often they say so."""
        _AGREEMENT.write([Agreement(contribution=note, voter=voter)])


def _group(row: tuple[Any, ...]) -> Group:
    group = _made(Group, _GROUP_FIELDS, row[: len(_GROUP_FIELDS)])
    group.round = _made(Round, _ROUND_FIELDS, row[len(_GROUP_FIELDS) :])
    return group


def _note(row: tuple[Any, ...]) -> Contribution:
    note, state = _made(Contribution, _NOTE_FIELDS, row[: len(_NOTE_FIELDS)]), row[-1]
    note.text = _made(Text, _TEXT_FIELDS, row[len(_NOTE_FIELDS) : -1])
    if note.text.decision_id:
        note.text.decision = TextDecision(pk=note.text.decision_id, state=state)
    return note


def _made(model: Any, fields: Sequence[str], row: Sequence[Any]) -> Any:
    return model.from_db(None, fields, row)
