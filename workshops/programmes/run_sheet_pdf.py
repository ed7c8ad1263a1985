"""A run sheet as a tagged PDF, by Typst in a process of its own: no network, no files, a limit of time and size.

Typst reads the sheet as data, so that nothing that somebody typed is taken for its markup. The fonts are Typst's own;
letters that they lack come from the system's where it has them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from . import own_process

TEMPLATE = Path(__file__).with_name("run_sheet.typ")
SIZE_LIMIT = 400_000  # bytes of a sheet, of which ten pages have 40,000


class SheetTooLong(Exception):
    """No PDF is made of so much."""


def pdf_of(sheet: dict[str, Any]) -> bytes:
    """Raises `SheetTooLong` and `own_process.ProcessFailed`. Takes about a second, in another process."""
    sent = json.dumps(sheet).encode()
    if len(sent) > SIZE_LIMIT:
        raise SheetTooLong
    return own_process.run(__name__, sent)


def compiled(sheet: str) -> bytes:
    """The work itself, of a sheet as JSON: by PDF/UA-1 where the fonts have every letter, else tagged alone."""
    import typst

    compiler = typst.Compiler(str(TEMPLATE))
    try:
        made = compiler.compile(format="pdf", sys_inputs={"sheet": sheet}, pdf_standards="ua-1")
    except typst.TypstError:
        made = compiler.compile(format="pdf", sys_inputs={"sheet": sheet})
    assert isinstance(made, bytes)  # a PDF is one file however many pages it has
    return made


def main() -> None:
    own_process.limit()
    sys.stdout.buffer.write(compiled(sys.stdin.read()))


if __name__ == "__main__":
    main()
