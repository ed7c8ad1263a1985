"""People's words that somebody looks at before the wall shows them: of the question on stage, and of groups.

A group's note is looked at once its group has picked it for the plenary, and where it may name somebody, also once a
facilitator wants to ask the room about it or brings it to the vision. No other note can reach the wall, and to read
them all would take the facilitator's eyes off the room. Words that are flagged for safeguarding are in nobody's queue:
what is left there is that something was flagged, so that a slip can be undone.

A `ref` names an item on a screen and in a log without its words. It changes with them, so that a decision is about
what was read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256

from polls import checks, results
from polls.models import Poll, TextCheck

from .models import AgendaItem, Contribution, Gesture, Group, Programme, Workshop
from .redaction import Span, redact, suggest

FLAG = "flag_words"  # the gesture in the workshop's log


@lru_cache(maxsize=20_000)
def suggestions(text: str) -> tuple[Span, ...]:
    """What could be hidden; remembered, because a queue is drawn many times a second."""
    return tuple(suggest(text))


def is_suspicious(text: str) -> bool:
    """Something in it may have to be hidden, so a person looks at it by itself."""
    return bool(suggestions(text))


def pieces(text: str) -> list[tuple[str, bool]]:
    """The text in pieces, each with whether it is suggested to hide it."""
    found, at = [], 0
    for span in suggestions(text):
        found += [(text[at : span.start], False), (text[span.start : span.end], True)]
        at = span.end
    return [piece for piece in [*found, (text[at:], False)] if piece[0]]


def suggestion(text: str) -> str:
    """The text without what is suggested to hide; empty where nothing is."""
    return redact(text, suggestions(text)) if is_suspicious(text) else ""


@dataclass(frozen=True, slots=True)
class Item:
    """A text of `people` people with what was decided about it. `text` is empty where it is flagged."""

    ref: str
    text: str
    people: int
    #: pending, shown, hidden, redacted or flagged
    state: str
    #: what stands on the wall where it is redacted
    instead: str = ""
    #: its key in its poll; empty for a note
    key: str = ""
    #: the name of its group; empty for words of a question
    group: str = ""
    #: its question shows words without a check
    at_once: bool = False
    #: it was brought to the vision
    proposed: bool = False

    @property
    def waits(self) -> bool:
        return self.state == checks.PENDING and not (self.at_once and not self.is_suspicious)

    @property
    def is_on_the_wall(self) -> bool:
        return not self.waits and self.state not in (checks.HIDDEN, checks.FLAGGED)

    @property
    def is_suspicious(self) -> bool:
        return is_suspicious(self.text)

    @property
    def pieces(self) -> list[tuple[str, bool]]:
        return pieces(self.text)

    @property
    def suggestion(self) -> str:
        return suggestion(self.text)


# --- the queue -----------------------------------------------------------------------------------------


def text_ref(poll_id: int, key: str) -> str:
    return f"text-{poll_id}-{sha256(key.encode()).hexdigest()[:16]}"


def note_ref(note: Contribution) -> str:
    return note.ref


def is_note(ref: str) -> bool:
    return ref.startswith("note-")


def texts(
    poll: Poll, result: results.Result, decided: results.Decided, proposed: Collection[str] = ()
) -> list[Item]:
    """All texts of a poll, as its result has them; `proposed` are the refs that were brought to the vision."""
    if not poll.poll_type.has_texts:
        return []
    found = decided.checks.get(poll.pk, checks.NONE)
    return [
        Item(
            ref=text_ref(poll.pk, key),
            text="" if found.state(key) == checks.FLAGGED else text,
            people=people,
            state=found.state(key),
            instead=found.redacted.get(key, ""),
            key=key,
            at_once=poll.shows_words_at_once,
            proposed=text_ref(poll.pk, key) in proposed,
        )
        for key, text, people in poll.poll_type.texts(result.tally, poll.question)
    ]


def notes(picked: Iterable[Group], wanted: Iterable[Contribution] = ()) -> list[Item]:
    """The notes that groups have picked for the plenary (`breakouts.picked`), and those that a facilitator wants
    (`breakouts.wanted`) and that may name somebody."""
    picks = [(group.name, group.pick) for group in picked if group.pick and not group.pick.taken_back_at]
    known = {pick.pk for _name, pick in picks}
    others = [
        (note.group.name, note)
        for note in wanted
        if note.pk not in known and (note.wanted_at or is_suspicious(note.text))
    ]
    return [_note(name, note) for name, note in [*picks, *others]]


def _note(group: str, note: Contribution) -> Item:
    state = checks.FLAGGED if note.safeguarding else str(note.check_state)
    text = "" if note.safeguarding else note.text
    brought = note.proposed_at is not None
    return Item(note_ref(note), text, 1, state, note.redacted, group=group, proposed=brought)


# --- for the named lead -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Flagged:
    """Words that somebody must look at, with where they were written; `by` is empty where it is not known."""

    ref: str
    workshop: Workshop
    #: the question, or the group's name with what it was asked
    asked: str
    text: str
    at: datetime | None
    by: str


def flagged(programme: Programme) -> list[Flagged]:
    """All flagged words of a programme, the newest flag first. For the lead alone: see `access.programme_for_lead`."""
    when = {
        gesture.detail: (gesture.at, gesture.by.email if gesture.by else "")
        for gesture in Gesture.objects.filter(workshop__programme=programme, name=FLAG).select_related("by")
    }
    found = [*_flagged_texts(programme, when), *_flagged_notes(programme, when)]
    return sorted(found, key=lambda one: one.at.timestamp() if one.at else 0, reverse=True)


When = dict[str, tuple[datetime, str]]


def _flagged_texts(programme: Programme, when: When) -> list[Flagged]:
    found = TextCheck.objects.filter(safeguarding=True, poll__agenda_item__workshop__programme=programme)
    by_poll: dict[int, list[TextCheck]] = {}
    for check in found:
        by_poll.setdefault(check.poll_id, []).append(check)
    items = AgendaItem.objects.filter(poll__in=by_poll).select_related("workshop", "poll__version")
    return [
        Flagged(
            ref,
            item.workshop,
            item.poll.question.text,
            words.get(check.key, check.key),
            *when.get(ref, (check.at, "")),
        )
        for item in items
        if item.poll
        for words in [_words(item.poll)]
        for check in by_poll[item.poll.pk]
        for ref in [text_ref(item.poll.pk, check.key)]
    ]


def _words(poll: Poll) -> dict[str, str]:
    """Texts by key, as they were written."""
    tally = results.count(poll, rehearsal=True).tally
    return {key: text for key, text, _people in poll.poll_type.texts(tally, poll.question)}


def _flagged_notes(programme: Programme, when: When) -> list[Flagged]:
    found = Contribution.objects.filter(safeguarding=True, group__round__workshop__programme=programme)
    return [
        Flagged(
            note_ref(note),
            note.group.round.workshop,
            f"{note.group.name}: {note.group.question}" if note.group.question else note.group.name,
            note.text,
            *when.get(note_ref(note), (None, "")),
        )
        for note in found.select_related("group__round__workshop")
    ]
