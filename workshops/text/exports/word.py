"""What the Word documents share: how they begin, their lines, and how they become a file."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

from docx import Document

from ..reports import Line, Written
from .remarks import Block, about

#: characters that XML forbids; stored texts have none, names of groups might
_NO_XML = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def begun(title: str) -> Any:
    """A document with its title. Its properties name no person."""
    document = Document()
    properties = document.core_properties
    properties.title, properties.author, properties.comments = clean(title), "", ""
    document.add_heading(clean(title), 0)
    return document


def add(document: Any, block: Block) -> None:
    level, text, lines = block
    if level:
        document.add_heading(clean(text), level)
    elif text:
        document.add_paragraph(clean(text))
    for line in lines:
        _line(document, line)


def _line(document: Any, line: Written) -> None:
    """A paragraph with an explicit number: a numbered list would go on counting in the next group."""
    paragraph = document.add_paragraph()
    paragraph.add_run(f"{line.number}. ")
    paragraph.add_run(clean(line.for_files)).bold = isinstance(line, Line) and line.picked
    if remarks := about(line):
        paragraph.add_run(f" ({remarks})").italic = True


def file_of(document: Any) -> bytes:
    file = BytesIO()
    document.save(file)
    return file.getvalue()


def clean(text: str) -> str:
    return _NO_XML.sub("", text)
