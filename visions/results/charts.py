"""Geometry of the small SVG charts that the server draws, and the Plotly figure of one question.

A chart here is plain numbers: templates draw them as SVG with `role="img"` and a text alternative beside.
Shares run from 0 to 1. Suppressed cells never reach this module: its callers pass the cells that may be shown.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from polls.results import Result

from . import statistics


@dataclass(frozen=True, slots=True)
class Format:
    """Sizes of one interval chart, in units of its SVG `viewBox`."""

    width: int
    height: int
    left: int
    right: int
    axis: int  # y of the axis
    top: int  # y of interval and pooled share
    first: float  # y of the lowest dots
    step: float  # from one dot up to the next
    big: float  # radius of the pooled share
    dot: float


TABLE = Format(320, 58, 6, 314, axis=53, top=8, first=45, step=7.4, big=6, dot=3.6)
#: dots in one chart; with more workshops it becomes a quantile dot plot
MAX_DOTS = 100
PAGE = Format(400, 96, 8, 392, axis=76, top=18, first=66, step=13, big=9, dot=5.5)


@dataclass(frozen=True, slots=True)
class Interval:
    """A pooled share with its confidence interval, above a dot plot of workshops (a quantile dot plot over `MAX_DOTS`).

    Positions are SVG coordinates as text; `sentence` is the text alternative.
    """

    format: Format
    low: str
    high: str
    pooled: str
    dots: tuple[tuple[str, str], ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class StripRow:
    """One workshop of a forest plot: its share and its confidence interval."""

    name: str
    y: int
    low: str
    high: str
    share: str
    label: str


@dataclass(frozen=True, slots=True)
class Strip:
    """A forest plot: one row per workshop with its confidence interval, and the pooled share as a line through them."""

    rows: tuple[StripRow, ...]
    height: int
    axis_end: int
    pooled: str
    pooled_label: str
    sentence: str


def interval(hits: int, valid: int, pairs: Sequence[tuple[int, int]], hidden: int, size: Format) -> Interval:
    """`pairs` are `(hits, valid)` of workshops that may be shown, `hidden` the number of others; `valid` is above 0."""
    low, high = statistics.wilson(hits, valid) or (0.0, 1.0)
    return Interval(
        size,
        low=_x(low, size),
        high=_x(high, size),
        pooled=_x(hits / valid, size),
        dots=_dots(_hundredths([k / n for k, n in pairs if n]), size),
        sentence=sentence(hits, valid, (low, high), pairs, hidden),
    )


def sentence(
    hits: int, valid: int, ends: tuple[float, float], pairs: Sequence[tuple[int, int]], hidden: int
) -> str:
    """The text alternative of the chart, for screen readers."""
    pooled = ngettext("%(hits)d of %(valid)d person", "%(hits)d of %(valid)d people", valid) % {
        "hits": hits, "valid": valid,
    }  # fmt: skip
    words = [
        _("Pooled %(said)s, 95 per cent interval %(low)d to %(high)d per cent.")
        % {"said": pooled, "low": int(ends[0] * 100 + 0.5), "high": int(ends[1] * 100 + 0.5)}
    ]
    answered = [(k, n) for k, n in pairs if n]
    if len(answered) > MAX_DOTS:
        words.append(_middle_half([k / n for k, n in answered]))
    elif answered:
        shown = ", ".join(_("%(hits)d of %(valid)d") % {"hits": k, "valid": n} for k, n in answered)
        words.append(_("Workshops: %(shown)s.") % {"shown": shown})
    if hidden:
        words.append(
            ngettext("%(n)d workshop is hidden.", "%(n)d workshops are hidden.", hidden) % {"n": hidden}
        )
    return " ".join(words)


def _middle_half(shares: Sequence[float]) -> str:
    low, high = sorted(shares)[len(shares) // 4], sorted(shares)[(3 * len(shares)) // 4]
    return _("%(n)d workshops, the middle half of them between %(low)d and %(high)d per cent.") % {
        "n": len(shares), "low": int(low * 100 + 0.5), "high": int(high * 100 + 0.5),
    }  # fmt: skip


def strip(cells: Sequence[tuple[str, int, int]], hits: int, valid: int) -> Strip:
    """`cells` are `(name, hits, valid)` of the workshops that may be shown; for a `viewBox` 545 wide."""
    rows = tuple(_row(18 + 26 * index, *cell) for index, cell in enumerate(cells))
    bottom = 18 + 26 * len(rows)
    low_high = statistics.wilson(hits, valid) or (0.0, 1.0)
    return Strip(
        rows,
        height=bottom + 18,
        axis_end=bottom - 6,
        pooled=_on_strip(hits / valid),
        pooled_label=_("pooled %(hits)d of %(valid)d") % {"hits": hits, "valid": valid},
        sentence=sentence(hits, valid, low_high, [(k, n) for _name, k, n in cells], 0),
    )


def _row(y: int, name: str, hits: int, valid: int) -> StripRow:
    low, high = statistics.wilson(hits, valid) or (0.0, 1.0)
    label = _("%(hits)d of %(valid)d") % {"hits": hits, "valid": valid}
    return StripRow(name, y, _on_strip(low), _on_strip(high), _on_strip(hits / valid if valid else 0), label)


def _on_strip(share: float) -> str:
    return f"{86 + share * (480 - 86):.1f}"


def _x(share: float, size: Format) -> str:
    return f"{size.left + share * (size.right - size.left):.1f}"


def _hundredths(shares: Sequence[float]) -> Sequence[float]:
    """The shares themselves up to `MAX_DOTS`, else as many quantiles of them (a quantile dot plot; Kay, Kola, Hullman
    and Munson, CHI 2016): thousands of dots cannot be read, and would be as many elements of the page a row."""
    if len(shares) <= MAX_DOTS:
        return shares
    ordered = sorted(shares)
    return [ordered[int((index + 0.5) * len(ordered) / MAX_DOTS)] for index in range(MAX_DOTS)]


def _dots(shares: Sequence[float], size: Format) -> tuple[tuple[str, str], ...]:
    """Coordinates of a dot plot: a dot that would overlap another is stacked on it, up to the pooled share."""
    width = size.right - size.left
    levels: list[tuple[float, int]] = []  # x, and the number of dots below
    for share in shares:
        x = size.left + share * width
        covered = {level for px, level in levels if abs(x - px) < 2 * size.dot}
        levels.append((x, next(level for level in itertools.count() if level not in covered)))
    points = [(x, size.first - level * size.step) for x, level in levels]
    highest = min((y for _x, y in points), default=size.first)
    available = size.first - (size.top + size.big + size.dot + 1)
    # A stack that would reach the pooled share is compressed.
    scale = min(1.0, available / (size.first - highest)) if highest < size.first else 1.0
    return tuple((f"{x:.1f}", f"{size.first - (size.first - y) * scale:.1f}") for x, y in points)


def plotly(result: Result) -> dict[str, Any]:
    """The poll type's Plotly figure with a transparent background and no grid. Colours come from the page."""
    figure = result.poll_type.chart(result.tally, result.question)
    layout = {
        **figure.get("layout", {}),
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"t": 16, "r": 16, "b": 56, "l": 16},
        "bargap": 0.35,
    }
    for axis in ("xaxis", "yaxis"):
        layout[axis] = {**layout.get(axis, {}), "automargin": True, "showgrid": False, "zeroline": False}
    return {"data": figure["data"], "layout": layout}
