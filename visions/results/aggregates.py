"""Aggregates over the workshops of a programme: frozen results in, plain values out.

Included: closed polls of workshops that are running or have ended, without ballots of rehearsals. Each instrument is
pooled over its polls, each series of its versions by itself (`polls.comparison`): the newest is the instrument's
result, earlier ones stand side by side with it. The number of queries does not grow with workshops or questions (no
N+1 queries).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from polls import comparison, results
from polls.comparison import Series
from polls.lifecycle import State
from polls.models import ComparabilityMark, Instrument, InstrumentVersion, Measure
from polls.results import Counts, Pooled, Result
from polls.text_decisions import WITHHELD, TextModeration
from polls.types import POLL_TYPES, Question
from polls.types.base import percent
from workshops.models import AgendaItem, Domain, Programme, Workshop
from workshops.programmes import asked

from . import disclosure, statistics

#: denominators below this are printed as counts, without a percentage
PERCENT_FROM = 20

#: choice on the results page → filter on workshops
WORKSHOP_FILTERS = {"all": {}, "real": {"synthetic": False}, "synthetic": {"synthetic": True}}


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
    #: answered by an open link, each at their own pace
    questionnaire: bool = False

    @property
    def name(self) -> str:
        return _("Workshop %(number)d") % {"number": self.number}


@dataclass(frozen=True, slots=True)
class Cell:
    """One workshop's share of a pooled line, as numerator and denominator."""

    meeting: Meeting
    hits: int
    valid: int


@dataclass(frozen=True, slots=True)
class ResultLine:
    """One line of a pooled result: numerator `hits` and denominator `valid`, in people, and both per workshop.

    `kind` is "option", "measure" or "answers" (the number of answers; hits and valid are equal). `series` is the number
    of the first version that it counts.
    """

    kind: str
    key: str
    label: str
    hits: int
    valid: int
    cells: tuple[Cell, ...] = ()
    series: int = 1

    @property
    def id(self) -> str:
        return f"{self.kind}:{self.key}"

    @property
    def percent(self) -> int | None:
        return percent(self.hits, self.valid)

    @property
    def has_percent(self) -> bool:
        """Is the denominator large enough for a percentage to be printed?"""
        return self.kind != "answers" and self.valid >= PERCENT_FROM

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % confidence interval (Wilson score), both ends between 0 and 1; `None` without a denominator."""
        return statistics.wilson(self.hits, self.valid)

    @property
    def low(self) -> int | None:
        return round_half_up(self.interval[0]) if self.interval else None

    @property
    def high(self) -> int | None:
        return round_half_up(self.interval[1]) if self.interval else None

    @property
    def workshops(self) -> int:
        """The number of workshops with at least one answer."""
        return sum(1 for cell in self.cells if cell.valid)

    @property
    def pairs(self) -> list[tuple[int, int]]:
        return [(cell.hits, cell.valid) for cell in self.cells]

    def shown_cells(self, minimum: int) -> list[tuple[Cell, bool]]:
        """`(cell, may be shown)` per workshop, after suppression of small cells with a base under `minimum`."""
        suppressed = disclosure.hidden({cell.meeting.pk: cell.valid for cell in self.cells}, minimum)
        return [(cell, cell.meeting.pk not in suppressed) for cell in self.cells]

    def as_linked(self) -> dict[str, Any]:
        """The copy of this figure that an evidence link stores; plain JSON."""
        return {
            "label": self.label,
            "hits": self.hits,
            "valid": self.valid,
            "workshops": self.workshops,
            "series": self.series,
            "cells": [[cell.meeting.number, cell.hits, cell.valid] for cell in self.cells],
        }


def round_half_up(share: float) -> int:
    """A share between 0 and 1 as a whole percentage."""
    return int(share * 100 + 0.5)


@dataclass(frozen=True, slots=True)
class InstrumentResult:
    """A series of an instrument's versions, pooled over the workshops that asked them.

    `versions` are those that were asked, oldest first, and `marks` what joins them. `ledger` has the denominators from
    attended to valid (see `_ledger`). `earlier` are the instrument's other series, newest first.
    """

    instrument: Instrument
    series: Series
    meetings: tuple[Meeting, ...]
    pooled: Pooled
    versions: tuple[InstrumentVersion, ...]
    marks: tuple[ComparabilityMark, ...] = ()
    lines: tuple[ResultLine, ...] = ()
    ledger: dict[str, int | None] = field(default_factory=dict)
    earlier: tuple[InstrumentResult, ...] = ()

    @property
    def question(self) -> Question:
        """The newest version that was asked, with what only earlier ones offered."""
        return self.pooled.question

    @property
    def numbers(self) -> list[int]:
        """The numbers of the versions that were asked."""
        return [version.number for version in self.versions]

    @property
    def name(self) -> str:
        """What it is called where series stand side by side: "Version 2, workshops 4 to 6"."""
        where = asked.workshops([meeting.number for meeting in self.meetings])
        return _("%(versions)s, %(workshops)s") % {
            "versions": asked.versions(self.numbers), "workshops": where,
        }  # fmt: skip

    @property
    def has_own_bases(self) -> bool:
        """Do things offered differ between the versions, so that each has its own base?"""
        return "bases" in self.pooled.tally

    @property
    def key(self) -> str:
        return self.instrument.key

    @property
    def has_words(self) -> bool:
        """Are the labels of its options what people wrote?"""
        return POLL_TYPES[self.question.type].has_texts and not self.question.options

    @property
    def options(self) -> list[ResultLine]:
        return [line for line in self.lines if line.kind == "option"]

    @property
    def measures(self) -> list[ResultLine]:
        return [line for line in self.lines if line.kind == "measure"]

    @property
    def answers(self) -> ResultLine | None:
        """The number of people who answered, as a line of its own: hits and valid are equal."""
        return self.line("answers", "")

    @property
    def synthetic(self) -> int:
        return sum(meeting.synthetic for meeting in self.meetings)

    @property
    def counts(self) -> Counts:
        return self.pooled.counts

    def with_version(self, number: int) -> InstrumentResult | None:
        """The result of the series with this version: this one, or one of those beside it."""
        return next((each for each in (self, *self.earlier) if number in each.series.numbers), None)

    def line(self, kind: str, key: str) -> ResultLine | None:
        return next((line for line in self.lines if (line.kind, line.key) == (kind, key)), None)


@dataclass(frozen=True, slots=True)
class ResultsSection:
    """A section of the programme page: a domain, the closing questions, the profile."""

    title: str
    instruments: tuple[InstrumentResult, ...]
    domain: Domain | None = None
    profile: bool = False


@dataclass(frozen=True, slots=True)
class Findings:
    """The pooled results of a programme, by section."""

    programme: Programme
    which: str
    meetings: tuple[Meeting, ...]
    instruments: tuple[InstrumentResult, ...]
    sections: tuple[ResultsSection, ...]

    @property
    def joined(self) -> int:
        return sum(meeting.joined for meeting in self.meetings)

    @property
    def attended(self) -> int | None:
        return _total(meeting.attended for meeting in self.meetings)

    @property
    def synthetic(self) -> int:
        return sum(meeting.synthetic for meeting in self.meetings)

    def instrument(self, instrument_key: str) -> InstrumentResult | None:
        return next((result for result in self.instruments if result.key == instrument_key), None)

    def line(self, instrument_key: str, kind: str, key: str) -> ResultLine | None:
        result = self.instrument(instrument_key)
        return result.line(kind, key) if result else None


def load_findings(programme: Programme, which: str = "all") -> Findings:
    """Every instrument of a programme, pooled; `which` is a key of `WORKSHOP_FILTERS`."""
    items = _closed_items(programme, which)
    meetings = _meetings(items)
    domains = list(programme.domains.prefetch_related("instruments"))
    instruments = tuple(_results(programme, items, meetings))
    sections = tuple(_sections(domains, instruments, items))
    return Findings(programme, which, tuple(meetings.values()), instruments, sections)


def instrument_result(
    programme: Programme, instrument_key: str, which: str = "all"
) -> InstrumentResult | None:
    """One instrument, pooled; `None` where no workshop of the programme has asked it yet."""
    items = _closed_items(programme, which, poll__version__instrument__key=instrument_key)
    found = _results(programme, items, _meetings(items), instrument__key=instrument_key)
    return next(found, None)


def _results(
    programme: Programme, items: list[AgendaItem], meetings: dict[int, Meeting], **only: Any
) -> Iterator[InstrumentResult]:
    measures = _measures(programme, **only)
    # What researchers read otherwise than it was written.
    moderation = results.moderation_of([item.required_poll for item in items], states=WITHHELD)
    by_instrument = list(_by_instrument(items))
    series = _series([instrument for instrument, _mine in by_instrument], items)
    for instrument, mine in by_instrument:
        parts = list(_by_series(series[instrument.pk], mine))
        its_measures = measures.get(instrument.pk, [])
        found = [
            _series_result(instrument, one, its, meetings, its_measures, moderation, alone=len(parts) == 1)
            for one, its in parts
        ]
        yield replace(found[0], earlier=tuple(found[1:]))


#: the columns that are added up; of thousands of polls, timestamps would take longer to parse than all the rest
_ITEM_FIELDS = ("workshop", "position", "profile", "quick", "poll__version", "poll__state", "poll__result")


def _closed_items(programme: Programme, which: str, **only: Any) -> list[AgendaItem]:
    """Agenda items with a closed poll, ordered by workshop and position, with workshop, poll and version loaded.

    Queries go from the programme's workshops down an index each, and rows that many polls share are read once, so
    that the polls of other programmes cost nothing (`tests.archive` measures it).
    """
    ran = [Workshop.Status.RUNNING, Workshop.Status.ENDED]
    workshops = programme.workshops.filter(status__in=ran, **WORKSHOP_FILTERS[which]).in_bulk()
    closed = AgendaItem.objects.filter(workshop__in=list(workshops), poll__state=State.CLOSED, **only)
    found = closed.order_by().select_related("poll").only(*_ITEM_FIELDS)
    # A poll that was issued to no real phone ran in a rehearsal only.
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
    """The workshops of these items by primary key, with their number of participants; one query."""
    workshops = {item.workshop_id: item.workshop for item in items}
    people = Count("participants", filter=Q(participants__rehearsal=False))
    joined = dict(
        Workshop.objects.filter(pk__in=workshops)
        .annotate(joined=people)
        .values_list("pk", "joined")
        .order_by()
    )
    return {
        pk: Meeting(pk, w.number, w.title, w.code, w.synthetic, joined[pk], w.attended, w.is_questionnaire)
        for pk, w in workshops.items()
    }


def _measures(programme: Programme, **only: Any) -> dict[int, list[Measure]]:
    """The newest version of every measure of the bank, by instrument, in authored order; one query."""
    newest: dict[tuple[int, str], Measure] = {}
    for measure in (
        Measure.objects.filter(instrument__bank=programme.bank_id, **only)
        .select_related("instrument")
        .order_by("number", "pk")
    ):
        newest[measure.instrument_id, measure.key] = measure
    found: dict[int, list[Measure]] = {}
    for measure in sorted(newest.values(), key=lambda measure: measure.pk):
        found.setdefault(measure.instrument_id, []).append(measure)
    return found


#: the keys of an instrument's options → those that a measure adds up; `None` where it adds up none of them
Members = Callable[[list[str]], Collection[str] | None]


def members_of_measures(programme: Programme) -> dict[tuple[str, str], Members]:
    """By the keys of instrument and measure; one query."""
    found = (measure for mine in _measures(programme).values() for measure in mine)
    return {(each.instrument.key, each.key): partial(_members, each.kind, each.definition) for each in found}


def _members(kind: str, definition: dict[str, Any], options: list[str]) -> Collection[str] | None:
    if kind in ("merge", "any_of", "option") and not definition.get("item"):
        return set(definition["members"])
    if kind == "top_box" and not definition.get("item"):
        return options[-definition["boxes"] :]
    if kind == "bottom_box" and not definition.get("item"):
        return options[: definition["boxes"]]
    return None


def _by_instrument(items: list[AgendaItem]) -> Iterator[tuple[Instrument, list[AgendaItem]]]:
    """Instruments in the bank's order, each with its items."""
    found: dict[int, tuple[Instrument, list[AgendaItem]]] = {}
    for item in items:
        instrument = item.required_poll.version.instrument
        found.setdefault(instrument.pk, (instrument, []))[1].append(item)
    yield from sorted(found.values(), key=lambda pair: (pair[0].position, pair[0].pk))


def _series(instruments: list[Instrument], items: list[AgendaItem]) -> dict[int, list[Series]]:
    """By instrument: its series, newest first. Two queries where any was asked in several meanings, else none."""
    versions: dict[int, dict[int, InstrumentVersion]] = {instrument.pk: {} for instrument in instruments}
    for item in items:
        version = item.required_poll.version
        versions[version.instrument_id][version.pk] = version
    changed = {pk for pk, mine in versions.items() if len({version.meaning for version in mine.values()}) > 1}
    marks: list[ComparabilityMark] = []
    if changed:
        # Also those that nobody was asked: a mark may lead over them.
        for version in InstrumentVersion.objects.filter(instrument__in=changed):
            versions[version.instrument_id].setdefault(version.pk, version)
        marks = comparison.marks_between([version for pk in changed for version in versions[pk]])
    return {pk: comparison.series_of(mine.values(), marks) for pk, mine in versions.items()}


def _by_series(
    series: list[Series], items: list[AgendaItem]
) -> Iterator[tuple[Series, dict[int, AgendaItem]]]:
    """The series that were asked, newest first, each with one item per workshop.

    Asked twice in one workshop, the later asking counts, so that nobody is counted twice.
    """
    for one in series:
        mine = {version.pk for version in one.versions}
        if found := {item.workshop_id: item for item in items if item.required_poll.version_id in mine}:
            yield one, found


def _series_result(
    instrument: Instrument,
    series: Series,
    items: dict[int, AgendaItem],
    meetings: dict[int, Meeting],
    measures: list[Measure],
    moderation: TextModeration,
    *,
    alone: bool,
) -> InstrumentResult:
    """`alone`: the instrument has no other series, so that every workshop could have asked this one."""
    polls = [item.required_poll for item in items.values()]
    where = tuple(sorted((meetings[pk] for pk in items), key=lambda meeting: meeting.number))
    pooled = results.pool(polls, measures=measures, moderation=moderation, series=series)
    by_poll = {poll.pk: meetings[pk] for pk, poll in zip(items, polls, strict=True)}
    own = {poll.version_id for poll in polls}
    versions = tuple(version for version in series.versions if version.pk in own)
    return InstrumentResult(
        instrument, series, where, pooled, versions,
        marks=tuple(mark for mark in series.marks if mark.later_id in own),
        lines=tuple(replace(line, series=versions[0].number) for line in _lines(pooled, by_poll)),
        ledger=_ledger(pooled.counts, meetings.values() if alone else where, where),
    )  # fmt: skip


def offers(part: Result, line: ResultLine) -> bool:
    """Could the people of this part choose what the line counts?"""
    if line.kind == "measure":
        return any(share.key == line.key for share in part.measures)
    return line.kind == "answers" or part.poll_type.has_texts or line.key in {f.key for f in part.figures}


def _lines(pooled: Pooled, meetings: dict[int, Meeting]) -> Iterator[ResultLine]:
    parts = sorted(pooled.parts, key=lambda part: meetings[part[0]].number)
    options = {pk: {figure.key: figure for figure in part.figures} for pk, part in parts}
    shares = {pk: {share.key: share for share in part.measures} for pk, part in parts}
    for figure in pooled.figures:
        # Open-ended types (words): a workshop without this answer has no figure for it, but counts in the base.
        cells = tuple(
            Cell(
                meetings[pk],
                *((own.hits, own.valid) if (own := options[pk].get(figure.key)) else (0, part.tally["n"])),
            )
            for pk, part in parts
            if figure.key in options[pk] or part.poll_type.has_texts
        )
        yield ResultLine("option", figure.key, figure.label, figure.hits, figure.valid, cells)
    for share in pooled.measures:
        cells = tuple(
            Cell(meetings[pk], mine.hits, mine.valid)
            for pk, _part in parts
            if (mine := shares[pk].get(share.key))
        )
        yield ResultLine("measure", share.key, share.label, share.hits, share.valid, cells)
    n = pooled.tally["n"]
    cells = tuple(Cell(meetings[pk], part.tally["n"], part.tally["n"]) for pk, part in parts)
    yield ResultLine(
        "answers", "", ngettext("%(n)d person answered", "%(n)d people answered", n) % {"n": n}, n, n, cells
    )


def _ledger(
    counts: Counts, all_meetings: Iterable[Meeting], where: tuple[Meeting, ...]
) -> dict[str, int | None]:
    """Denominators in distinct people, from attended to valid. `asked`: joined a workshop that asked the question."""
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
    """A sum with an unknown term is unknown: no N is ever guessed."""
    known = list(numbers)
    return None if None in known else sum(number or 0 for number in known)


def _sections(
    domains: list[Domain], instruments: tuple[InstrumentResult, ...], items: list[AgendaItem]
) -> Iterator[ResultsSection]:
    """Domains in authored order, then questions without a domain, ad-hoc questions, and the profile."""
    profile = {item.required_poll.version.instrument_id for item in items if item.profile}
    quick = {item.required_poll.version.instrument_id for item in items if item.quick} - profile
    placed: set[int] = set(profile | quick)
    for domain in domains:
        in_domain = {instrument.pk for instrument in domain.instruments.all()}
        placed |= in_domain
        if results_here := tuple(
            a for a in instruments if a.instrument.pk in in_domain and a.instrument.pk not in profile
        ):
            yield ResultsSection(domain.title, results_here, domain)
    if rest := tuple(a for a in instruments if a.instrument.pk not in placed):
        yield ResultsSection(_("Closing questions"), rest)
    if ad_hoc := tuple(a for a in instruments if a.instrument.pk in quick):
        yield ResultsSection(_("Asked on the spot"), ad_hoc)
    if profile_results := tuple(a for a in instruments if a.instrument.pk in profile):
        yield ResultsSection(_("Who took part"), profile_results, profile=True)
