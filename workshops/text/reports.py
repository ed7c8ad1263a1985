"""Reports after a workshop: notes of the groups in their order, texts of the whole room, transcripts.

For staff and for files. Nothing here says who wrote what or at which time of day: a note has its distance from the
workshop's opening. Words of a rehearsal, notes taken back and words for the safeguarding lead alone never appear, and
where words were taken out only what is left does.

Equal texts of the whole room that were decided about alike stand once. They stand in the order of their screens, and
their time is in whole minutes: seconds would say who wrote what to everybody who watched a neighbour type.
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

from polls.lifecycle import State
from polls.models import Ballot, Poll, Text
from polls.text_decisions import FLAGGED, HIDDEN, PENDING, REDACTED
from polls.types import POLL_TYPES

from ..models import (
    AgendaItem,
    Contribution,
    Domain,
    Group,
    Participant,
    Programme,
    Round,
    TextMark,
    Transcript,
    Workshop,
)
from .decisions import highlight, suggestion, together

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
    state: str
    proposed: bool
    #: everybody who wrote it agreed
    may_be_quoted: bool

    @property
    def is_pending(self) -> bool:
        return self.state == PENDING

    @property
    def is_hidden(self) -> bool:
        return self.state == HIDDEN

    @property
    def is_redacted(self) -> bool:
        return self.state == REDACTED

    @property
    def for_the_wall(self) -> str:
        """The text as moderated; empty where nobody has moderated it."""
        return "" if self.is_pending or self.is_hidden else self.text

    @property
    def for_files(self) -> str:
        """The text as decided; until somebody has let it through, without what may name somebody."""
        return self.for_the_wall or suggestion(self.text) or self.text

    @property
    def highlight(self) -> list[tuple[str, bool]]:
        """The text in pieces, each with whether it is suggested to hide it: until somebody lets the words through."""
        return [(self.text, False)] if self.for_the_wall else highlight(self.text)

    @property
    def suggestion(self) -> str:
        return "" if self.for_the_wall else suggestion(self.text)


@dataclass(frozen=True, slots=True)
class Line(Written):
    """A note of a group."""

    pk: int
    agreeing: int
    picked: bool
    #: stands for its author in this one reading, and in no other
    person: str


@dataclass(frozen=True, slots=True)
class Words(Written):
    """A text of the whole room; its time is that of the first of its people."""

    people: int
    key: str
    #: the texts that are equal to it and decided about alike, by their numbers
    texts: frozenset[int]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that people answered in words. `answered` is its base."""

    item: AgendaItem
    poll: Poll
    domain: Domain | None
    answered: int
    texts: tuple[Words, ...]

    @property
    def question(self) -> str:
        return self.poll.question.text


@dataclass(frozen=True, slots=True)
class GroupNotes:
    """One group with its prompt, its notes and its transcripts."""

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
        """The prompt that all of its groups share; empty where they differ."""
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

    Twelve queries at most, whatever there is.
    """
    rounds = list(workshop.rounds.filter(opened_at__isnull=False))
    groups = list(Group.objects.filter(round__in=rounds).select_related("prompt__domain"))
    notes: defaultdict[int, list[Any]] = defaultdict(list)
    for note in _kept().filter(group__in=groups).annotate(agreeing=_agreeing(workshop), brought=_brought()):
        notes[note.group_id].append(note)
    transcripts: defaultdict[int, list[Transcript]] = defaultdict(list)
    for transcript in Transcript.objects.filter(group__in=groups):
        transcripts[transcript.group_id].append(transcript)
    writers = {note.author for mine in notes.values() for note in mine}
    told, quotable = per_export_pseudonyms(writers), agreed_to_be_quoted(writers)

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
    """Notes that may be read, with their texts."""
    # What nobody has decided about has no decision, so it would not be in a filter that excludes one state.
    seen = Q(text__decision__isnull=True) | ~Q(text__decision__state=FLAGGED)
    found = Contribution.objects.filter(seen, taken_back_at__isnull=True, rehearsal=False)
    return found.select_related("text__decision")


def _brought() -> Exists:
    return Exists(TextMark.objects.filter(text=OuterRef("text"), kind=TextMark.Kind.VISION))


def _agreeing(workshop: Workshop) -> Count:
    invented = Participant.objects.filter(workshop=workshop, rehearsal=True).values("voter")
    return Count("agreements", filter=~Q(agreements__voter__in=invented))


def _line(workshop: Workshop, group: Group, number: int, note: Any, person: str, quotable: bool) -> Line:
    return Line(
        ref=note.ref,
        pk=note.pk,
        number=number,
        text=note.text.as_decided,
        offset=_offset(workshop, note.at),
        agreeing=note.agreeing,
        picked=group.pick_id == note.pk,
        state=note.text.state,
        proposed=note.brought,
        may_be_quoted=quotable,
        person=person,
    )


def _offset(workshop: Workshop, at: datetime | None) -> timedelta | None:
    return max(at - workshop.started_at, timedelta()) if at and workshop.started_at else None


# --- texts of the whole room -------------------------------------------------------------------------------


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
    cast = Ballot.objects.filter(poll__in=polls, status=Ballot.Status.CAST, rehearsal=False)
    answered = dict(cast.values_list("poll").annotate(Count("pk")).order_by())
    texts: defaultdict[int | None, list[Text]] = defaultdict(list)
    for text in _standing(polls):
        texts[text.poll_id].append(text)
    quotable = agreed_to_be_quoted({text.voter for mine in texts.values() for text in mine})
    marks = TextMark.objects.filter(text__poll__in=polls, kind=TextMark.Kind.VISION)
    brought = set(marks.values_list("text__poll", "text__key"))
    for item in found:
        if item.poll:
            words = tuple(_words(item, item.poll, texts[item.poll.pk], quotable, brought))
            domain = next(iter(item.poll.version.instrument.domains.all()), None)
            yield Asked(item, item.poll, domain, answered.get(item.poll.pk, 0), words)


def _standing(polls: Collection[int]) -> QuerySet[Text]:
    """Answers in words that may be read."""
    seen = Q(decision__isnull=True) | ~Q(decision__state=FLAGGED)
    found = Text.objects.filter(
        seen, poll__in=polls, standing=Text.Standing.CURRENT, rehearsal=False
    ).select_related("decision")
    return found.order_by("pk")


def _words(
    item: AgendaItem, poll: Poll, texts: list[Text], quotable: set[str], brought: set[tuple[int, str]]
) -> Iterator[Words]:
    """The answers in words to one question; equal texts with equal decisions are grouped."""
    for number, (words, alike) in enumerate(together(poll, texts, lambda _text: 1), start=1):
        first = alike[0]
        offset = _offset(item.workshop, min(text.at for text in alike))
        yield Words(
            ref=first.ref,
            number=number,
            text=first.replacement or words,
            offset=None if offset is None else timedelta(minutes=offset // timedelta(minutes=1)),
            state=first.state,
            proposed=(poll.pk, first.key) in brought,
            may_be_quoted=all(text.voter in quotable for text in alike),
            people=len(alike),
            key=first.key,
            texts=frozenset(text.pk for text in alike),
        )


# --- who agreed, and what became of it -----------------------------------------------------------------------


def per_export_pseudonyms(voters: Collection[str]) -> dict[str, str]:
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


@dataclass(frozen=True, slots=True)
class Origin:
    """A note, or what people wrote to a question, with where it stands."""

    #: the text that was picked out
    text: Text
    #: as it may be read now
    written: Written
    workshop: Workshop
    #: the group, or the question
    where: str
    domain: Domain | None

    @property
    def words(self) -> str:
        """What somebody has let through; empty where nobody has."""
        return self.written.for_the_wall

    @property
    def unread(self) -> str:
        """As it was written, for as long as it waits for somebody to read it."""
        return self.written.text if self.written.is_pending else ""

    @property
    def is_note(self) -> bool:
        return isinstance(self.written, Line)

    @property
    def people(self) -> int:
        return self.written.people if isinstance(self.written, Words) else 1


def brought_to_the_vision(programme: Programme, most: int = 200) -> list[Text]:
    """What facilitators brought as drafts of statements, in the order in which they did."""
    marks = TextMark.objects.filter(kind=TextMark.Kind.VISION, workshop__programme=programme)
    return [mark.text for mark in marks.select_related("text")[:most]]


def origins(texts: Iterable[Text]) -> dict[int, Origin]:
    """By their numbers, these texts and where they stand; without those that nobody may read any more.

    Of an answer that its writer has changed since, equal words of others are left, if there are any.
    """
    wanted = list(texts)
    return _of_notes(wanted) | _of_answers([text for text in wanted if text.poll_id])


def _of_notes(texts: list[Text]) -> dict[int, Origin]:
    """One query, and one for consent."""
    notes = list(
        _kept()
        .filter(text__in=[text.pk for text in texts if not text.poll_id])
        .select_related("text__decision", "group__round__workshop", "group__prompt__domain")
        .annotate(agreeing=Count("agreements"), brought=_brought())
    )
    quotable = agreed_to_be_quoted({note.author for note in notes}) if notes else set()
    return {
        note.text_id: Origin(
            note.text,
            _line(note.group.round.workshop, note.group, 0, note, "", note.author in quotable),
            note.group.round.workshop,
            note.group.name,
            note.group.prompt.domain if note.group.prompt else None,
        )
        for note in notes
    }


def _of_answers(texts: list[Text]) -> dict[int, Origin]:
    if not texts:
        return {}
    items = AgendaItem.objects.filter(poll__in={text.poll_id for text in texts})
    found: dict[int, Origin] = {}
    for asked in _texts_of(items):
        by_number = {number: words for words in asked.texts for number in words.texts}
        by_key = {words.key: words for words in reversed(asked.texts)}
        for text in texts:
            if text.poll_id == asked.poll.pk and (words := by_number.get(text.pk) or by_key.get(text.key)):
                found[text.pk] = Origin(text, words, asked.item.workshop, asked.question, asked.domain)
    return found


def clock(offset: timedelta | None) -> str:
    """Hours, minutes and seconds since the opening: "0:23:05"; empty without one."""
    if offset is None:
        return ""
    seconds = int(offset.total_seconds())
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
