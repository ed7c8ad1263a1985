"""The performance goals as one table, and the check of a comparison against them. Pure.

They are stated for 1,000 and for 5,000 phones that all vote within three seconds; a run with another number is compared
with the nearest column below it, and with none where there is none. A missed goal is reported and fails nothing, since
a busy machine misses goals; errors make a run invalid (`figures`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import figures
from .servers import DAPHNE, UVICORN

WINDOW_SECONDS = 3.0
TICK_MS = 100.0  # the interval of a wall's updates: ten fragments a second


@dataclass(frozen=True)
class Measured:
    """A figure with `phones` phones: its value over all rounds, and each round's."""

    phones: int
    value: float | None
    rounds: list[float | None]


Extract = Callable[[dict[str, Any], int], Measured]  # gets a figure out of a comparison with so many phones


@dataclass(frozen=True)
class Goal:
    words: str
    figure: Extract
    #: number of phones → upper bound from there on (`at_least`: lower bound); `None` without a goal
    bounds: dict[int, float | None]
    at_least: bool = False
    #: applies to any window and any number of phones
    always: bool = False

    def bound(self, phones: int, window: float) -> float | None:
        known = [least for least in self.bounds if least <= phones]
        return self.bounds[max(known)] if known and (self.always or window == WINDOW_SECONDS) else None

    def judged(self, measured: Measured, window: float) -> dict[str, Any]:
        return judged(self.words, self.bound(measured.phones, window), measured, at_least=self.at_least)


def judged(words: str, bound: float | None, measured: Measured, *, at_least: bool = False) -> dict[str, Any]:
    """A row of the table of goals. `met` is `None` where no goal applies, or the figure is unknown."""
    value, known = measured.value, [value for value in measured.rounds if value is not None]
    met = None
    if bound is not None and value is not None:
        met = value >= bound if at_least else value <= bound
    return {
        "goal": words, "at_least": at_least, "bound": bound, "measured": value,
        "lowest": min(known, default=None), "highest": max(known, default=None), "met": met,
    }  # fmt: skip


def judged_once(
    words: str, bound: float, value: float | None, phones: int = 0, *, at_least: bool = False
) -> dict[str, Any]:
    """`judged` of a figure that was measured in one round."""
    return judged(words, bound, Measured(phones, value, [value]), at_least=at_least)


# --- figures --------------------------------------------------------------------------------------------


def _p99(name: str, key: str) -> Extract:
    def measured(result: dict[str, Any], phones: int) -> Measured:
        rounds = [run[key]["p99"] for run in result["runs"][f"{name} at {phones}"]]
        return Measured(phones, figures.middle(rounds), rounds)

    return measured


def _ratio(words: str) -> Extract:
    def measured(result: dict[str, Any], phones: int) -> Measured:
        found = result["ratios"][words]
        return Measured(found["phones"], found["of_medians"], found["rounds"])

    return measured


def _worst(count: Callable[[dict[str, Any]], int]) -> Extract:
    """The worst value over both our servers and all rounds."""

    def measured(result: dict[str, Any], phones: int) -> Measured:
        both = [result["runs"][f"{kind.name} at {phones}"] for kind in (DAPHNE, UVICORN)]
        rounds: list[float | None] = [max(map(count, runs)) for runs in zip(*both, strict=True)]
        return Measured(phones, max(value for value in rounds if value is not None), rounds)

    return measured


def _lost_or_doubled(run: dict[str, Any]) -> int:
    """The largest difference of votes sent, rows, result and wall from the votes acknowledged."""
    votes = run["votes"]
    return max(abs((votes[name] or 0) - votes["acked"]) for name in ("sent", "rows", "tally", "wall"))


def _left_out(run: dict[str, Any]) -> int:
    return run["phones_without_final_picture"]


# --- the table ------------------------------------------------------------------------------------------

CPU, SEEN, SHAKEN = "CPU per 1,000 votes", "visible on the wall p99", "handshakes a second"

GOALS = (
    Goal("votes lost or doubled", _worst(_lost_or_doubled), {0: 0}, always=True),
    Goal("phones without the final picture", _worst(_left_out), {0: 0}, always=True),
    Goal("CPU per message ÷ reference, Uvicorn", _ratio("uvicorn ÷ reference, CPU per delivered message"),
         {1000: 2.0, 5000: 1.6}),
    Goal("CPU per message ÷ reference, Daphne", _ratio("daphne ÷ reference, CPU per delivered message"),
         {1000: 3.0, 5000: 2.5}),
    Goal("ack p99, Uvicorn, ms", _p99("uvicorn", "ack_ms"), {1000: 30, 5000: 40}),
    Goal("ack p99, Daphne, ms", _p99("daphne", "ack_ms"), {1000: 30, 5000: 120}),
    Goal("on the wall p99, Uvicorn, ms", _p99("uvicorn", "visible_on_wall_ms"),
         {1000: TICK_MS + 20, 5000: TICK_MS + 70}),
    Goal("on the wall p99, Daphne, ms", _p99("daphne", "visible_on_wall_ms"), {1000: TICK_MS + 20, 5000: None}),
    Goal("CPU ÷ tutorial design, Uvicorn", _ratio(f"uvicorn ÷ tutorial, {CPU}"), {200: 1 / 20}),
    Goal("CPU ÷ tutorial design, Daphne", _ratio(f"daphne ÷ tutorial, {CPU}"), {200: 1 / 20}),
    Goal("on the wall p99 ÷ tutorial design, Uvicorn", _ratio(f"uvicorn ÷ tutorial, {SEEN}"), {200: 1 / 30}),
    Goal("on the wall p99 ÷ tutorial design, Daphne", _ratio(f"daphne ÷ tutorial, {SEEN}"), {200: 1 / 30}),
    Goal("joining ÷ AuthMiddlewareStack consumer, Uvicorn", _ratio(f"uvicorn ÷ tutorial-uvicorn, {SHAKEN}"),
         {1000: 2}, at_least=True),
    Goal("joining ÷ AuthMiddlewareStack consumer, Daphne", _ratio(f"daphne ÷ tutorial, {SHAKEN}"),
         {1000: 2}, at_least=True),
)  # fmt: skip

#: goals that this scenario cannot check, and the test that does
ELSEWHERE = (
    "acknowledged votes that are missing after kill -9: tests/faults/test_services.py",
    "what a phone that stops reading costs the others: tests/faults/test_network.py",
    "a programme's page at 15 million ballots: make archive",
)


def reached(result: dict[str, Any], phones: int, window: float) -> list[dict[str, Any]]:
    """One entry per goal, see `judged`; `result` is the return value of `compare`."""
    return [goal.judged(goal.figure(result, phones), window) for goal in GOALS]
