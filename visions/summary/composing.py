"""Statements and their evidence, as a summary is composed: the writers of their tables.

An evidence link stores a copy of its figure. When answers come in later, the link is stale until a researcher updates
it or keeps it with a reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from polls import texts
from workshops.actions.log import note
from workshops.models import Domain, Programme
from workshops.text.reports import Origin

from ..models import Adoption, EvidenceLink, Statement, Summary
from ..results.aggregates import (
    Findings,
    ResultLine,
)
from . import disclosable, quoting

#: what of a figure is compared with its present value; `series` is the first version that it counts
_COUNTED = ("hits", "valid", "workshops", "series")


class NoSuchFigure(Exception):
    """The programme has no such figure."""


class NotToBePublished(Exception):
    """This figure may not leave (`disclosable`); the message is a sentence for the person who links it."""


class AlreadyLinked(Exception):
    """This statement has a link to this figure already."""


class CannotAdopt(Exception):
    """A text cannot become a statement; the message is a sentence for the person who tries."""


def summary_of(programme: Programme) -> Summary:
    """The programme's summary, created on first use (get or create); its slug is the programme's key."""
    summary, _created = Summary.objects.get_or_create(
        programme=programme, defaults={"key": programme.key, "title": programme.title}
    )
    return summary


def summary_to_read(programme: Programme) -> Summary:
    """The programme's summary for a read-only page; an unsaved one where it has none."""
    summary = Summary.objects.filter(programme=programme).first()
    return summary or Summary(programme=programme, key=programme.key, title=programme.title)


def edit_summary(summary: Summary, *, title: str, lead: str, opening: str) -> None:
    before = summary.title, summary.lead, summary.opening
    summary.title, summary.lead, summary.opening = title, lead, opening
    summary.save()
    forget_own_words(summary, before, (title, lead, opening))


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
    """Make a statement of a proposed note or text, in this domain or that of its question; records user and time.

    Raises `CannotAdopt`.
    """
    words, text = quoting.draft(origin.words), origin.text
    if not words:
        raise CannotAdopt(
            _(
                "This is not checked yet. Whoever runs workshops can do that on the page of its notes and words."
            )
        )
    where = domain or origin.domain
    if where is None:
        raise CannotAdopt(_("Choose the part of the vision that this belongs to."))
    passage = texts.passage(text, end=quoting.fitting_length(text.words))
    if passage.adoptions.filter(statement__isnull=False).exists():
        raise CannotAdopt(_("This is a statement already."))
    statement = add_statement(summary, where, words)
    try:
        with transaction.atomic():
            Adoption.objects.create(statement=statement, by=by, mark=quoting.digest(words), passage=passage)
    except IntegrityError as twice:  # the slower of two concurrent requests
        raise CannotAdopt(_("This is a statement already.")) from twice
    return statement


@transaction.atomic
def edit_statement(statement: Statement, *, text: str, why: str, domain: Domain) -> None:
    if domain != statement.domain:
        statement.position = _next(statement.summary.statements.filter(domain=domain))
    before = statement.text, statement.why
    statement.text, statement.why, statement.domain = text, why, domain
    statement.save()
    forget_own_words(statement.summary, before, (text, why))


@transaction.atomic
def move_statement(statement: Statement, step: int) -> None:
    """Move up (−1) or down (+1) among the statements of its domain; at the edge nothing happens."""
    siblings = list(statement.summary.statements.filter(domain=statement.domain))
    old = siblings.index(statement)
    new = min(max(old + step, 0), len(siblings) - 1)
    siblings.insert(new, siblings.pop(old))
    for position, sibling in enumerate(siblings):
        sibling.position = position
    Statement.objects.bulk_update(siblings, ["position"])


@transaction.atomic
def delete_statement(statement: Statement, by: Any) -> None:
    """The log says that one was taken out, and not its words: they may be somebody's."""
    note(statement.summary.programme, by, "removed_statement")
    for link in statement.evidence.all():
        unlink(link)
    forget_own_words(statement.summary, (statement.text, statement.why))
    statement.delete()


def _next(rows: Any) -> int:
    last = rows.aggregate(last=Max("position"))["last"]
    return 0 if last is None else last + 1


def forget_own_words(summary: Summary, before: Iterable[str], after: Iterable[str] = ()) -> None:
    """What was said of words that are changed holds no more, also where they come back."""
    gone = set(map(quoting.digest, before)) - set(map(quoting.digest, after))
    if gone:
        summary.own_words.filter(sha256__in=gone).delete()


# --- evidence ----------------------------------------------------------------------------------------


@transaction.atomic
def link(
    statement: Statement,
    findings: Findings,
    instrument_key: str,
    kind: str,
    figure: str,
    *,
    relation: str = EvidenceLink.Relation.SUPPORTS,
    caption: str = "",
    note: str = "",
) -> EvidenceLink:
    """Link a statement to the current value of a pooled figure, of the newest series of its question.

    Raises `NoSuchFigure`, `NotToBePublished`, `AlreadyLinked`.
    """
    result, line = findings.instrument(instrument_key), findings.line(instrument_key, kind, figure)
    if result is None or line is None:
        raise NoSuchFigure(f"{instrument_key} {kind} {figure}")
    if why := disclosable.objection(result.instrument, result.has_words, line):
        raise NotToBePublished(why)
    same = statement.evidence.filter(instrument=result.instrument, kind=kind, figure=figure)
    if same.exists():
        raise AlreadyLinked(line.label)
    try:
        return EvidenceLink.objects.create(
            statement=statement, instrument=result.instrument, kind=kind, figure=figure, relation=relation,
            caption=caption, note=note, linked=line.as_linked(), position=_next(statement.evidence),
        )  # fmt: skip
    except IntegrityError as twice:
        raise AlreadyLinked(line.label) from twice


def unlink(evidence: EvidenceLink) -> None:
    forget_own_words(evidence.statement.summary, _typed_at(evidence))
    evidence.delete()


def _typed_at(evidence: EvidenceLink) -> tuple[str, ...]:
    return evidence.caption, evidence.note, evidence.kept_because


def describe_evidence(evidence: EvidenceLink, *, relation: str, caption: str, note: str) -> None:
    before = _typed_at(evidence)
    evidence.relation, evidence.caption, evidence.note = relation, caption, note
    evidence.save()
    forget_own_words(evidence.statement.summary, before, _typed_at(evidence))


def update_evidence(evidence: EvidenceLink, current: ResultLine) -> None:
    """Replace the linked figure by the current one."""
    before = _typed_at(evidence)
    evidence.linked, evidence.kept_because, evidence.kept_against = current.as_linked(), "", None
    evidence.save()
    forget_own_words(evidence.statement.summary, before, _typed_at(evidence))


def keep_evidence(evidence: EvidenceLink, current: ResultLine | None, because: str) -> None:
    """Keep the linked figure although it is stale, with the researcher's reason."""
    before = _typed_at(evidence)
    evidence.kept_because, evidence.kept_against = because, _counts(current)
    evidence.save()
    forget_own_words(evidence.statement.summary, before, _typed_at(evidence))


def current_line(evidence: EvidenceLink, findings: Findings) -> ResultLine | None:
    """The current value of the linked figure; `None` where it can no longer be counted."""
    return findings.line(evidence.instrument.key, evidence.kind, evidence.figure)


def is_stale(evidence: EvidenceLink, findings: Findings) -> bool:
    """Has the figure changed since it was linked, or does the newest version of its question ask something else?"""
    linked = {key: evidence.linked[key] for key in _COUNTED}
    return _counts(current_line(evidence, findings)) != linked


def is_superseded(evidence: EvidenceLink, findings: Findings) -> bool:
    """Was it linked to a series of the question that is not the newest any more?"""
    result = findings.instrument(evidence.instrument.key)
    return result is not None and result.with_version(evidence.linked["series"]) is not result


def needs_care(evidence: EvidenceLink, findings: Findings) -> bool:
    """Stale, and without a reason to keep the linked figure against this current value."""
    if not is_stale(evidence, findings):
        return False
    return not evidence.kept_because or evidence.kept_against != _counts(current_line(evidence, findings))


def _counts(line: ResultLine | None) -> dict[str, int] | None:
    return {key: getattr(line, key) for key in _COUNTED} if line else None
