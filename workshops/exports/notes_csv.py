"""Notes of the groups as CSV: a row per note. `person` stands for its author within this one file."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any, TextIO

from ..afterwards import Line, Notes
from ..models import Group, Round
from .cells import safe

COLUMNS = (
    "workshop",
    "round",
    "round_open",
    "group",
    "group_name",
    "prompt",
    "domain",
    "order",
    "offset_seconds",
    "person",
    "text",
    "shared_back",
    "agreeing",
    "check",
    "may_be_quoted",
)


def write(notes: Notes, file: TextIO) -> None:
    """Write the header and every row; an empty offset: the workshop was never opened."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([safe(cell) for cell in row] for row in rows(notes))


def rows(notes: Notes) -> Iterator[tuple[Any, ...]]:
    for each, group, line in notes.lines:
        yield (notes.workshop.number, *_place(each, group), *_note(line))


def _place(each: Round, group: Group) -> tuple[Any, ...]:
    domain = group.prompt.domain if group.prompt else None
    return (
        each.number,
        int(each.is_open),
        group.number,
        group.name,
        group.question,
        domain.key if domain else "",
    )


def _note(line: Line) -> tuple[Any, ...]:
    offset = "" if line.offset is None else int(line.offset.total_seconds())
    return (
        line.number,
        offset,
        line.person,
        line.text,
        int(line.picked),
        line.agreeing,
        line.check,
        int(line.may_be_quoted),
    )
