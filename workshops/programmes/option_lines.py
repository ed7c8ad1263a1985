"""Options as lines of text: what became of each line, so that an option keeps its key and its answers. Pure.

Lines are matched to all options that the question ever had: the same words have the same key, wherever they stand;
a line changed in place keeps its key; a new line gets a new one; an option without a line is retired, and comes back
with its key when it is typed again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import TypeVar

from django.utils.text import slugify

from polls.types.base import Option

from .keys import first_free, shortened

#: keys that mean something else where an answer is in a person's own words
RESERVED = frozenset({"other"})
T = TypeVar("T")

#: how alike two lines must be to be one, where a place has gained or lost lines
ALIKE = 0.5
#: the place before the first line
START = None


class Change(StrEnum):
    SAME = "same"
    MOVED = "moved"
    #: changed in place
    REWORDED = "reworded"
    NEW = "new"
    #: it was an option once, and is again
    BACK = "back"


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is an option now; `was` is the key it had before where that was another one."""

    option: Option
    change: Change
    was: str


@dataclass(frozen=True, slots=True)
class Matched:
    lines: tuple[Line, ...]
    #: options without a line, the newest last: those of before, and those that have gone now
    retired: tuple[Option, ...]

    @property
    def options(self) -> tuple[Option, ...]:
        return tuple(line.option for line in self.lines)

    @property
    def renamed(self) -> dict[str, str]:
        """Key before → key now, of options that are still being typed."""
        return {line.was: line.option.key for line in self.lines if line.was not in ("", line.option.key)}


def split(text: str) -> list[str]:
    """The lines of a text that hold anything, with spaces folded."""
    return [words for line in text.splitlines() if (words := " ".join(line.split()))]


def match(
    lines: Sequence[str],
    present: Sequence[Option],
    retired: Sequence[Option] = (),
    offered: Collection[str] | None = None,
) -> Matched:
    """What these lines are, beside the options of before and those retired earlier.

    `offered`: keys that people have been offered, all where it is not given. An option that nobody was offered, and
    whose key is the beginning of its new words, is still being typed: its key grows with them.
    A line that says the same as one above it is left out.
    """
    found = _by_words(lines, present)
    lines = [line for place, line in enumerate(lines) if place in found or line not in lines[:place]]
    found = _by_words(lines, present)
    back = _by_words(["" if place in found else line for place, line in enumerate(lines)], retired)
    found |= _in_place(lines, present, found, back)
    taken = {option.key for option in (*present, *retired)} | RESERVED
    still = _unmoved([present.index(found[place]) for place in sorted(found)])
    made: list[Line] = []
    for place, line in enumerate(lines):
        if place in found:
            old = found[place]
            moved = present.index(old) not in still
            made.append(_kept(line, old, moved, taken, offered))
        elif place in back:
            made.append(Line(Option(back[place].key, line), Change.BACK, back[place].key))
        else:
            key = first_free(option_key(line), taken, "_")
            taken.add(key)
            made.append(Line(Option(key, line), Change.NEW, ""))
    keys = {line.option.key for line in made} | {line.was for line in made}
    gone = [option for option in (*retired, *present) if option.key not in keys]
    return Matched(tuple(made), once(gone))


def since(then: Sequence[Option], now: Sequence[Option]) -> list[Change]:
    """What became of each option that there is now, beside those that people were offered."""
    known = {option.key: option for option in then}
    places = [then.index(known[option.key]) for option in now if option.key in known]
    still = _unmoved(places)
    return [_since(option, known, then, still) for option in now]


def _since(option: Option, known: dict[str, Option], then: Sequence[Option], still: set[int]) -> Change:
    old = known.get(option.key)
    if old is None:
        return Change.NEW
    if words(old) != words(option):
        return Change.REWORDED
    return Change.SAME if then.index(old) in still else Change.MOVED


def words(option: Option) -> str:
    return " ".join(option.label.split())


def option_key(label: str) -> str:
    """Small letters, digits and underscores, from the words where they have any."""
    return shortened(slugify(label).replace("-", "_").strip("_")) or "option"


def _kept(line: str, old: Option, moved: bool, taken: set[str], offered: Collection[str] | None) -> Line:
    if words(old) == line:
        return Line(old, Change.MOVED if moved else Change.SAME, old.key)
    grown = option_key(line)
    if offered is not None and old.key not in offered and grown.startswith(old.key):
        key = old.key if grown == old.key else first_free(grown, taken, "_")
        taken.add(key)
        return Line(Option(key, line), Change.NEW, old.key)
    return Line(Option(old.key, line), Change.REWORDED, old.key)


def _by_words(lines: Sequence[str], present: Sequence[Option]) -> dict[int, Option]:
    """Place of a line → the option that says the same; each option once."""
    waiting: defaultdict[str, list[Option]] = defaultdict(list)
    for option in present:
        waiting[words(option)].append(option)
    return {place: waiting[line].pop(0) for place, line in enumerate(lines) if waiting[line]}


def _in_place(
    lines: Sequence[str], present: Sequence[Option], found: dict[int, Option], back: Collection[int]
) -> dict[int, Option]:
    """Lines that were changed where they stood: after the same line as before, or before the same one."""
    pairs: dict[int, Option] = {}
    matched = {option.key for option in found.values()}
    open_places = [place for place in range(len(lines)) if place not in back]
    for step in (1, -1):
        by_place = _grouped(open_places[::step], lambda place: found[place].key if place in found else None)
        by_option = _grouped(present[::step], lambda option: option.key if option.key in matched else None)
        for anchor, some in by_place.items():
            free = [place for place in some if place not in pairs]
            left = [option for option in by_option.get(anchor, []) if option not in pairs.values()]
            pairs |= _paired(free[::step], left[::step], lines)
    return pairs


def _grouped(things: Iterable[T], anchor_of: Callable[[T], str | None]) -> dict[str | None, list[T]]:
    """Things that are no anchors, by the anchor before them."""
    groups: dict[str | None, list[T]] = {}
    anchor: str | None = START
    for thing in things:
        own = anchor_of(thing)
        if own is None:
            groups.setdefault(anchor, []).append(thing)
        else:
            anchor = own
    return groups


def _paired(places: list[int], options: list[Option], lines: Sequence[str]) -> dict[int, Option]:
    """As many lines as options: one by one. Else those that are most alike, without crossing."""
    if len(places) == len(options):
        return dict(zip(places, options, strict=True))
    pairs: dict[int, Option] = {}
    alike = [
        (likeness(lines[place], words(option)), p, o)
        for p, place in enumerate(places)
        for o, option in enumerate(options)
    ]
    taken: list[tuple[int, int]] = []
    for ratio, p, o in sorted(alike, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if ratio >= ALIKE and all((p - x) * (o - y) > 0 for x, y in taken):
            taken.append((p, o))
            pairs[places[p]] = options[o]
    return pairs


def likeness(one: str, other: str) -> float:
    """0 to 1; 1 where one begins with the other, because somebody is typing on."""
    one, other = one.casefold(), other.casefold()
    if one.startswith(other) or other.startswith(one):
        return 1.0
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def _unmoved(order: Sequence[int]) -> set[int]:
    """The longest part of these that is in order: what else there is has been moved."""
    best: list[list[int]] = [[]]
    for number in order:
        before = [run for run in best if not run or run[-1] < number]
        best.append([*_longest(before), number])
    return set(_longest(best))


def _longest(runs: list[list[int]]) -> list[int]:
    return sorted(runs, key=lambda run: -len(run))[0]


def once(options: Iterable[Option]) -> tuple[Option, ...]:
    """By key, the last one that has it, in the order of these."""
    by_key: dict[str, Option] = {}
    for option in options:
        by_key.pop(option.key, None)
        by_key[option.key] = option
    return tuple(by_key.values())
