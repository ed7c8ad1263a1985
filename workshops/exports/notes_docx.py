"""Notes and words of the whole room as a document for word processors: headings, numbered notes, sentences shared
back in bold."""

from __future__ import annotations

import re
from io import BytesIO

from django.utils.translation import gettext as _
from docx import Document

from ..afterwards import Asked, GroupNotes, Line, Notes, Written
from .remarks import about, base, heading

#: what XML cannot carry; people's words have none of it, names of groups might
_NO_XML = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(notes: Notes) -> bytes:
    """The whole workshop. Its properties name no person."""
    document = Document()
    properties = document.core_properties
    properties.title, properties.author, properties.comments = _clean(notes.title), "", ""
    document.add_heading(_clean(notes.title), 0)
    if notes.workshop.synthetic:
        document.add_paragraph(_("Synthetic: invented for a demonstration."))
    if notes.says_that_no_note_is_there:
        document.add_paragraph(_("No group has written a note."))
    for each in notes.rounds:
        document.add_heading(_clean(heading(each)), 1)
        if each.question:
            document.add_paragraph(_clean(each.question))
        for group in each.groups:
            _group(document, group, asked=not each.question)
    if notes.asked:
        document.add_heading(_("Words of the whole room"), 1)
    for asked in notes.asked:
        _asked(document, asked)
    file = BytesIO()
    document.save(file)
    return file.getvalue()


def _group(document, group: GroupNotes, *, asked: bool) -> None:
    document.add_heading(_clean(group.group.name), 2)
    if asked and group.group.question:
        document.add_paragraph(_clean(group.group.question))
    for line in group.lines:
        _line(document, line)
    if not group.lines:
        document.add_paragraph(_("No notes."))


def _asked(document, asked: Asked) -> None:
    document.add_heading(_clean(asked.question), 2)
    document.add_paragraph(base(asked))
    for text in asked.texts:
        _line(document, text)
    if not asked.texts:
        document.add_paragraph(_("No words."))


def _line(document, line: Written) -> None:
    """Numbered by hand: a list of the word processor's would go on counting in the next group."""
    paragraph = document.add_paragraph()
    paragraph.add_run(f"{line.number}. ")
    paragraph.add_run(_clean(line.text)).bold = isinstance(line, Line) and line.picked
    if remarks := about(line):
        paragraph.add_run(f" ({remarks})").italic = True


def _clean(text: str) -> str:
    return _NO_XML.sub("", text)
