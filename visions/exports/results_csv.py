"""Pooled results as CSV: a row per instrument, series of its versions, and option or measure.

Rows of one question with other `versions` are not added up: the question asked something else.
Figures of whole workshops only, no breakdown, so no cell needs suppression.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any, TextIO

from workshops.text.exports.cells import safe

from ..results.aggregates import Findings, ResultLine

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
    for instrument in findings.instruments:
        for result in (instrument, *instrument.earlier):
            versions = "+".join(map(str, result.numbers))
            for line in (*result.options, *result.measures):
                counts = line.hits, line.valid, *_share(line), line.workshops
                yield (result.key, line.key, line.label, *counts, versions)


def _share(line: ResultLine) -> tuple[Any, Any, Any]:
    if line.interval is None:
        return "", "", ""
    low, high = line.interval
    return line.percent, f"{low:.4f}", f"{high:.4f}"
