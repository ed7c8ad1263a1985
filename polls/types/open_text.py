"""Open text: a person's own sentences, shown as a wall of answers once somebody has checked them.

A ballot is the text, tidied; line breaks stay. Setting: `max_length` (up to 1,000 characters, default 1,000).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from .base import (
    Figure,
    FormData,
    InvalidBallot,
    Option,
    OwnWords,
    PollType,
    Question,
    Tally,
    setting,
)
from .order import fnv1a
from .plural_forms import forms
from .texts import text_key, tidy

LIMIT = 1000  # characters
#: letters that a wall holds in words that can be read from the back; an answer's own space counts as 40
WALL, GAP = 520, 40


class OpenText(PollType):
    name = "open_text"
    title = gettext_lazy("Own words")
    how = gettext_lazy("In your own words")
    has_texts = True
    own_settings = ("max_length",)

    def check(self, question: Question) -> None:
        super().check(question)
        setting(question, "max_length", LIMIT, 1, LIMIT)

    def limit(self, question: Question) -> int:
        return question.settings.get("max_length", LIMIT)

    def from_form(self, data: FormData, question: Question) -> Any:
        return None if data.get("pass") else data.get("text", "")

    def to_form(self, value: Any, question: Question) -> dict[str, list[str]]:
        return {"pass": ["1"]} if value is None else {"text": [value]}

    def fields(self, filled: FormData, question: Question, options: Sequence[Option]) -> dict[str, Any]:
        return {
            "text": filled.get("text", ""),
            "passed": filled.get("pass"),
            "max_length": self.limit(question),
            "left": forms(lambda n: ngettext("# letter left", "# letters left", n)),
        }

    def clean_answer(self, value: Any, question: Question) -> Any:
        text, limit = tidy(value, lines=True), self.limit(question)
        if not text:
            raise InvalidBallot(_("Write something first."), field="text")
        if len(text) > limit:
            raise InvalidBallot(
                _("Your answer can have up to %(limit)d letters; this has %(length)d.")
                % {"limit": limit, "length": len(text)},
                field="text",
            )
        return text

    def say_answer(self, value: Any, question: Question) -> str:
        words = " ".join(value.split())
        return words if len(words) <= 60 else f"{words[:59].rstrip()}…"

    def tally(self, counted: Iterable[tuple[Any, int]], question: Question) -> Tally:
        n, texts = 0, dict[str, int]()
        for text, people in counted:
            n += people
            if text:  # somebody whose words were taken away is counted, and has no text
                texts[text] = texts.get(text, 0) + people
        return {"n": n, "texts": texts}

    def texts_of(self, value: Any, question: Question) -> Sequence[OwnWords]:
        return () if value is None else (OwnWords("answer", value, text_key(value)),)

    def reworded(self, value: Any, instead: Mapping[str, str]) -> Any:
        return value if value is None else instead.get(value, value)

    def texts(self, tally: Tally, question: Question) -> list[tuple[str, str, int]]:
        found = ((text, text, people) for text, people in tally["texts"].items())
        return sorted(found, key=lambda each: fnv1a(each[1]))

    def spellings(self, tally: Tally) -> Mapping[str, int]:
        return tally["texts"]

    def answer_with(self, words: Sequence[str]) -> Any:
        return words[0] if words else ""

    def figures(self, tally: Tally, question: Question) -> list[Figure]:
        """None: sentences are read and coded, not counted."""
        return []

    def picture(self, tally: Tally, question: Question) -> dict[str, Any]:
        # No order of arrival: it would say who wrote what to everybody who watched a neighbour type.
        answers: list[dict[str, Any]] = [
            {"text": text, "people": people} for _key, text, people in self.texts(tally, question)
        ]
        fits = _fitting([answer["text"] for answer in answers])
        return {
            "n": tally["n"],
            "answers": answers,
            "wall": answers[:fits],
            "more": len(answers) - fits,
            "waiting": tally["n"] - sum(tally["texts"].values()),
            "headline": None,
        }

    def finding(self, tally: Tally, question: Question) -> str:
        n = tally["n"]
        return (
            ngettext("%(n)d person wrote an answer", "%(n)d people wrote an answer", n) % {"n": n}
            if n
            else ""
        )

    def table(self, tally: Tally, question: Question) -> tuple[list[str], list[list[Any]]]:
        return [_("Answer"), _("People")], [
            [text, people] for _key, text, people in self.texts(tally, question)
        ]

    def chart(self, tally: Tally, question: Question) -> dict[str, Any]:
        headings, rows = self.table(tally, question)
        columns = [list(column) for column in zip(*rows, strict=True)] or [[], []]
        return {
            "data": [{"type": "table", "header": {"values": headings}, "cells": {"values": columns}}],
            "layout": {},
        }


def _fitting(texts: list[str]) -> int:
    """How many of these texts stand on a wall together: at least one."""
    room, fits = WALL, 0
    for text in texts:
        room -= len(text) + GAP
        if room < 0 and fits:
            break
        fits += 1
    return fits
