"""Recall and precision of redaction by kind, on a labelled corpus.

The corpus is invented, by the authors of the rules. The rules were tuned on its part `rules`; the part `held out` (the
test set) was written before them, with other names and formats. Spans to redact are annotated as ⟦kind:words⟧.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from . import MARKS, Span, suggest

CORPUS = Path(__file__).with_name("corpus.jsonl")
PARTS = ("rules", "held out")
#: minimum recall on either part
GOALS = {"email": 0.95, "phone": 0.95, "postcode": 0.95, "name": 0.80}
#: minimum precision on either part
PRECISION_GOALS = {"name": 0.70}
_MARKED = re.compile(r"⟦(?P<kind>\w+):(?P<words>[^⟦⟧]+)⟧")


@dataclass(frozen=True, slots=True)
class Sentence:
    part: str
    text: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """Counts for one kind on one part of the corpus."""

    part: str
    kind: str
    #: annotated spans, and those of them found in full under this kind
    gold: int
    found: int
    #: suggested spans, and those of them that are mostly annotated
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
    """The text of an annotated sentence, and its spans. Raises `ValueError` for an unknown kind or a stray bracket."""
    text, spans, position = "", [], 0
    for match in _MARKED.finditer(marked):
        text += marked[position : match.start()]
        if match["kind"] not in MARKS:
            raise ValueError(f"unknown kind {match['kind']!r}")
        spans.append(Span(len(text), len(text) + len(match["words"]), match["kind"]))
        text, position = text + match["words"], match.end()
    text += marked[position:]
    if "⟦" in text or "⟧" in text:
        raise ValueError(f"a mark is not closed: {marked}")
    return text, tuple(spans)


@cache
def corpus() -> tuple[Sentence, ...]:
    lines = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    return tuple(Sentence(line["part"], *read_marked(line["text"])) for line in lines)


def measure(sentences: Iterable[Sentence]) -> list[Score]:
    """A score for every part and kind, in the order of `PARTS` and `MARKS`."""
    read = [(sentence, suggest(sentence.text)) for sentence in sentences]
    return [_score(part, kind, read) for part in PARTS for kind in MARKS]


def mistakes(sentence: Sentence) -> tuple[list[Span], list[Span]]:
    """False negatives and false positives: `(missed, wrong)`."""
    suggested = suggest(sentence.text)
    missed = [span for span in sentence.spans if not _is_found(span, sentence.text, suggested)]
    wrong = [span for span in suggested if not _is_right(span, sentence)]
    return missed, wrong


def _score(part: str, kind: str, read: list[tuple[Sentence, list[Span]]]) -> Score:
    in_part = [(sentence, suggested) for sentence, suggested in read if sentence.part == part]
    gold = [
        (span, sentence, suggested)
        for sentence, suggested in in_part
        for span in sentence.spans
        if span.kind == kind
    ]
    suggestions = [
        (span, sentence) for sentence, suggested in in_part for span in suggested if span.kind == kind
    ]
    return Score(
        part=part,
        kind=kind,
        gold=len(gold),
        found=sum(_is_found(span, sentence.text, suggested) for span, sentence, suggested in gold),
        suggested=len(suggestions),
        right=sum(_is_right(span, sentence) for span, sentence in suggestions),
    )


def _letter_positions(span: Span, text: str) -> set[int]:
    return {index for index in range(span.start, span.end) if text[index].isalnum()}


def _of_kind(kind: str, spans: Iterable[Span], text: str) -> set[int]:
    return {index for span in spans if span.kind == kind for index in _letter_positions(span, text)}


def _is_found(span: Span, text: str, suggested: list[Span]) -> bool:
    """A true positive for recall: every letter and digit of the span is suggested, under its own kind."""
    return _letter_positions(span, text) <= _of_kind(span.kind, suggested, text)


def _is_right(span: Span, sentence: Sentence) -> bool:
    """A true positive for precision: at least half of the suggested letters are annotated, under this kind."""
    letters = _letter_positions(span, sentence.text)
    return 2 * len(letters & _of_kind(span.kind, sentence.spans, sentence.text)) >= len(letters)
