"""A programme file as text: parse it into validated values and dump them again; no database here."""

from __future__ import annotations

from typing import Any

import msgspec

from . import checks as file_checks
from . import toml_write
from .checks import ProgrammeFileError
from .schema import ProgrammeFile

HEAD = "# A programme of Vision Workshops. Edit it by hand and load it again: manage.py load_programme FILE\n"


def parse(text: str, filename: str = "") -> ProgrammeFile:
    """Parse and validate a programme file. Raises `ProgrammeFileError`, prefixed with `filename`."""
    try:
        return file_checks.read(text)
    except ProgrammeFileError as error:
        raise ProgrammeFileError(error.mistakes, filename) from None


def dump(file: ProgrammeFile) -> str:
    """The text of a programme file; `parse(dump(file)) == file`."""
    values = msgspec.to_builtins(file)
    parts = [
        dump_table(name, row)
        for name, rows in values.items()
        for row in (rows if isinstance(rows, list) else [rows])
    ]
    return "\n".join([HEAD, *parts])


def dump_table(name: str, row: dict[str, Any]) -> str:
    """One table of the file: the programme, a question, …"""
    single = name in ("programme", "information")
    return toml_write.table(name, row, listed=not single, tables=("consent", "measure"))
