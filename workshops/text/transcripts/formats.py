"""What was said in a group, from a file that a video tool wrote: WebVTT, SRT, or lines of time, name and words.

Reading is strict about times and forgiving about habits of tools.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from functools import partial

from django.utils.translation import gettext as _

from .speakers import ParsedCue, ParsedTranscript, Part, owner_name, single_spaced, with_speakers

SIZE_LIMIT = 5 * 1024 * 1024  # bytes
CUE_LIMIT = 50_000


class TranscriptError(Exception):
    """The file is not what it should be; the message is for people, `line` counts from one (0: the whole file)."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(
            _("Line %(line)d: %(message)s") % {"line": line, "message": message} if line else message
        )
        self.line = line


#: a line with its number in the file
Line = tuple[int, str]


def parse(source: str | bytes, format: str | None = None) -> ParsedTranscript:
    """Read a transcript; `format` is "vtt", "srt" or "lines", and is seen from the text where it is not given.

    Bytes may be UTF-8, UTF-16 or cp1252. Raises `TranscriptError` for what cannot be read, is too large or says
    nothing, and `ValueError` for an unknown format.
    """
    text = _decoded(source)
    lines = list(enumerate(text.splitlines(), 1))
    read = READERS[format or sniff(text)] if format is None or format in READERS else None
    if read is None:
        raise ValueError(f"unknown format {format!r}")
    cues = []
    for cue in read(lines):
        if cue.text:
            cues.append(cue)
        if len(cues) > CUE_LIMIT:
            raise TranscriptError(_("The transcript has more than %(limit)d parts.") % {"limit": CUE_LIMIT})
    if not cues:
        raise TranscriptError(_("There is nothing with a time in this file."))
    return ParsedTranscript(tuple(cues))


def sniff(text: str) -> str:
    """The format that a text seems to have."""
    if text.startswith("WEBVTT"):
        return "vtt"
    return "srt" if re.search(r"^[ \t]*[\d:.,]+[ \t]*-->", text, re.MULTILINE) else "lines"


def _decoded(source: str | bytes) -> str:
    size = len(source) if isinstance(source, bytes) else len(source.encode("utf-8", "replace"))
    if size > SIZE_LIMIT:
        raise TranscriptError(_("The file is larger than %(limit)d MB.") % {"limit": SIZE_LIMIT // 1024**2})
    text = source if isinstance(source, str) else _from_bytes(source)
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        raise TranscriptError(_("This is not a text file."))
    # characters that Python takes for ends of lines and people for spaces
    return re.sub(r"[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", " ", text)


def _from_bytes(source: bytes) -> str:
    utf_16 = source[:2] in (b"\xff\xfe", b"\xfe\xff")
    if not utf_16 and source[:200].count(0) > len(source[:200]) // 4:
        # without its mark; a zero in every first or every second place
        encodings = ["utf-16-be" if source[0] == 0 else "utf-16-le"]
    else:
        encodings = ["utf-16"] if utf_16 else ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            return source.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise TranscriptError(_("The letters of this file cannot be read. Save it as UTF-8."))


# --- times ------------------------------------------------------------------------------------------

_TIME = r"(?:\d{1,3}:)?\d{1,2}:\d{2}(?:[.,]\d{1,6})?"
_ARROW = re.compile(rf"\s*(?P<start>{_TIME})\s*-->\s*(?P<end>{_TIME})(?:\s.*)?$")


def _seconds(time: str, line: int) -> float:
    *hours, minutes, seconds = time.replace(",", ".").split(":")
    if float(seconds) >= 60 or (hours and int(minutes) >= 60):
        raise TranscriptError(_("%(time)s is no time.") % {"time": time}, line)
    return round((int(hours[0]) * 60 if hours else 0) * 60 + int(minutes) * 60 + float(seconds), 6)


# --- formats ----------------------------------------------------------------------------------------

_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+(?P<speaker>[^>]{1,200})>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-z0-9][^<>]{0,200}>|\{\\[^}]{1,20}\}", re.IGNORECASE)


def _blocks(lines: list[Line]) -> Iterator[list[Line]]:
    block: list[Line] = []
    for number, line in lines:
        if line.strip():
            block.append((number, line))
        elif block:
            yield block
            block = []
    if block:
        yield block


def _read_cues(lines: list[Line], *, vtt: bool) -> Iterator[ParsedCue]:
    return with_speakers(_cue_parts(lines, vtt=vtt), timed=False)


def _cue_parts(lines: list[Line], *, vtt: bool) -> Iterator[Part]:
    for place, block in enumerate(_blocks(lines)):
        first = block[0][1]
        if vtt and (
            (place == 0 and first.startswith("WEBVTT")) or re.match(r"(NOTE|STYLE|REGION)(\s|$)", first)
        ):
            continue
        yield from _read_block(block)


def _read_block(block: list[Line]) -> Iterator[Part]:
    """One cue: perhaps a number or a name of it, then times, then words."""
    timed = next((place for place, (_number, line) in enumerate(block[:2]) if "-->" in line), None)
    if timed is None:
        raise TranscriptError(_("A time like 00:01:02.000 --> 00:01:05.000 should stand here."), block[0][0])
    number, line = block[timed]
    match = _ARROW.match(line)
    if match is None:
        raise TranscriptError(_("The times of this part cannot be read."), number)
    start, end = _seconds(match["start"], number), _seconds(match["end"], number)
    if end < start:
        raise TranscriptError(_("This part ends before it begins."), number)
    yield from _voices(start, end, "\n".join(words for _number, words in block[timed + 1 :]))


def _voices(start: float, end: float, payload: str) -> Iterator[Part]:
    """A part for each voice; where the file marks none, the words may begin with a name."""
    before, *voiced = _VOICE.split(payload)
    if lines := [line for line in map(single_spaced, _without_tags(before).split("\n")) if line]:
        yield Part(start, end, None, lines)
    for speaker, said in zip(voiced[::2], voiced[1::2], strict=True):
        yield Part(start, end, owner_name(html.unescape(speaker)), [_without_tags(said)])


def _without_tags(marked: str) -> str:
    return html.unescape(_TAG.sub("", marked))


_BEGINS = re.compile(
    rf"\s*(?:\[(?P<boxed>{_TIME})\]|\((?P<round>{_TIME})\)|(?P<bare>{_TIME})(?=\s|$))[\s\-–:]*(?P<rest>.*)$"
)
_ENDS = re.compile(
    rf"(?P<speaker>[^\W_].{{0,79}}?)(?:\s{{2,}}|\t|\s+\[|\s+\(|,\s)(?P<time>{_TIME})[\])]?\s*$"
)
#: a chat saved by a video tool: "From Anna to Everyone:"
_CHAT = re.compile(r"From\s+(?P<speaker>.{1,80}?)(?:\s+to\s+[^:]{1,80})?\s*:\s*(?P<text>.*)$")


def _read_lines(lines: list[Line]) -> Iterator[ParsedCue]:
    return with_speakers(_line_parts(lines), timed=True)


def _line_parts(lines: list[Line]) -> Iterator[Part]:
    """A line with a time begins a part, what follows without one belongs to it, and what stands before is no speech."""
    part: Part | None = None
    for number, line in lines:
        begun = _started_by(line.rstrip(), number)
        if begun is not None:
            if part is not None:
                yield part
            part = begun
        elif part is not None and line.strip():
            part.lines.append(single_spaced(line))
    if part is not None:
        yield part


def _started_by(line: str, number: int) -> Part | None:
    if match := _BEGINS.match(line):
        start = _seconds(match["boxed"] or match["round"] or match["bare"], number)
        if chat := _CHAT.match(match["rest"]):
            return Part(start, None, owner_name(chat["speaker"]), [chat["text"]])
        rest = single_spaced(match["rest"])
        return Part(start, None, None, [rest] if rest else [])
    if match := _ENDS.match(line):
        return Part(_seconds(match["time"], number), None, owner_name(match["speaker"].strip().rstrip(":")))
    return None


READERS: dict[str, Callable[[list[Line]], Iterator[ParsedCue]]] = {
    "vtt": partial(_read_cues, vtt=True),
    "srt": partial(_read_cues, vtt=False),
    "lines": _read_lines,
}
