"""What came out of one workshop as a Word document (DOCX): questions with their tables, sentences, groups' notes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..workshop_results import Answered, WorkshopResults
from . import word
from .remarks import of_groups, synthetic


def write(found: WorkshopResults) -> bytes:
    """The whole workshop, as its page of results shows it."""
    document = word.begun(found.title)
    said = ngettext("%(n)d person took part.", "%(n)d people took part.", found.people)
    _paragraphs(document, *synthetic(found.workshop), said % {"n": found.people})
    if found.waiting:
        _paragraphs(document, _waiting(found.waiting))
    if found.questions:
        document.add_heading(_("Questions"), 1)
    for answered in found.questions:
        document.add_heading(word.clean(answered.finding or answered.question), 2)
        _paragraphs(document, answered.question if answered.finding else "")
        _result(document, answered)
    if found.sentences:
        document.add_heading(_("What the room decided about sentences"), 1)
    for answered in found.sentences:
        document.add_heading(word.clean(answered.question), 2)
        _result(document, answered)
    for block in of_groups(found.group_times):
        word.add(document, block)
    return word.file_of(document)


def _waiting(n: int) -> str:
    said = ngettext(
        "%(n)d text was not checked yet. What may name somebody in it is taken out here.",
        "%(n)d texts were not checked yet. What may name somebody in them is taken out here.",
        n,
    )
    return said % {"n": n}


def _result(document: Any, answered: Answered) -> None:
    """The base of a result in words, its verdict and measures where there are any, and its numbers."""
    result = answered.result
    if not result.tally["n"]:
        _paragraphs(document, _("Nobody answered."))
        return
    picture = result.picture
    verdict = [picture["state_says"], picture["verdict"]] if "verdict" in picture else []
    measures = [
        _("%(label)s: %(hits)d of %(valid)d")
        % {"label": share.label, "hits": share.hits, "valid": share.valid}
        for share in result.measures
    ]
    _paragraphs(document, *verdict, *measures, base(answered))
    _table(document, *result.table)


def base(answered: Answered) -> str:
    """How many answered, of those who saw the question, and how many passed."""
    counts = answered.result.counts
    said = ngettext(
        "%(valid)d of the %(issued)d person who saw the question answered.",
        "%(valid)d of the %(issued)d people who saw the question answered.",
        counts.issued,
    ) % {"valid": counts.valid, "issued": counts.issued}
    return f"{said} {_('%(passed)d passed.') % {'passed': counts.passed}}" if counts.passed else said


def _table(document: Any, headings: Iterable[Any], rows: Iterable[Iterable[Any]]) -> None:
    head = [*headings]
    table = document.add_table(rows=0, cols=len(head), style="Table Grid")
    for row in (head, *rows):
        for cell, value in zip(table.add_row().cells, row, strict=True):
            cell.text = word.clean(str(value))
    document.add_paragraph()  # or the next table grows together with this one


def _paragraphs(document: Any, *texts: str) -> None:
    for text in texts:
        if text:
            document.add_paragraph(word.clean(text))
