"""Notes and texts as a Word document (DOCX): headings, numbered notes, shared notes in bold."""

from __future__ import annotations

import re
from io import BytesIO

from docx import Document

from ..reports import Line, Notes, Written
from .remarks import about, blocks

#: characters that XML forbids; stored texts have none, names of groups might
_NO_XML = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(notes: Notes) -> bytes:
    """The whole workshop. Its properties name no person."""
    document = Document()
    properties = document.core_properties
    properties.title, properties.author, properties.comments = _clean(notes.title), "", ""
    document.add_heading(_clean(notes.title), 0)
    for level, text, lines in blocks(notes):
        if level:
            document.add_heading(_clean(text), level)
        elif text:
            document.add_paragraph(_clean(text))
        for line in lines:
            _line(document, line)
    file = BytesIO()
    document.save(file)
    return file.getvalue()


def _line(document, line: Written) -> None:
    """A paragraph with an explicit number: a numbered list would go on counting in the next group."""
    paragraph = document.add_paragraph()
    paragraph.add_run(f"{line.number}. ")
    paragraph.add_run(_clean(line.text)).bold = isinstance(line, Line) and line.picked
    if remarks := about(line):
        paragraph.add_run(f" ({remarks})").italic = True


def _clean(text: str) -> str:
    return _NO_XML.sub("", text)
