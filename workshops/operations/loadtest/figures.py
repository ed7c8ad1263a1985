"""Statistics of a run (percentiles, medians, ratios), and whether the run is valid. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

BUSY_LIMIT = 0.85  # of a core; above it the client may be the bottleneck
LAG_LIMIT_MS = 50.0  # of the client's event loop (p99)


def percentile(values: Sequence[float], share: float) -> float | None:
    """The percentile by nearest rank: the smallest value that at least `share` (0 to 1) of all do not exceed; `None`
    without values."""
    if not values:
        return None
    ordered = sorted(values)
    rank = -(-len(ordered) * share // 1)  # rounded up
    return ordered[max(0, int(rank) - 1)]


def spread(seconds: Sequence[float], *shares: int) -> dict[str, float | None]:
    """`{"p50": milliseconds, …}` of durations in seconds."""
    return {f"p{share}": milliseconds(percentile(seconds, share / 100)) for share in shares}


def delays(sent: Iterable[float], shown: Iterable[tuple[float, int]], before: int, now: float) -> list[float]:
    """Seconds from each moment of sending, in order, to the first `(time, number)` shown that counts it on top of
    `before`; up to now for what was never shown."""
    left, found = deque(shown), []
    for place, moment in enumerate(sent, start=before + 1):
        while left and left[0][1] < place:
            left.popleft()
        found.append((left[0][0] if left else now) - moment)
    return found


def milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 2)


def ratio(part: float | None, whole: float | None, digits: int = 2) -> float | None:
    """`None` where one is unknown or the whole is 0."""
    return round(part / whole, digits) if part is not None and whole else None


def reasons_against(run: dict[str, Any]) -> list[str]:
    """The reasons why a run is invalid, one plain sentence each; empty for a valid run."""
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
        if votes[name] is not None:
            yield from differing(words, votes[name], phones)
    yield from about_answers(run)
    yield from unwanted("Phones that never saw the final picture", run["phones_without_final_picture"])


def about_answers(run: dict[str, Any]) -> Iterable[str]:
    if final := {code: n for code, n in run.get("refused", {}).items() if code not in TRIED_AGAIN}:
        yield "Answers refused: " + ", ".join(f"{n} {code}" for code, n in final.items()) + "."


def differing(words: str, found: int | None, expected: int) -> list[str]:
    return [f"{words}: {found} of {expected}."] if found != expected else []


def unwanted(words: str, found: Any) -> list[str]:
    return [f"{words}: {found}."] if found else []


#: codes of a nack after which a phone retries
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
    """The median of the known values; `None` without any."""
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
