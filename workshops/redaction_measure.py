"""How well redaction works: recall and precision by kind, on sentences with the right answer marked.

The corpus is invented, by the hand that wrote the rules. Its part `rules` was in sight meanwhile; `held out` was
written before them, with other names and formats, and nothing was tuned on it. Sentences mark what is to hide as
⟦kind:words⟧.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .redaction import MARKS, Span, suggest

CORPUS = Path(__file__).with_name("redaction_corpus.jsonl")
PARTS = ("rules", "held out")
#: the least share of what should be hidden that is found, on either part
GOALS = {"email": 0.95, "phone": 0.95, "postcode": 0.95, "name": 0.80}
#: the least share of suggested names that are names, on either part
PRECISION_GOALS = {"name": 0.70}
_MARKED = re.compile(r"⟦(?P<kind>\w+):(?P<words>[^⟦⟧]+)⟧")


@dataclass(frozen=True, slots=True)
class Sentence:
    part: str
    text: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """Counts for one kind on one part of the corpus."""

    part: str
    kind: str
    #: spans that should be hidden, and those of them hidden whole under this kind
    gold: int
    found: int
    #: suggestions, and those of them that hide mostly what should be hidden
    suggested: int
    right: int

    @property
    def recall(self) -> float:
        return self.found / self.gold if self.gold else 1.0

    @property
    def precision(self) -> float:
        return self.right / self.suggested if self.suggested else 1.0

    @property
    def meets_goals(self) -> bool:
        return self.recall >= GOALS.get(self.kind, 0.0) and self.precision >= PRECISION_GOALS.get(
            self.kind, 0.0
        )


def read_marked(marked: str) -> tuple[str, tuple[Span, ...]]:
    """The plain text of a marked sentence, and its spans. Raises `ValueError` for an unknown kind or a stray mark."""
    text, spans, at = "", [], 0
    for match in _MARKED.finditer(marked):
        text += marked[at : match.start()]
        if match["kind"] not in MARKS:
            raise ValueError(f"unknown kind {match['kind']!r}")
        spans.append(Span(len(text), len(text) + len(match["words"]), match["kind"]))
        text, at = text + match["words"], match.end()
    text += marked[at:]
    if "⟦" in text or "⟧" in text:
        raise ValueError(f"a mark is not closed: {marked}")
    return text, tuple(spans)


@cache
def corpus() -> tuple[Sentence, ...]:
    lines = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    return tuple(Sentence(line["part"], *read_marked(line["text"])) for line in lines)


def measure(sentences: Iterable[Sentence]) -> list[Figure]:
    """A figure for every part and kind, in the order of `PARTS` and `MARKS`."""
    read = [(sentence, suggest(sentence.text)) for sentence in sentences]
    return [_figure(part, kind, read) for part in PARTS for kind in MARKS]


def mistakes(sentence: Sentence) -> tuple[list[Span], list[Span]]:
    """What was missed, and what was suggested wrongly."""
    suggested = suggest(sentence.text)
    missed = [span for span in sentence.spans if not _is_found(span, sentence.text, suggested)]
    wrong = [span for span in suggested if not _is_right(span, sentence)]
    return missed, wrong


def _figure(part: str, kind: str, read: list[tuple[Sentence, list[Span]]]) -> Figure:
    of_part = [(sentence, suggested) for sentence, suggested in read if sentence.part == part]
    gold = [
        (span, sentence, suggested)
        for sentence, suggested in of_part
        for span in sentence.spans
        if span.kind == kind
    ]
    offered = [(span, sentence) for sentence, suggested in of_part for span in suggested if span.kind == kind]
    return Figure(
        part=part,
        kind=kind,
        gold=len(gold),
        found=sum(_is_found(span, sentence.text, suggested) for span, sentence, suggested in gold),
        suggested=len(offered),
        right=sum(_is_right(span, sentence) for span, sentence in offered),
    )


def _letters(span: Span, text: str) -> set[int]:
    return {place for place in range(span.start, span.end) if text[place].isalnum()}


def _of_kind(kind: str, spans: Iterable[Span], text: str) -> set[int]:
    return {place for span in spans if span.kind == kind for place in _letters(span, text)}


def _is_found(span: Span, text: str, suggested: list[Span]) -> bool:
    """Every letter and digit of it would be hidden, under its own kind."""
    return _letters(span, text) <= _of_kind(span.kind, suggested, text)


def _is_right(span: Span, sentence: Sentence) -> bool:
    """At least half of what it hides should be hidden, under this kind."""
    letters = _letters(span, sentence.text)
    return 2 * len(letters & _of_kind(span.kind, sentence.spans, sentence.text)) >= len(letters)
