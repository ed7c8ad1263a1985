"""Protection of CSV files against formula injection."""

from __future__ import annotations

import re
from typing import Any

#: a spreadsheet evaluates a cell with such a start as a formula; East Asian ones take the full-width signs too
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
#: where these separate cells instead of our comma, what follows one is the start of a cell
_AFTER_SEPARATOR = re.compile(r"([;\t])(\s*)(?=[=+\-@＝＋－＠])")


def safe(cell: Any) -> str:
    """The cell as text that no spreadsheet evaluates: a quote before a dangerous start, unless it is a number."""
    text = _AFTER_SEPARATOR.sub(r"\1\2'", str(cell))
    return f"'{text}" if text.lstrip(" ").startswith(DANGEROUS) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text == text.strip()
