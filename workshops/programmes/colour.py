"""The colour of a programme, computed: the contrast of every pair of tokens that text and marks stand in.

The tokens are read from `static/workshops/vision.css`, where most follow the hue; WCAG 2.2 asks for 4.5 to 1 for text
and 3 to 1 for marks. OKLCH to sRGB after Ottosson (2020); channels out of range are clipped, as browsers do.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from pathlib import Path

CSS = Path(__file__).parents[1] / "static" / "workshops" / "vision.css"
#: text (or a mark) on a ground, and the ratio that it needs
PAIRS = [
    *((text, ground, 4.5) for text in ("ink", "ink-soft", "accent") for ground in ("ground", "surface", "accent-soft")),
    ("on-accent", "accent", 4.5),
    ("on-deep", "accent-deep", 4.5),
    ("on-deep-soft", "accent-deep", 4.5),
    ("lamp", "accent-deep", 4.5),
    ("bar", "surface", 3.0),
    ("bar", "ground", 3.0),
    ("edge", "surface", 3.0),
]  # fmt: skip
Linear = tuple[float, float, float]  # red, green, blue, 0 to 1, linear


@lru_cache(maxsize=360)
def worst(hue: int) -> float:
    """The lowest contrast of text on its ground with this hue, light and dark, as a ratio to 1."""
    return min(
        _contrast(scheme[text], scheme[ground], hue)
        for scheme in _schemes()
        for text, ground, needs in PAIRS
        if needs == 4.5
    )


@lru_cache(maxsize=360)
def is_readable(hue: int) -> bool:
    return all(
        _contrast(scheme[text], scheme[ground], hue) >= needs
        for scheme in _schemes()
        for text, ground, needs in PAIRS
    )


@lru_cache
def _schemes() -> tuple[dict[str, str], dict[str, str]]:
    """Token → its value, for light and for dark; of two values the later one counts, as in the browser."""
    css = CSS.read_text(encoding="utf-8")
    css = css[css.index("@layer tokens {") : css.index("@media (prefers-reduced-motion")]
    light, dark = css.split("@media (prefers-color-scheme: dark)")
    found = [
        dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6}|oklch\([^)]*\)\))", part)) for part in (light, dark)
    ]
    return found[0], found[0] | found[1]


def _contrast(first: str, second: str, hue: int) -> float:
    lighter, darker = sorted((_luminance(_linear(each, hue)) for each in (first, second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Linear) -> float:
    return 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]


def _linear(value: str, hue: int) -> Linear:
    if value.startswith("#"):
        red, green, blue = (int(value[at : at + 2], 16) / 255 for at in (1, 3, 5))
        return _decoded(red), _decoded(green), _decoded(blue)
    lightness, chroma = (float(each) for each in re.findall(r"[\d.]+", value)[:2])
    return _from_oklch(lightness / 100, chroma, hue)


def _decoded(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def _from_oklch(lightness: float, chroma: float, hue: int) -> Linear:
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short
    return _clipped(red), _clipped(green), _clipped(blue)


def _clipped(channel: float) -> float:
    return min(1.0, max(0.0, channel))
