"""What people wrote, once they have gone: notes of the groups in their order, texts of the whole room, transcripts.

For staff and for files. Nothing here says who wrote what or at which time of day: a note has its distance from the
workshop's opening. Words of a rehearsal, notes taken back and words for the safeguarding lead alone never appear, and
where words were taken out only what is left does.

Texts of the whole room are counted from ballots each time, so what is taken out of the box is gone here. They stand in
the order of their screens, and their time is in whole minutes: seconds would say who wrote what to everybody who
watched a neighbour type.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from polls import checks
from polls.lifecycle import State
from polls.models import Ballot, Poll
from polls.types import POLL_TYPES

from .models import (
    AgendaItem,
    BroughtText,
    Contribution,
    Domain,
    Group,
    Participant,
    Programme,
    Round,
    Transcript,
    Workshop,
)
from .moderation import is_note, pieces, suggestion, text_ref

#: the item of an information sheet by which people agree to be quoted
QUOTE_ITEM = "quote"


@dataclass(frozen=True, slots=True)
class Written:
    """Words as they may be read afterwards. `number` is their place in their group or question, from 1."""

    #: these words and no others: see `moderation`
    ref: str
    number: int
    text: str
    #: since the workshop opened; none where it never did
    offset: timedelta | None
    check: str
    proposed: bool
    #: everybody who wrote it agreed
    may_be_quoted: bool

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
    def for_the_wall(self) -> str:
        """What somebody has read and let through; empty where nobody has."""
        return "" if self.is_pending or self.is_hidden else self.text

    @property
    def pieces(self) -> list[tuple[str, bool]]:
        """The text in pieces, each with whether it is suggested to hide it: until somebody lets the words through."""
        return [(self.text, False)] if self.for_the_wall else pieces(self.text)

    @property
    def suggestion(self) -> str:
        return "" if self.for_the_wall else suggestion(self.text)

    @property
    def anchor(self) -> str:
        return anchor(self.ref)


@dataclass(frozen=True, slots=True)
class Line(Written):
    """A note of a group."""

    pk: int
    agreeing: int
    picked: bool
    #: stands for its author in this one reading, and in no other
    person: str


@dataclass(frozen=True, slots=True)
class Text(Written):
    """A text of the whole room; its time is that of the first of its people."""

    people: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that people answered in words. `answered` is its base."""

    item: AgendaItem
    poll: Poll
    domain: Domain | None
    answered: int
    texts: tuple[Text, ...]

    @property
    def question(self) -> str:
        return self.poll.question.text


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
    """All that people wrote in a workshop: in its groups, and to its questions."""

    workshop: Workshop
    rounds: tuple[RoundNotes, ...]
    asked: tuple[Asked, ...]

    @property
    def count(self) -> int:
        """How many notes the groups wrote."""
        return sum(each.count for each in self.rounds)

    @property
    def is_empty(self) -> bool:
        return not self.count and not any(each.texts for each in self.asked)

    @property
    def says_that_no_note_is_there(self) -> bool:
        """Nobody looks for notes of groups where the whole room was asked and no group."""
        return not self.count and (bool(self.rounds) or not self.asked)

    @property
    def title(self) -> str:
        names = {"title": self.workshop.title, "number": self.workshop.number}
        return _("%(title)s, workshop %(number)d: notes and words") % names

    @property
    def lines(self) -> Iterator[tuple[Round, Group, Line]]:
        for each in self.rounds:
            for group in each.groups:
                for line in group.lines:
                    yield each.round, group.group, line


def of(workshop: Workshop) -> Notes:
    """Every round that was opened with its groups and their notes, and every question that was answered in words.

    Eleven queries at most, whatever there is.
    """
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
    of_groups = tuple(RoundNotes(each, tuple(by_round[each.pk])) for each in rounds)
    return Notes(workshop, of_groups, tuple(_texts_of(asked_in_words().filter(workshop=workshop))))


def _kept() -> QuerySet[Contribution]:
    return Contribution.objects.filter(taken_back_at__isnull=True, safeguarding=False, rehearsal=False)


def _agreeing(workshop: Workshop) -> Count:
    invented = Participant.objects.filter(workshop=workshop, rehearsal=True).values("voter")
    return Count("agreements", filter=~Q(agreements__voter__in=invented))


def _line(workshop: Workshop, group: Group, number: int, note: Any, person: str, quotable: bool) -> Line:
    redacted = note.check_state == Contribution.Check.REDACTED
    return Line(
        ref=note.ref,
        pk=note.pk,
        number=number,
        text=note.redacted if redacted else note.text,
        offset=_offset(workshop, note.at),
        agreeing=note.agreeing,
        picked=group.pick_id == note.pk,
        check=note.check_state,
        proposed=note.proposed_at is not None,
        may_be_quoted=quotable,
        person=person,
    )


def _offset(workshop: Workshop, at: datetime | None) -> timedelta | None:
    return max(at - workshop.started_at, timedelta()) if at and workshop.started_at else None


# --- texts of the whole room -------------------------------------------------------------------------------

Paper = tuple[str, Any, datetime | None]  # who, what, when


def asked_in_words() -> QuerySet[AgendaItem]:
    """Questions on stage that people have answered, or could, in their own words."""
    with_texts = [name for name, kind in POLL_TYPES.items() if kind.has_texts]
    asked = AgendaItem.objects.filter(profile=False, poll__version__definition__type__in=with_texts)
    return asked.exclude(poll__state=State.DRAFT)


def _texts_of(items: QuerySet[AgendaItem]) -> Iterator[Asked]:
    """These questions with their texts; six queries, whatever there is."""
    found = list(
        items.select_related("workshop", "poll__version__instrument").prefetch_related(
            "poll__version__instrument__domains"
        )
    )
    polls = [item.poll_id for item in found if item.poll_id]
    decided = checks.of(polls)
    papers: defaultdict[int, list[Paper]] = defaultdict(list)
    cast = Ballot.objects.filter(poll__in=polls, status=Ballot.Status.CAST, rehearsal=False)
    for poll, who, value, at in cast.values_list("poll", "voter", "value", "cast_at"):
        papers[poll].append((who, value, at))
    quotable = agreed_to_be_quoted({who for mine in papers.values() for who, _value, _at in mine})
    brought = BroughtText.objects.filter(item__in=found, proposed_at__isnull=False)
    proposed = set(brought.values_list("ref", flat=True))
    for item in found:
        if item.poll:
            mine = papers[item.poll.pk]
            texts = _texts(item, item.poll, mine, decided.get(item.poll.pk, checks.NONE), quotable, proposed)
            domain = next(iter(item.poll.version.instrument.domains.all()), None)
            yield Asked(item, item.poll, domain, len(mine), tuple(texts))


def _texts(
    item: AgendaItem,
    poll: Poll,
    papers: list[Paper],
    decided: checks.Checks,
    quotable: set[str],
    proposed: set[str],
) -> Iterator[Text]:
    """What was written to one question, without what is flagged."""
    kind, question = poll.poll_type, poll.question
    by_key: defaultdict[str, list[Paper]] = defaultdict(list)
    for paper in papers:
        for key, _text, _one in kind.texts(kind.tally([(paper[1], 1)], question), question):
            by_key[key].append(paper)
    tally = kind.tally(((value, 1) for _who, value, _at in papers), question)
    texts = [each for each in kind.texts(tally, question) if decided.state(each[0]) != checks.FLAGGED]
    for number, (key, text, people) in enumerate(texts, start=1):
        first = min((at for _who, _value, at in by_key[key] if at), default=None)
        offset = _offset(item.workshop, first)
        ref = text_ref(poll.pk, key)
        yield Text(
            ref=ref,
            number=number,
            text=decided.redacted.get(key, text),
            offset=None if offset is None else timedelta(minutes=offset // timedelta(minutes=1)),
            check=decided.state(key),
            proposed=ref in proposed,
            may_be_quoted=all(who in quotable for who, _value, _at in by_key[key]),
            people=people,
        )


# --- who agreed, and what became of it -----------------------------------------------------------------------


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


def with_something_to_read(workshops: QuerySet[Workshop]) -> QuerySet[Workshop]:
    """Those in which groups were at work, or people were asked for their own words."""
    # For each workshop by itself: the other way round, every question ever asked in words would be looked at first.
    mine = {"workshop": OuterRef("pk")}
    worked = Exists(Round.objects.filter(opened_at__isnull=False, **mine))
    return workshops.filter(worked | Exists(asked_in_words().order_by().filter(**mine)))


def brought_to_the_vision(programme: Programme, most: int = 200) -> list[Contribution]:
    """Notes that facilitators brought as drafts of statements, in the order in which they did."""
    found = _kept().filter(proposed_at__isnull=False, group__round__workshop__programme=programme)
    related = found.select_related("group__round__workshop", "group__prompt__domain")
    return list(related.order_by("proposed_at", "pk")[:most])


def texts_brought_to_the_vision(programme: Programme, most: int = 200) -> list[BroughtText]:
    """The same of what people wrote to questions; `read_texts` has their words."""
    found = BroughtText.objects.filter(proposed_at__isnull=False, item__workshop__programme=programme)
    return list(found.order_by("proposed_at", "pk")[:most])


def read_texts(brought: Collection[BroughtText]) -> dict[str, tuple[Asked, Text]]:
    """By their refs these texts, each with its question; without those that nobody may read any more."""
    if not brought:
        return {}
    refs = {each.ref for each in brought}
    items = AgendaItem.objects.filter(pk__in={each.item_id for each in brought})
    return {text.ref: (asked, text) for asked in _texts_of(items) for text in asked.texts if text.ref in refs}


def anchor(ref: str) -> str:
    """Where these words stand on the page: a note keeps its place when its words change."""
    return ref.rpartition("-")[0] if is_note(ref) else ref


def clock(offset: timedelta | None) -> str:
    """Hours, minutes and seconds since the opening: "0:23:05"; empty without one."""
    if offset is None:
        return ""
    seconds = int(offset.total_seconds())
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
