"""Random fake answers for rehearsals: plausible, varied, with typing mistakes. Never pooled, never a finding."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from polls.types import POLL_TYPES, Question

WORDS = (
    "calm", "homely", "nurturing", "welcoming", "cosy", "safe", "warm", "quiet", "unhurried", "natural light",
    "soft", "like home", "space to move", "familiar faces", "not noisy", "gentle", "loving", "outdoors close",
)  # fmt: skip
SENTENCES = (
    "I will move the changing area so we can see the garden.",
    "Fewer babies, the same two faces every morning.",
    "More time to talk with parents at drop-off.",
    "I will share the idea of visits between rooms.",
    "That every baby room has somebody who is coached, not only trained.",
    "Somewhere soft to sit for grown-ups too.",
    "Time off the floor to think.",
    "My hope is that baby rooms are seen, and valued.",
)
PASSES = 0.05  # share of answers that are a pass


def invent(question: Question, rng: random.Random) -> Any:
    """A random raw ballot value for this question; `None` is a pass."""
    if question.pass_label and rng.random() < PASSES:
        return None
    return INVENTORS[question.type](question, rng)


def fields(question: Question, rng: random.Random) -> dict[str, list[str]]:
    """The same as the ballot's form holds it, which is what a phone sends."""
    poll_type = POLL_TYPES[question.type]
    return poll_type.to_form(poll_type.clean(invent(question, rng), question), question)


def _towards_the_middle(items: tuple, rng: random.Random) -> Any:
    index = round(rng.triangular(0, len(items) - 1, (len(items) - 1) * 0.3))
    return items[index]


def _single(question: Question, rng: random.Random) -> str:
    return _towards_the_middle(question.keys, rng)


def _multiple(question: Question, rng: random.Random) -> list[str]:
    exclusive = set(question.settings.get("exclusive", ()))
    free = [key for key in question.keys if key not in exclusive]
    least = question.settings.get("min", 1)
    most = min(question.settings.get("max", max(3, least)), len(free))
    return rng.sample(free, rng.randint(least, most))


def _scale(question: Question, rng: random.Random) -> Any:
    points = question.settings.get("points", 5)
    top = points if isinstance(points, int) else len(points)

    def point() -> int:
        return max(1, min(top, round(rng.triangular(1, top, top))))

    items = question.settings.get("items")
    return {item["key"]: point() for item in items} if items else point()


def _ranking(question: Question, rng: random.Random) -> list[str]:
    return rng.sample(question.keys, question.settings.get("top") or len(question.keys))


def _words(question: Question, rng: random.Random) -> list[str]:
    most = question.settings.get("max_entries", 3)
    limit = question.settings.get("max_length", 40)
    chosen = rng.sample(WORDS, rng.randint(1, most))
    return [mistype(word, rng)[:limit] for word in chosen]


def _open_text(question: Question, rng: random.Random) -> str:
    return mistype(rng.choice(SENTENCES), rng)[: question.settings.get("max_length", 1000)]


def _number(question: Question, rng: random.Random) -> str:
    """As typed, with the mode a third of the way up. Decimal, because 3 × 0.1 is not 0.3 in binary."""
    settings = question.settings
    low = Decimal(str(settings.get("min", 0)))
    high, step = Decimal(str(settings.get("max", low + 30))), Decimal(str(settings.get("step", 1)))
    steps = int(min(high - low, 30 * step) / step)
    return str(low + round(rng.triangular(0, steps, steps / 3)) * step)


def _points(question: Question, rng: random.Random) -> dict[str, int]:
    budget = question.settings.get("budget", 100)
    given = dict.fromkeys(question.keys, 0)
    step = max(1, budget // 20)
    for _ in range(budget // step):
        given[_towards_the_middle(question.keys, rng)] += step
    given[question.keys[0]] += budget - sum(given.values())
    return {key: points for key, points in given.items() if points}


def _statement(question: Question, rng: random.Random) -> dict[str, str]:
    choice = rng.choices(("agree", "live_with", "disagree"), (7, 2, 1))[0]
    return {"choice": choice, "reason": rng.choice(SENTENCES)} if rng.random() < 0.2 else {"choice": choice}


INVENTORS: dict[str, Callable[[Question, random.Random], Any]] = {
    "single_choice": _single,
    "multiple_choice": _multiple,
    "scale": _scale,
    "ranking": _ranking,
    "words": _words,
    "open_text": _open_text,
    "number": _number,
    "points": _points,
    "statement": _statement,
}


def mistype(text: str, rng: random.Random) -> str:
    """Transpose two letters one time in eight; capitalise one time in six."""
    if rng.random() < 1 / 8 and len(text) > 4:
        index = rng.randrange(1, len(text) - 2)
        text = text[:index] + text[index + 1] + text[index] + text[index + 2 :]
    return text.capitalize() if rng.random() < 1 / 6 else text
