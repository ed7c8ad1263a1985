"""Multiple choice: any number of options between a minimum and a maximum.

A ballot is the list of chosen keys in authored order. A share is people who chose it over people who
answered, never over ticks; an exclusive option ("none of these") is an answer and stays in that base.
Settings: `min` (1), `max` (all), `exclusive` (keys that stand alone).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from . import drawing
from .base import (
    FEW,
    Figure,
    FormData,
    InvalidBallot,
    InvalidQuestion,
    Option,
    PollType,
    Question,
    Tally,
    base,
    setting,
)
from .plural_forms import forms


class MultipleChoice(PollType):
    name = "multiple_choice"
    title = gettext_lazy("Choose any")
    how = gettext_lazy("Choose any number")
    has_options = True
    own_settings = ("exclusive", "max", "min", "ordinal", "shuffle")

    def check(self, question: Question) -> None:
        super().check(question)
        exclusive = question.settings.get("exclusive", [])
        if not isinstance(exclusive, list | tuple):
            raise InvalidQuestion(f"exclusive: expected a list of option keys, found {exclusive!r}")
        for key in exclusive:
            if key not in question.keys:
                raise InvalidQuestion(f"exclusive: expected option keys, found {key!r}")
        free = len(question.options) - len(set(exclusive))
        low = setting(question, "min", 1, 1, max(free, 1))
        setting(question, "max", max(free, 1), low, len(question.options))

    def limits(self, question: Question) -> tuple[int, int]:
        """How many options may be chosen, at least and at most."""
        return question.settings.get("min", 1), question.settings.get("max", len(question.options))

    def instruction(self, question: Question) -> str:
        low, high = self.limits(question)
        if low == high:
            return _("Choose %(n)d") % {"n": low}
        if high < len(question.options) and low > 1:
            return _("Choose %(low)d to %(high)d") % {"low": low, "high": high}
        if high < len(question.options):
            return _("Choose up to %(n)d") % {"n": high}
        return _("Choose at least %(n)d") % {"n": low} if low > 1 else str(self.how)

    def from_form(self, data: FormData, question: Question) -> Any:
        return None if data.get("pass") else data.getlist("option")

    def to_form(self, value: Any, question: Question) -> dict[str, list[str]]:
        return {"pass": ["1"]} if value is None else {"option": list(value)}

    def fields(self, filled: FormData, question: Question, options: Sequence[Option]) -> dict[str, Any]:
        exclusive = question.settings.get("exclusive", [])
        high = self.limits(question)[1]
        return {
            "chosen": filled.getlist("option"),
            "passed": filled.get("pass"),
            "exclusive": exclusive,
            "max": high if high < len(question.options) else "",
            "counter": forms(lambda n: ngettext("# chosen", "# chosen", n)),
            "counter_max": forms(lambda n: ngettext("# of @ chosen", "# of @ chosen", n)),
        }

    def clean_answer(self, value: Any, question: Question) -> Any:
        if not isinstance(value, list) or not all(isinstance(key, str) for key in value):
            raise InvalidBallot(_("Choose from the list."))
        if not set(value) <= set(question.keys):
            raise InvalidBallot(_("One of those answers is not on the list. Choose from these."))
        if len(set(value)) != len(value):
            raise InvalidBallot(_("An answer came twice. Choose each one once."))
        chosen = [key for key in question.keys if key in value]
        self._check_number(chosen, question)
        return chosen

    def _check_number(self, chosen: list[str], question: Question) -> None:
        low, high = self.limits(question)
        alone = [key for key in chosen if key in question.settings.get("exclusive", [])]
        if not chosen:
            raise InvalidBallot(_("Choose at least one answer first."))
        if alone and len(chosen) > 1:
            raise InvalidBallot(
                _("“%(label)s” stands alone. Untick it or the others.") % {"label": question.label(alone[0])}
            )
        if len(chosen) < low and not alone:
            raise InvalidBallot(
                _("Choose at least %(low)d; you have chosen %(n)d.") % {"low": low, "n": len(chosen)}
            )
        if len(chosen) > high:
            raise InvalidBallot(
                _("Choose up to %(high)d; you have chosen %(n)d.") % {"high": high, "n": len(chosen)}
            )

    def say_answer(self, value: Any, question: Question) -> str:
        return " · ".join(question.label(key) for key in value)

    def tally(self, counted: Iterable[tuple[Any, int]], question: Question) -> Tally:
        n, counts = 0, dict.fromkeys(question.keys, 0)
        for value, people in counted:
            n += people
            for key in value:
                counts[key] = counts.get(key, 0) + people
        return {"n": n, "counts": counts}

    def figures(self, tally: Tally, question: Question) -> list[Figure]:
        return [
            Figure(option.key, option.label, tally["counts"].get(option.key, 0), base(tally, option.key))
            for option in question.options
        ]

    def picture(self, tally: Tally, question: Question) -> dict[str, Any]:
        figures = self.figures(tally, question)
        note = ""
        if tally["n"] >= FEW and sum(figure.hits for figure in figures) > tally["n"]:
            note = _("People could choose more than one, so the shares add up to more than 100\u00a0%.")
        return drawing.picture(figures, tally["n"], self.headline(tally, question), note=note)

    def headline(self, tally: Tally, question: Question) -> dict[str, Any] | None:
        return drawing.leading(self.figures(tally, question), tally["n"])
