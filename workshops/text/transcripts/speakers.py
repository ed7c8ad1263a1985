"""Who said what: which words at the beginning of a part are the label of a speaker.

Tools and people put a speaker before words in many ways, and speech can look like each of them. So a file is read
whole first: what stands at a beginning may be a label, and whether it is one is also told by how often it stands so.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ..redaction.lexicon import fold, words


@dataclass(frozen=True, slots=True)
class ParsedCue:
    """Something said. Times in seconds from the beginning; `end` where the file has it; `speaker` may be empty."""

    start: float
    end: float | None
    speaker: str
    text: str


@dataclass(frozen=True, slots=True)
class ParsedTranscript:
    cues: tuple[ParsedCue, ...]

    @property
    def speakers(self) -> list[str]:
        """In the order of their first words."""
        return list(dict.fromkeys(cue.speaker for cue in self.cues if cue.speaker))


@dataclass(slots=True)
class Part:
    """A cue before it is known which labels are speakers; `speaker` is None where the words may begin with one."""

    start: float
    end: float | None
    speaker: str | None
    lines: list[str] = field(default_factory=list)


def single_spaced(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def name_key(name: str) -> str:
    """The same for one name in other letters, accents and spaces."""
    return fold(single_spaced(name))


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


def owner_name(label: str) -> str:
    """The name in a label: of "Zofka's iPhone" and of "zofka@example.org" what belongs to the person."""
    label = single_spaced(label)
    if match := _DEVICE.fullmatch(label):
        return match["name"]
    return _EMAIL.sub(r"\1", label)


def _label_at_start(line: str, *, dashed: bool = False) -> _Label | None:
    """What may be a label at the beginning of a line without spaces around it; `dashed`: also "Name - words"."""
    rest = line[_marks_end(line) :]
    if match := _BOXED.match(rest):
        found = match["label"] or match["round"], match["text"] or match["said"] or "", "boxed"
    elif match := _COLON.match(rest):
        found = match["label"], match["text"], "colon"
    elif dashed and (match := _DASHED.match(rest)):
        found = match["label"], match["text"], "dash"
    else:
        return None
    return _as_label(*found)


def _as_label(label: str, text: str, kind: str) -> _Label:
    own = owner_name(label)
    surely = own != single_spaced(label) or _HANDLE.fullmatch(own) is not None
    return _Label(own, text, kind, surely)


def _marks_end(line: str) -> int:
    match = _MARKED.match(line)
    return match.end() if match else 0


class _Labels:
    """Which labels of a file are speakers. In `timed` lines a name is expected; in subtitles most parts have none."""

    def __init__(self, parts: list[Part], *, timed: bool) -> None:
        self.timed = timed
        self.open = [part for part in parts if part.speaker is None]
        self.known = {name_key(part.speaker) for part in parts if part.speaker}
        #: how often each name stands before words, in any way, and in one way
        self.times: Counter[str] = Counter()
        self.ways: dict[str, Counter[str]] = {}
        for part in self.open:
            for place, line in enumerate(part.lines):
                found = self.at(part.lines, place)
                if found and found.may_be and (place == 0 or _marks_end(line)):
                    self.times[name_key(found.name)] += 1
                    self.ways.setdefault(found.kind, Counter())[name_key(found.name)] += 1
        for part in self.open:
            if part.lines and (found := self.at(part.lines, 0)) and self.is_speaker(found):
                self.known.add(name_key(found.name))

    def at(self, lines: list[str], place: int) -> _Label | None:
        """What may be a label at the beginning of a line."""
        line = lines[place]
        found = _label_at_start(line, dashed=self.timed and place == 0)
        if found is None and self.timed and place == 0 and len(lines) > 1 and _ALONE.match(line):
            return _as_label(line, "", "alone")
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
        key, alike = name_key(label.name), self.ways.get(label.kind, Counter())
        most = len(self.open) / 2
        return (
            key in self.known or self.times[key] > min(1, most) or (len(alike) > 1 and alike.total() > most)
        )

    def cues(self, part: Part) -> Iterator[ParsedCue]:
        """A part's words by speaker; a new one begins at a line with a mark and a label, or with a known one."""
        if part.speaker is not None:
            yield ParsedCue(part.start, part.end, part.speaker, single_spaced(" ".join(part.lines)))
            return
        speaker, said = "", list[str]()
        for place, line in enumerate(part.lines):
            found = self.at(part.lines, place)
            new = (
                place == 0
                or _marks_end(line) > 0
                or (found is not None and name_key(found.name) in self.known)
            )
            if found is None or not new or not self.is_speaker(found):
                said.append(line)
                continue
            if said or speaker:
                yield ParsedCue(part.start, part.end, speaker, single_spaced(" ".join(said)) or "…")
            speaker, said = found.name, [found.text] if found.text else []
        # a label without words: the name is needed, for others may say it
        yield ParsedCue(
            part.start, part.end, speaker, single_spaced(" ".join(said)) or ("…" if speaker else "")
        )


def with_speakers(parts: Iterable[Part], *, timed: bool) -> Iterator[ParsedCue]:
    """Cues of a whole file's parts; `timed`: its lines begin with a time, not with a subtitle's two."""
    read = list(parts)
    labels = _Labels(read, timed=timed)
    for part in read:
        yield from labels.cues(part)
