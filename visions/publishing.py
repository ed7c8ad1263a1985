"""What a researcher writes, as verbs; nobody else changes a summary.

Figures that carry a statement are kept as they were when they were linked. When answers come in later the
link is stale: it is updated by a person, or kept with a reason. Publishing freezes everything the public
page shows into a `Snapshot`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from polls.types.base import percent
from workshops.models import Domain, Programme

from . import disclosure, quoting, statistics
from .aggregates import PERCENT_FROM, Asked, Findings, Line, findings, round_half_up
from .models import Adoption, EvidenceLink, Snapshot, Statement, Summary
from .quoting import Origin


class CannotPublish(Exception):
    """The summary is not ready; `reasons` are sentences for the person who writes it."""

    def __init__(self, reasons: list[Reason]) -> None:
        super().__init__(" ".join(reason.text for reason in reasons))
        self.reasons = reasons


class NoSuchFigure(Exception):
    """The programme has no such figure, or its versions do not add up."""


class AlreadyLinked(Exception):
    """This statement has this figure already."""


class NotChecked(Exception):
    """Nobody has said yet that these words may be shown, or they may not."""


class NoDomain(Exception):
    """What was asked belongs to no part of the vision, and none was chosen."""


class AlreadyAdopted(Exception):
    """These words are a statement already."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a summary cannot be published, and at which statement."""

    text: str
    statement: Statement | None = None


# --- writing -----------------------------------------------------------------------------------------


def summary_of(programme: Programme) -> Summary:
    """The programme's summary, begun now if it was not; its address is the programme's own key."""
    begun, _new = Summary.objects.get_or_create(
        programme=programme, defaults={"key": programme.key, "title": programme.title}
    )
    return begun


def summary_to_read(programme: Programme) -> Summary:
    """The same for a page that only looks: where none has been begun, one that is not stored."""
    begun = Summary.objects.filter(programme=programme).first()
    return begun or Summary(programme=programme, key=programme.key, title=programme.title)


def edit_summary(summary: Summary, *, title: str, lead: str, opening: str) -> None:
    summary.title, summary.lead, summary.opening = title, lead, opening
    summary.save()


@transaction.atomic
def add_statement(summary: Summary, domain: Domain, text: str, why: str = "") -> Statement:
    """A new statement, last in its domain."""
    return Statement.objects.create(
        summary=summary,
        domain=domain,
        text=text,
        why=why,
        position=_next(summary.statements.filter(domain=domain)),
    )


@transaction.atomic
def adopt(summary: Summary, origin: Origin, by: Any, domain: Domain | None = None) -> Statement:
    """Take up what was brought as a statement in the domain of what was asked, or in this one; who and when is kept.

    Raises `NotChecked`, `NoDomain`, `AlreadyAdopted`.
    """
    words, source = quoting.draft(origin.words), origin.source
    if not words:
        raise NotChecked(source.pk)
    where = domain or origin.domain
    if where is None:
        raise NoDomain(source.pk)
    made_of: dict[str, Any] = {"note" if origin.is_note else "text": source}
    # Two researchers who take it up at once wait for each other here.
    type(source).objects.select_for_update(of=("self",), no_key=True).get(pk=source.pk)
    if Adoption.objects.filter(statement__isnull=False, **made_of).exists():
        raise AlreadyAdopted(source.pk)
    statement = add_statement(summary, where, words)
    try:
        with transaction.atomic():
            Adoption.objects.create(statement=statement, by=by, mark=quoting.mark(words), **made_of)
    except IntegrityError as twice:
        raise AlreadyAdopted(source.pk) from twice
    return statement


@transaction.atomic
def edit_statement(statement: Statement, *, text: str, why: str, domain: Domain) -> None:
    if domain != statement.domain:
        statement.position = _next(statement.summary.statements.filter(domain=domain))
    statement.text, statement.why, statement.domain = text, why, domain
    statement.save()


@transaction.atomic
def move_statement(statement: Statement, step: int) -> None:
    """Up (−1) or down (+1) among the statements of its domain; at the edge nothing happens."""
    row = list(statement.summary.statements.filter(domain=statement.domain))
    here = row.index(statement)
    there = min(max(here + step, 0), len(row) - 1)
    row.insert(there, row.pop(here))
    for position, each in enumerate(row):
        each.position = position
    Statement.objects.bulk_update(row, ["position"])


def delete_statement(statement: Statement) -> None:
    statement.delete()


def _next(rows: Any) -> int:
    last = rows.aggregate(last=Max("position"))["last"]
    return 0 if last is None else last + 1


# --- evidence ----------------------------------------------------------------------------------------


@transaction.atomic
def link(
    statement: Statement,
    found: Findings,
    instrument_key: str,
    kind: str,
    figure: str,
    *,
    relation: str = EvidenceLink.Relation.SUPPORTS,
    caption: str = "",
    note: str = "",
) -> EvidenceLink:
    """Tie a statement to a pooled figure as it is now. Raises `NoSuchFigure`, `AlreadyLinked`."""
    asked, line = found.of(instrument_key), found.line(instrument_key, kind, figure)
    if asked is None or line is None:
        raise NoSuchFigure(f"{instrument_key} {kind} {figure}")
    same = statement.evidence.filter(instrument=asked.instrument, kind=kind, figure=figure)
    if same.exists():
        raise AlreadyLinked(line.label)
    try:
        return EvidenceLink.objects.create(
            statement=statement, instrument=asked.instrument, kind=kind, figure=figure, relation=relation,
            caption=caption, note=note, linked=line.as_linked(), position=_next(statement.evidence),
        )  # fmt: skip
    except IntegrityError as twice:
        raise AlreadyLinked(line.label) from twice


def unlink(evidence: EvidenceLink) -> None:
    evidence.delete()


def describe_evidence(evidence: EvidenceLink, *, relation: str, caption: str, note: str) -> None:
    evidence.relation, evidence.caption, evidence.note = relation, caption, note
    evidence.save()


def update_evidence(evidence: EvidenceLink, present: Line) -> None:
    """Take the figure as it is now."""
    evidence.linked, evidence.kept_because, evidence.kept_against = present.as_linked(), "", None
    evidence.save()


def keep_evidence(evidence: EvidenceLink, present: Line | None, because: str) -> None:
    """Let the figure stand as it was linked, although it has moved, with the reason."""
    evidence.kept_because, evidence.kept_against = because, _essence(present)
    evidence.save()


def present_line(evidence: EvidenceLink, found: Findings) -> Line | None:
    """The figure as it is now; `None` where it can no longer be counted."""
    return found.line(evidence.instrument.key, evidence.kind, evidence.figure)


def is_stale(evidence: EvidenceLink, found: Findings) -> bool:
    """Has the figure moved since it was linked?"""
    linked = {key: evidence.linked[key] for key in ("hits", "valid", "workshops")}
    return _essence(present_line(evidence, found)) != linked


def needs_care(evidence: EvidenceLink, found: Findings) -> bool:
    """Stale, and nobody has said why the linked figure stands against what is counted now."""
    if not is_stale(evidence, found):
        return False
    return not evidence.kept_because or evidence.kept_against != _essence(present_line(evidence, found))


def _essence(line: Line | None) -> dict[str, int] | None:
    return {"hits": line.hits, "valid": line.valid, "workshops": line.workshops} if line else None


# --- publishing --------------------------------------------------------------------------------------


CAME_FROM = (
    "adoptions__by",
    "adoptions__text",
    "adoptions__note__group__round__workshop",
    "adoptions__note__group__prompt__domain",
)


def statements_of(summary: Summary) -> list[Statement]:
    """All statements in the page's order with their evidence and what they came from; seven queries at most."""
    if summary.pk is None:
        return []
    statements = summary.statements.select_related("domain", "summary__programme")
    return list(statements.prefetch_related("evidence__instrument", *CAME_FROM))


def reasons_against(summary: Summary, found: Findings) -> list[Reason]:
    """Everything that stands between this summary and its publication; empty when it is ready."""
    statements = statements_of(summary)
    if not statements:
        return [Reason(_("There is no statement yet."))]
    not_quotable = quoting.not_to_be_quoted(statements)
    return [
        reason
        for statement in statements
        for reason in _against(statement, found, statement.pk in not_quotable)
    ]


def _against(statement: Statement, found: Findings, not_quotable: bool) -> Iterator[Reason]:
    if not_quotable:
        text = _("These are somebody’s own words, and they may not be quoted. Write the statement in yours.")
        yield Reason(text, statement)
    evidence = list(statement.evidence.all())
    if not any(link.relation == link.Relation.SUPPORTS for link in evidence):
        yield Reason(_("A statement has no figure that supports it."), statement)
    moved = sum(needs_care(link, found) for link in evidence)
    if moved:
        text = ngettext(
            "%(n)d figure has moved since it was linked.",
            "%(n)d figures have moved since they were linked.",
            moved,
        )
        yield Reason(text % {"n": moved}, statement)
    if any(link.relation == link.Relation.CONTRADICTS and not link.note for link in evidence):
        yield Reason(_("A figure in tension needs a note."), statement)


@transaction.atomic
def publish(summary: Summary, by: Any = None) -> Snapshot:
    """Freeze the summary as its next version. Raises `CannotPublish` with every reason at once."""
    # Two people who publish at once must not get the same number.
    summary = Summary.objects.select_for_update(of=("self",)).select_related("programme").get(pk=summary.pk)
    found = findings(summary.programme)
    if reasons := reasons_against(summary, found):
        raise CannotPublish(reasons)
    number = (summary.snapshots.aggregate(last=Max("number"))["last"] or 0) + 1
    now = timezone.now()
    page = content(summary, found, number=number, published_at=now.isoformat())
    return Snapshot.objects.create(summary=summary, number=number, content=page, published_at=now, by=by)


def content(summary: Summary, found: Findings, *, number: int = 0, published_at: str = "") -> dict[str, Any]:
    """Everything the public page shows, as plain JSON; number 0 is a draft."""
    statements = statements_of(summary)
    return {
        "key": summary.key,
        "number": number,
        "published_at": published_at,
        "title": summary.title,
        "lead": summary.lead,
        "opening": summary.opening,
        "programme": _programme(summary.programme),
        "workshops": [
            {"number": m.number, "joined": m.joined, "synthetic": m.synthetic} for m in found.meetings
        ],
        "joined": found.joined,
        "attended": found.attended,
        "synthetic": found.synthetic,
        "bases": _bases(statements),
        "smallest": disclosure.PUBLISHED,
        "domains": list(_domains(statements, found)),
    }


def _programme(programme: Programme) -> dict[str, Any]:
    return {key: getattr(programme, key) for key in ("key", "title", "hue", "team", "funder", "cite")}


def _bases(statements: list[Statement]) -> list[int]:
    """The smallest and the largest number of answers behind any figure of the page."""
    bases = [link.linked["valid"] for statement in statements for link in statement.evidence.all()]
    return [min(bases), max(bases)] if bases else []


def _domains(statements: list[Statement], found: Findings) -> Iterator[dict[str, Any]]:
    by_domain: dict[Domain, list[Statement]] = {}
    for statement in statements:
        by_domain.setdefault(statement.domain, []).append(statement)
    for domain, mine in by_domain.items():
        yield {
            "key": domain.key,
            "title": domain.title,
            "description": domain.description,
            "statements": [_statement(statement, found) for statement in mine],
        }


def _statement(statement: Statement, found: Findings) -> dict[str, Any]:
    evidence = list(statement.evidence.all())
    return {
        "text": statement.text,
        "why": statement.why,
        "figures": [_figure(link, found.of(link.instrument.key)) for link in evidence],
    }


def _figure(link: EvidenceLink, asked: Asked | None) -> dict[str, Any]:
    hits, valid = link.linked["hits"], link.linked["valid"]
    low, high = statistics.wilson(hits, valid) or (0.0, 1.0)
    return {
        "kind": link.kind,
        "label": link.linked["label"],
        "caption": link.caption,
        "relation": link.relation,
        "relation_label": str(link.get_relation_display()),
        "note": link.note,
        "kept_because": link.kept_because,
        "question": asked.question.text if asked else "",
        "type": asked.question.type if asked else "",
        "hits": hits,
        "valid": valid,
        "percent": percent(hits, valid) if valid >= PERCENT_FROM and link.kind != link.Kind.ANSWERS else None,
        "share": percent(hits, valid) or 0,
        "low": round_half_up(low),
        "high": round_half_up(high),
        "benchmarks": list(benchmarks(link.statement.summary.programme, link.instrument.key, link.figure)),
        **_cells(link.linked["cells"]),
    }


def benchmarks(
    programme: Programme, instrument_key: str, measure: str | None = None
) -> Iterator[dict[str, Any]]:
    """Outside figures as authored that stand beside an instrument, or beside one measure of it."""
    for benchmark in programme.benchmarks:
        if benchmark["instrument"] == instrument_key and measure in (None, benchmark.get("measure")):
            yield benchmark


def _cells(cells: list[list[int]]) -> dict[str, Any]:
    """Workshops that may be published; the others only as their number, so that the page can say `[c]`."""
    away = disclosure.hidden({number: valid for number, _hits, valid in cells}, disclosure.PUBLISHED)
    return {
        "cells": [cell for cell in cells if cell[0] not in away],
        "hidden": [number for number, _hits, _valid in cells if number in away],
    }
