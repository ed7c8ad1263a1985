"""Cells of a CSV file that a spreadsheet will only ever show."""

from __future__ import annotations

from typing import Any

#: a spreadsheet would run a cell that starts so
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


def safe(cell: Any) -> str:
    """The cell as text that no spreadsheet runs: a quote before a dangerous start, unless it is a number."""
    text = str(cell)
    return f"'{text}" if text.startswith(DANGEROUS) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text == text.strip()
