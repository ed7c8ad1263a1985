"""Notes, texts and transcripts as Markdown, with people's own words escaped."""

from __future__ import annotations

import re
from datetime import timedelta

from django.utils.translation import gettext as _

from ...models import Transcript
from ..reports import Line, Notes, Written, clock
from .remarks import about, blocks

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~!&])")
#: characters at the start of a line that begin a list, a setext heading or a rule
_START = re.compile(r"^(\s*\d*)([-+=.)])", re.MULTILINE)


def plain(text: str) -> str:
    """The text with all Markdown syntax escaped; line breaks stay within one paragraph."""
    return _START.sub(r"\1\\\2", _MARKUP.sub(r"\\\1", text))


def notes(all_notes: Notes) -> str:
    """The whole workshop."""
    found = [f"# {plain(all_notes.title)}"]
    for level, text, lines in blocks(all_notes):
        words = f"{'#' * (level + 1)} {plain(text)}" if level else plain(text)
        found.append("\n".join(map(_line, lines)) if lines else words)
    return "\n\n".join(found) + "\n"


def _line(line: Written) -> str:
    text = plain(line.for_files).replace("\n", "\n   ")
    words = f"**{text}**" if isinstance(line, Line) and line.picked and "\n" not in text else text
    remarks = about(line)
    return f"{line.number}. {words}" + (f" ({plain(remarks)})" if remarks else "")


def transcript(of: Transcript) -> str:
    """A transcript: time, speaker, words."""
    lines = [f"# {plain(_('Transcript: %(group)s') % {'group': of.group.name})}\n"]
    for cue in of.parts():
        who = f" {plain(cue['speaker'])}:" if cue["speaker"] else ""
        lines.append(f"**{clock(timedelta(seconds=cue['start']))}{who}** {plain(cue['text'])}\n")
    return "\n".join(lines)
