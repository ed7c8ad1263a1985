"""Notes of groups and texts of polls as CSV: a row per note or text.

`source` is "group" (a note) or "room" (a text of a poll). A text has no group and no single author; its `prompt` is the
question, `people` the number of people who wrote it, `answered` the denominator, and `may_be_quoted` whether all of
them consented. Its offset is in whole minutes. `person` is a pseudonym of a note's author, for this one file.
Words that nobody has let through stand
without what may name somebody. `round_open` and `question_open` are 1 while more notes or answers may come.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any, TextIO

from ...models import Group, Round
from ..reports import Asked, Line, Notes, Words, Written
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
    "source",
    "people",
    "answered",
    "question_open",
)


def write(notes: Notes, file: TextIO) -> None:
    """Write the header and every row; an empty offset: the workshop was never opened."""
    writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows(notes):
        writer.writerow({column: safe(cell) for column, cell in row.items()})


def rows(notes: Notes) -> Iterator[dict[str, Any]]:
    """Rows by column name; columns without a value are left out."""
    number = {"workshop": notes.workshop.number}
    for each, group, line in notes.lines:
        yield number | _place(each, group) | _written(line) | _note(line)
    for asked in notes.asked:
        for text in asked.texts:
            yield number | _question(asked) | _written(text) | _text(asked, text)


def _place(each: Round, group: Group) -> dict[str, Any]:
    domain = group.prompt.domain if group.prompt else None
    return {
        "source": "group",
        "round": each.number,
        "round_open": int(each.is_open),
        "group": group.number,
        "group_name": group.name,
        "prompt": group.question,
        "domain": domain.key if domain else "",
    }


def _question(asked: Asked) -> dict[str, Any]:
    return {
        "source": "room",
        "prompt": asked.question,
        "domain": asked.domain.key if asked.domain else "",
        "question_open": int(asked.poll.is_open),
    }


def _written(written: Written) -> dict[str, Any]:
    return {
        "order": written.number,
        "offset_seconds": "" if written.offset is None else int(written.offset.total_seconds()),
        "text": written.for_files,
        "check": written.state,
        "may_be_quoted": int(written.may_be_quoted),
    }


def _note(line: Line) -> dict[str, Any]:
    return {
        "person": line.person,
        "shared_back": int(line.picked),
        "agreeing": line.agreeing,
        "people": 1,
    }


def _text(asked: Asked, text: Words) -> dict[str, Any]:
    return {"people": text.people, "answered": asked.answered}
