"""Scale: a point from 1 to k, for one question or for every item of a block.

A ballot is the point (`3`), or for a block `{item key: point}` with skipped items left out.
Settings: `points`, a list of labels or their number (3 to 11); `items`, a list of `{"key", "label"}`.
A tally counts people per item and point; a plain scale is a block with one item, whose key is empty.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from . import drawing
from .base import (
    FEW,
    PASS,
    Figure,
    FormData,
    InvalidBallot,
    InvalidQuestion,
    Option,
    PollType,
    Question,
    Tally,
    check_options,
    is_whole,
    percent,
)

#: scales of up to this many points get a row of growing pebbles as a visual aid
PEBBLES = 5


def labels(question: Question) -> list[str]:
    """The label of every point; its number where it has none."""
    points = question.settings["points"]
    if isinstance(points, int):
        return [str(point) for point in range(1, points + 1)]
    return [label or str(point) for point, label in enumerate(points, 1)]


def items(question: Question) -> list[Option]:
    """The items of a block; one without key or label for a plain scale."""
    return [Option(item["key"], item["label"]) for item in question.settings.get("items") or []] or [
        Option("", "")
    ]


def is_block(question: Question) -> bool:
    return bool(question.settings.get("items"))


class Scale(PollType):
    name = "scale"
    title = gettext_lazy("Scale")
    how = gettext_lazy("Choose one")
    own_settings = ("items", "ordinal", "points")

    def check(self, question: Question) -> None:
        super().check(question)
        points = question.settings.get("points")
        length: Any = points if is_whole(points) else len(points) if isinstance(points, list | tuple) else 0
        if not 3 <= length <= 11:
            raise InvalidQuestion(f"points: expected 3 to 11 labels, or their number, found {points!r}")
        labels = points if isinstance(points, list | tuple) else []
        if not all(isinstance(label, str) and len(label) <= 255 for label in labels):
            raise InvalidQuestion("points: expected labels of up to 255 characters")
        if "items" in question.settings:
            self._check_items(question.settings["items"])

    def _check_items(self, listed: Any) -> None:
        shape = isinstance(listed, list | tuple) and all(
            isinstance(item, Mapping)
            and isinstance(item.get("key"), str)
            and isinstance(item.get("label"), str)
            for item in listed
        )
        if not shape:
            raise InvalidQuestion("items: expected a list of { key, label }")
        check_options([Option(item["key"], item["label"]) for item in listed], low=1)

    def measured_on(self, question: Question) -> Any:
        """The number of points, and whether there are lines: 3 of 5 is not 3 of 7."""
        points = question.settings.get("points") or 0
        return points if isinstance(points, int) else len(points), is_block(question)

    def offered(self, question: Question) -> tuple[Option, ...]:
        return tuple(items(question)) if is_block(question) else ()

    def offering(self, question: Question, options: Sequence[Option]) -> Question:
        if not options:
            return question
        listed = [{"key": option.key, "label": option.label} for option in options]
        return replace(question, settings={**question.settings, "items": listed})

    def instruction(self, question: Question) -> str:
        return _("One answer per line") if is_block(question) else str(self.how)

    def from_form(self, data: FormData, question: Question) -> Any:
        if data.get("pass") or data.get("point") == PASS:
            return None
        if not is_block(question):
            return self._typed(data.get("point"))
        points = {item.key: self._typed(data.get(f"point_{item.key}")) for item in items(question)}
        return {key: point for key, point in points.items() if point != ""}

    def _typed(self, text: Any) -> Any:
        """Digits as an int; anything else unchanged, which `clean` refuses."""
        digits = isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 3
        return int(text) if digits else text or ""

    def to_form(self, value: Any, question: Question) -> dict[str, list[str]]:
        if isinstance(value, dict):
            return {f"point_{key}": [str(point)] for key, point in value.items()}
        if value is None:
            return {"pass": ["1"]} if is_block(question) else {"point": [PASS]}
        return {"point": [str(value)]}

    def fields(self, filled: FormData, question: Question, options: Sequence[Option]) -> dict[str, Any]:
        words = labels(question)
        points = [{"value": str(point), "label": label, "n": point} for point, label in enumerate(words, 1)]
        return {
            "points": points,
            "pebbles": len(points) <= PEBBLES,
            "first": words[0],
            "last": words[-1],
            "chosen": filled.get("point", ""),
            "passed": filled.get("pass"),
            "items": [
                {"key": item.key, "label": item.label, "chosen": filled.get(f"point_{item.key}", "")}
                for item in (items(question) if is_block(question) else [])
            ],
            "PASS": PASS,
        }

    def clean_answer(self, value: Any, question: Question) -> Any:
        if not is_block(question):
            return self._clean_point(value, question)
        if not isinstance(value, dict) or not set(value) <= {item.key for item in items(question)}:
            raise InvalidBallot(_("One of those lines is not part of the question."))
        points = {
            item.key: self._clean_point(value[item.key], question, f"point_{item.key}")
            for item in items(question)
            if value.get(item.key, "") not in ("", None)
        }
        if not points:
            raise InvalidBallot(self._nothing(question))
        return points

    def _nothing(self, question: Question) -> str:
        if question.pass_label:
            return _("Answer at least one line, or choose “%(passing)s”.") % {"passing": question.pass_label}
        return _("Answer at least one line.")

    def _clean_point(self, point: Any, question: Question, field: str = "point") -> int:
        if point == "":
            raise InvalidBallot(_("Choose one answer first."), field=field)
        if isinstance(point, float) and point.is_integer():
            point = int(point)
        if not is_whole(point) or not 1 <= point <= len(labels(question)):
            raise InvalidBallot(_("That answer is not on the scale. Choose one of these."), field=field)
        return point

    def say_answer(self, value: Any, question: Question) -> str:
        words = labels(question)
        if not isinstance(value, dict):
            return self._say_point(value, question)
        return " · ".join(
            f"{item.label}: {words[value[item.key] - 1]}" for item in items(question) if item.key in value
        )

    def _say_point(self, point: int, question: Question) -> str:
        words = labels(question)
        if words[point - 1] == str(point):
            return _("%(point)d of %(points)d") % {"point": point, "points": len(words)}
        return words[point - 1]

    def tally(self, counted: Iterable[tuple[Any, int]], question: Question) -> Tally:
        points = range(1, len(labels(question)) + 1)
        counts = {item.key: {str(point): 0 for point in points} for item in items(question)}
        n = 0
        for value, people in counted:
            n += people
            for key, point in value.items() if isinstance(value, dict) else [("", value)]:
                counts[key][str(point)] += people
        return {"n": n, "items": counts}

    def figures(self, tally: Tally, question: Question) -> list[Figure]:
        return [figure for item in items(question) for figure in self._of_item(item, tally, question)]

    def _of_item(self, item: Option, tally: Tally, question: Question) -> list[Figure]:
        counts = tally["items"].get(item.key, {})
        n = sum(counts.values())
        return [
            Figure(
                f"{item.key}:{point}" if item.key else str(point),
                f"{item.label}: {label}" if item.key else label,
                counts.get(str(point), 0),
                n,
            )
            for point, label in enumerate(labels(question), 1)
        ]

    def summary(self, counts: Mapping[str, int], question: Question) -> dict[str, Any]:
        """Of one item: n, top two boxes (people), median, quartiles (inclusive method), mean; `None` without answers.

        The inclusive method is linear interpolation between order statistics, R's type 7 (Hyndman & Fan 1996).
        """
        points = [
            point
            for point in range(1, len(labels(question)) + 1)
            for _times in range(counts.get(str(point), 0))
        ]
        if not points:
            return {"n": 0, "top_two": 0, "median": None, "low": None, "high": None, "mean": None}
        low, median, high = (
            statistics.quantiles(points, n=4, method="inclusive") if len(points) > 1 else points * 3
        )
        k = len(labels(question))
        return {
            "n": len(points),
            "top_two": counts.get(str(k), 0) + counts.get(str(k - 1), 0),
            "median": median,
            "low": low,
            "high": high,
            "mean": statistics.fmean(points),
        }

    def picture(self, tally: Tally, question: Question) -> dict[str, Any]:
        if not is_block(question):
            figures = self.figures(tally, question)
            summary = self.summary(tally["items"][""], question)
            return drawing.picture(
                figures,
                tally["n"],
                self.headline(tally, question),
                statistics=self._spread(summary, question),
            )
        return {
            "n": tally["n"],
            "block": True,
            "labels": labels(question),
            "high": labels(question)[-2],
            "top": labels(question)[-1],
            "headline": None,
            "rows": [self._row(item, tally, question) for item in items(question)],
        }

    def _row(self, item: Option, tally: Tally, question: Question) -> dict[str, Any]:
        counts = tally["items"].get(item.key, {})
        summary = self.summary(counts, question)
        n, words = summary["n"], labels(question)
        people = [counts.get(str(point), 0) for point in range(1, len(words) + 1)]
        parts = [
            {"label": label, "people": hits, "x": x, "width": width, "step": self._step(step, question)}
            for step, (label, hits, (x, width)) in enumerate(
                zip(words, people, drawing.segments(people), strict=True)
            )
        ]
        return {
            "key": item.key,
            "label": item.label,
            "n": n,
            "top_two": drawing.count_or_percent(summary["top_two"], n) if n else "",
            "says": " · ".join(f"{part['label']}: {part['people']}" for part in parts),
            "parts": parts,
        }

    def _step(self, step: int, question: Question) -> int:
        """One of five tints, 0 the palest, spread over the scale."""
        return round(4 * step / (len(labels(question)) - 1))

    def _spread(self, summary: Mapping[str, Any], question: Question) -> str:
        if not summary["n"]:
            return ""
        return _(
            "Half answered %(median)s or lower. The middle half lies from %(low)s to %(high)s. "
            "Mean %(mean).1f of %(k)d."
        ) % {
            "median": self._place(summary["median"], question),
            "low": self._place(summary["low"], question),
            "high": self._place(summary["high"], question),
            "mean": summary["mean"],
            "k": len(labels(question)),
        }  # fmt: skip

    def _place(self, point: float, question: Question) -> str:
        """A point's label; a number where a quartile falls between two points."""
        words = labels(question)
        return f"“{words[int(point) - 1]}”" if float(point).is_integer() else f"{point:g}"

    def finding(self, tally: Tally, question: Question) -> str:
        if is_block(question):
            return self._best_item(tally, question)
        return super().finding(tally, question)

    def headline(self, tally: Tally, question: Question) -> dict[str, Any] | None:
        summary, words = self.summary(tally["items"][""], question), labels(question)
        if not summary["n"]:
            return None
        n, counts = summary["n"], tally["items"][""]
        low_two = counts.get("1", 0) + counts.get("2", 0)
        if len(words) < 4 or max(summary["top_two"], low_two) * 2 < n:
            return drawing.leading(self.figures(tally, question), n)
        rest = ngettext("person chose “%(one)s” or “%(other)s”", "people chose “%(one)s” or “%(other)s”", n)
        if low_two > summary["top_two"]:
            figure, ends, picked = low_two, words[:2], [0, 1]
        else:
            figure, ends, picked = summary["top_two"], words[-2:], [len(words) - 2, len(words) - 1]
        return drawing.headline(
            drawing.count_or_percent(figure, n), rest % dict(zip(("one", "other"), ends, strict=True)), picked
        )

    def _best_item(self, tally: Tally, question: Question) -> str:
        answered = [
            (item, self.summary(tally["items"].get(item.key, {}), question)) for item in items(question)
        ]
        answered = [(item, summary) for item, summary in answered if summary["n"]]
        if not answered:
            return ""
        item, summary = max(answered, key=lambda pair: pair[1]["top_two"] / pair[1]["n"])
        return _("%(item)s: %(figure)s people chose “%(high)s” or “%(top)s”, the most of any line") % {
            "item": item.label, "figure": drawing.count_or_percent(summary["top_two"], summary["n"]),
            "high": labels(question)[-2], "top": labels(question)[-1],
        }  # fmt: skip

    def table(self, tally: Tally, question: Question) -> tuple[list[str], list[list[Any]]]:
        if not is_block(question):
            return super().table(tally, question)
        headings = [_("Line"), *labels(question), _("Answered"), _("Top two"), _("Median")]
        rows = []
        for item in items(question):
            counts = tally["items"].get(item.key, {})
            summary = self.summary(counts, question)
            top = percent(summary["top_two"], summary["n"]) if summary["n"] >= FEW else None
            rows.append(
                [item.label]
                + [counts.get(str(point + 1), 0) for point in range(len(labels(question)))]
                + [summary["n"], summary["top_two"] if top is None else f"{top}\u00a0%"]
                + ["" if summary["median"] is None else f"{summary['median']:g}"]
            )
        return headings, rows

    def chart(self, tally: Tally, question: Question) -> dict[str, Any]:
        if not is_block(question):
            return super().chart(tally, question)
        lines = items(question)
        return {
            "data": [
                {
                    "type": "bar",
                    "orientation": "h",
                    "name": label,
                    "y": [item.label for item in lines],
                    "x": [tally["items"].get(item.key, {}).get(str(point), 0) for item in lines],
                }
                for point, label in enumerate(labels(question), 1)
            ],
            "layout": {
                "barmode": "stack",
                "yaxis": {"autorange": "reversed"},
                "xaxis": {"title": {"text": _("People")}},
            },
        }
