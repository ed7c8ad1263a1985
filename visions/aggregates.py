"""Reads across the workshops of a programme: frozen results in, plain values out.

What counts: polls that are closed, in workshops that are running or have ended, answered by people and not
by a rehearsal. Each instrument is pooled over its polls; versions whose answers do not match are refused
with the reason, never mixed. The number of queries does not grow with workshops or questions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from polls import results
from polls.lifecycle import State
from polls.models import Instrument, InstrumentVersion, Measure
from polls.results import Counts, Pooled
from polls.types import Question
from polls.types.base import percent
from workshops.models import AgendaItem, Domain, Programme, Workshop

from . import disclosure, statistics

#: under so many answers a page prints counts, not percentages
PERCENT_FROM = 20

WHICH = {"all": {}, "real": {"synthetic": False}, "synthetic": {"synthetic": True}}


@dataclass(frozen=True, slots=True)
class Meeting:
    """A workshop as a row of a table."""

    pk: int
    number: int
    title: str
    code: str
    synthetic: bool
    joined: int
    attended: int | None

    @property
    def name(self) -> str:
        return _("Workshop %(number)d") % {"number": self.number}


@dataclass(frozen=True, slots=True)
class Cell:
    """One workshop's part of a pooled line."""

    meeting: Meeting
    hits: int
    valid: int


@dataclass(frozen=True, slots=True)
class Line:
    """An option, a measure or the number of answers, pooled: `hits` of `valid` people."""

    kind: str
    key: str
    label: str
    hits: int
    valid: int
    cells: tuple[Cell, ...] = ()

    @property
    def id(self) -> str:
        return f"{self.kind}:{self.key}"

    @property
    def percent(self) -> int | None:
        return percent(self.hits, self.valid)

    @property
    def has_percent(self) -> bool:
        """Enough answers for a percentage to be printed."""
        return self.kind != "answers" and self.valid >= PERCENT_FROM

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson 95 %, both ends between 0 and 1."""
        return statistics.wilson(self.hits, self.valid)

    @property
    def low(self) -> int | None:
        return round_half_up(self.interval[0]) if self.interval else None

    @property
    def high(self) -> int | None:
        return round_half_up(self.interval[1]) if self.interval else None

    @property
    def workshops(self) -> int:
        """In how many workshops somebody answered."""
        return sum(1 for cell in self.cells if cell.valid)

    @property
    def pairs(self) -> list[tuple[int, int]]:
        return [(cell.hits, cell.valid) for cell in self.cells]

    def shown_cells(self, minimum: int) -> list[tuple[Cell, bool]]:
        """Every workshop's cell with whether it may be shown where bases under `minimum` are hidden."""
        away = disclosure.hidden({cell.meeting.pk: cell.valid for cell in self.cells}, minimum)
        return [(cell, cell.meeting.pk not in away) for cell in self.cells]

    def as_linked(self) -> dict[str, Any]:
        """The figure as an evidence link keeps it; plain JSON."""
        return {
            "label": self.label,
            "hits": self.hits,
            "valid": self.valid,
            "workshops": self.workshops,
            "cells": [[cell.meeting.number, cell.hits, cell.valid] for cell in self.cells],
        }


def round_half_up(share: float) -> int:
    """A share between 0 and 1 as a whole percentage."""
    return int(share * 100 + 0.5)


@dataclass(frozen=True, slots=True)
class Asked:
    """One instrument over all its workshops. Where its versions do not add up, `refused` says why."""

    instrument: Instrument
    question: Question
    meetings: tuple[Meeting, ...]
    pooled: Pooled | None = None
    refused: str = ""
    lines: tuple[Line, ...] = ()
    ledger: dict[str, int | None] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.instrument.key

    @property
    def options(self) -> list[Line]:
        return [line for line in self.lines if line.kind == "option"]

    @property
    def measures(self) -> list[Line]:
        return [line for line in self.lines if line.kind == "measure"]

    @property
    def answers(self) -> Line | None:
        """How many people answered, as a line of its own: hits and valid are the same number."""
        return self.line("answers", "")

    @property
    def synthetic(self) -> int:
        return sum(meeting.synthetic for meeting in self.meetings)

    @property
    def counts(self) -> Counts | None:
        return self.pooled.counts if self.pooled else None

    def line(self, kind: str, key: str) -> Line | None:
        return next((line for line in self.lines if (line.kind, line.key) == (kind, key)), None)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the programme page: a domain, the closing questions, the profile."""

    title: str
    asked: tuple[Asked, ...]
    domain: Domain | None = None
    profile: bool = False


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything a programme's workshops say, pooled."""

    programme: Programme
    which: str
    meetings: tuple[Meeting, ...]
    asked: tuple[Asked, ...]
    sections: tuple[Section, ...]

    @property
    def joined(self) -> int:
        return sum(meeting.joined for meeting in self.meetings)

    @property
    def attended(self) -> int | None:
        return _total(meeting.attended for meeting in self.meetings)

    @property
    def synthetic(self) -> int:
        return sum(meeting.synthetic for meeting in self.meetings)

    def of(self, instrument_key: str) -> Asked | None:
        return next((asked for asked in self.asked if asked.key == instrument_key), None)

    def line(self, instrument_key: str, kind: str, key: str) -> Line | None:
        asked = self.of(instrument_key)
        return asked.line(kind, key) if asked else None


def findings(programme: Programme, which: str = "all") -> Findings:
    """Every instrument of a programme over its workshops; `which` is all, real or synthetic workshops."""
    items = _closed_items(programme, which)
    meetings = _meetings(items)
    measures = _measures(programme)
    about_texts = results.decided([item.poll for item in items if item.poll])
    domains = list(programme.domains.prefetch_related("instruments"))
    asked = tuple(
        _asked(instrument, mine, meetings, measures.get(instrument.pk, []), about_texts)
        for instrument, mine in _by_instrument(items)
    )
    return Findings(
        programme, which, tuple(meetings.values()), asked, tuple(_sections(domains, asked, items))
    )


def one(programme: Programme, instrument_key: str, which: str = "all") -> Asked | None:
    """One instrument over its workshops; `None` where the programme has not asked it yet."""
    items = _closed_items(programme, which, poll__version__instrument__key=instrument_key)
    measures = _measures(programme, instrument__key=instrument_key)
    about_texts = results.decided([item.poll for item in items if item.poll])
    for instrument, mine in _by_instrument(items):
        return _asked(instrument, mine, _meetings(items), measures.get(instrument.pk, []), about_texts)
    return None


#: of thousands of polls only what is added up; moments take longer to read than all the rest
_READ = ("workshop", "position", "profile", "quick", "poll__version", "poll__state", "poll__result")


def _closed_items(programme: Programme, which: str, **only: Any) -> list[AgendaItem]:
    """Agenda items with a closed poll, in the order of workshops, with all that is needed to read them.

    From the programme's workshops down, each by its index, and what many polls share is read once: what other
    programmes have kept over the years costs nothing (`tests.archive` measures it).
    """
    ran = [Workshop.Status.RUNNING, Workshop.Status.ENDED]
    workshops = programme.workshops.filter(status__in=ran, **WHICH[which]).in_bulk()
    asked = AgendaItem.objects.filter(workshop__in=list(workshops), poll__state=State.CLOSED, **only)
    found = asked.order_by().select_related("poll").only(*_READ)
    # A question that no real phone was ever shown was not asked: it ran in a rehearsal only.
    items = [item for item in found if _was_shown(item)]
    versions = InstrumentVersion.objects.select_related("instrument").in_bulk(
        {item.poll.version_id for item in items if item.poll}
    )
    for item in items:
        item.workshop = workshops[item.workshop_id]
        if item.poll:
            item.poll.version = versions[item.poll.version_id]
    return sorted(items, key=lambda item: (item.workshop.number, item.position, item.pk))


def _was_shown(item: AgendaItem) -> bool:
    frozen = item.poll.result if item.poll else None
    return bool((frozen or {}).get("counts", {}).get("issued"))


def _meetings(items: list[AgendaItem]) -> dict[int, Meeting]:
    """The workshops of these items by primary key, with the people who joined them; one query."""
    workshops = {item.workshop_id: item.workshop for item in items}
    people = Count("participants", filter=Q(participants__rehearsal=False))
    joined = dict(
        Workshop.objects.filter(pk__in=workshops)
        .annotate(joined=people)
        .values_list("pk", "joined")
        .order_by()
    )
    return {
        pk: Meeting(pk, w.number, w.title, w.code, w.synthetic, joined[pk], w.attended)
        for pk, w in workshops.items()
    }


def _measures(programme: Programme, **only: Any) -> dict[int, list[Measure]]:
    """The newest version of every measure of the bank, by instrument, in authored order; one query."""
    newest: dict[tuple[int, str], Measure] = {}
    for measure in Measure.objects.filter(instrument__bank=programme.bank_id, **only).order_by(
        "number", "pk"
    ):
        newest[measure.instrument_id, measure.key] = measure
    found: dict[int, list[Measure]] = {}
    for measure in sorted(newest.values(), key=lambda measure: measure.pk):
        found.setdefault(measure.instrument_id, []).append(measure)
    return found


def _by_instrument(items: list[AgendaItem]) -> Iterator[tuple[Instrument, list[AgendaItem]]]:
    """Instruments in the bank's order, each with one item per workshop.

    Asked twice in one workshop, the later asking counts, so that nobody is counted twice.
    """
    found: dict[int, tuple[Instrument, dict[int, AgendaItem]]] = {}
    for item in items:
        instrument = item.poll.version.instrument
        found.setdefault(instrument.pk, (instrument, {}))[1][item.workshop_id] = item
    for instrument, mine in sorted(found.values(), key=lambda pair: (pair[0].position, pair[0].pk)):
        yield instrument, list(mine.values())


def _asked(
    instrument: Instrument,
    items: list[AgendaItem],
    meetings: dict[int, Meeting],
    measures: list[Measure],
    about_texts: results.Decided,
) -> Asked:
    # The newest version last: its wording and labels are the ones that are printed.
    items = sorted(items, key=lambda item: item.poll.version.number)
    polls = [item.poll for item in items if item.poll]
    where = tuple(sorted((meetings[item.workshop_id] for item in items), key=lambda meeting: meeting.number))
    question = polls[-1].question
    try:
        pooled = results.pool(polls, measures=measures, about_texts=about_texts)
    except results.NotComparable as reason:
        return Asked(instrument, question, where, refused=str(reason))
    by_poll = {item.poll.pk: meetings[item.workshop_id] for item in items if item.poll}
    return Asked(
        instrument, question, where, pooled,
        lines=tuple(_lines(pooled, by_poll)),
        ledger=_ledger(pooled.counts, meetings.values(), where),
    )  # fmt: skip


def _lines(pooled: Pooled, meetings: dict[int, Meeting]) -> Iterator[Line]:
    parts = sorted(pooled.parts, key=lambda part: meetings[part[0]].number)
    options = {pk: {figure.key: figure for figure in part.figures} for pk, part in parts}
    shares = {pk: {share.key: share for share in part.measures} for pk, part in parts}
    for figure in pooled.figures:
        # Words and the like: a workshop where nobody said it has no line of its own, yet its people count.
        cells = tuple(
            Cell(
                meetings[pk],
                *((mine.hits, mine.valid) if (mine := options[pk].get(figure.key)) else (0, part.tally["n"])),
            )
            for pk, part in parts
        )
        yield Line("option", figure.key, figure.label, figure.hits, figure.valid, cells)
    for share in pooled.measures:
        cells = tuple(
            Cell(meetings[pk], mine.hits, mine.valid)
            for pk, _part in parts
            if (mine := shares[pk].get(share.key))
        )
        yield Line("measure", share.key, share.label, share.hits, share.valid, cells)
    n = pooled.tally["n"]
    cells = tuple(Cell(meetings[pk], part.tally["n"], part.tally["n"]) for pk, part in parts)
    yield Line(
        "answers", "", ngettext("%(n)d person answered", "%(n)d people answered", n) % {"n": n}, n, n, cells
    )


def _ledger(
    counts: Counts, all_meetings: Iterable[Meeting], where: tuple[Meeting, ...]
) -> dict[str, int | None]:
    """From the room to the base, distinct people. `asked` joined where the question ran."""
    all_meetings = list(all_meetings)
    return {
        "attended": _total(meeting.attended for meeting in all_meetings),
        "joined": sum(meeting.joined for meeting in all_meetings),
        "asked": sum(meeting.joined for meeting in where),
        "issued": counts.issued,
        "cast": counts.cast,
        "passed": counts.passed,
        "valid": counts.valid,
        "after_reveal": counts.after_reveal,
    }


def _total(numbers: Iterable[int | None]) -> int | None:
    """A sum with an unknown part is unknown: nobody guesses an N."""
    total = 0
    for number in numbers:
        if number is None:
            return None
        total += number
    return total


def _sections(domains: list[Domain], asked: tuple[Asked, ...], items: list[AgendaItem]) -> Iterator[Section]:
    """Domains in authored order, then what belongs to none, then who took part."""
    profile = {item.poll.version.instrument_id for item in items if item.profile}
    quick = {item.poll.version.instrument_id for item in items if item.quick} - profile
    placed: set[int] = set(profile | quick)
    for domain in domains:
        mine = {instrument.pk for instrument in domain.instruments.all()}
        placed |= mine
        if here := tuple(a for a in asked if a.instrument.pk in mine and a.instrument.pk not in profile):
            yield Section(domain.title, here, domain)
    if rest := tuple(a for a in asked if a.instrument.pk not in placed):
        yield Section(_("Closing questions"), rest)
    if made := tuple(a for a in asked if a.instrument.pk in quick):
        yield Section(_("Asked on the spot"), made)
    if who := tuple(a for a in asked if a.instrument.pk in profile):
        yield Section(_("Who took part"), who, profile=True)
