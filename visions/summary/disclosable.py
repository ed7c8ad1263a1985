"""May a figure leave for the world? Enough people behind it, and no words of a person without consent and a decision.

What a figure prints of people's words is published only if all of it was checked and shown, and everybody who wrote it
agreed to be quoted. Decisions and consents change, so this is asked when a figure is linked and again when it is
published.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from polls.models import Instrument

from ..results import disclosure
from ..results.aggregates import ResultLine
from . import places, sources
from .sources import Printed

#: an instrument, whether it asks for words, and a line of its result
Figure = tuple[Instrument, bool, ResultLine]


@dataclass(frozen=True, slots=True)
class Verdict:
    """On one figure: why it may not be published (empty where it may), and the people's words that it prints."""

    objection: str
    label: Printed | None
    question: Printed | None


def objection(instrument: Instrument, has_texts: bool, line: ResultLine) -> str:
    """Why this figure may not be published, as one sentence; empty where it may."""
    return verdicts([(instrument, has_texts, line)])[0].objection


def verdicts(figures: Iterable[Figure]) -> list[Verdict]:
    """One for each figure; seven queries at most, one where no words are printed."""
    figures = list(figures)
    labels = sources.of_labels(
        {(each.pk, line.key) for each, words, line in figures if _is_words(words, line)}
    )
    questions = sources.of_questions({each.pk for each, _words, _line in figures}) if figures else {}
    return [
        _verdict(each, labels.get((each[0].pk, each[2].key)), questions.get(each[0].pk)) for each in figures
    ]


def _is_words(has_texts: bool, line: ResultLine) -> bool:
    return has_texts and line.kind == "option"


def _verdict(figure: Figure, label: Printed | None, question: Printed | None) -> Verdict:
    _instrument, has_texts, line = figure
    label = label if _is_words(has_texts, line) else None
    return Verdict(next(_objections(line, label, question), ""), label, question)


def _objections(line: ResultLine, label: Printed | None, question: Printed | None) -> Iterator[str]:
    name = places.under_review() if label and label.is_away else line.label
    if label and not label.may_stand:
        yield _(
            "“%(label)s” is what people wrote. It can stand here once all of it is checked and shown, and everybody "
            "who wrote it agreed to be quoted."
        ) % {"label": name}
    if question and not question.may_stand:
        yield _(
            "“%(label)s” answers a question that is made of somebody’s words. It can stand here once they are checked "
            "and shown, and everybody who wrote them agreed to be quoted."
        ) % {"label": name}
    if line.valid < disclosure.PUBLISHED or (label and line.hits < disclosure.PUBLISHED):
        yield _("“%(label)s” stands for fewer than %(n)d people.") % {
            "label": name,
            "n": disclosure.PUBLISHED,
        }
    if 0 < line.hits < disclosure.SMALL_CELL:
        yield _("“%(label)s” is what fewer than %(n)d people chose.") % {
            "label": name, "n": disclosure.SMALL_CELL,
        }  # fmt: skip
