"""Number: one number with a unit, or an answer that there is none ("No baby room").

A ballot is an int where it is whole, else a float; or `{"none": true}`, which is an answer, counted in its
own leaf and kept out of the number's statistics.
Settings: `min`, `max`, `step` (1), `unit`, `none_label`; `check_below` and `check_above` are a soft validation:
for a number outside them the form asks "Are you sure?" and accepts the answer all the same.
"""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from . import drawing
from .base import Figure, FormData, InvalidBallot, InvalidQuestion, Option, PollType, Question, Tally, base

#: bounds where a question sets none; far from where floats stop being exact
SMALLEST, LARGEST = -(10**12), 10**12
BINS = 10
#: "12", "-3", "12.5", "12,5", "1,200"
WRITTEN = re.compile(r"[+-]?[0-9]{1,15}([.,][0-9]{1,9})?")
THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]{1,9})?")


def show(number: float) -> str:
    """As short as it can be said: 12, 12.5, 0.33."""
    return f"{round(number, 2):.15g}"


def show_mean(mean: float) -> str:
    """One place is as much as a mean of people's numbers bears."""
    return f"{mean:.1f}"


class Number(PollType):
    name = "number"
    title = gettext_lazy("Number")
    how = gettext_lazy("Write a number")
    own_settings = ("check_above", "check_below", "max", "min", "none_label", "step", "unit")

    def check(self, question: Question) -> None:
        super().check(question)
        for key in ("min", "max", "step", "check_above", "check_below"):
            self._check_number(key, question.settings.get(key, 1))
        low, high, step = self._limits(question)
        if low >= high:
            raise InvalidQuestion(f"max: expected more than min ({low}), found {high}")
        if step < Decimal("0.000001"):
            raise InvalidQuestion(f"step: expected at least 0.000001, found {step}")

    def _check_number(self, key: str, number: Any) -> None:
        fine = isinstance(number, int | float) and not isinstance(number, bool)
        if not fine or not SMALLEST <= number <= LARGEST:
            raise InvalidQuestion(f"{key}: expected a number, found {number!r}")

    def _limits(self, question: Question) -> tuple[Decimal, Decimal, Decimal]:
        settings = question.settings
        low, high, step = settings.get("min", SMALLEST), settings.get("max", LARGEST), settings.get("step", 1)
        return Decimal(str(low)), Decimal(str(high)), Decimal(str(step))

    def offered(self, question: Question) -> tuple[Option, ...]:
        label = question.settings.get("none_label")
        return (Option("none", str(label)),) if label else ()

    def offering(self, question: Question, options: Sequence[Option]) -> Question:
        settings = {key: value for key, value in question.settings.items() if key != "none_label"}
        if options:
            settings["none_label"] = options[0].label
        return replace(question, settings=settings)

    def from_form(self, data: FormData, question: Question) -> Any:
        if data.get("pass"):
            return None
        return {"none": True} if data.get("none") else data.get("number", "")

    def to_form(self, value: Any, question: Question) -> dict[str, list[str]]:
        if value is None:
            return {"pass": ["1"]}
        return {"none": ["1"]} if isinstance(value, dict) else {"number": [str(value)]}

    def fields(self, filled: FormData, question: Question, options: Sequence[Option]) -> dict[str, Any]:
        settings = question.settings
        return {
            "number": filled.get("number", ""),
            "none": filled.get("none"),
            "passed": filled.get("pass"),
            "unit": settings.get("unit", ""),
            "none_label": settings.get("none_label", ""),
            "mode": "numeric" if self._is_whole(question) and settings.get("min", -1) >= 0 else "text",
            "hint": self._hint(question),
            "below": settings.get("check_below", ""),
            "above": settings.get("check_above", ""),
        }

    def _is_whole(self, question: Question) -> bool:
        low, _high, step = self._limits(question)
        return low == int(low) and step == int(step)

    def _hint(self, question: Question) -> str:
        """The hint below the field: "A whole number from 0 to 60"."""
        settings, whole = question.settings, self._is_whole(question)
        if "min" in settings and "max" in settings:
            words = (
                _("A whole number from %(min)s to %(max)s")
                if whole
                else _("A number from %(min)s to %(max)s")
            )
            return words % {"min": show(settings["min"]), "max": show(settings["max"])}
        return _("A whole number") if whole else _("A number")

    def clean_answer(self, value: Any, question: Question) -> Any:
        if isinstance(value, dict):
            return self._clean_none(value, question)
        number = self._read(value, question)
        low, high, step = self._limits(question)
        if not low <= number <= high:
            raise InvalidBallot(self._out_of_bounds(question), field="number")
        steps = (number - self._start(question)) / step
        if steps != steps.to_integral_value():
            raise InvalidBallot(self._between_steps(question), field="number")
        number = self._start(question) + steps * step
        return int(number) if number == number.to_integral_value() else float(number)

    def _clean_none(self, value: Mapping[str, Any], question: Question) -> dict[str, bool]:
        if value != {"none": True} or value["none"] is not True or not question.settings.get("none_label"):
            raise InvalidBallot(_("Write a number, such as 12."), field="number")
        return {"none": True}

    def _start(self, question: Question) -> Decimal:
        return self._limits(question)[0] if "min" in question.settings else Decimal(0)

    def _read(self, value: Any, question: Question) -> Decimal:
        if isinstance(value, str) and not value.strip():
            raise InvalidBallot(_("Write a number first."), field="number")
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise InvalidBallot(_("Write a number, such as 12."), field="number")
        if isinstance(value, int):
            # Bounds before digits: an int of a million digits is compared at once, but not written out.
            return Decimal(value) if SMALLEST <= value <= LARGEST else Decimal("Infinity")
        return (
            self._read_float(value) if isinstance(value, float) else self._read_text(value.strip(), question)
        )

    def _read_float(self, value: float) -> Decimal:
        if not math.isfinite(value):
            raise InvalidBallot(_("Write a number, such as 12."), field="number")
        return Decimal(repr(value))

    def _read_text(self, text: str, question: Question) -> Decimal:
        """As people write it: a comma groups thousands where it can, else it is a decimal comma."""
        unit = str(question.settings.get("unit", ""))
        if unit and text.casefold().endswith(unit.casefold()):
            text = text[: -len(unit)].strip()
        if THOUSANDS.fullmatch(text):
            return Decimal(text.replace(",", ""))
        if WRITTEN.fullmatch(text):
            return Decimal(text.replace(",", "."))
        raise InvalidBallot(_("Write only a number, such as 12."), field="number")

    def _out_of_bounds(self, question: Question) -> str:
        low, high, _step = self._limits(question)
        if "min" in question.settings and "max" not in question.settings:
            return _("Write a number of %(min)s or more.") % {"min": low}
        if "max" in question.settings and "min" not in question.settings:
            return _("Write a number of %(max)s or less.") % {"max": high}
        return _("Write a number from %(min)s to %(max)s.") % {"min": low, "max": high}

    def _between_steps(self, question: Question) -> str:
        start, step = self._start(question), self._limits(question)[2]
        if step == 1 and start == int(start):
            return _("Write a whole number, such as 12.")
        return _("Write a number in steps of %(step)s, such as %(example)s.") % {
            "step": step,
            "example": start + step,
        }

    def say_answer(self, value: Any, question: Question) -> str:
        if isinstance(value, dict):
            return str(question.settings["none_label"])
        return f"{value} {question.settings.get('unit', '')}".strip()

    def tally(self, counted: Iterable[tuple[Any, int]], question: Question) -> Tally:
        tally: Tally = {"n": 0, "none": 0, "values": {}}
        for value, people in counted:
            tally["n"] += people
            if isinstance(value, dict):
                tally["none"] += people
            else:
                tally["values"][str(value)] = tally["values"].get(str(value), 0) + people
        return tally

    def numbers(self, tally: Tally) -> list[float]:
        """Every number that was given, in order, as often as it was given."""
        return sorted(float(value) for value, people in tally["values"].items() for _times in range(people))

    def summary(self, tally: Tally) -> dict[str, Any]:
        """n (of numbers), median, quartiles, mean, min and max; `None` without numbers.

        Quartiles by the inclusive method: linear interpolation, R's type 7 (Hyndman & Fan 1996).
        """
        numbers = self.numbers(tally)
        if not numbers:
            return {"n": 0} | dict.fromkeys(("median", "low", "high", "mean", "min", "max"))
        low, median, high = (
            statistics.quantiles(numbers, n=4, method="inclusive") if len(numbers) > 1 else numbers * 3
        )
        return {
            "n": len(numbers),
            "median": median,
            "low": low,
            "high": high,
            "mean": statistics.fmean(numbers),
            "min": numbers[0],
            "max": numbers[-1],
        }

    def bins(self, tally: Tally) -> list[tuple[float, float, int]]:
        """A histogram: at most `BINS` bins `(start, end, people)`, half-open, of one round width."""
        numbers = self.numbers(tally)
        if not numbers:
            return []
        whole = all(number.is_integer() for number in numbers)
        width = _round_width(numbers[-1] - numbers[0], whole)
        start = math.floor(numbers[0] / width) * width
        last = math.floor((numbers[-1] - start) / width)
        counts = [0] * (last + 1)
        for number in numbers:
            counts[min(last, math.floor((number - start) / width))] += 1
        return [(start + i * width, start + (i + 1) * width, people) for i, people in enumerate(counts)]

    def figures(self, tally: Tally, question: Question) -> list[Figure]:
        """Only "none" is a line of its own; bands of the number are measures."""
        label = question.settings.get("none_label")
        return [Figure("none", str(label), tally["none"], base(tally, "none"))] if label else []

    def _bin_figures(self, tally: Tally) -> list[Figure]:
        n, whole = tally["n"] - tally["none"], all("." not in value for value in tally["values"])
        return [
            Figure("", _bin_label(start, end, whole), people, n) for start, end, people in self.bins(tally)
        ]

    def picture(self, tally: Tally, question: Question) -> dict[str, Any]:
        figures = self._bin_figures(tally)
        picture = drawing.picture(figures, tally["n"] - tally["none"], self.headline(tally, question))
        for row in picture["rows"]:
            row["percent"] = None  # bins are made for the eye; shares of a band come from a measure
        unit = question.settings.get("unit", "")
        return {
            **picture,
            "note": self._note(tally, question),
            "statistics": self._spread(tally),
            "unit": unit,
        }

    def _spread(self, tally: Tally) -> str:
        summary = self.summary(tally)
        if not summary["n"]:
            return ""
        return _(
            "The middle half is from %(low)s to %(high)s, the mean %(mean)s, "
            "all answers from %(min)s to %(max)s."
        ) % {
            "mean": show_mean(summary["mean"]),
            **{key: show(summary[key]) for key in ("low", "high", "min", "max")},
        }  # fmt: skip

    def _note(self, tally: Tally, question: Question) -> str:
        if not tally["none"]:
            return ""
        none = ngettext(
            "%(n)d person answered “%(label)s”.", "%(n)d people answered “%(label)s”.", tally["none"]
        )
        return none % {"n": tally["none"], "label": question.settings.get("none_label", "")}

    def headline(self, tally: Tally, question: Question) -> dict[str, Any] | None:
        summary = self.summary(tally)
        if not summary["n"]:
            return None
        figure = f"{show(summary['median'])} {question.settings.get('unit', '')}".strip()
        rest = ngettext("is what %(n)d person says", "or more, say half of the %(n)d people", summary["n"])
        if summary["n"] > 1 and summary["min"] == summary["max"]:
            rest = _("is what all %(n)d people say")
        return drawing.headline(figure, rest % {"n": summary["n"]})

    def table(self, tally: Tally, question: Question) -> tuple[list[str], list[list[Any]]]:
        rows: list[list[Any]] = [[figure.label, figure.hits] for figure in self._bin_figures(tally)]
        if question.settings.get("none_label"):
            rows.append([question.settings["none_label"], tally["none"]])
        rows.append([_("Everybody who answered"), tally["n"]])
        summary = self.summary(tally)
        if summary["n"]:
            rows.append([_("Median"), show(summary["median"])])
            rows.append(
                [_("Middle half"), _("%(low)s to %(high)s") % {k: show(summary[k]) for k in ("low", "high")}]
            )
            rows.append([_("Mean"), show_mean(summary["mean"])])
            rows.append(
                [
                    _("Lowest and highest"),
                    _("%(min)s to %(max)s") % {k: show(summary[k]) for k in ("min", "max")},
                ]
            )
        return [str(question.settings.get("unit") or _("Number")).capitalize(), _("People")], rows

    def chart(self, tally: Tally, question: Question) -> dict[str, Any]:
        figures = self._bin_figures(tally)
        return {
            "data": [{"type": "bar", "x": [f.label for f in figures], "y": [f.hits for f in figures]}],
            "layout": {
                "bargap": 0.05,
                "xaxis": {"type": "category", "title": {"text": question.settings.get("unit", "")}},
                "yaxis": {"title": {"text": _("People")}},
            },
        }


def _round_width(span: float, whole: bool) -> float:
    """The smallest of 1, 2, 5 × a power of ten that needs at most ten bins; not below 1 for whole numbers."""
    power = 10.0 ** math.floor(math.log10(span / BINS)) if span else 1.0
    width = next(power * step for step in (1, 2, 5, 10, 20) if span / (power * step) < BINS - 1)
    return max(1.0, width) if whole else width


def _bin_label(start: float, end: float, whole: bool) -> str:
    if whole and end - start == 1:
        return show(start)
    if whole:
        return _("%(low)s to %(high)s") % {"low": show(start), "high": show(end - 1)}
    return _("%(low)s to under %(high)s") % {"low": show(start), "high": show(end)}
