"""Publishing a vision summary: what stands against it, and what the public page shows, frozen in a `Snapshot`."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from polls.types.base import percent
from workshops.actions.log import logged
from workshops.models import Domain, Programme

from ..models import EvidenceLink, OwnWords, QuotedText, Snapshot, Statement, Summary
from ..results import disclosure, statistics
from ..results.aggregates import (
    PERCENT_FROM,
    Findings,
    InstrumentResult,
    ResultLine,
    load_findings,
    round_half_up,
)
from . import composing, disclosable, others_words, places, quoting
from .disclosable import Verdict
from .others_words import Found
from .places import Place


class CannotPublish(Exception):
    """The summary is not ready; `reasons` are sentences for the person who writes it."""

    def __init__(self, reasons: list[Reason]) -> None:
        super().__init__(" ".join(reason.text for reason in reasons))
        self.reasons = reasons


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a summary cannot be published, and at which statement."""

    text: str
    statement: Statement | None = None
    #: the place whose words are near to people's
    found: Found | None = None


CAME_FROM = ("adoptions__by", "adoptions__passage__text")


def statements_of(summary: Summary) -> list[Statement]:
    """All statements in the page's order with their evidence and what they came from; seven queries at most."""
    if summary.pk is None:
        return []
    statements = summary.statements.select_related("domain", "summary__programme")
    return list(statements.prefetch_related("evidence__instrument", *CAME_FROM))


def reasons_against(summary: Summary, findings: Findings) -> list[Reason]:
    """Every reason why this summary cannot be published yet; empty when it can."""
    return review(summary, findings).reasons


@dataclass(frozen=True, slots=True)
class Review:
    """A summary as it is looked at before it is drawn or published: whose words stand where, and what is missing."""

    statements: list[Statement]
    words: dict[Place, Found]
    #: by link: the people's words that its figure prints
    printed: dict[int, Verdict]
    reasons: list[Reason]

    @property
    def withheld(self) -> set[Place]:
        """Places that are not drawn: their words were flagged, hidden or taken back at the source."""
        labels = {
            Place("link", link, "label")
            for link, verdict in self.printed.items()
            if verdict.label and verdict.label.is_away
        }
        return labels | {place for place, found in self.words.items() if found.is_withheld}


def review(summary: Summary, findings: Findings) -> Review:
    """Look at a summary as it is being written. The number of queries does not grow with it."""
    statements = statements_of(summary)
    links = [link for statement in statements for link in statement.evidence.all()]
    verdicts = disclosable.verdicts(_linked(link, findings) for link in links)
    printed = dict(zip((link.pk for link in links), verdicts, strict=True))
    not_quotable = quoting.not_to_be_quoted(statements)
    words = others_words.find(
        summary,
        statements,
        _questions(links, findings),
        not_compared=_of_figures(printed),
        adopted=not_quotable,
    )
    looked_at = Review(statements, words, printed, [])
    if not statements:
        looked_at.reasons.append(Reason(_("There is no statement yet.")))
    for statement in statements:
        looked_at.reasons.extend(_against(statement, findings, printed, statement.pk in not_quotable))
    looked_at.reasons.extend(_near(looked_at, not_quotable))
    return looked_at


def _questions(links: list[EvidenceLink], findings: Findings) -> dict[int, str]:
    found = {link.pk: _of_linked_series(link, findings.instrument(link.instrument.key)) for link in links}
    return {pk: result.question.text for pk, result in found.items() if result}


def _of_figures(printed: dict[int, Verdict]) -> set[Place]:
    """Labels and questions that have a rule of their own, because it is known whose words they are."""
    labels = {Place("link", link, "label") for link, verdict in printed.items() if verdict.label}
    return labels | {Place("link", link, "question") for link, verdict in printed.items() if verdict.question}


def _near(looked_at: Review, not_quotable: set[int]) -> Iterator[Reason]:
    """A reason for each place with words of people; what is known to be adopted has said so already."""
    of_link = {link.pk: each for each in looked_at.statements for link in each.evidence.all()}
    of_statement = {each.pk: each for each in looked_at.statements}
    for place, found in looked_at.words.items():
        statement = {"statement": of_statement, "link": of_link}.get(place.kind, {}).get(place.pk)
        is_known = place.kind == "statement" and place.pk in not_quotable and not found.is_withheld
        if found.stops and not is_known:
            yield Reason(found.reason, statement, found)


def _against(
    statement: Statement, findings: Findings, printed: dict[int, Verdict], not_quotable: bool
) -> Iterator[Reason]:
    if not_quotable:
        text = _("These are somebody’s own words, and they may not be quoted. Write the statement in yours.")
        yield Reason(text, statement)
    evidence = list(statement.evidence.all())
    for why in filter(None, (printed[link.pk].objection for link in evidence)):
        yield Reason(why, statement)
    if not any(link.relation == link.Relation.SUPPORTS for link in evidence):
        yield Reason(_("A statement has no figure that supports it."), statement)
    moved = sum(composing.needs_care(link, findings) for link in evidence)
    if moved:
        text = ngettext(
            "%(n)d figure has moved since it was linked.",
            "%(n)d figures have moved since they were linked.",
            moved,
        )
        yield Reason(text % {"n": moved}, statement)
    if any(link.relation == link.Relation.CONTRADICTS and not link.note for link in evidence):
        yield Reason(_("A figure in tension needs a note."), statement)


def _linked(link: EvidenceLink, findings: Findings) -> disclosable.Figure:
    """The figure as it would be published."""
    linked = link.linked
    line = ResultLine(link.kind, link.figure, linked["label"], linked["hits"], linked["valid"])
    result = findings.instrument(link.instrument.key)
    return link.instrument, result is not None and result.has_words, line


@transaction.atomic
def publish(summary: Summary, by: Any = None) -> Snapshot:
    """Freeze the summary as its next version. Raises `CannotPublish` with every reason at once."""
    # Two people who publish at once must not get the same number.
    summary = Summary.objects.select_for_update(of=("self",)).select_related("programme").get(pk=summary.pk)
    findings = load_findings(summary.programme)
    now = timezone.now()  # what is decided from here on counts against the version
    looked_at = review(summary, findings)
    if looked_at.reasons:
        raise CannotPublish(looked_at.reasons)
    number = (summary.snapshots.aggregate(last=Max("number"))["last"] or 0) + 1
    page = _content(summary, looked_at.statements, findings, number=number, published_at=now.isoformat())
    with logged(summary.programme, by, "published_summary", about=_("version %d") % number, always=True):
        pass
    snapshot = Snapshot.objects.create(summary=summary, number=number, content=page, published_at=now, by=by)
    QuotedText.objects.bulk_create(
        QuotedText(snapshot=snapshot, path=path, text_id=text) for path, text in _quoted(summary, looked_at)
    )
    return snapshot


def _quoted(summary: Summary, looked_at: Review) -> Iterator[tuple[str, int]]:
    """`(path, text)` for all of people's words that the version has, and for what is near to them."""
    texts = {place: found.texts for place, found in looked_at.words.items()}
    for link, verdict in looked_at.printed.items():
        for field, printed in (("label", verdict.label), ("question", verdict.question)):
            if printed:
                texts[Place("link", link, field)] = printed.texts
    for place, path in places.paths(summary, _by_domain(looked_at.statements)):
        for text in texts.get(place, ()):
            yield path, text


def content(summary: Summary, findings: Findings) -> dict[str, Any]:
    """The draft as the public page would show it, as plain JSON; what is being looked at is not in it."""
    looked_at = review(summary, findings)
    places.mask(summary, looked_at.statements, looked_at.withheld)
    return _content(summary, looked_at.statements, findings)


def _content(
    summary: Summary,
    statements: list[Statement],
    findings: Findings,
    *,
    number: int = 0,
    published_at: str = "",
) -> dict[str, Any]:
    """Everything the public page shows; number 0 is a draft."""
    return {
        "key": summary.key,
        "number": number,
        "published_at": published_at,
        "title": summary.title,
        "lead": summary.lead,
        "opening": summary.opening,
        "programme": _programme(summary.programme),
        "workshops": [
            {"number": m.number, "joined": m.joined, "synthetic": m.synthetic} for m in findings.meetings
        ],
        "joined": findings.joined,
        "attended": findings.attended,
        "synthetic": findings.synthetic,
        "bases": _bases(statements),
        "smallest": disclosure.PUBLISHED,
        "domains": list(_domains(statements, findings)),
    }


def _programme(programme: Programme) -> dict[str, Any]:
    return {key: getattr(programme, key) for key in ("key", "title", "hue", "team", "funder", "cite")}


def _bases(statements: list[Statement]) -> list[int]:
    """The smallest and the largest number of answers behind any figure of the page."""
    bases = [link.linked["valid"] for statement in statements for link in statement.evidence.all()]
    return [min(bases), max(bases)] if bases else []


def _domains(statements: list[Statement], findings: Findings) -> Iterator[dict[str, Any]]:
    for domain, mine in _by_domain(statements).items():
        yield {
            "key": domain.key,
            "title": domain.title,
            "description": domain.description,
            "statements": [_statement(statement, findings) for statement in mine],
        }


def _by_domain(statements: list[Statement]) -> dict[Domain, list[Statement]]:
    found: dict[Domain, list[Statement]] = {}
    for statement in statements:
        found.setdefault(statement.domain, []).append(statement)
    return found


def _statement(statement: Statement, findings: Findings) -> dict[str, Any]:
    evidence = list(statement.evidence.all())
    return {
        "text": statement.text,
        "why": statement.why,
        "figures": [_figure(link, findings.instrument(link.instrument.key)) for link in evidence],
    }


def _figure(link: EvidenceLink, result: InstrumentResult | None) -> dict[str, Any]:
    hits, valid = link.linked["hits"], link.linked["valid"]
    result = _of_linked_series(link, result)
    low, high = statistics.wilson(hits, valid) or (0.0, 1.0)
    return {
        "kind": link.kind,
        "label": link.linked["label"],
        "caption": link.caption,
        "relation": link.relation,
        "relation_label": str(link.get_relation_display()),
        "note": link.note,
        "kept_because": link.kept_because,
        "question": result.question.text if result else "",
        "type": result.question.type if result else "",
        "hits": hits,
        "valid": valid,
        "percent": percent(hits, valid) if valid >= PERCENT_FROM and link.kind != link.Kind.ANSWERS else None,
        "share": percent(hits, valid) or 0,
        "low": round_half_up(low),
        "high": round_half_up(high),
        "benchmarks": list(benchmarks(link.statement.summary.programme, link.instrument.key, link.figure)),
        **_cells(link.linked["cells"]),
    }


def _of_linked_series(link: EvidenceLink, result: InstrumentResult | None) -> InstrumentResult | None:
    """A figure that was kept may be of an earlier series: then it answers that series' question."""
    return result.with_version(link.linked["series"]) if result else None


def benchmarks(
    programme: Programme, instrument_key: str, measure: str | None = None
) -> Iterator[dict[str, Any]]:
    """Authored benchmarks (figures from outside the programme) for an instrument, or for one measure of it."""
    for benchmark in programme.benchmarks:
        if benchmark["instrument"] == instrument_key and measure in (None, benchmark.get("measure")):
            yield benchmark


def _cells(cells: list[list[int]]) -> dict[str, Any]:
    """Cells of workshops after small-cell suppression; of suppressed ones only the workshop's number, for `[c]`."""
    suppressed = disclosure.hidden({number: valid for number, _hits, valid in cells}, disclosure.PUBLISHED)
    return {
        "cells": [cell for cell in cells if cell[0] not in suppressed],
        "hidden": [number for number, _hits, _valid in cells if number in suppressed],
    }


# --- our own words -----------------------------------------------------------------------------------


def say_own_words(summary: Summary, findings: Findings, by: Any, said: Collection[str]) -> int:
    """Record that words which are near to people's are our own: `said` are their digests, as the page had them.

    Returns how many there were to say it of. It holds until the words change, or those texts are decided about anew.
    """
    wanted = {
        found.sha256: found.place
        for found in review(summary, findings).words.values()
        if found.sha256 in said and found.stops and found.may_be_own
    }
    for sha256, place in wanted.items():
        with logged(summary.programme, by, "said_own_words", about=place.name, always=True):
            OwnWords.objects.update_or_create(
                summary=summary, sha256=sha256, defaults={"by": by, "at": timezone.now()}
            )
    return len(wanted)
