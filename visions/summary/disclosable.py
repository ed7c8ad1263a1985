"""May a figure leave for the world? Enough people behind it, and no words of a person without consent and a decision.

In a question that asks for words, the label of a figure is what somebody wrote. It is published only if every text that
it counts was approved for the room, everybody who wrote one agreed to be quoted, and at least `disclosure.PUBLISHED`
people did. Decisions and consents change, so this is asked when a figure is linked and again when it is published.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from polls.models import Instrument, Text
from polls.text_decisions import SHOWN
from workshops.text.reports import agreed_to_be_quoted

from ..results import disclosure
from ..results.aggregates import ResultLine

#: (instrument id, key of a words figure)
Label = tuple[int, str]


def objection(instrument: Instrument, has_texts: bool, line: ResultLine) -> str:
    """Why this figure may not be published, as one sentence; empty where it may."""
    return next(iter(objections([(instrument, has_texts, line)])), "")


def objections(figures: Iterable[tuple[Instrument, bool, ResultLine]]) -> list[str]:
    """One sentence for each figure, empty where it may be published; three queries at most."""
    figures = list(figures)
    labels = {(each.pk, line.key) for each, has_texts, line in figures if has_texts and line.kind == "option"}
    not_to_be_shown = _not_to_be_shown(labels)
    return [
        _objection(line, (each.pk, line.key) in not_to_be_shown, has_texts)
        for each, has_texts, line in figures
    ]


def _objection(line: ResultLine, is_withheld: bool, has_texts: bool) -> str:
    if is_withheld:
        return _(
            "“%(label)s” is what people wrote. It can stand here once all of it is checked and shown, and everybody "
            "who wrote it agreed to be quoted."
        ) % {"label": line.label}
    is_words = has_texts and line.kind == "option"
    if line.valid < disclosure.PUBLISHED or (is_words and line.hits < disclosure.PUBLISHED):
        return _("“%(label)s” stands for fewer than %(n)d people.") % {
            "label": line.label, "n": disclosure.PUBLISHED,
        }  # fmt: skip
    return ""


def _not_to_be_shown(labels: set[Label]) -> set[Label]:
    """Labels with a text that was not approved, or whose author did not agree to be quoted."""
    if not labels:
        return set()
    found = Text.objects.filter(
        poll__version__instrument__in={instrument for instrument, _key in labels},
        key__in={key for _instrument, key in labels}, standing=Text.Standing.CURRENT, rehearsal=False,
    ).values_list("poll__version__instrument", "key", "voter", "decision__state")  # fmt: skip
    texts = [row for row in found if (row[0], row[1]) in labels]
    quotable = agreed_to_be_quoted(voter for _instrument, _key, voter, _state in texts)
    return {
        (instrument, key)
        for instrument, key, voter, state in texts
        if state != SHOWN or voter not in quotable
    }
