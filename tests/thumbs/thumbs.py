"""Thumbs: up or down. A ballot is `"up"` or `"down"`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from polls.types import drawing
from polls.types.base import Figure, FormData, InvalidBallot, Option, PollType, Question, Tally

THUMBS = {"up": "Thumb up", "down": "Thumb down"}


class Thumbs(PollType):
    name = "thumbs"
    title = "Thumbs"
    how = "Up or down?"

    def from_form(self, data: FormData, question: Question) -> Any:
        return None if data.get("pass") else data.get("thumb", "")

    def to_form(self, value: Any, question: Question) -> dict[str, list[str]]:
        return {"pass": ["1"]} if value is None else {"thumb": [value]}

    def fields(self, filled: FormData, question: Question, options: Sequence[Option]) -> dict[str, Any]:
        return {"thumbs": THUMBS.items(), "chosen": filled.get("thumb"), "passed": filled.get("pass")}

    def clean_answer(self, value: Any, question: Question) -> Any:
        if value not in THUMBS:
            raise InvalidBallot("Point a thumb up or down.", field="thumb")
        return value

    def say_answer(self, value: Any, question: Question) -> str:
        return THUMBS[value]

    def tally(self, counted: Iterable[tuple[Any, int]], question: Question) -> Tally:
        counts = dict.fromkeys(THUMBS, 0)
        for value, people in counted:
            counts[value] += people
        return {"n": sum(counts.values()), "counts": counts}

    def figures(self, tally: Tally, question: Question) -> list[Figure]:
        return [Figure(key, label, tally["counts"][key], tally["n"]) for key, label in THUMBS.items()]

    def picture(self, tally: Tally, question: Question) -> dict[str, Any]:
        return drawing.picture(self.figures(tally, question), tally["n"], None)
