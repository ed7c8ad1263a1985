"""Geometry of the small figures that the server draws, and the Plotly figure of one question.

A figure here is plain numbers: templates draw them as SVG with `role="img"` and the whole sentence beside.
Shares run from 0 to 1. Hidden cells never reach this module: its callers pass what may be shown.
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
    """Sizes of one interval figure in its own units."""

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
#: rings in one figure; more workshops than that share them
MOST_DOTS = 100
PAGE = Format(400, 96, 8, 392, axis=76, top=18, first=66, step=13, big=9, dot=5.5)


@dataclass(frozen=True, slots=True)
class Interval:
    """A pooled share with its interval above, one dot per workshop below, or per hundredth of them where they are more
    than a hundred."""

    format: Format
    low: str
    high: str
    pooled: str
    dots: tuple[tuple[str, str], ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class Row:
    """One workshop on the strip."""

    name: str
    y: int
    low: str
    high: str
    share: str
    label: str


@dataclass(frozen=True, slots=True)
class Strip:
    """Workshops under each other, each with its own interval, and the pooled share through all of them."""

    rows: tuple[Row, ...]
    height: int
    axis_end: int
    pooled: str
    pooled_label: str
    sentence: str


def interval(hits: int, valid: int, pairs: Sequence[tuple[int, int]], hidden: int, size: Format) -> Interval:
    """`pairs` are the workshops that may be shown, `hidden` how many may not. `valid` must be above 0."""
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
    """The whole figure in words, for people who do not see it."""
    said = ngettext("%(hits)d of %(valid)d person", "%(hits)d of %(valid)d people", valid) % {
        "hits": hits, "valid": valid,
    }  # fmt: skip
    words = [
        _("Pooled %(said)s, 95 per cent interval %(low)d to %(high)d per cent.")
        % {"said": said, "low": int(ends[0] * 100 + 0.5), "high": int(ends[1] * 100 + 0.5)}
    ]
    answered = [(k, n) for k, n in pairs if n]
    if len(answered) > MOST_DOTS:
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
    """`cells` are `(name, hits, valid)` of the workshops that may be shown; widths suit a 545 unit picture."""
    rows = tuple(_row(18 + 26 * place, *cell) for place, cell in enumerate(cells))
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


def _row(y: int, name: str, hits: int, valid: int) -> Row:
    low, high = statistics.wilson(hits, valid) or (0.0, 1.0)
    label = _("%(hits)d of %(valid)d") % {"hits": hits, "valid": valid}
    return Row(name, y, _on_strip(low), _on_strip(high), _on_strip(hits / valid if valid else 0), label)


def _on_strip(share: float) -> str:
    return f"{86 + share * (480 - 86):.1f}"


def _x(share: float, size: Format) -> str:
    return f"{size.left + share * (size.right - size.left):.1f}"


def _hundredths(shares: Sequence[float]) -> Sequence[float]:
    """Themselves while they are few, else a hundred shares that lie as they do (a quantile dot plot; Kay, Kola, Hullman
    and Munson, CHI 2016): thousands of dots are a blot, and as many elements of the page a row."""
    if len(shares) <= MOST_DOTS:
        return shares
    ordered = sorted(shares)
    return [ordered[int((place + 0.5) * len(ordered) / MOST_DOTS)] for place in range(MOST_DOTS)]


def _dots(shares: Sequence[float], size: Format) -> tuple[tuple[str, str], ...]:
    """Dots in the order given; one that would cover another goes on top of it, up to the pooled share."""
    width = size.right - size.left
    levels: list[tuple[float, int]] = []  # across, and how many lie under it
    for share in shares:
        x = size.left + share * width
        covered = {level for px, level in levels if abs(x - px) < 2 * size.dot}
        levels.append((x, next(level for level in itertools.count() if level not in covered)))
    placed = [(x, size.first - level * size.step) for x, level in levels]
    highest = min((y for _x, y in placed), default=size.first)
    room = size.first - (size.top + size.big + size.dot + 1)
    # A pile that would reach the pooled share is pressed together.
    press = min(1.0, room / (size.first - highest)) if highest < size.first else 1.0
    return tuple((f"{x:.1f}", f"{size.first - (size.first - y) * press:.1f}") for x, y in placed)


def plotly(result: Result) -> dict[str, Any]:
    """The type's own Plotly figure, quiet: no paper, no grid, room for labels. Colours come from the page."""
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
