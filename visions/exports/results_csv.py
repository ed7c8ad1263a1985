"""Pooled results as CSV: a row per instrument and option or measure.

Figures of the whole rooms only, no breakdown, so no cell needs hiding.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any, TextIO

from workshops.exports.cells import safe

from ..aggregates import Findings, Line

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
)


def write(findings: Findings, file: TextIO) -> int:
    """Write the header and every row; returns the number of rows without the header."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    lines = list(rows(findings))
    writer.writerows([safe(cell) for cell in line] for line in lines)
    return len(lines)


def rows(findings: Findings) -> Iterator[tuple[Any, ...]]:
    """Instruments in the bank's order; options in authored order, then measures. Empty cells: no base."""
    for asked in findings.asked:
        for line in (*asked.options, *asked.measures):
            yield (asked.key, line.key, line.label, line.hits, line.valid, *_share(line), line.workshops)


def _share(line: Line) -> tuple[Any, Any, Any]:
    if line.interval is None:
        return "", "", ""
    low, high = line.interval
    return line.percent, f"{low:.4f}", f"{high:.4f}"
