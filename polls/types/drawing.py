"""Shared by the results of several poll types: rows of a bar chart, the headline finding."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .base import FEW, Figure, percent

#: with more options than this tied for the lead, no option stands out
MAX_TIED_LEADERS = 2


def rows(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """One row per figure: `people`, `share` (0–100, a bar's length) and `percent`, `None` below 20 answers."""
    return [
        {
            "key": figure.key,
            "label": figure.label,
            "people": figure.hits,
            "share": percent(figure.hits, figure.valid) or 0,
            "percent": percent(figure.hits, figure.valid) if figure.valid >= FEW else None,
        }
        for figure in figures
    ]


def picture(
    figures: Sequence[Figure], n: int, headline: dict[str, Any] | None, **more: Any
) -> dict[str, Any]:
    """The picture that `polls/_bars.html` draws."""
    return {
        "n": n,
        "most": max((figure.hits for figure in figures), default=0),
        "rows": rows(figures),
        # Long labels get a wider column on the wall.
        "long": any(len(figure.label) > 16 for figure in figures),
        "headline": headline,
        **more,
    }


def count_or_percent(hits: int, n: int) -> str:
    """Counts while the denominator is below `FEW` ("13 of 19"), else a percentage with its base ("65 % of 78")."""
    if n < FEW or not hits:
        return _("%(hits)d of %(n)d") % {"hits": hits, "n": n}
    return _("%(percent)d\u00a0%% of %(n)d") % {"percent": percent(hits, n), "n": n}


def headline(figure: str, rest: str, row: int = 0, rows: int = 1) -> dict[str, Any]:
    """A finding in two parts, the number and the rest of its sentence; it is about `rows` rows from index `row`."""
    return {"figure": figure, "rest": rest, "row": row, "rows": rows, "end": row + rows}


def segments(counts: Sequence[int]) -> list[tuple[int, int]]:
    """`(x, width)` of each part of a bar 1000 wide; each edge is rounded by itself, so that the parts fill it."""
    edges = [1000 * end // max(1, sum(counts)) for end in accumulate(counts, initial=0)]
    return [(left, right - left) for left, right in pairwise(edges)]


def leaders(figures: Sequence[Figure]) -> list[int]:
    """The indexes of the figures with most people; empty when nobody answered."""
    most = max((figure.hits for figure in figures), default=0)
    return [index for index, figure in enumerate(figures) if most and figure.hits == most]


def leading(figures: Sequence[Figure], n: int, *, mark_all: bool = False) -> dict[str, Any] | None:
    """The headline of what most people chose; `mark_all`: it is about all leaders, where they are adjacent rows."""
    first = leaders(figures)
    if not first:
        return None
    if len(first) > MAX_TIED_LEADERS:
        return headline(_("No answer"), _("stands out among %(n)d people") % {"n": n}, first[0])
    labels = " · ".join(figures[index].label for index in first)
    rest = ngettext("person chose %(label)s", "people chose %(label)s", n) % {"label": labels}
    if len(first) > 1:
        rest = _("people each chose %(labels)s") % {"labels": labels}
    adjacent = mark_all and first[-1] - first[0] == len(first) - 1
    figure = count_or_percent(figures[first[0]].hits, figures[first[0]].valid)
    return headline(figure, rest, first[0], len(first) if adjacent else 1)
