"""Small cells never leave.

A result of the whole room is public in that room. A *breakdown* of it (by workshop, by role) is not: a
cell that stands for few people is hidden before anything is drawn or written. What is hidden must not come
back by subtraction from the total, so a hidden remainder is never one cell and never fewer people than the
limit itself: the next smallest cells go with it. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

ON_A_STAFF_SCREEN = 5  # people in the base of a shown cell, at least
PUBLISHED = 10  # the same for everything that is published or exported
MARKER = "[c]"  # stands in a hidden cell, never blank, never 0

Key = TypeVar("Key")


def hidden(bases: Mapping[Key, int], minimum: int) -> frozenset[Key]:
    """Which cells of a breakdown stay hidden; `bases` are people per cell, in any order.

    An empty cell (nobody there at all) is nobody's secret and is neither hidden nor used to hide another.
    """
    by_size = sorted((key for key in bases if bases[key] > 0), key=lambda key: bases[key])
    away = [key for key in by_size if bases[key] < minimum]
    rest = [key for key in by_size if bases[key] >= minimum]
    while away and rest and (len(away) == 1 or sum(bases[key] for key in away) < minimum):
        away.append(rest.pop(0))
    return frozenset(away)
