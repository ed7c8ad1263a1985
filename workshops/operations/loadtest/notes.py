"""Notes with a unique marker word, from which every reader knows where a note belongs. Pure.

`g17p3n2e1q` is wording 1 of the second note of person 3 in group 17. So a client detects on every frame whether a group
is shown a note of another group, and afterwards verifies every note.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from . import figures

_WORD = re.compile(rb"\bg(\d+)p(\d+)n(\d+)e(\d+)q\b")
_NOTE = re.compile(rb'id=\\?"note-(\d+)')
_COUNT = re.compile(rb'data-notes=\\?"(\d+)')
SENTENCES = (
    "Soft light near the cots, and a chair where a parent can sit",
    "A door that closes without a sound",
    "Two people who know each child, all day, every day of the week",
    "Less on the walls, more to touch on the floor",
    "A place to feed a baby from which one can still see the others",
)


class Marker(NamedTuple):
    group: int
    person: int
    note: int
    wording: int

    @property
    def which(self) -> tuple[int, int]:
        """The note, whatever its wording."""
        return self.person, self.note


def text(word: Marker) -> str:
    """The text of a note, as long as real notes are."""
    sentence = SENTENCES[(word.person + word.note) % len(SENTENCES)]
    return f"{sentence} g{word.group}p{word.person}n{word.note}e{word.wording}q"


def words(payload: bytes) -> list[Marker]:
    """The marker words in a frame or a text, repeated ones too."""
    return [Marker(*map(int, found)) for found in _WORD.findall(payload)]


class Pad(NamedTuple):
    """The parsed fragment of a group's pad."""

    #: (person, number of the note) → wording
    wordings: dict[tuple[int, int], int]
    #: id of a note in the database → (person, number)
    numbers: dict[int, tuple[int, int]]
    #: notes of other groups
    strayed: int
    #: notes that are shown more than once
    doubled: int


def pad(payload: bytes, group: int) -> Pad:
    """Parse the fragment of a group's pad."""
    pieces = _NOTE.split(payload)
    places: dict[tuple[int, int], set[int]] = {}
    wordings: dict[tuple[int, int], int] = {}
    strayed = len([word for word in words(payload) if word.group != group])
    for number, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        for word in words(piece):
            places.setdefault(word.which, set()).add(int(number))
            wordings[word.which] = max(word.wording, wordings.get(word.which, 0))
    numbers = {number: which for which, found in places.items() for number in found}
    return Pad(wordings, numbers, strayed, sum(len(found) > 1 for found in places.values()))


def counted(payload: bytes) -> int:
    """The number of notes of all groups in the console's fragment; -1 without one."""
    found = _COUNT.search(payload)
    return int(found[1]) if found else -1


def fates(acked: Iterable[Collection[int]], rows: Iterable[tuple[int, str]]) -> dict[str, int]:
    """Compare acknowledged notes, in their last wording, with `(group, text)` of every row of the database.

    `rows`: number of rows; `lost`: acknowledged but missing; `doubled`: stored twice; `unknown`: stored but not
    acknowledged; `strayed`: stored in another group; `other_words`: not stored in the last wording acknowledged.
    """
    expected = {(word := Marker(*found)).which: word for found in acked}
    stored = [(group, word) for group, written in rows for word in words(written.encode())]
    times = Counter(word.which for _group, word in stored)
    return {
        "rows": len(stored),
        "lost": len(expected.keys() - times.keys()),
        "doubled": sum(number > 1 for number in times.values()),
        "unknown": len(times.keys() - expected.keys()),
        "strayed": sum(group != word.group for group, word in stored),
        "other_words": sum(expected.get(word.which, word) != word for _group, word in stored),
    }


def reasons_against(run: dict[str, Any]) -> Iterable[str]:
    """The reasons why the notes of a run are wrong, one plain sentence each."""
    notes = run["notes"]
    if notes["sent"] != notes["acked"] or not notes["acked"]:
        yield f"Notes acknowledged: {notes['acked']} of {notes['sent']}."
    yield from figures.differing("Notes in the database", notes["rows"], notes["acked"])
    for name, sentence in WRONG.items():
        yield from figures.unwanted(sentence, notes[name])
    yield from figures.differing("Agreements in the database", notes["agreements"], notes["agreed"])
    if run["overview_ms"]["p99"] is None:
        yield "The console did not say how many notes there are."


WRONG = {
    "lost": "Notes acknowledged that are not in the database",
    "doubled": "Notes that are in the database more than once",
    "unknown": "Notes in the database that nobody was told of",
    "strayed": "Notes that are in another group's hands in the database",
    "other_words": "Notes in other words than the last ones acknowledged",
    "seen_elsewhere": "Times that a screen was shown a note of another group",
    "seen_twice": "Pads that showed a note twice",
    "pads_behind": "Members whose last pad is not what was acknowledged",
}
