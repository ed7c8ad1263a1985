"""What the numbers of a run come to, and whether they may be believed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

BUSY_LIMIT = 0.85  # of a core; above it the client may be what is slow
LAG_LIMIT_MS = 50.0


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least `share` (0 to 1) of all do not exceed; `None` of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    rank = -(-len(ordered) * share // 1)  # rounded up
    return ordered[max(0, int(rank) - 1)]


def spread(seconds: Sequence[float], *shares: int) -> dict[str, float | None]:
    """`{"p50": milliseconds, …}` of durations in seconds."""
    return {f"p{share}": milliseconds(percentile(seconds, share / 100)) for share in shares}


def milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 2)


def ratio(part: float | None, whole: float | None, digits: int = 2) -> float | None:
    """`None` where one is unknown or the whole is nothing."""
    return round(part / whole, digits) if part is not None and whole else None


def reasons_against(run: dict[str, Any]) -> list[str]:
    """Why a run must not be believed, one plain sentence each; empty for a valid run."""
    return [*about_the_client(run["client"]), *about_joining(run), *_about_the_votes(run)]


def about_the_client(client: dict[str, Any]) -> Iterable[str]:
    if client["busy"] > BUSY_LIMIT:
        yield f"The load client was busy for {client['busy']:.0%} of the time: what was slow may be the client."
    if client["lag_p99_ms"] > LAG_LIMIT_MS:
        yield f"The load client was late by {client['lag_p99_ms']:.0f} ms (p99): its clock cannot be trusted."


def about_joining(run: dict[str, Any]) -> Iterable[str]:
    if (busy := run.get("client_busy_joining") or 0) > BUSY_LIMIT:
        yield f"The load client was busy for {busy:.0%} of the time while phones joined: that rate may be the client's."


def _about_the_votes(run: dict[str, Any]) -> Iterable[str]:
    phones, votes = run["phones"], run["votes"]
    for name, words in COUNTED.items():
        if votes[name] is not None and votes[name] != phones:
            yield f"{words}: {votes[name]} of {phones}."
    yield from about_answers(run)
    if run["phones_without_final_picture"]:
        yield f"Phones that never saw the final picture: {run['phones_without_final_picture']}."


def about_answers(run: dict[str, Any]) -> Iterable[str]:
    if final := {code: n for code, n in run.get("refused", {}).items() if code not in TRIED_AGAIN}:
        yield "Answers refused: " + ", ".join(f"{n} {code}" for code, n in final.items()) + "."


#: answers to a vote that the phone sends again
TRIED_AGAIN = ("busy", "rate")

COUNTED = {
    "joined": "Phones that joined",
    "sent": "Votes sent",
    "acked": "Votes acknowledged",
    "rows": "Rows in the database",
    "tally": "Votes in the result",
    "wall": "Votes in the wall's final picture",
}


def middle(values: Iterable[float | None]) -> float | None:
    """The median of what is known."""
    known = [value for value in values if value is not None]
    return round(median(known), 4) if known else None


def medians(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One dict like each of `runs`, with the median where they have numbers; other values are the first run's."""
    return {key: _median_of([run.get(key) for run in runs]) for key in runs[0]}


def _median_of(values: list[Any]) -> Any:
    first = values[0]
    if isinstance(first, dict):
        return medians([value for value in values if isinstance(value, dict)])
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    return middle(numbers) if numbers else first
