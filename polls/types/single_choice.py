"""Single choice: one option, or "Other…" in a person's own words where the question allows it.

A ballot is an option key, or `{"other": "their words"}`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from .base import (
    OTHER,
    PASS,
    Figure,
    FormData,
    InvalidBallot,
    InvalidQuestion,
    PollType,
    Question,
    Tally,
    check_keys,
    percent,
)

OTHER_LIMIT = 100  # characters


class SingleChoice(PollType):
    name = "single_choice"
    title = gettext_lazy("Single choice")
    how = gettext_lazy("Choose one")
    has_options = True

    def check(self, question: Question) -> None:
        if not 2 <= len(question.options) <= 20:
            raise InvalidQuestion(f"options: expected 2 to 20, found {len(question.options)}")
        check_keys(question.keys)
        for option in question.options:
            if not 0 < len(option.label) <= 255:
                raise InvalidQuestion(f"label of option {option.key!r}: expected 1 to 255 characters")

    def from_form(self, data: FormData, question: Question) -> Any:
        choice = data.get("choice")
        if choice == PASS or data.get("pass"):
            return None
        if choice == OTHER:
            return {"other": data.get("other", "")}
        return choice or ""

    def clean(self, value: Any, question: Question) -> Any:
        if value is None:
            return None
        if isinstance(value, dict) and set(value) == {"other"} and question.settings.get("other"):
            return {"other": self._clean_other(value["other"])}
        if value == "":
            raise InvalidBallot(_("Choose one answer first."))
        if not isinstance(value, str) or value not in question.keys:
            raise InvalidBallot(_("That answer is not on the list. Choose one of these."))
        return value

    def _clean_other(self, words: Any) -> str:
        words = " ".join(words.split()) if isinstance(words, str) else ""
        if not words:
            raise InvalidBallot(_("Write your own answer, or choose one from the list."), field="other")
        if len(words) > OTHER_LIMIT:
            raise InvalidBallot(
                _("Your own answer can have up to %(limit)d letters; this has %(length)d.")
                % {"limit": OTHER_LIMIT, "length": len(words)},
                field="other",
            )
        return words

    def say(self, value: Any, question: Question) -> str:
        if value is None:
            return question.pass_label
        return value["other"] if isinstance(value, dict) else question.label(value)

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
            Figure(option.key, option.label, tally["counts"].get(option.key, 0), tally["n"])
            for option in question.options
        ]
        if question.settings.get("other"):
            figures.append(Figure("other", _("Other"), sum(tally["other"].values()), tally["n"]))
        return figures

    def picture(self, tally: Tally, question: Question) -> dict[str, Any]:
        figures = self.figures(tally, question)
        return {
            "n": tally["n"],
            "most": max((figure.hits for figure in figures), default=0),
            "rows": [
                {
                    "key": figure.key,
                    "label": figure.label,
                    "people": figure.hits,
                    "percent": percent(figure.hits, figure.valid),
                }
                for figure in figures
            ],
        }

    def finding(self, tally: Tally, question: Question) -> str:
        figures = self.figures(tally, question)
        most = max((figure.hits for figure in figures), default=0)
        if not most:
            return ""
        leaders = [figure.label for figure in figures if figure.hits == most]
        if len(leaders) > 1:
            return _("%(leaders)s: %(hits)d of %(n)d people each") % {
                "leaders": " · ".join(leaders), "hits": most, "n": tally["n"],
            }  # fmt: skip
        return ngettext(
            "%(hits)d of %(n)d person chose %(label)s", "%(hits)d of %(n)d people chose %(label)s", tally["n"]
        ) % {"hits": most, "n": tally["n"], "label": leaders[0]}

    def chart(self, tally: Tally, question: Question) -> dict[str, Any]:
        figures = self.figures(tally, question)
        return {
            "data": [
                {
                    "type": "bar",
                    "orientation": "h",
                    "x": [figure.hits for figure in figures],
                    "y": [figure.label for figure in figures],
                    "text": [str(figure.hits) for figure in figures],
                }
            ],
            # Authored order from top to bottom, never re-sorted: the options may be a range.
            "layout": {"yaxis": {"autorange": "reversed"}, "xaxis": {"title": {"text": _("People")}}},
        }
