"""Statistical disclosure control: small cells never leave.

A result of the whole room is public in that room. A *breakdown* of it (by workshop, by role) is not: a
cell that stands for few people is hidden before anything is drawn or written. What is hidden must not come
back by subtraction from the total (differencing), so a hidden remainder is never one cell and never fewer people
than the limit itself: the next smallest cells go with it. In the field's words: primary small-cell suppression with
a minimum frequency, then secondary (complementary) suppression. Pure.
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

    An empty cell (a base of 0) discloses nobody, and is neither hidden nor used to hide another.
    """
    by_size = sorted((key for key in bases if bases[key] > 0), key=lambda key: bases[key])
    suppressed = [key for key in by_size if bases[key] < minimum]
    shown = [key for key in by_size if bases[key] >= minimum]
    # One small cell alone has a base below the minimum too, so it is never suppressed alone beside shown ones.
    while suppressed and shown and sum(bases[key] for key in suppressed) < minimum:
        suppressed.append(shown.pop(0))
    return frozenset(suppressed)
