"""What was said in a group, from a file that a video tool wrote: WebVTT, SRT, or lines of time, name and words.

Reading is strict about times and forgiving about habits of tools. Names never need to be kept: `pseudonymise` gives
every speaker a number, replaces their names wherever they are spoken, and leaves no way back.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from django.utils.translation import gettext as _

from .redaction import MARKS, Span, suggest
from .redaction_words import LETTER, fold, words

SIZE_LIMIT = 5 * 1024 * 1024  # bytes
CUE_LIMIT = 50_000
SPEAKER_LENGTH = 80


class TranscriptError(Exception):
    """The file is not what it should be; the message is for people, `line` counts from one (0: the whole file)."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(
            _("Line %(line)d: %(message)s") % {"line": line, "message": message} if line else message
        )
        self.line = line


@dataclass(frozen=True, slots=True)
class Cue:
    """Something said. Times in seconds from the beginning; `end` where the file has it; `speaker` may be empty."""

    start: float
    end: float | None
    speaker: str
    text: str


@dataclass(frozen=True, slots=True)
class Transcript:
    cues: tuple[Cue, ...]

    @property
    def speakers(self) -> list[str]:
        """In the order of their first words."""
        return list(dict.fromkeys(cue.speaker for cue in self.cues if cue.speaker))


#: a line with its number in the file
Line = tuple[int, str]


def parse(source: str | bytes, format: str | None = None) -> Transcript:
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
    return Transcript(tuple(cues))


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


# --- times and names --------------------------------------------------------------------------------

_TIME = r"(?:\d{1,3}:)?\d{1,2}:\d{2}(?:[.,]\d{1,6})?"
_ARROW = re.compile(rf"\s*(?P<start>{_TIME})\s*-->\s*(?P<end>{_TIME})(?:\s.*)?$")


def _seconds(time: str, line: int) -> float:
    *hours, minutes, seconds = time.replace(",", ".").split(":")
    if float(seconds) >= 60 or (hours and int(minutes) >= 60):
        raise TranscriptError(_("%(time)s is no time.") % {"time": time}, line)
    return round((int(hours[0]) * 60 if hours else 0) * 60 + int(minutes) * 60 + float(seconds), 6)


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


# --- labels -----------------------------------------------------------------------------------------
#
# Tools and people put a speaker before words in many ways, and speech can look like each of them. So a file is read
# whole first: what stands at a beginning may be a label, and whether it is one is also told by how often it stands so.

#: what may stand before a label: "-", ">>", "♪", a picture
_MARKED = re.compile(r"""[^\w\s\[("'“‘«¿¡]*(?:\s+[^\w\s\[("'“‘«¿¡]+)*\s*""")
_COLON = re.compile(
    r"""(?P<label>[^\W_][^:<>\[\]]{0,79}?)\s?:(?:\s+|$|(?=[^\W\d_]|["'“‘¿¡])|(?<=[^\d]:)(?=\d))(?P<text>.*)$"""
)
_BOXED = re.compile(
    r"\[(?P<label>[^\W\d_][^\[\]:]{0,79})(?:\]\s?:\s*|:\]\s*|\]\s*(?=\S))(?P<text>.*)$"
    r"|\((?P<round>[^\W\d_][^():]{0,79})\)\s?:\s*(?P<said>.*)$"
)
_DASHED = re.compile(r"(?P<label>[^\W\d_][^:<>\[\]–—]{0,59}?)\s[-–—]+\s+(?P<text>.*)$")
_ALONE = re.compile(r"[^\W\d_][\w '’.()-]{0,59}(?<![.])$")
#: "zofka.kowal", "zofka_k": nobody speaks so
_HANDLE = re.compile(r"[^\W\d_]{2,}(?:[._][^\W\d_]+)+\d*")
_EMAIL = re.compile(r"([^\s@]+)@[\w.-]+\.\w+")
_ADDRESS = re.compile(
    r"www\.|.*\.(?:com|org|net|uk|eu|de)$|(?:.*\s)?(?:https?|ftp|mailto|tel)$", re.IGNORECASE
)
_DEVICE = re.compile(
    r"(?P<name>.+?)['’]s?\s+(?:\w+\s+){0,2}"
    r"(?:iphone|ipad|macbook|imac|mac|phone|mobile|laptop|tablet|computer|pc|galaxy|pixel|android|zoom)\b.*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Label:
    """What may be a speaker at the beginning of a line, the words behind it, and the way it was written."""

    name: str
    text: str
    kind: str  # "colon", "boxed", "dash" or "alone"
    #: the way it was written is no way to speak
    surely: bool = False

    @property
    def told(self) -> list[str]:
        return [word for word in self.name.split() if word[0].isalpha()]

    @property
    def is_capital(self) -> bool:
        told = [word for word in self.told if word not in words("labels", "particles")]
        return bool(told) and not any(word[0].islower() for word in told)

    @property
    def is_common(self) -> bool:
        """None of its words is a name."""
        return all(map(_is_common, self.told))

    @property
    def may_be(self) -> bool:
        """It could be a name at all."""
        told = self.told
        if not told or len(told) > (8 if self.is_capital else 5) or _ADDRESS.match(self.name):
            return False
        if self.kind == "boxed" and any(fold(word) in words("labels", "sounds") for word in told):
            return False
        small = [word for word in told if word[0].islower()]
        said = {fold(word) for word in [*small, *(told[:1] if small else [])]}
        also = words("given_also_words")
        return not said & words("labels", "says") and (
            not self.is_common or (self.is_capital and all(fold(w) in also for w in told))
        )


def _is_common(word: str) -> bool:
    stem = fold(word).strip(".,()")
    return stem in words("not_names") or stem in words("labels", "ordinary")


def _own(label: str) -> str:
    """The name in a label: of "Zofka's iPhone" and of "zofka@example.org" what belongs to the person."""
    label = _squeezed(label)
    if match := _DEVICE.fullmatch(label):
        return match["name"]
    return _EMAIL.sub(r"\1", label)


def _label(line: str, *, dashed: bool = False) -> _Label | None:
    """What may be a label at the beginning of a line without spaces around it; `dashed`: also "Name - words"."""
    rest = line[_marks(line) :]
    if match := _BOXED.match(rest):
        found = match["label"] or match["round"], match["text"] or match["said"] or "", "boxed"
    elif match := _COLON.match(rest):
        found = match["label"], match["text"], "colon"
    elif dashed and (match := _DASHED.match(rest)):
        found = match["label"], match["text"], "dash"
    else:
        return None
    return _made(*found)


def _made(label: str, text: str, kind: str) -> _Label:
    own = _own(label)
    surely = own != _squeezed(label) or _HANDLE.fullmatch(own) is not None
    return _Label(own, text, kind, surely)


def _marks(line: str) -> int:
    match = _MARKED.match(line)
    return match.end() if match else 0


@dataclass(slots=True)
class _Part:
    """A cue before it is known which labels are speakers; `speaker` is None where the words may begin with one."""

    start: float
    end: float | None
    speaker: str | None
    lines: list[str] = field(default_factory=list)


class _Labels:
    """Which labels of a file are speakers. In `timed` lines a name is expected; in subtitles most parts have none."""

    def __init__(self, parts: list[_Part], *, timed: bool) -> None:
        self.timed = timed
        self.open = [part for part in parts if part.speaker is None]
        self.known = {_key(part.speaker) for part in parts if part.speaker}
        #: how often each name stands before words, in any way, and in one way
        self.times: Counter[str] = Counter()
        self.ways: dict[str, Counter[str]] = {}
        for part in self.open:
            for place, line in enumerate(part.lines):
                found = self.at(part.lines, place)
                if found and found.may_be and (place == 0 or _marks(line)):
                    self.times[_key(found.name)] += 1
                    self.ways.setdefault(found.kind, Counter())[_key(found.name)] += 1
        for part in self.open:
            if part.lines and (found := self.at(part.lines, 0)) and self.is_speaker(found):
                self.known.add(_key(found.name))

    def at(self, lines: list[str], place: int) -> _Label | None:
        """What may be a label at the beginning of a line."""
        line = lines[place]
        found = _label(line, dashed=self.timed and place == 0)
        if found is None and self.timed and place == 0 and len(lines) > 1 and _ALONE.match(line):
            return _made(line, "", "alone")
        return found

    def is_speaker(self, label: _Label) -> bool:
        if not label.may_be:
            return False
        if label.surely:
            return True
        if label.kind in ("dash", "alone") or label.is_common:
            return self._seen(label)
        expected = self.timed and not any(map(_is_common, label.told))
        return label.is_capital or expected or self._seen(label)

    def _seen(self, label: _Label) -> bool:
        """It stands there again, or begins most parts, or labels of its kind do."""
        key, alike = _key(label.name), self.ways.get(label.kind, Counter())
        most = len(self.open) / 2
        return (
            key in self.known or self.times[key] > min(1, most) or (len(alike) > 1 and alike.total() > most)
        )

    def cues(self, part: _Part) -> Iterator[Cue]:
        """A part's words by speaker; a new one begins at a line with a mark and a label, or with a known one."""
        if part.speaker is not None:
            yield Cue(part.start, part.end, part.speaker, _squeezed(" ".join(part.lines)))
            return
        speaker, said = "", list[str]()
        for place, line in enumerate(part.lines):
            found = self.at(part.lines, place)
            new = place == 0 or _marks(line) > 0 or (found is not None and _key(found.name) in self.known)
            if found is None or not new or not self.is_speaker(found):
                said.append(line)
                continue
            if said or speaker:
                yield Cue(part.start, part.end, speaker, _squeezed(" ".join(said)) or "…")
            speaker, said = found.name, [found.text] if found.text else []
        # a label without words: the name is needed, for others may say it
        yield Cue(part.start, part.end, speaker, _squeezed(" ".join(said)) or ("…" if speaker else ""))


def _named(parts: Iterator[_Part], *, timed: bool) -> Iterator[Cue]:
    read = list(parts)
    labels = _Labels(read, timed=timed)
    for part in read:
        yield from labels.cues(part)


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


def _read_cues(lines: list[Line], *, vtt: bool) -> Iterator[Cue]:
    return _named(_cue_parts(lines, vtt=vtt), timed=False)


def _cue_parts(lines: list[Line], *, vtt: bool) -> Iterator[_Part]:
    for place, block in enumerate(_blocks(lines)):
        first = block[0][1]
        if vtt and (
            (place == 0 and first.startswith("WEBVTT")) or re.match(r"(NOTE|STYLE|REGION)(\s|$)", first)
        ):
            continue
        yield from _read_block(block)


def _read_block(block: list[Line]) -> Iterator[_Part]:
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


def _voices(start: float, end: float, payload: str) -> Iterator[_Part]:
    """A part for each voice; where the file marks none, the words may begin with a name."""
    before, *voiced = _VOICE.split(payload)
    if lines := [line for line in map(_squeezed, _bare(before).split("\n")) if line]:
        yield _Part(start, end, None, lines)
    for speaker, said in zip(voiced[::2], voiced[1::2], strict=True):
        yield _Part(start, end, _own(html.unescape(speaker)), [_bare(said)])


def _bare(marked: str) -> str:
    return html.unescape(_TAG.sub("", marked))


_BEGINS = re.compile(
    rf"\s*(?:\[(?P<boxed>{_TIME})\]|\((?P<round>{_TIME})\)|(?P<bare>{_TIME})(?=\s|$))[\s\-–:]*(?P<rest>.*)$"
)
_ENDS = re.compile(
    rf"(?P<speaker>[^\W_].{{0,79}}?)(?:\s{{2,}}|\t|\s+\[|\s+\(|,\s)(?P<time>{_TIME})[\])]?\s*$"
)
#: a chat saved by a video tool: "From Anna to Everyone:"
_CHAT = re.compile(r"From\s+(?P<speaker>.{1,80}?)(?:\s+to\s+[^:]{1,80})?\s*:\s*(?P<text>.*)$")


def _read_lines(lines: list[Line]) -> Iterator[Cue]:
    return _named(_line_parts(lines), timed=True)


def _line_parts(lines: list[Line]) -> Iterator[_Part]:
    """A line with a time begins a part, what follows without one belongs to it, and what stands before is no speech."""
    part: _Part | None = None
    for number, line in lines:
        begun = _begun(line.rstrip(), number)
        if begun is not None:
            if part is not None:
                yield part
            part = begun
        elif part is not None and line.strip():
            part.lines.append(_squeezed(line))
    if part is not None:
        yield part


def _begun(line: str, number: int) -> _Part | None:
    if match := _BEGINS.match(line):
        start = _seconds(match["boxed"] or match["round"] or match["bare"], number)
        if chat := _CHAT.match(match["rest"]):
            return _Part(start, None, _own(chat["speaker"]), [chat["text"]])
        rest = _squeezed(match["rest"])
        return _Part(start, None, None, [rest] if rest else [])
    if match := _ENDS.match(line):
        return _Part(_seconds(match["time"], number), None, _own(match["speaker"].strip().rstrip(":")))
    return None


READERS: dict[str, Callable[[list[Line]], Iterator[Cue]]] = {
    "vtt": partial(_read_cues, vtt=True),
    "srt": partial(_read_cues, vtt=False),
    "lines": _read_lines,
}


# --- pseudonyms -------------------------------------------------------------------------------------


def pseudonymise(transcript: Transcript, facilitators: Collection[str] = ()) -> Transcript:
    """Speakers become "Speaker 1", "Speaker 2" in the order of their first words; `facilitators` are called so.

    Their names go wherever they are spoken, whole or in part; a part that is also a word (Will, May) only where it
    begins with a capital. Everything else that `redaction` would hide gets its mark. No list of who was who is kept.
    """
    labels = _labels(transcript.speakers, {_key(name) for name in facilitators})
    names = _Names(labels)
    return Transcript(
        tuple(
            replace(
                cue, speaker=labels[_key(cue.speaker)] if cue.speaker else "", text=names.replaced(cue.text)
            )
            for cue in transcript.cues
        )
    )


def _key(name: str) -> str:
    return fold(_squeezed(name))


def _labels(speakers: list[str], facilitators: set[str]) -> dict[str, str]:
    """Folded name → what stands for it."""
    labels: dict[str, str] = {}
    number = 0
    for key in dict.fromkeys(map(_key, speakers)):
        if key in facilitators:
            labels[key] = _("Facilitator")
        else:
            number += 1
            labels[key] = _("Speaker %(number)d") % {"number": number}
    # one who was named as facilitator and never spoke may still be spoken of
    return labels | {key: _("Facilitator") for key in facilitators if key and key not in labels}


_RUN = re.compile(rf"{LETTER}+")
_NEAR = re.compile(r"[ \t'’‑._-]")
_SHORT_FRONT = re.compile(r"(?<!\w)[OoDd]['’]$")


class _Names:
    """Every part of every speaker's name, and what is to stand for it."""

    def __init__(self, labels: dict[str, str]) -> None:
        #: part → label, or the mark for a name where two speakers share it
        self.parts: dict[str, str] = {}
        #: parts that are also words: hidden where they begin with a capital
        self.with_capital: set[str] = set()
        #: names in scripts that put no space between words
        self.unspaced: dict[str, str] = {}
        also = words("given_also_words") | words("context", "helper") | words("not_names")
        for key, label in labels.items():
            for run in _RUN.findall(key):
                if run.upper() == run:
                    self.unspaced[run] = label
                elif len(run) > 1:
                    known = self.parts.get(run, label)
                    self.parts[run] = label if known == label else _(MARKS["name"])
                    self.with_capital |= {run} & also

    def replaced(self, text: str) -> str:
        """The text without the names of speakers and without what redaction hides."""
        spoken = self._spoken(text)
        pieces, at = [], 0
        for start, end, mark in _united(spoken, suggest(text)):
            pieces += [text[at:start], mark]
            at = end
        return "".join([*pieces, text[at:]])

    def _spoken(self, text: str) -> list[tuple[int, int, str]]:
        found: list[tuple[int, int, str]] = []
        for match in _RUN.finditer(text):
            stem = fold(match[0])
            label = self.parts.get(stem)
            if label is None or (stem in self.with_capital and match[0][0].islower()):
                continue
            front = _SHORT_FRONT.search(text[max(0, match.start() - 3) : match.start()])
            start = match.start() - (2 if front else 0)
            # "Anna Smith", "O'Brien-Jones": parts of one name that stand together go together
            if (
                found
                and _NEAR.fullmatch(text, found[-1][1], start)
                and (one := self._one(found[-1][2], label))
            ):
                found[-1] = (found[-1][0], match.end(), one)
            else:
                found.append((start, match.end(), label))
        for name, label in self.unspaced.items():
            found += [(match.start(), match.end(), label) for match in re.finditer(re.escape(name), text)]
        return found

    @staticmethod
    def _one(label: str, other: str) -> str:
        """The label of two parts that belong to one speaker, or nothing; a shared first name belongs to anybody."""
        shared = _(MARKS["name"])
        return label if other in (label, shared) else other if label == shared else ""


def _united(spoken: list[tuple[int, int, str]], hidden: list[Span]) -> list[tuple[int, int, str]]:
    """Both kinds of span, those that overlap as one: a speaker's label goes before "[name]" and behind "[email]"."""
    ranked = [(start, end, 1, label) for start, end, label in spoken]
    ranked += [
        (span.start, span.end, 2 if span.kind == "name" else 0, _(MARKS[span.kind])) for span in hidden
    ]
    united: list[tuple[int, int, int, str]] = []
    for start, end, rank, mark in sorted(ranked):
        if united and start < united[-1][1]:
            first, last, best, label = united[-1]
            united[-1] = (first, max(last, end), *min((best, label), (rank, mark)))
        else:
            united.append((start, end, rank, mark))
    return [(start, end, mark) for start, end, _rank, mark in united]
