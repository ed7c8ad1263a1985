"""Shared by the results of several poll types: rows of a bar chart, the headline finding."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import accumulate, pairwise
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .base import FEW, Figure, percent

#: with more options than this tied for the lead, no option stands out
MAX_TIED_LEADERS = 2


def rows(figures: Sequence[Figure], picked: Collection[int] = ()) -> list[dict[str, Any]]:
    """One row per figure: `people`, `share` (0–100, a bar's length) and `percent`, `None` below 20 answers; those in
    `picked` (indexes) are what the headline is about."""
    return [
        {
            "key": figure.key,
            "label": figure.label,
            "people": figure.hits,
            "share": percent(figure.hits, figure.valid) or 0,
            "percent": percent(figure.hits, figure.valid) if figure.valid >= FEW else None,
            "picked": index in picked,
        }
        for index, figure in enumerate(figures)
    ]


def picture(
    figures: Sequence[Figure], n: int, headline: dict[str, Any] | None, **more: Any
) -> dict[str, Any]:
    """The picture that `polls/_bars.html` draws."""
    return {
        "n": n,
        "most": max((figure.hits for figure in figures), default=0),
        "rows": rows(figures, headline["picked"] if headline else ()),
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


def headline(figure: str, rest: str, picked: Sequence[int] = ()) -> dict[str, Any]:
    """A finding in two parts, the number and the rest of its sentence, about the rows at the indexes `picked`.

    It stands beside `rows` rows from index `row`: all that are picked where they are neighbours, else the first.
    """
    row = picked[0] if picked else 0
    neighbours = bool(picked) and picked[-1] - row == len(picked) - 1
    return {
        "figure": figure, "rest": rest, "picked": picked, "row": row, "rows": len(picked) if neighbours else 1,
    }  # fmt: skip


def segments(counts: Sequence[int]) -> list[tuple[int, int]]:
    """`(x, width)` of each part of a bar 1000 wide; each edge is rounded by itself, so that the parts fill it."""
    edges = [1000 * end // max(1, sum(counts)) for end in accumulate(counts, initial=0)]
    return [(left, right - left) for left, right in pairwise(edges)]


def leaders(figures: Sequence[Figure]) -> list[int]:
    """The indexes of the figures with most people; empty when nobody answered."""
    most = max((figure.hits for figure in figures), default=0)
    return [index for index, figure in enumerate(figures) if most and figure.hits == most]


def leading(figures: Sequence[Figure], n: int) -> dict[str, Any] | None:
    """The headline of what most people chose: about all who lead, or, where too many do, about none."""
    first = leaders(figures)
    if not first:
        return None
    if len(first) > MAX_TIED_LEADERS:
        return headline(_("No clear favourite"), _("among %(n)d people") % {"n": n})
    labels = " · ".join(figures[index].label for index in first)
    rest = ngettext("person chose %(label)s", "people chose %(label)s", n) % {"label": labels}
    if len(first) > 1:
        rest = _("people each chose %(labels)s") % {"labels": labels}
    return headline(count_or_percent(figures[first[0]].hits, figures[first[0]].valid), rest, first)
