"""What screens say, read off their pictures as a person would read them."""

from __future__ import annotations

import html
import re
from typing import Any, NamedTuple

CHOICES = {"yes": "Yes", "no": "No", "perhaps": "Perhaps"}
QUESTION = "Is this question number {}?"

STATE = re.compile(r'data-state="(\w+)"')
NUMBER = re.compile(r"question number (\d+)\?")
CAST = re.compile(
    r'class="wall-(?:count|base)">\s*(?:<span>)?<b>(\d+)</b>|class="figure">(\d+) <small>'
    r"|(\d+) of \d+ (?:person has|people have) answered"
)
ROW = re.compile(r'<th scope="row"[^>]*>([^<]+)</th><td class="n">(\d+)</td>')
REV = re.compile(r'name="rev" value="(\d+)"')

#: words that somebody wrote in a group; they name the operation that sent them
SAYING = "Quiet corners, says {}."
SAID = re.compile(r"Quiet corners, says ([\w.]+)\.(?!\w)")
PAD = re.compile(r'data-group="(-?\d+)"[^>]* data-scribe="(\w*)"')
NOTE = re.compile(
    r'<li id="note-(\d+)" data-by="(\w+)" data-rev="(\d+)"[^>]*><p [^>]*>([^<]*)</p>(.*?)</li>', re.DOTALL
)
AGREEING = re.compile(r"(\d+) (?:person agrees|people agree)")


def stage_of(picture: str, polls: list[int]) -> list[Any]:
    """The poll that a stage shows, 0 for none, and its state."""
    state, number = STATE.search(picture), NUMBER.search(html.unescape(picture))
    return [polls[int(number[1]) - 1] if number else 0, state[1] if state else ""]


def cast_of(picture: str) -> int | None:
    """How many have answered, as a tally says it."""
    found = CAST.search(picture)
    return int(next(filter(None, found.groups()))) if found else None


def counts_of(picture: str) -> dict[str, int] | None:
    """The result that a tally shows, without its zeros."""
    keys = {label: key for key, label in CHOICES.items()}
    rows = [(keys[label], int(n)) for label, n in ROW.findall(picture) if label in keys]
    return {key: people for key, people in rows if people} if rows else None


class Note(NamedTuple):
    """A note on a pad; `by` is the tag of its author in this group."""

    number: int
    by: str
    revision: int
    text: str
    agreeing: int


class Pad(NamedTuple):
    """A group's pad as its members read it; group 0: none."""

    group: int
    scribe: str
    notes: list[Note]


def pad_of(picture: str) -> Pad:
    found = PAD.search(picture)
    if not found:
        return Pad(0, "", [])
    notes = [
        Note(int(number), by, int(rev), html.unescape(text), int(agreeing[1]) if agreeing else 0)
        for number, by, rev, text, marks in NOTE.findall(picture)
        for agreeing in [AGREEING.search(marks)]
    ]
    return Pad(int(found[1]), found[2], notes)
