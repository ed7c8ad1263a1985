"""Pooled results as CSV: a row per instrument, series of its versions, and option or measure.

Rows of one question with other `versions` are not added up: the question asked something else. Figures of whole
workshops only, no breakdown. `disclosure.MARKER` stands where a figure is of too few people to leave, and instead of
the words of so few.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

from workshops.text.exports.cells import safe

from ..results import aggregates, disclosure
from ..results.aggregates import Findings, InstrumentResult, Members, ResultLine
from ..results.disclosure import Count

COLUMNS = (
    "instrument",
    "measure",
    "label",
    "hits",
    "valid",
    "percent",
    "wilson_low",
    "wilson_high",
    "workshops",
    "versions",
)


def write(findings: Findings, file: TextIO) -> int:
    """Write the header and every row; returns the number of rows without the header."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    lines = list(rows(findings))
    writer.writerows([safe(cell) for cell in line] for line in lines)
    return len(lines)


def rows(findings: Findings) -> Iterator[tuple[Any, ...]]:
    """Instruments in the bank's order, the newest series first; options in authored order, then measures. Empty
    cells: no base."""
    members = aggregates.members_of_measures(findings.programme)
    for instrument in findings.instruments:
        for result in (instrument, *instrument.earlier):
            yield from _rows_of(result, members)


def _rows_of(
    result: InstrumentResult, members: Mapping[tuple[str, str], Members]
) -> Iterator[tuple[Any, ...]]:
    keys = [line.key for line in result.options]
    sums = [
        Count(line.key, line.hits, line.valid, members[result.key, line.key](keys))
        for line in result.measures
    ]
    options = [Count(line.key, line.hits, line.valid) for line in result.options]
    away = disclosure.small_counts(options, sums)
    versions = "+".join(map(str, result.numbers))
    for line in (*result.options, *result.measures):
        shown = line.key, line.label, line.hits, line.valid, *_share(line)
        row = _withheld(result, line) if line.key in away else shown
        yield (result.key, *row, line.workshops, versions)


def _withheld(result: InstrumentResult, line: ResultLine) -> tuple[Any, ...]:
    c = disclosure.MARKER
    # What few people wrote is as much theirs as how many they are.
    key, label = (c, c) if result.has_words and line.kind == "option" else (line.key, line.label)
    # The base goes too: beside that of a sum it would tell how many were left out of it.
    return key, label, c, c, c, c, c


def _share(line: ResultLine) -> tuple[Any, Any, Any]:
    if line.interval is None:
        return "", "", ""
    low, high = line.interval
    return line.percent, f"{low:.4f}", f"{high:.4f}"
