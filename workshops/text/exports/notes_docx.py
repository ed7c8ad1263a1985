"""Notes and texts as a Word document (DOCX): headings, numbered notes, shared notes in bold."""

from __future__ import annotations

from ..reports import Notes
from . import word
from .remarks import blocks


def write(notes: Notes) -> bytes:
    """The whole workshop."""
    document = word.begun(notes.title)
    for block in blocks(notes):
        word.add(document, block)
    return word.file_of(document)
