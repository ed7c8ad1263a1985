"""Small drawings that several pages share: seats in half circles, a QR code, a bar of people."""

from __future__ import annotations

import math
from typing import Any

import segno
from django import template
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

#: rows of the half circle, inner to outer: (radius, seats)
ROWS = ((60, 7), (84, 9), (108, 11))
SEATS = sum(seats for _radius, seats in ROWS)
RADIUS = 7.4


def _seats() -> list[tuple[float, float]]:
    """Every seat's place in a 240 × 128 drawing, in the order in which people sit down: inner rows first,
    each from its middle outwards, so a few people sit together."""
    places = []
    for radius, seats in ROWS:
        angles = [math.pi * (1 - number / (seats - 1)) for number in range(seats)]
        for angle in sorted(angles, key=lambda a: abs(a - math.pi / 2)):
            places.append(
                (round(120 + radius * math.cos(angle), 1), round(118 - radius * math.sin(angle), 1))
            )
    return places


PLACES = _seats()


@register.inclusion_tag("workshops/_arc.html")
def arc(
    people: int, label: str, kind: str = "arc", you: bool = False, shared: bool = False
) -> dict[str, Any]:
    """Seats in half circles, as many filled as there are people. With `you`, one of them is honey; with
    `shared`, what they sit around.

    Everybody's phone is sent this for everybody who comes, so all free seats are one path, and all taken ones:
    dots are round ends of lines without length.
    """
    last = min(people, SEATS) - 1
    apart = max(last, 0) if you else last if kind == "arriving" and last >= 0 else None
    taken = [place for number, place in enumerate(PLACES) if number <= last and number != apart]
    free = [place for number, place in enumerate(PLACES) if number > last and number != apart]
    return {
        "free": "".join(f"M{x:g} {y - RADIUS:g}a{RADIUS} {RADIUS} 0 1 0 .1 0z" for x, y in free),
        "taken": "".join(f"M{x:g} {y:g}h0" for x, y in taken),
        "apart": None if apart is None else PLACES[apart],
        "radius": RADIUS,
        "label": label,
        "kind": kind,
        "people": people,
        "you": you,
        "shared": shared,
    }


@register.simple_tag
def qr(url: str, label: str) -> SafeString:
    """A QR code as inline SVG, quiet zone included; made here, no service is asked."""
    code = segno.make(url, error="m", micro=False)
    svg = code.svg_inline(
        omitsize=True, border=2, svgclass="qr", lineclass=None, dark="#10271d", light="#ffffff"
    )
    label = label.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return mark_safe(svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1))


@register.filter
def ended(sentence: str) -> str:
    """With a full stop where it has no end of its own, so that another sentence may follow."""
    return sentence if sentence.endswith((".", "?", "!", "…")) else f"{sentence}."


@register.filter
def clock(seconds: float) -> str:
    """Minutes and seconds: 6:20."""
    seconds = max(0, round(seconds))
    return f"{seconds // 60}:{seconds % 60:02d}"


@register.filter
def until(moment, now) -> float:
    """Seconds from now to a moment, never below zero."""
    return max(0.0, (moment - now).total_seconds()) if moment else 0.0


@register.filter
def milliseconds(moment) -> int:
    return round(moment.timestamp() * 1000) if moment else 0


@register.filter
def whole_percent(part: int, whole: int) -> int:
    """0 to 100, for the length of a bar (class `s…`)."""
    return min(100, round(100 * part / whole)) if whole else 0
