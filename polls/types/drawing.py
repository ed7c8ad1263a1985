"""What pictures of several types have in common: rows of people, the finding in two parts, a bar chart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from .base import FEW, Figure, percent

#: so many may share the lead and still be a finding
TIED = 2


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


def of(hits: int, n: int) -> str:
    """Counts first while few have answered ("13 of 19"), then a percentage with its base ("65 % of 78")."""
    if n < FEW or not hits:
        return _("%(hits)d of %(n)d") % {"hits": hits, "n": n}
    return _("%(percent)d\u00a0%% of %(n)d") % {"percent": percent(hits, n), "n": n}


def headline(figure: str, rest: str, row: int = 0, rows: int = 1) -> dict[str, Any]:
    """A finding in two parts, the number and what it says; `row` and `rows` are those it speaks about."""
    return {"figure": figure, "rest": rest, "row": row, "rows": rows, "end": row + rows}


def sentence(headline: dict[str, Any] | None) -> str:
    return f"{headline['figure']} {headline['rest']}" if headline else ""


def leaders(figures: Sequence[Figure]) -> list[int]:
    """The places (0 is the first) of the figures with most people; empty when nobody answered."""
    most = max((figure.hits for figure in figures), default=0)
    return [place for place, figure in enumerate(figures) if most and figure.hits == most]


def bars(figures: Sequence[Figure]) -> dict[str, Any]:
    """A Plotly bar chart in authored order from top to bottom, never re-sorted: options may be a range."""
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "x": [figure.hits for figure in figures],
                "y": [figure.label for figure in figures],
                "text": [str(figure.hits) for figure in figures],
            }
        ],
        "layout": {"yaxis": {"autorange": "reversed"}, "xaxis": {"title": {"text": _("People")}}},
    }
