"""Which promises about small groups a history breaks, in plain sentences. Pure, as `checker`, which asks it.

Every text names the operation that sent it, so whoever sees it knows where it belongs. What is uncertain never counts
against the product: something without an answer may be done or not, and may still be done later, for it may have been
waiting on a line or in a process that stood still.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from .groups import Deed, Look, Story, Wording

Promise = Callable[[Story], Iterator[str]]


def at_every_look(promise: Callable[[Story, Look], Iterator[tuple[Any, str]]]) -> Promise:
    """A promise about one look becomes one about all of them; the same thing is told once."""

    def at_all(story: Story) -> Iterator[str]:
        told: set[Any] = set()
        for look in story.looks:
            for what, sentence in promise(story, look):
                if what not in told:
                    told.add(what)
                    yield f"{sentence}, at {look.until:.3f} s."

    return at_all


# --- nothing acknowledged is lost -----------------------------------------------------------------------------


@at_every_look
def no_acknowledged_note_is_lost(story: Story, look: Look) -> Iterator[tuple[Any, str]]:
    rows = {note.number: (note.author, note.op) for note in look.notes}
    for deed in story.acked("note", before=look.since):
        if rows.get(deed.note) != (deed.who, deed.op):
            yield deed.op, f"{deed} was acknowledged at {deed.acked_at:.3f} s and is not stored"


@at_every_look
def no_acknowledged_words_are_lost(story: Story, look: Look) -> Iterator[tuple[Any, str]]:
    """Also those that lost against somebody else's: they were told that these are kept beside it."""
    kept = {(word.by, word.op): (word.note, word.text, bool(word.is_kept)) for word in look.wordings}
    for deed in story.acked("note", "edit_note", before=look.since):
        if kept.get((deed.who, deed.op)) != (deed.note, deed.asked["text"], True):
            yield deed.op, f"{deed} was acknowledged at {deed.acked_at:.3f} s and its words are not stored"
    for deed in story.deeds.values():
        is_beside = (deed.asked.get("note"), deed.asked.get("text"), False)
        if (
            deed.code == "conflict"
            and deed.refused_at < look.since
            and kept.get((deed.who, deed.op)) != is_beside
        ):
            yield deed.op, f"{deed} met other words at {deed.refused_at:.3f} s and is not kept beside them"


@at_every_look
def a_note_says_its_newest_words(story: Story, look: Look) -> Iterator[tuple[Any, str]]:
    newest: dict[int, Wording] = {}
    for word in look.wordings:
        if word.is_kept and word.revision >= newest.get(word.note, word).revision:
            newest[word.note] = word
    for note in look.notes:
        word = newest.get(note.number)
        if word is None or (word.revision, word.text) != (note.revision, note.text):
            yield note.number, f"Note {note.number} says {note.text!r}; its newest words are {word}"


@at_every_look
def what_was_taken_back_is_gone_and_nothing_else(story: Story, look: Look) -> Iterator[tuple[Any, str]]:
    gone = {note.number: note.author for note in look.notes if note.is_taken_back}
    for deed in story.acked("take_back", before=look.since):
        if deed.note not in gone:
            yield deed.op, f"{deed} was acknowledged at {deed.acked_at:.3f} s and note {deed.note} is there"
    sent = {
        (deed.note, deed.who)
        for deed in story.deeds.values()
        if deed.do == "take_back" and deed.sent_at < look.until
    }
    for number, author in gone.items():
        if (number, author) not in sent:
            yield number, f"Note {number} is gone and its author had not taken it back"


# --- nothing is there that nobody did ----------------------------------------------------------------------------


@at_every_look
def every_note_was_written(story: Story, look: Look) -> Iterator[tuple[Any, str]]:
    """By somebody of this group, for this group."""
    for note in look.notes:
        deed = story.deeds.get((note.author, note.op))
        if deed is None or deed.do != "note" or deed.sent_at > look.until:
            yield note.number, f"Note {note.number} ({note.op}) is stored, and nobody had sent it"
        elif note.group != deed.asked["group"] or note.group != look.seats.get(note.author):
            yield (
                note.number,
                f"{deed} is in group {note.group}; its author sits in {look.seats.get(note.author)}",
            )


@at_every_look
def all_words_were_sent(story: Story, look: Look) -> Iterator[tuple[Any, str]]:
    groups = {note.number: note.group for note in look.notes}
    for word in look.wordings:
        deed = story.deeds.get((word.by, word.op))
        if deed is None or deed.sent_at > look.until or deed.asked.get("text") != word.text:
            yield word.op, f"{word} is stored, and nobody had sent it"
        elif word.note in groups and groups[word.note] != look.seats.get(word.by):
            yield (
                word.op,
                f"{deed} changed note {word.note} of group {groups[word.note]}, which is not theirs",
            )


@at_every_look
def an_operation_has_one_effect(story: Story, look: Look) -> Iterator[tuple[Any, str]]:
    for what, rows in (
        ("notes", [(note.author, note.op) for note in look.notes]),
        ("wordings", [(word.by, word.op) for word in look.wordings]),
    ):
        for (_who, op), number in Counter(rows).items():
            if number > 1:
                yield (what, op), f"{op} made {number} {what}"


@at_every_look
def nobody_overwrites_words_that_they_have_not_seen(story: Story, look: Look) -> Iterator[tuple[Any, str]]:
    for word in look.wordings:
        deed = story.deeds.get((word.by, word.op))
        if deed and deed.do == "edit_note" and word.is_kept and word.revision != deed.asked["rev"] + 1:
            yield (
                word.op,
                f"{deed} had seen wording {deed.asked['rev']} and stands in place of {word.revision - 1}",
            )


# --- agreement -----------------------------------------------------------------------------------------------------


@at_every_look
def agreement_is_what_people_said_once_each(story: Story, look: Look) -> Iterator[tuple[Any, str]]:
    there = Counter(look.agreements)
    for place in there.keys() | story.agreeing.keys():
        note, voter = place
        if there[place] > 1:
            yield place, f"Voter {voter[:8]} is counted {there[place]} times for note {note}"
        elif not _may_be(bool(there[place]), story.agreeing.get(place, []), look):
            stored = "is stored" if there[place] else "is not stored"
            yield (
                place,
                f"That voter {voter[:8]} agrees with note {note} {stored}; that is not what they said last",
            )


def _may_be(is_on: bool, deeds: list[Deed], look: Look) -> bool:
    """Can this be what somebody's taps came to? The last one that says so may have come after all that say otherwise."""
    against = [deed.sent_at for deed in deeds if deed.asked["on"] != is_on and deed.acked_at < look.since]
    could = [deed for deed in deeds if deed.asked["on"] == is_on and deed.sent_at < look.until]
    if not against:
        return bool(could) or not is_on
    return any(deed.may_act_until > max(against) for deed in could)


# --- screens -------------------------------------------------------------------------------------------------------


def nobody_reads_what_another_group_writes(story: Story) -> Iterator[str]:
    """On no phone of another group, on no wall, on no console that has opened no pad."""
    seats = story.looks[0].seats if story.looks else {}
    for event in story.seen:
        deed = story.by_op.get(event.op)
        if deed is None or deed.sent_at > event.at:
            yield f"{event.who} showed words of {event.op} at {event.at:.3f} s, which nobody had sent."
        elif seats and seats.get(event.more["voter"]) != seats.get(deed.who):
            group = seats.get(deed.who)
            yield f"{event.who} showed at {event.at:.3f} s words of {event.op}, which belong to group {group}."


def no_screen_showed_what_is_not_stored(story: Story) -> Iterator[str]:
    if not story.looks:
        return
    stored = {word.op for word in story.looks[-1].wordings if word.is_kept}
    for event in story.seen:
        if event.op not in stored:
            yield f"{event.who} showed at {event.at:.3f} s words of {event.op}, which are not stored."


def pads_show_what_is_stored(story: Story) -> Iterator[str]:
    """After quiet every phone of a group has the same notes in the same words and order, and its own agreements."""
    if not story.looks:
        return
    look = story.looks[-1]
    agreeing = Counter(note for note, _voter in look.agreements)
    here = sorted(
        (note for note in look.notes if not note.is_taken_back), key=lambda note: (note.position, note.number)
    )
    for who, event in sorted(story.pads.items()):
        if event.at <= look.since:
            continue
        shown, group = event.more["pad"], look.seats.get(event.more["voter"])
        stored = [[note.number, note.text, agreeing[note.number]] for note in here if note.group == group]
        own = sorted(note for note, voter in look.agreements if voter == event.more["voter"])
        if shown["group"] != group:
            yield f"{who} shows group {shown['group']}; its person sits in {group}."
        elif wrong := _differences(shown["notes"], stored):
            yield f"{who} shows in group {group} {wrong}."
        elif sorted(shown["agreed"]) != own:
            yield f"{who} shows as agreed with {shown['agreed']}; stored is {own}."


def _differences(shown: list[Any], stored: list[Any]) -> str:
    differ = [(a, b) for a, b in zip(shown, stored, strict=False) if list(a) != b]
    if differ:
        return f"{differ[0][0]} where {differ[0][1]} is stored"
    return f"{len(shown)} notes; {len(stored)} are stored" if len(shown) != len(stored) else ""


ALWAYS: tuple[Promise, ...] = (
    no_acknowledged_note_is_lost,
    no_acknowledged_words_are_lost,
    a_note_says_its_newest_words,
    what_was_taken_back_is_gone_and_nothing_else,
    every_note_was_written,
    all_words_were_sent,
    an_operation_has_one_effect,
    nobody_overwrites_words_that_they_have_not_seen,
    agreement_is_what_people_said_once_each,
    nobody_reads_what_another_group_writes,
)
IN_THE_END: tuple[Promise, ...] = (no_screen_showed_what_is_not_stored, pads_show_what_is_stored)
