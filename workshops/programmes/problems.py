"""What keeps a question from being asked, in plain words for the person who writes it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from polls.types import POLL_TYPES, Question
from polls.types.base import TEXT_LIMIT, is_whole

MOST_OPTIONS, LABEL_LENGTH = 20, 255
POINTS = range(3, 12)


def problems(question: Question) -> list[str]:
    """One sentence for each thing that `PollType.check` refuses; empty where the question can be asked."""
    try:
        POLL_TYPES[question.type].check(question)
    except Exception:  # beside `InvalidQuestion`: values of a shape that no check foresees
        named: list[str] = []
        with suppress(Exception):
            named.extend(_named(question))
        return named or [_("Something in its settings does not fit. Look through them once.")]
    return []


def _named(question: Question) -> Iterator[str]:
    text = question.text if isinstance(question.text, str) else ""
    if not text.strip():
        yield _("Write the question first.")
    if len(text.strip()) > TEXT_LIMIT:
        words = _("The question can have up to %(limit)d letters; this has %(n)d.")
        yield words % {"limit": TEXT_LIMIT, "n": len(text.strip())}
    poll_type = POLL_TYPES.get(question.type)
    if poll_type is None:
        yield _("Choose how people answer.")
        return
    if poll_type.has_options:
        yield from _about_options(question)
    yield from _about_settings(question)


def _about_options(question: Question) -> Iterator[str]:
    n = len(question.options)
    if n < 2:
        yield _("Needs at least two options.")
    if n > MOST_OPTIONS:
        yield _("Can have up to %(most)d options; this has %(n)d.") % {"most": MOST_OPTIONS, "n": n}
    for option in question.options:
        if len(option.label) > LABEL_LENGTH:
            words = _("An option can have up to %(limit)d letters; “%(start)s…” has %(n)d.")
            yield words % {"limit": LABEL_LENGTH, "start": option.label[:20], "n": len(option.label)}


def _about_settings(question: Question) -> Iterator[str]:
    settings, n = question.settings, len(question.options)
    if settings.get("image") and not str(settings.get("image_alt") or "").strip():
        yield _("Say in words what the picture shows.")
    match question.type:
        case "multiple_choice":
            yield from _about_limits(question)
        case "scale":
            yield from _about_points(settings.get("points"), settings.get("items"))
        case "ranking" if n > 1 and not _within(settings.get("top", n), 1, n):
            yield ngettext(
                "There is %(n)d option: write how many places there are, up to %(n)d.",
                "There are %(n)d options: write how many places there are, up to %(n)d.",
                n,
            ) % {"n": n}
        case "words":
            if not _within(settings.get("max_entries", 1), 1, 5):
                yield _("People can write one to five words or phrases.")
            if not _within(settings.get("max_length", 1), 1, 40):
                yield _("A word or phrase can have up to 40 letters.")
        case "open_text" if not _within(settings.get("max_length", 1), 1, 1000):
            yield _("An answer can have up to 1,000 letters.")
        case "number":
            yield from _about_bounds(settings)
        case "points" if not _within(settings.get("budget", 100), 2, 1000):
            yield _("There can be 2 to 1,000 points to share.")
        case "statement":
            yield from _about_rule(settings.get("rule"))


def _about_limits(question: Question) -> Iterator[str]:
    settings, n = question.settings, len(question.options)
    alone = {key for key in settings.get("exclusive") or [] if key in question.keys}
    low, high = settings.get("min", 1), settings.get("max", n)
    if not _within(low, 1, max(n - len(alone), 1)):
        yield _("People cannot choose that many at least: there are not enough options.")
    elif n > 1 and not _within(high, low, n):
        yield _("People can choose at most %(n)d, and not fewer than at least.") % {"n": n}


def _about_points(points: Any, items: Any) -> Iterator[str]:
    length = points if is_whole(points) else len(points) if isinstance(points, list | tuple) else 0
    if length < POINTS[0]:
        yield _("A scale needs at least three points, one on each line.")
    if length > POINTS[-1]:
        yield _("A scale can have up to 11 points; this has %(n)d.") % {"n": length}
    if isinstance(items, list | tuple) and len(items) > MOST_OPTIONS:
        yield _("Can have up to %(most)d lines; this has %(n)d.") % {"most": MOST_OPTIONS, "n": len(items)}


def _about_bounds(settings: Any) -> Iterator[str]:
    low, high, step = settings.get("min"), settings.get("max"), settings.get("step", 1)
    if low is not None and high is not None and not low < high:
        yield _("The highest number must be above the lowest.")
    if not step > 0:
        yield _("Steps must be above nothing, such as 1 or 0.5.")


def _about_rule(rule: Any) -> Iterator[str]:
    if not isinstance(rule, dict):
        return
    if rule.get("agree") not in range(50, 101, 5):
        yield _("How many must agree: 50 to 100 in a hundred, in steps of 5.")
    if not _within(rule.get("disagree"), 0, 50):
        yield _("How many may disagree: 0 to 50 in a hundred.")


def _within(value: Any, low: int, high: int) -> bool:
    return is_whole(value) and low <= value <= high
