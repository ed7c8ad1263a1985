"""Text tables of results; a figure is called by its keys in the JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

WIDE = 140  # characters; further columns go into another table below


def table(columns: dict[str, dict[str, Any]]) -> str:
    """One column per run, by its heading; one line per figure."""
    runs = {name: dict(_figures(run)) for name, run in columns.items()}
    first = list(dict.fromkeys(["", *(words for found in runs.values() for words in found)]))
    cells = [[name, *(shown(found.get(words)) for words in first[1:])] for name, found in runs.items()]
    tables: list[list[list[str]]] = []
    room = 0
    for column in cells:
        room -= (width := max(map(len, column)) + 2)
        if room < 0:
            tables.append([first])
            room = WIDE - max(map(len, first)) - width
        tables[-1].append(column)
    return "\n\n".join(_aligned(list(zip(*each, strict=True))) for each in tables)


def ratios(entries: dict[str, dict[str, Any]]) -> str:
    """Ratios of medians, each with its range over rounds."""
    rows = [["ratio of medians", "", "rounds"]]
    rows += [[words, shown(ratio["of_medians"]), _range(ratio)] for words, ratio in entries.items()]
    return _aligned(rows)


def goals(entries: Sequence[dict[str, Any]]) -> str:
    """One line per goal: bound, measured value, range over rounds, verdict."""
    rows = [["goal", "asked", "measured", "rounds", ""]]
    rows += [
        [goal["goal"], _asked(goal), shown(goal["measured"]), _range(goal), VERDICTS[goal["met"]]]
        for goal in entries
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


def _figures(run: dict[str, Any], *keys: str) -> Iterator[tuple[str, float | None]]:
    for key, value in run.items():
        if isinstance(value, dict):
            yield from _figures(value, *keys, key)
        elif value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            yield " ".join([*keys, key]), value


def shown(value: Any) -> str:
    """A number as text; a dash for `None` (unknown)."""
    if value is None:
        return "–"
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.2g}"


EQUAL = {
    "groups": "notes in the database = acknowledged = on every pad of their group and on no other",
    "joins": "everybody came the whole way in, nobody got an error, every vote was acknowledged",
    "return": "everybody is back and stayed; rows = acknowledged = result",
}
VOTES_EQUAL = {"rows": "rows", "acked": "acknowledged", "tally": "result", "wall": "on the wall"}


def verdict(result: dict[str, Any]) -> str:
    """The validity of a run, with the counts that were found equal; counts that are unknown are not claimed."""
    if not result["valid"]:
        return "\n".join(["NOT VALID:", *(f"  {reason}" for reason in result["reasons"])])
    if equal := EQUAL.get(result.get("scenario", "votes"), ""):
        return f"Valid: {equal}, and the client was not what was slow."
    votes = result.get("votes", {})  # a comparison counts all of them in every run
    equal = " = ".join(words for key, words in VOTES_EQUAL.items() if votes.get(key, 0) is not None)
    more = "" if "rows" in equal else " Rows could not be counted from here."
    return f"Valid: {equal}, and the client was not what was slow.{more}"
