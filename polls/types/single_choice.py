"""Single choice: one option, or "Other…" in a person's own words where the question allows it.

A ballot is an option key, or `{"other": "their words"}`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from . import drawing
from .base import (
    OTHER,
    PASS,
    Figure,
    FormData,
    InvalidBallot,
    InvalidQuestion,
    Option,
    OwnWords,
    PollType,
    Question,
    Tally,
    base,
)
from .texts import matching_key, text_key, tidy

OTHER_LIMIT = 100  # characters


class SingleChoice(PollType):
    name = "single_choice"
    title = gettext_lazy("Choose one")
    how = gettext_lazy("Choose one")
    has_options = True
    own_settings = ("ordinal", "other", "shuffle")

    def check(self, question: Question) -> None:
        super().check(question)
        if question.settings.get("other") and "other" in question.keys:
            raise InvalidQuestion(
                "option key 'other': expected another key, the question already has “Other…”"
            )

    def offered(self, question: Question) -> tuple[Option, ...]:
        own = (Option("other", _("Other")),) if question.settings.get("other") else ()
        return (*question.options, *own)

    def offering(self, question: Question, options: Sequence[Option]) -> Question:
        listed = [option for option in options if option.key != "other" or "other" in question.keys]
        settings = {key: value for key, value in question.settings.items() if key != "other"}
        if len(listed) < len(options):
            settings["other"] = True
        return replace(super().offering(question, listed), settings=settings)

    def from_form(self, data: FormData, question: Question) -> Any:
        choice = data.get("choice")
        if choice == PASS or data.get("pass"):
            return None
        if choice == OTHER:
            return {"other": data.get("other", "")}
        return choice or ""

    def to_form(self, value: Any, question: Question) -> dict[str, list[str]]:
        if isinstance(value, dict):
            return {"choice": [OTHER], "other": [value["other"]]}
        return {"choice": [PASS if value is None else value]}

    def fields(self, filled: FormData, question: Question, options: Sequence[Option]) -> dict[str, Any]:
        return {
            "chosen": filled.get("choice", ""),
            "other": filled.get("other", ""),
            "other_limit": OTHER_LIMIT,
            "PASS": PASS,
            "OTHER": OTHER,
        }

    def clean_answer(self, value: Any, question: Question) -> Any:
        if isinstance(value, dict) and set(value) == {"other"} and question.settings.get("other"):
            return {"other": self._clean_other(value["other"])}
        if value == "":
            raise InvalidBallot(_("Choose one answer first."))
        if not isinstance(value, str) or value not in question.keys:
            raise InvalidBallot(_("That answer is not on the list. Choose one of these."))
        return value

    def _clean_other(self, words: Any) -> str:
        words = tidy(words)
        if not words:
            raise InvalidBallot(_("Write your own answer, or choose one from the list."), field="other")
        if len(words) > OTHER_LIMIT:
            raise InvalidBallot(
                _("Your own answer can have up to %(limit)d letters; this has %(length)d.")
                % {"limit": OTHER_LIMIT, "length": len(words)},
                field="other",
            )
        return words

    def say_answer(self, value: Any, question: Question) -> str:
        return value["other"] if isinstance(value, dict) else question.label(value)

    def texts_of(self, value: Any, question: Question) -> Sequence[OwnWords]:
        if not isinstance(value, dict):
            return ()
        return (OwnWords("other", value["other"], text_key(matching_key(value["other"]))),)

    def reworded(self, value: Any, instead: Mapping[str, str]) -> Any:
        return {"other": instead.get(value["other"], value["other"])} if isinstance(value, dict) else value

    def tally(self, counted: Iterable[tuple[Any, int]], question: Question) -> Tally:
        counts = dict.fromkeys(question.keys, 0)
        other: dict[str, int] = {}
        for value, people in counted:
            if isinstance(value, dict):
                other[value["other"]] = other.get(value["other"], 0) + people
            else:
                counts[value] = counts.get(value, 0) + people
        return {"n": sum(counts.values()) + sum(other.values()), "counts": counts, "other": other}

    def figures(self, tally: Tally, question: Question) -> list[Figure]:
        figures = [
            Figure(option.key, option.label, tally["counts"].get(option.key, 0), base(tally, option.key))
            for option in question.options
        ]
        if question.settings.get("other"):
            figures.append(Figure("other", _("Other"), sum(tally["other"].values()), base(tally, "other")))
        return figures

    def picture(self, tally: Tally, question: Question) -> dict[str, Any]:
        return drawing.picture(self.figures(tally, question), tally["n"], self.headline(tally, question))

    def headline(self, tally: Tally, question: Question) -> dict[str, Any] | None:
        return drawing.leading(self.figures(tally, question), tally["n"])
