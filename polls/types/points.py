"""Points: a fixed budget (100) given out over the options.

A ballot is `{option key: points}` in authored order, only options that got any, adding up to the budget exactly.
An option that a ballot leaves out counts as 0 points, in its mean and in its median.
The tally keeps, per option, how many people gave how much: `{"amounts": {key: {"30": people}}}`.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from . import drawing
from .base import (
    FEW,
    Figure,
    FormData,
    InvalidBallot,
    Option,
    PollType,
    Question,
    Tally,
    bars,
    base,
    is_whole,
    percent,
    setting,
)
from .plural_forms import forms

BUDGET = 100


class Points(PollType):
    name = "points"
    title = gettext_lazy("Share points")
    has_options = True
    own_settings = ("budget", "shuffle")

    def check(self, question: Question) -> None:
        super().check(question)
        setting(question, "budget", BUDGET, 2, 1000)

    def budget(self, question: Question) -> int:
        return question.settings.get("budget", BUDGET)

    def measured_on(self, question: Question) -> Any:
        """The budget: 5 of 10 points are not 5 of 100."""
        return question.settings.get("budget", BUDGET)

    def instruction(self, question: Question) -> str:
        return _("Give out %(n)d points") % {"n": self.budget(question)}

    def from_form(self, data: FormData, question: Question) -> Any:
        """The typed text per option; `clean` parses the digits, so that a form with an error is shown as typed."""
        if data.get("pass"):
            return None
        typed = {key: (data.get(f"points_{key}") or "").strip() for key in question.keys}
        return {key: points for key, points in typed.items() if points}

    def to_form(self, value: Any, question: Question) -> dict[str, list[str]]:
        if value is None:
            return {"pass": ["1"]}
        return {f"points_{key}": [str(points)] for key, points in value.items()}

    def fields(self, filled: FormData, question: Question, options: Sequence[Option]) -> dict[str, Any]:
        return {
            "budget": self.budget(question),
            "options": [
                {"key": option.key, "label": option.label, "points": filled.get(f"points_{option.key}", "")}
                for option in options
            ],
            "passed": filled.get("pass"),
            "left": forms(lambda n: ngettext("# point left to give", "# points left to give", n)),
            "over": forms(lambda n: ngettext("# point too many", "# points too many", n)),
            "done": _("All points given"),
        }

    def clean_answer(self, value: Any, question: Question) -> Any:
        if not isinstance(value, dict):
            raise InvalidBallot(_("Give points to the answers on the list."))
        if not set(value) <= set(question.keys):
            raise InvalidBallot(_("One of those answers is not on the list. Give points to these."))
        points = {key: self._clean_points(value[key], key, question) for key in question.keys if key in value}
        self._check_sum(sum(points.values()), question)
        return {key: given for key, given in points.items() if given}

    def _clean_points(self, points: Any, key: str, question: Question) -> int:
        if (
            isinstance(points, str)
            and points.strip().isascii()
            and points.strip().isdigit()
            and len(points) < 10
        ):
            points = int(points)
        if isinstance(points, float) and points.is_integer():
            points = int(points)
        if not is_whole(points) or not 0 <= points <= self.budget(question):
            raise InvalidBallot(
                _("Write whole points from 0 to %(budget)d.") % {"budget": self.budget(question)},
                field=f"points_{key}",
            )
        return points

    def _check_sum(self, given: int, question: Question) -> None:
        budget = self.budget(question)
        if given < budget:
            words = ngettext(
                "%(left)d point of %(budget)d is still to give.",
                "%(left)d points of %(budget)d are still to give.",
                budget - given,
            )
            raise InvalidBallot(words % {"left": budget - given, "budget": budget})
        if given > budget:
            words = ngettext(
                "That is %(over)d point more than %(budget)d.",
                "That is %(over)d points more than %(budget)d.",
                given - budget,
            )
            raise InvalidBallot(words % {"over": given - budget, "budget": budget})

    def say_answer(self, value: Any, question: Question) -> str:
        return " · ".join(f"{question.label(key)} {points}" for key, points in value.items())

    def tally(self, counted: Iterable[tuple[Any, int]], question: Question) -> Tally:
        n = 0
        amounts: dict[str, dict[str, int]] = {key: {} for key in question.keys}
        for value, people in counted:
            n += people
            for key, points in value.items():
                amounts[key][str(points)] = amounts[key].get(str(points), 0) + people
        return {"n": n, "amounts": amounts}

    def summary(self, amounts: Mapping[str, int], n: int) -> dict[str, Any]:
        """Of one option, over everybody who answered: mean, median (`None` with no answers), people who gave any."""
        givers = sum(amounts.values())
        if not n:
            return {"mean": None, "median": None, "givers": 0}
        given = [int(points) for points, people in amounts.items() for _times in range(people)]
        everybody = given + [0] * (n - givers)
        return {"mean": statistics.fmean(everybody), "median": statistics.median(everybody), "givers": givers}

    def figures(self, tally: Tally, question: Question) -> list[Figure]:
        """The people who gave an option any points."""
        return [
            Figure(
                option.key,
                option.label,
                sum(tally["amounts"].get(option.key, {}).values()),
                base(tally, option.key),
            )
            for option in question.options
        ]

    def _summaries(self, tally: Tally, question: Question) -> list[tuple[Option, dict[str, Any]]]:
        return [
            (o, self.summary(tally["amounts"].get(o.key, {}), base(tally, o.key))) for o in question.options
        ]

    def picture(self, tally: Tally, question: Question) -> dict[str, Any]:
        budget = self.budget(question)
        return {
            "n": tally["n"],
            "budget": budget,
            "headline": self.headline(tally, question),
            "note": "",
            "rows": [
                {
                    "key": option.key,
                    "label": option.label,
                    "mean": _shown(summary["mean"]),
                    "points": round(summary["mean"] or 0),
                    "share": round(100 * (summary["mean"] or 0) / budget),
                    "givers": summary["givers"],
                }
                for option, summary in self._summaries(tally, question)
            ],
        }

    def headline(self, tally: Tally, question: Question) -> dict[str, Any] | None:
        if not tally["n"]:
            return None
        means = [summary["mean"] or 0 for _option, summary in self._summaries(tally, question)]
        labels = [
            option.label for option, mean in zip(question.options, means, strict=True) if mean == max(means)
        ]
        rest = ngettext(
            "of %(budget)d points went to %(label)s (%(n)d person)",
            "of %(budget)d points on average went to %(label)s (%(n)d people)",
            tally["n"],
        ) % {"budget": self.budget(question), "label": " · ".join(labels), "n": tally["n"]}
        return drawing.headline(f"{max(means):.0f}", rest)

    def table(self, tally: Tally, question: Question) -> tuple[list[str], list[list[Any]]]:
        rows = []
        for option, summary in self._summaries(tally, question):
            n = base(tally, option.key)
            giving = summary["givers"] if n < FEW else f"{percent(summary['givers'], n)}\u00a0%"
            numbers = [f"{summary['mean']:.1f}", f"{summary['median']:g}", giving] if n else [0, 0, 0]
            rows.append([option.label, *numbers])
        return [_("Answer"), _("Mean points"), _("Median"), _("Gave it any")], rows

    def chart(self, tally: Tally, question: Question) -> dict[str, Any]:
        means = [(option.label, summary["mean"] or 0) for option, summary in self._summaries(tally, question)]
        return bars([(label, mean, f"{mean:.0f}") for label, mean in means], _("Points per person"))


def _shown(mean: float | None) -> str:
    """Whole points, as a wall shows them; a few are not called none."""
    if mean is None:
        return ""
    return f"{mean:.0f}" if mean >= 1 or not mean else "<1"
