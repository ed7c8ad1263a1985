"""Pasted or typed lines → questions: which line asks, which lines are its options, and how people would answer.

    parse("What helps?\n- A mentor\n- A course") == [Pasted("What helps?", ("A mentor", "A course"))]

Pure. Nothing is refused: what cannot be asked yet becomes an unfinished question, to be finished at its card.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from polls.types import POLL_TYPES, Question
from polls.types.base import TEXT_LIMIT, Option
from polls.types.texts import tidy

#: more questions or longer text than this in one paste is no agenda
MOST_QUESTIONS = 40
MOST_LETTERS = 40_000
LABEL_LIMIT = 255
OPTIONS_LIMIT = 20

#: what may stand before a line of a list
_MARKS = {
    "bullet": r"[-–—−](?:\s+|(?=[^\W\d]))|[*•·●○◦▪▫■□☐☑☒✓✔➢➤►‣⁃∙]\s*|\[[ xX]?\]\s*|\([ xX]?\)\s*",
    "number": r"(?:[Qq](?:uestion)?\s*)\d{1,3}\s*[.):]\s*|\(?\d{1,3}[.)](?:\s+|(?=[^\W\d]))",
    "letter": r"\(?[A-Za-z][.)]\s+",
}
_MARK = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _MARKS.items()))
#: Word's bullet of the second level is the letter o and a tab
_WORD_BULLET = re.compile(r"(?m)^\s*o\t")
_MINUTES = re.compile(r"\s*[(\[](\d{1,3})\s*(?:min|mins|minutes|minute|’|')\.?[)\]]\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class Pasted:
    """A question as it was pasted; `minutes` where it ended in "(5 min)"."""

    text: str
    options: tuple[str, ...] = ()
    minutes: int | None = None


@dataclass(frozen=True)
class _Line:
    words: str
    #: a key of `_MARKS`, or empty
    mark: str = ""

    @property
    def asks(self) -> bool:
        return _MINUTES.sub("", self.words).endswith(("?", "？", "؟"))


def parse(words: str) -> list[Pasted]:
    """The questions in a text, in order; at most `MOST_QUESTIONS`. Empty where nothing can be read."""
    blocks: list[list[_Line]] = []
    for part in _parts(words):
        for block in _split(part):
            if blocks and _is_list_of(blocks[-1], block):
                blocks[-1] += block
            else:
                blocks.append(block)
    return [_made(block[0], block[1:]) for block in blocks[:MOST_QUESTIONS]]


def one_question(words: str) -> list[Pasted]:
    """The first line asks, all others are its options. One question or, without a line, none."""
    lines = [line for part in _parts(words) for line in part]
    return [_made(lines[0], lines[1:])] if lines else []


def line_by_line(words: str) -> list[Pasted]:
    """Every line is a question."""
    lines = [line for part in _parts(words) for line in part]
    return [_made(line, ()) for line in lines[:MOST_QUESTIONS]]


def has_lists(words: str) -> bool:
    """Did any line begin with a dash, a number or a letter that was dropped?"""
    return any(line.mark for part in _parts(words) for line in part)


def _parts(words: str) -> list[list[_Line]]:
    """Lines, in groups that blank lines keep apart."""
    words = _WORD_BULLET.sub("• ", words[:MOST_LETTERS].replace("\r\n", "\n"))
    parts: list[list[_Line]] = [[]]
    for raw in words.splitlines():
        line = _line(raw)
        if line.words:
            parts[-1].append(line)
        elif not raw.strip() and parts[-1]:
            parts.append([])
    return [part for part in parts if part]


def _line(raw: str) -> _Line:
    words, mark = tidy(raw), ""
    while (found := _MARK.match(words)) and (rest := tidy(words[found.end() :])):
        words, mark = rest, mark or found.lastgroup or ""
    return _Line(words, mark)


def _split(lines: list[_Line]) -> list[list[_Line]]:
    """Lines without a blank one between them: one question with its options, or several."""
    marks = {line.mark for line in lines}
    if len(lines) > 1 and len(marks) == 1:
        asking = sum(line.asks for line in lines)
        every_line = asking == len(lines) or (marks != {""} and asking > 1)
        return [[line] for line in lines] if every_line else [lines]
    starts = [0]
    for place, line in enumerate(lines[1:], 1):
        if _begins(lines, place, line):
            starts.append(place)
    return [lines[start:end] for start, end in zip(starts, [*starts[1:], len(lines)], strict=True)]


def _begins(lines: list[_Line], place: int, line: _Line) -> bool:
    """Does this line, of a group with several kinds of marks, begin the next question?"""
    if line.mark != lines[0].mark:
        return False
    before = lines[place - 1].mark != line.mark
    after = place + 1 < len(lines) and lines[place + 1].mark != line.mark
    return bool(line.mark) or line.asks or (before and after)


def _is_list_of(question: list[_Line], block: list[_Line]) -> bool:
    """Is this a list that a blank line has parted from its question?"""
    alone = len(question) == 1 and question[0].mark != block[0].mark
    return alone and all(line.mark for line in block) and not all(line.asks for line in block)


def _made(first: _Line, rest: Iterable[_Line]) -> Pasted:
    minutes = _MINUTES.search(first.words)
    text = _MINUTES.sub("", first.words) if minutes else first.words
    labels = dict.fromkeys(line.words for line in rest)
    if not text:  # nothing but "(5 min)"
        text, minutes = first.words, None
    return Pasted(text, tuple(labels), int(minutes[1]) if minutes else None)


# --- how people answer ------------------------------------------------------------------------------

_NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5}
_UP_TO = re.compile(r"\b(?:up to|top|choose|pick|select|tick)\s+(two|three|four|five|[2-9])\b", re.IGNORECASE)
#: type → what its question says, first match counts; `bare`: only without options
_CUES = (
    ("points", False, r"\b(points|distribute|allocate)\b|\bshare (?:out )?\d+"),
    ("ranking", False, r"\brank\b|\bin (?:the )?order\b|\btop (?:two|three|four|five|\d)\b|\bprioriti[sz]e\b"),
    ("multiple_choice", False, r"\b(?:all that apply|any number|choose any|select all|tick all|several)\b"),
    ("words", True, r"\b(?:one|a|single|three|few) words?\b|\bword or short phrase\b|\bshort phrase\b"),
    ("number", True, r"^(?:how (?:many|much|old|long|often)|what (?:number|percentage|age|year))\b|\bhow many\b"),
    ("single_choice", True, r"^(?:which|who)\b|\bchoose one\b"),
    ("statement", True, r"\b(?:do you|we) (?:dis)?agree\b"),
)  # fmt: skip
_SCALES = re.compile(
    r"\b(?:strongly|never|rarely|always|not at all|extremely|"
    r"very (?:un)?(?:likely|important|satisfied|confident|happy))\b",
    re.IGNORECASE,
)


def guess_type(pasted: Pasted) -> str:
    """The name of the type that this question most likely is."""
    for name, bare, cue in _CUES:
        if not (bare and pasted.options) and re.search(cue, pasted.text, re.IGNORECASE):
            return name
    if pasted.options:
        if _UP_TO.search(pasted.text):
            return "multiple_choice"
        scale = 3 <= len(pasted.options) <= 11 and any(
            map(_SCALES.search, (pasted.options[0], pasted.options[-1]))
        )
        return "scale" if scale else "single_choice"
    asks = pasted.text.endswith(("?", "？", "؟", ":", "…"))
    return "statement" if pasted.text.endswith(".") and not asks and " " in pasted.text else "open_text"


def as_question(pasted: Pasted, type_name: str) -> Question:
    """The question of this type, perhaps unfinished; options that the type has no use for are left out."""
    options = tuple(Option(f"o{number}", label) for number, label in enumerate(pasted.options, 1))
    return Question(
        type=type_name,
        text=pasted.text,
        options=options if POLL_TYPES[type_name].has_options else (),
        settings=_settings(pasted, type_name),
    )


def _settings(pasted: Pasted, type_name: str) -> dict[str, Any]:
    many = _UP_TO.search(pasted.text)
    limit = (_NUMBERS.get(many[1].lower()) or int(many[1])) if many else 0
    if type_name == "scale":
        return {"points": list(pasted.options) or 5}
    if type_name == "words":
        return {"max_entries": 3, "max_length": 40}
    if type_name == "ranking" and 0 < limit < len(pasted.options):
        return {"top": limit}
    if type_name == "multiple_choice" and 0 < limit < len(pasted.options):
        return {"max": limit}
    return {}


def uses_options(type_name: str) -> bool:
    """Do questions of this type keep pasted options?"""
    return POLL_TYPES[type_name].has_options or type_name == "scale"


def too_long(questions: Sequence[Pasted]) -> tuple[str, Pasted] | None:
    """The first question that cannot be stored, with what is too long: "text", "label" or "options"."""
    for one in questions:
        if len(one.text) > TEXT_LIMIT:
            return "text", one
        if any(len(label) > LABEL_LIMIT for label in one.options):
            return "label", one
        if len(one.options) > OPTIONS_LIMIT:
            return "options", one
    return None
