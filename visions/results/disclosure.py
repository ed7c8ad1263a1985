"""Statistical disclosure control: small cells never leave.

A result of the whole room is public in that room. A *breakdown* of it (by workshop, by role) is not: a
cell that stands for few people is hidden before anything is drawn or written. What is hidden must not come
back by subtraction from the total (differencing), so a hidden remainder is never one cell and never fewer people
than the limit itself: the next smallest cells go with it. In the field's words: primary small-cell suppression with
a minimum frequency, then secondary (complementary) suppression. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple, TypeVar

ON_A_STAFF_SCREEN = 5  # people in the base of a shown cell, at least
PUBLISHED = 10  # the same for everything that is published or exported
SMALL_CELL = 5  # of a total that leaves: a figure stands for at least so many people, or for nobody
MARKER = "[c]"  # stands in a hidden cell, never blank, never 0

Key = TypeVar("Key")


def hidden(bases: Mapping[Key, int], minimum: int) -> frozenset[Key]:
    """Which cells of a breakdown stay hidden; `bases` are people per cell, in any order.

    An empty cell (a base of 0) discloses nobody, and is neither hidden nor used to hide another.
    """
    by_size = sorted((key for key in bases if bases[key] > 0), key=lambda key: bases[key])
    suppressed = [key for key in by_size if bases[key] < minimum]
    shown = [key for key in by_size if bases[key] >= minimum]
    # One small cell alone has a base below the minimum too, so it is never suppressed alone beside shown ones.
    while suppressed and shown and sum(bases[key] for key in suppressed) < minimum:
        suppressed.append(shown.pop(0))
    return frozenset(suppressed)


# --- totals of whole questions ---------------------------------------------------------------------------------


class Count(NamedTuple):
    """So many people of a base chose what a line counts. `members`: the keys of the lines that it adds up, if known."""

    key: str
    hits: int
    valid: int
    members: Collection[str] | None = ()


def small_counts(counts: Collection[Count], sums: Collection[Count] = ()) -> frozenset[str]:
    """Keys of the counts, and of their sums (measures), that do not leave.

    Those with a base under `PUBLISHED`; those of one to four people, or of all but so few; and, where counts add up to
    their base, as many more as it takes that no small one is what is left. A sum goes with them if it would tell.
    """
    away = _small(counts) | _small(sums)
    for parts in (*_groups(counts), sums):
        if parts and sum(part.hits for part in parts) == _base_of(parts):
            away |= hidden({part.key: part.hits for part in parts}, SMALL_CELL)
    cells = [count for count in counts if count.key in away and count.hits]
    return away | {each.key for each in sums if each.hits and _tells(each, cells)}


def _base_of(parts: Collection[Count]) -> int:
    """The base that these counts share; -1 where they share none."""
    bases = {part.valid for part in parts}
    return bases.pop() if len(bases) == 1 else -1


def _small(counts: Iterable[Count]) -> frozenset[str]:
    return frozenset(
        count.key
        for count in counts
        if 0 < count.valid < PUBLISHED
        or 0 < count.hits < SMALL_CELL
        or 0 < count.valid - count.hits < SMALL_CELL
    )


def _groups(counts: Collection[Count]) -> Iterator[list[Count]]:
    """Counts that may add up to their base: all, those of one line of a block, those of one kind of a ranking."""
    groups: defaultdict[tuple[str, str], list[Count]] = defaultdict(list)
    for count in counts:
        head, _colon, tail = count.key.rpartition(":")
        for group in {("all", ""), ("line", head), ("kind", tail if head else "")}:
            groups[group].append(count)
    yield from groups.values()


def _tells(total: Count, cells: Iterable[Count]) -> bool:
    """Does a sum give small cells away, together with the counts of its base that are shown?"""
    mine = [cell for cell in cells if cell.valid == total.valid]
    members = total.members
    if members is None or not mine:
        return bool(mine)
    within = [cell.hits for cell in mine if cell.key in members]
    without = [cell.hits for cell in mine if cell.key not in members]
    return any(part and (len(part) == 1 or sum(part) < SMALL_CELL) for part in (within, without))
