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
    "client late p99, ms": ("client", "lag_p99_ms"),
    "votes sent": ("votes", "sent"),
    "votes acknowledged": ("votes", "acked"),
    "rows in the database": ("votes", "rows"),
    "votes in the result": ("votes", "tally"),
    "votes on the wall": ("votes", "wall"),
}


def table(columns: dict[str, dict[str, Any]], lines: dict[str, tuple[str, ...]] = ROWS) -> str:
    """One column per run, by its heading; one line per figure, with where it is found."""
    rows = [["", *columns]]
    rows += [[words, *(shown(_at(run, keys)) for run in columns.values())] for words, keys in lines.items()]
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
    "votes": "rows = acknowledged = result",
    "groups": "notes in the database = acknowledged = on every pad of their group and on no other",
}


def verdict(result: dict[str, Any]) -> str:
    if result["valid"]:
        return f"Valid: {EQUAL[result.get('scenario', 'votes')]}, and the client was not what was slow."
    return "\n".join(["NOT VALID:", *(f"  {reason}" for reason in result["reasons"])])
