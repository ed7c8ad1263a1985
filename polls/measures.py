"""Derived figures, counted from ballots and never from printed shares: "6 to 12 babies", "19 or more".

A measure has a kind and a definition, plain JSON. For one ballot it is a hit, a miss, or the ballot is not in its
base, the denominator (`None`): a skipped line of a block, a pass, "no baby room" where a number is asked about.

| kind | hit when | definition |
|---|---|---|
| merge, any_of | one of the members was chosen | `members` |
| all_of | every member was chosen | `members` |
| option | this one was chosen | `members` with one key |
| top_box, bottom_box | the point is among the highest, lowest | `boxes`; `item` in a block |
| band | low ≤ number ≤ high | `low`, `high`, or one of them |

A member is an option key; "other" for a person's own answer; a point ("3") of a scale; the choice of a
statement. On a ranking a member is hit when it got a place, on points when it got any.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from .types import POLL_TYPES, InvalidQuestion, Question
from .types.scale import is_block, items, labels
from .types.statement import CHOICES

Definition = Mapping[str, Any]

#: kind → the keys that its definition may have
KINDS: dict[str, frozenset[str]] = {
    "merge": frozenset({"members", "item"}),
    "any_of": frozenset({"members", "item"}),
    "all_of": frozenset({"members"}),
    "option": frozenset({"members", "item"}),
    "top_box": frozenset({"boxes", "item"}),
    "bottom_box": frozenset({"boxes", "item"}),
    "band": frozenset({"low", "high"}),
}
BY_MEMBERS = ("merge", "any_of", "all_of", "option")


class InvalidMeasure(InvalidQuestion):
    """A measure that cannot be counted. The message names the key and what is expected there."""


def check(kind: str, definition: Definition, question: Question) -> None:
    """Raise `InvalidMeasure` where this measure says nothing about this question."""
    if kind not in KINDS:
        raise InvalidMeasure(f"kind: expected one of {', '.join(KINDS)}, found {kind!r}")
    for key in definition:
        if key not in KINDS[kind]:
            raise InvalidMeasure(f"{key}: not part of a measure of kind {kind}")
    if kind in BY_MEMBERS:
        _check_members(kind, definition, question)
    elif kind == "band":
        _check_band(definition, question)
    else:
        _check_boxes(definition, question)
    _check_item(definition, question)


def fits(kind: str, definition: Definition, question: Question) -> bool:
    """Could people who were asked this question choose everything that the measure counts?"""
    try:
        check(kind, definition, question)
    except InvalidMeasure:
        return False
    return True


def _check_members(kind: str, definition: Definition, question: Question) -> None:
    members, known = definition.get("members"), _members(question)
    if not known:
        raise InvalidMeasure(f"kind: {kind} needs a question with options, and this is {question.type}")
    if not isinstance(members, list | tuple) or not members:
        raise InvalidMeasure(f"members: expected a list of option keys, found {members!r}")
    for member in members:
        if member not in known:
            raise InvalidMeasure(
                f"members: expected keys of the question ({', '.join(known)}), found {member!r}"
            )
    if len(set(members)) != len(members):
        raise InvalidMeasure("members: expected every key once")
    if kind == "option" and len(members) != 1:
        raise InvalidMeasure(f"members: expected one key, found {len(members)}")
    if kind == "all_of" and question.type in ("single_choice", "scale", "statement") and len(members) > 1:
        raise InvalidMeasure("kind: all_of needs a question with several answers per person")


def _members(question: Question) -> list[str]:
    """Every key that an answer to this question can be made of."""
    if question.type == "scale":
        return [str(point) for point in range(1, len(labels(question)) + 1)]
    if question.type == "statement":
        return list(CHOICES)
    own = ["other"] if question.type == "single_choice" and question.settings.get("other") else []
    return [*question.keys, *own]


def _check_boxes(definition: Definition, question: Question) -> None:
    if question.type != "scale":
        raise InvalidMeasure(f"kind: boxes need a scale, and this is {question.type}")
    boxes, most = definition.get("boxes"), len(labels(question)) - 1
    if not isinstance(boxes, int) or isinstance(boxes, bool) or not 1 <= boxes <= most:
        raise InvalidMeasure(f"boxes: expected a whole number from 1 to {most}, found {boxes!r}")


def _check_band(definition: Definition, question: Question) -> None:
    if question.type != "number":
        raise InvalidMeasure(f"kind: a band needs a number, and this is {question.type}")
    if not definition:
        raise InvalidMeasure("low, high: expected at least one of them")
    for key, bound in definition.items():
        if not isinstance(bound, int | float) or isinstance(bound, bool):
            raise InvalidMeasure(f"{key}: expected a number, found {bound!r}")
    if definition.get("low", float("-inf")) > definition.get("high", float("inf")):
        raise InvalidMeasure(f"high: expected at least low ({definition['low']}), found {definition['high']}")


def _check_item(definition: Definition, question: Question) -> None:
    if question.type != "scale" or not is_block(question):
        if "item" in definition:
            raise InvalidMeasure("item: this question has no items")
        return
    known = [item.key for item in items(question)]
    if definition.get("item") not in known:
        raise InvalidMeasure(f"item: expected one of {', '.join(known)}, found {definition.get('item')!r}")


def hit(kind: str, definition: Definition, value: Any, question: Question) -> bool | None:
    """Whether this canonical ballot value is a hit; `None` where it is not in the measure's base."""
    if POLL_TYPES[question.type].is_pass(value):
        return None
    if kind == "band":
        return _in_band(definition, value)
    if isinstance(value, dict) and question.type == "scale":
        value = value.get(definition["item"])
    if value is None:
        return None
    if kind in BY_MEMBERS:
        return _chosen(kind, set(definition["members"]), _parts(value, question))
    highest = len(labels(question))
    return value > highest - definition["boxes"] if kind == "top_box" else value <= definition["boxes"]


def _in_band(definition: Definition, value: Any) -> bool | None:
    if isinstance(value, dict):
        return None
    return bool(definition.get("low", value) <= value <= definition.get("high", value))


def _chosen(kind: str, members: set[str], parts: Collection[str]) -> bool:
    return members <= set(parts) if kind == "all_of" else not members.isdisjoint(parts)


def _parts(value: Any, question: Question) -> Collection[str]:
    """The keys that an answer is made of."""
    if question.type == "statement":
        return [value["choice"]]
    if isinstance(value, dict):
        return value.keys()  # points by option, or {"other": words}
    return value if isinstance(value, list) else [str(value)]


def count(
    kind: str, definition: Definition, counted: Iterable[tuple[Any, int]], question: Question
) -> tuple[int, int]:
    """Numerator and denominator, `(hits, valid)`, over `(canonical value, ballots)` pairs; passes are skipped."""
    hits = valid = 0
    for value, people in counted:
        is_hit = hit(kind, definition, value, question)
        valid += people * (is_hit is not None)
        hits += people * bool(is_hit)
    return hits, valid
