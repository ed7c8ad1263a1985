"""Notes, words of the whole room and transcripts as Markdown, in which what people wrote never becomes markup."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from django.utils.translation import gettext as _

from ..afterwards import Asked, GroupNotes, Line, Notes, RoundNotes, Written, clock
from ..models import Transcript
from .remarks import about, base, heading

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~!&])")
#: what begins a list, a heading under a line, or a rule
_START = re.compile(r"^(\s*\d*)([-+=.)])", re.MULTILINE)


def plain(text: str) -> str:
    """The text with every mark that Markdown would read made harmless; lines stay lines of one paragraph."""
    return _START.sub(r"\1\\\2", _MARKUP.sub(r"\\\1", text))


def notes(all_notes: Notes) -> str:
    """The whole workshop."""
    return "\n".join(_document(all_notes)).rstrip() + "\n"


def _document(all_notes: Notes) -> Iterator[str]:
    yield f"# {plain(all_notes.title)}\n"
    if all_notes.workshop.synthetic:
        yield f"{_('Synthetic: invented for a demonstration.')}\n"
    if all_notes.says_that_no_note_is_there:
        yield _("No group has written a note.")
    for each in all_notes.rounds:
        yield from _round(each)
    if all_notes.asked:
        yield f"## {_('Words of the whole room')}\n"
    for asked in all_notes.asked:
        yield from _asked(asked)


def _round(each: RoundNotes) -> Iterator[str]:
    yield f"## {plain(heading(each))}\n"
    if each.question:
        yield f"{plain(each.question)}\n"
    for group in each.groups:
        yield from _group(group, asked=not each.question)


def _group(group: GroupNotes, *, asked: bool) -> Iterator[str]:
    yield f"### {plain(group.group.name)}\n"
    if asked and group.group.question:
        yield f"{plain(group.group.question)}\n"
    for line in group.lines:
        yield _line(line)
    if not group.lines:
        yield _("No notes.")
    yield ""


def _asked(asked: Asked) -> Iterator[str]:
    yield f"### {plain(asked.question)}\n"
    yield f"{plain(base(asked))}\n"
    for text in asked.texts:
        yield _line(text)
    if not asked.texts:
        yield _("No words.")
    yield ""


def _line(line: Written) -> str:
    text = plain(line.text).replace("\n", "\n   ")
    words = f"**{text}**" if isinstance(line, Line) and line.picked and "\n" not in text else text
    remarks = about(line)
    return f"{line.number}. {words}" + (f" ({plain(remarks)})" if remarks else "")


def transcript(of: Transcript) -> str:
    """A transcript: time, speaker, words."""
    lines = [f"# {plain(_('Transcript: %(group)s') % {'group': of.group.name})}\n"]
    for cue in of.cues:
        who = f" {plain(cue['speaker'])}:" if cue["speaker"] else ""
        lines.append(f"**{clock(timedelta(seconds=cue['start']))}{who}** {plain(cue['text'])}\n")
    return "\n".join(lines)
