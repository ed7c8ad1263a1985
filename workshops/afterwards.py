"""What stays of the groups once people have gone: notes in their order, sentences shared back, transcripts.

For staff and for files. Nothing here says who wrote what or at which time of day: a note has its distance from the
workshop's opening. Notes of a rehearsal, notes taken back and notes for the safeguarding lead alone never appear, and
where words were taken out of a note only what is left of it does.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from .models import Contribution, Group, Participant, Programme, Round, Transcript, Workshop

#: the item of an information sheet by which people agree to be quoted
QUOTE_ITEM = "quote"


@dataclass(frozen=True, slots=True)
class Line:
    """A note as it may be read afterwards. `number` is its place in its group, from 1."""

    pk: int
    number: int
    text: str
    #: since the workshop opened; none where it never did
    offset: timedelta | None
    agreeing: int
    picked: bool
    check: str
    proposed: bool
    may_be_quoted: bool
    #: stands for its author in this one reading, and in no other
    person: str

    @property
    def is_pending(self) -> bool:
        return self.check == Contribution.Check.PENDING

    @property
    def is_hidden(self) -> bool:
        return self.check == Contribution.Check.HIDDEN

    @property
    def is_redacted(self) -> bool:
        return self.check == Contribution.Check.REDACTED

    @property
    def for_the_wall(self) -> bool:
        return not self.is_pending and not self.is_hidden


@dataclass(frozen=True, slots=True)
class GroupNotes:
    """One group with what it was asked, what it wrote and what was recorded of it."""

    group: Group
    lines: tuple[Line, ...]
    transcripts: tuple[Transcript, ...]

    @property
    def picked(self) -> Line | None:
        return next((line for line in self.lines if line.picked), None)


@dataclass(frozen=True, slots=True)
class RoundNotes:
    round: Round
    groups: tuple[GroupNotes, ...]

    @property
    def count(self) -> int:
        return sum(len(group.lines) for group in self.groups)

    @property
    def question(self) -> str:
        """What all of its groups were asked; empty where it was not the same."""
        asked = {group.group.question for group in self.groups}
        return asked.pop() if len(asked) == 1 else ""


@dataclass(frozen=True, slots=True)
class Notes:
    """All that the groups of a workshop wrote."""

    workshop: Workshop
    rounds: tuple[RoundNotes, ...]

    @property
    def count(self) -> int:
        return sum(each.count for each in self.rounds)

    @property
    def title(self) -> str:
        names = {"title": self.workshop.title, "number": self.workshop.number}
        return _("%(title)s, workshop %(number)d: notes of the groups") % names

    @property
    def lines(self) -> Iterator[tuple[Round, Group, Line]]:
        for each in self.rounds:
            for group in each.groups:
                for line in group.lines:
                    yield each.round, group.group, line


def of(workshop: Workshop) -> Notes:
    """Every round that was opened, with its groups and their notes. Five queries, whatever there is."""
    rounds = list(workshop.rounds.filter(opened_at__isnull=False))
    groups = list(Group.objects.filter(round__in=rounds).select_related("prompt__domain"))
    notes: defaultdict[int, list[Any]] = defaultdict(list)
    for note in _kept().filter(group__in=groups).annotate(agreeing=_agreeing(workshop)):
        notes[note.group_id].append(note)
    transcripts: defaultdict[int, list[Transcript]] = defaultdict(list)
    for transcript in Transcript.objects.filter(group__in=groups):
        transcripts[transcript.group_id].append(transcript)
    writers = {note.author for mine in notes.values() for note in mine}
    told, quotable = _strangers(writers), agreed_to_be_quoted(writers)

    def group_notes(group: Group) -> GroupNotes:
        lines = [
            _line(workshop, group, number, note, told[note.author], note.author in quotable)
            for number, note in enumerate(notes[group.pk], start=1)
        ]
        return GroupNotes(group, tuple(lines), tuple(transcripts[group.pk]))

    by_round: defaultdict[int, list[GroupNotes]] = defaultdict(list)
    for group in groups:
        by_round[group.round_id].append(group_notes(group))
    return Notes(workshop, tuple(RoundNotes(each, tuple(by_round[each.pk])) for each in rounds))


def _kept() -> QuerySet[Contribution]:
    return Contribution.objects.filter(taken_back_at__isnull=True, safeguarding=False, rehearsal=False)


def _agreeing(workshop: Workshop) -> Count:
    invented = Participant.objects.filter(workshop=workshop, rehearsal=True).values("voter")
    return Count("agreements", filter=~Q(agreements__voter__in=invented))


def _line(workshop: Workshop, group: Group, number: int, note: Any, person: str, quotable: bool) -> Line:
    redacted = note.check_state == Contribution.Check.REDACTED
    return Line(
        pk=note.pk,
        number=number,
        text=note.redacted if redacted else note.text,
        offset=max(note.at - workshop.started_at, timedelta()) if workshop.started_at else None,
        agreeing=note.agreeing,
        picked=group.pick_id == note.pk,
        check=note.check_state,
        proposed=note.proposed_at is not None,
        may_be_quoted=quotable,
        person=person,
    )


def _strangers(voters: Collection[str]) -> dict[str, str]:
    """A name without meaning for each of them, drawn anew each time: no two files can be put side by side."""
    names: set[str] = set()
    while len(names) < len(voters):
        names.add(f"p{secrets.token_hex(4)}")
    return dict(zip(voters, names, strict=True))


def agreed_to_be_quoted(voters: Iterable[str]) -> set[str]:
    """Those who ticked that their words may be quoted. Who was not asked has not agreed."""
    asked = Participant.objects.filter(voter__in=set(voters)).values_list("voter", "consent")
    return {voter for voter, ticked in asked if QUOTE_ITEM in ticked}


def was_in_groups(programme: Programme) -> list[Workshop]:
    """Workshops of a programme in which groups were at work."""
    return list(programme.workshops.filter(rounds__opened_at__isnull=False).distinct())


def brought_to_the_vision(programme: Programme, most: int = 200) -> list[Contribution]:
    """Notes that facilitators brought as drafts of statements, in the order in which they did."""
    found = _kept().filter(proposed_at__isnull=False, group__round__workshop__programme=programme)
    related = found.select_related("group__round__workshop", "group__prompt__domain")
    return list(related.order_by("proposed_at", "pk")[:most])


def clock(offset: timedelta | None) -> str:
    """Hours, minutes and seconds since the opening: "0:23:05"; empty without one."""
    if offset is None:
        return ""
    seconds = int(offset.total_seconds())
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
