"""Tables for people. The JSON has the same figures under the names that stand in `ROWS`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

ROWS: dict[str, tuple[str, ...]] = {
    "phones": ("phones",),
    "joins a second": ("joins_per_second",),
    "handshakes a second": ("handshakes_per_second",),
    "ack p50, ms": ("ack_ms", "p50"),
    "ack p95, ms": ("ack_ms", "p95"),
    "ack p99, ms": ("ack_ms", "p99"),
    "visible on the wall p50, ms": ("visible_on_wall_ms", "p50"),
    "visible on the wall p99, ms": ("visible_on_wall_ms", "p99"),
    "visible on phones p50, ms": ("visible_on_phones_ms", "p50"),
    "visible on phones p99, ms": ("visible_on_phones_ms", "p99"),
    "phones without the final picture": ("phones_without_final_picture",),
    "messages delivered a second": ("messages_per_second",),
    "server CPU, ms per 1,000 votes": ("cpu_ms_per_1000_votes",),
    "server CPU, µs per message": ("cpu_us_per_message",),
    "memory per connection, KiB": ("memory_kib_per_connection",),
    "client busy, share of a core": ("client", "busy"),
    "client busy while phones join": ("client_busy_joining",),
    "client late p99, ms": ("client", "lag_p99_ms"),
    "votes sent": ("votes", "sent"),
    "votes acknowledged": ("votes", "acked"),
    "rows in the database": ("votes", "rows"),
    "votes in the result": ("votes", "tally"),
    "votes on the wall": ("votes", "wall"),
}


WIDE = 140  # characters; what is wider goes into another table below


def table(columns: dict[str, dict[str, Any]], lines: dict[str, tuple[str, ...]] = ROWS) -> str:
    """One column per run, by its heading; one line per figure, with where it is found."""
    first = ["", *lines]
    cells = [[name, *(shown(_at(run, keys)) for keys in lines.values())] for name, run in columns.items()]
    tables: list[list[list[str]]] = []
    room = 0
    for column in cells:
        room -= (width := max(map(len, column)) + 2)
        if room < 0:
            tables.append([first])
            room = WIDE - max(map(len, first)) - width
        tables[-1].append(column)
    return "\n\n".join(_aligned(list(zip(*each, strict=True))) for each in tables)


def ratios(found: dict[str, dict[str, Any]]) -> str:
    """Ratios of medians; behind each, how far single rounds lie apart."""
    rows = [["ratio of medians", "", "rounds"]]
    rows += [[words, shown(ratio["of_medians"]), _range(ratio)] for words, ratio in found.items()]
    return _aligned(rows)


def goals(found: Sequence[dict[str, Any]]) -> str:
    """A line a goal: what is asked, what was measured, how far rounds lie apart, and whether it is met."""
    rows = [["goal", "asked", "measured", "rounds", ""]]
    rows += [
        [goal["goal"], _asked(goal), shown(goal["measured"]), _range(goal), VERDICTS[goal["met"]]]
        for goal in found
    ]
    return _aligned(rows)


VERDICTS = {True: "met", False: "MISSED", None: "not decided by such a run"}


def _asked(goal: dict[str, Any]) -> str:
    return "–" if goal["bound"] is None else f"{'≥' if goal['at_least'] else '≤'} {shown(goal['bound'])}"


def _range(figure: dict[str, Any]) -> str:
    low, high = shown(figure["lowest"]), shown(figure["highest"])
    return low if low == high else f"{low} to {high}"


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (cell.ljust(width) if place == 0 else cell.rjust(width)
                      for place, (cell, width) in enumerate(zip(row, widths, strict=True)))  # fmt: skip
    return "  ".join([first, *others]).rstrip()


def _at(run: dict[str, Any], keys: tuple[str, ...]) -> Any:
    value: Any = run
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def shown(value: Any) -> str:
    """`None`: not known here."""
    if value is None:
        return "–"
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.2g}"


EQUAL = {
    "groups": "notes in the database = acknowledged = on every pad of their group and on no other",
    "joins": "people in the database = let in, everybody else was told when to come again, votes acknowledged",
    "return": "everybody is back and stayed; rows = acknowledged = result",
}
VOTES_EQUAL = {"rows": "rows", "acked": "acknowledged", "tally": "result", "wall": "on the wall"}


def verdict(result: dict[str, Any]) -> str:
    """What was found equal is named, so what could not be counted is not claimed."""
    if not result["valid"]:
        return "\n".join(["NOT VALID:", *(f"  {reason}" for reason in result["reasons"])])
    if equal := EQUAL.get(result.get("scenario", "votes"), ""):
        return f"Valid: {equal}, and the client was not what was slow."
    votes = result.get("votes", {})  # a comparison counts all of them in every run
    equal = " = ".join(words for key, words in VOTES_EQUAL.items() if votes.get(key, 0) is not None)
    more = "" if "rows" in equal else " Rows could not be counted from here."
    return f"Valid: {equal}, and the client was not what was slow.{more}"
