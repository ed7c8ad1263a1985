"""People's words that somebody looks at before the wall shows them: of the question on stage, and of groups.

A group's note is looked at once its group has picked it for the plenary, and where it may name somebody, also once a
facilitator wants to ask the room about it or brings it to the vision. No other note can reach the wall, and to read
them all would take the facilitator's eyes off the room. Words that are flagged for safeguarding are in nobody's queue:
what is left there is that something was flagged, so that a slip can be undone.

Equal words of a question that were decided about alike, or not at all, are one item: one press decides about all of
them, and each has its own decision from then on. A `ref` names a text on a screen and in a log without its words; other
words are another text, so that a decision is about what was read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from django.db.models import Count, Min, Q

from polls import text_decisions
from polls.models import Poll, Text
from polls.text_decisions import FLAGGED, HIDDEN, PENDING, DecidedText

from ..models import Contribution, Group, Programme, TextMark, Workshop
from .redaction import Span, redact, suggest


@lru_cache(maxsize=20_000)
def suggestions(text: str) -> tuple[Span, ...]:
    """Suggested redactions of a text; cached, because a queue is drawn many times a second."""
    return tuple(suggest(text))


def is_suspicious(text: str) -> bool:
    """Something in it may have to be hidden, so a person looks at it by itself."""
    return bool(suggestions(text))


def highlight(text: str) -> list[tuple[str, bool]]:
    """The text in pieces, each with whether it is suggested to hide it."""
    found, at = [], 0
    for span in suggestions(text):
        found += [(text[at : span.start], False), (text[span.start : span.end], True)]
        at = span.end
    return [piece for piece in [*found, (text[at:], False)] if piece[0]]


def suggestion(text: str) -> str:
    """The text with all suggested redactions applied; empty where there are none."""
    return redact(text, suggestions(text)) if is_suspicious(text) else ""


def for_observers(text: DecidedText) -> str:
    """The words for people who listen without being counted, and for what stays of a workshop: as decided, and what
    nobody has decided about with all suggested redactions applied. Empty for none."""
    if text.state == PENDING:
        return suggestion(text.words) or text.words
    return text_decisions.for_the_room(text, is_suspicious)


@dataclass(frozen=True, slots=True)
class Item:
    """A text that `people` people wrote, with its moderation state. `text` is empty where it is flagged."""

    ref: str
    text: str
    people: int
    #: pending, shown, hidden, redacted or flagged
    state: str
    #: what stands on the wall where it is redacted
    instead: str = ""
    #: the name of its group; empty for words of a question
    group: str = ""
    #: its question shows words without a check
    at_once: bool = False
    #: it was brought to the vision
    proposed: bool = False

    @property
    def waits(self) -> bool:
        return self.state == PENDING and not (self.at_once and not self.is_suspicious)

    @property
    def is_on_the_wall(self) -> bool:
        return not self.waits and self.state not in (HIDDEN, FLAGGED)

    @property
    def is_suspicious(self) -> bool:
        return is_suspicious(self.text)

    @property
    def highlight(self) -> list[tuple[str, bool]]:
        return highlight(self.text)

    @property
    def suggestion(self) -> str:
        return suggestion(self.text)


# --- the queue -----------------------------------------------------------------------------------------


class Counted(NamedTuple):
    """So many people's texts of one poll, equal to the letter and decided about alike; `first` is the lowest number."""

    words: str
    key: str
    state: str
    replacement: str
    people: int
    first: int


def texts(poll: Poll, *, rehearsal: bool = False) -> list[Item]:
    """All current texts of a poll; equal texts with equal decisions are grouped. Two queries."""
    if not poll.poll_type.has_texts:
        return []
    marks = TextMark.objects.filter(text__poll=poll, kind=TextMark.Kind.VISION)
    brought = set(marks.values_list("text__key", flat=True))
    current = Text.objects.filter(poll=poll, standing=Text.Standing.CURRENT)
    rows = current if rehearsal else current.filter(rehearsal=False)
    columns = ("words", "key", "decision__state", "decision__replacement")
    counted = [
        Counted(words, key, state or PENDING, instead or "", people, first)
        for words, key, state, instead, people, first in rows.values_list(*columns)
        .annotate(people=Count("pk"), first=Min("pk"))
        .order_by("first")
    ]
    return [
        Item(
            ref=Text(pk=min(each.first for each in alike)).ref,
            text="" if alike[0].state == FLAGGED else words,
            people=sum(each.people for each in alike),
            state=alike[0].state,
            instead=alike[0].replacement,
            at_once=poll.shows_words_at_once,
            proposed=alike[0].key in brought,
        )
        for words, alike in together(poll, counted, lambda each: each.people)
    ]


T = TypeVar("T")


def together(poll: Poll, texts: Iterable[T], people: Callable[[T], int]) -> list[tuple[str, list[T]]]:
    """A poll's texts, or `Counted` ones: those that are equal and decided about alike together, with the spelling that
    most people chose, in the order in which the poll's type lists its words. `people` says how many each stands for."""
    alike: defaultdict[tuple[str, str, str], list[Any]] = defaultdict(list)
    for text in texts:
        alike[text.key, text.state, text.replacement].append(text)  # type: ignore[attr-defined]
    kind, question = poll.poll_type, poll.question
    spelled: list[tuple[str, list[T]]] = []
    for mine in alike.values():
        tally = kind.tally(((kind.answer_with([text.words]), people(text)) for text in mine), question)
        [(_key, words, _people)] = kind.texts(tally, question)
        spelled.append((words, mine))
    counts = ((kind.answer_with([words]), sum(map(people, mine))) for words, mine in spelled)
    place = {
        words: n for n, (_key, words, _n) in enumerate(kind.texts(kind.tally(counts, question), question))
    }
    return sorted(spelled, key=lambda each: place.get(each[0], len(place)))


def notes(picked: Iterable[Group], marked: Mapping[Contribution, Collection[str]]) -> list[Item]:
    """The notes that groups have picked for the plenary (`groups.picked`), and of those that a facilitator marked
    (`groups.marked`) the ones that may name somebody."""
    picks = [(group.name, group.pick) for group in picked if group.pick and not group.pick.taken_back_at]
    known = {pick.pk for _name, pick in picks}
    others = [
        (note.group.name, note)
        for note, marks in marked.items()
        if note.pk not in known and (TextMark.Kind.QUESTION in marks or is_suspicious(note.text.words))
    ]
    brought = {note.pk for note, marks in marked.items() if TextMark.Kind.VISION in marks}
    return [_note(name, note, note.pk in brought) for name, note in [*picks, *others]]


def _note(group: str, note: Contribution, brought: bool) -> Item:
    text = note.text
    words = "" if text.is_flagged else text.words
    return Item(text.ref, words, 1, text.state, text.replacement, group=group, proposed=brought)


# --- for the named lead -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Flagged:
    """Words that somebody must look at, with where they were written; `by` is empty where it is not known."""

    ref: str
    workshop: Workshop
    #: the question, or the group's name with what it was asked
    asked: str
    text: str
    at: datetime
    by: str


def flagged(programme: Programme) -> list[Flagged]:
    """All flagged words of a programme, the newest flag first; those that their writer has changed since, too. Equal
    words of a question that were flagged together stand once. For the lead alone: see `access.programme_for_lead`."""
    of_question = Q(poll__agenda_item__workshop__programme=programme)
    of_group = Q(contribution__group__round__workshop__programme=programme)
    found = Text.objects.filter(of_question | of_group, decision__state=FLAGGED).select_related(
        "decision__by", "poll__version", "poll__agenda_item__workshop", "contribution__group__round__workshop"
    )
    once = {
        (text.poll_id or -text.pk, text.key): _flagged(text) for text in found.order_by("decision", "-pk")
    }
    return sorted(once.values(), key=lambda one: one.at, reverse=True)


def _flagged(text: Text) -> Flagged:
    assert text.decision
    by = text.decision.by.email if text.decision.by else ""
    if text.poll:
        workshop, asked = text.poll.agenda_item.workshop, text.poll.question.text
    else:
        group = text.contribution.group
        workshop = group.round.workshop
        asked = f"{group.name}: {group.question}" if group.question else group.name
    return Flagged(text.ref, workshop, asked, text.words, text.decision.at, by)
