"""Pages of pooled results: the findings of a programme, one question, and the findings as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from workshops.actions.log import note
from workshops.people import access
from workshops.text.reports import with_something_to_read

from ...exports import results_csv
from ...results import aggregates, breakdown, charts, disclosure, statistics
from ...results.aggregates import Cell, InstrumentResult, ResultLine
from ...summary import publishing
from ..finders import style_ids

#: rows of one question on the programme page, where it has no measure of its own
LEADING = 4
#: poll types drawn as plain bars; the others have a result template of their own
PLAIN_BARS = ("single_choice", "multiple_choice", "scale", "statement")
CHOICE_OF_FIGURES = 40
#: workshops side by side in the table; with more of them it is left to the CSV file
MAX_COLUMNS = 60


@dataclass(frozen=True, slots=True)
class FindingsRow:
    """A line of the findings table with its interval chart and its cells by workshop (`None` where suppressed).

    `beside`: it is of an earlier series, which stands side by side with the question's result.
    """

    result: InstrumentResult
    line: ResultLine
    chart: charts.Interval | None
    cells: dict[int, Cell | None]
    beside: bool = False

    @classmethod
    def of(cls, result: InstrumentResult, line: ResultLine, *, beside: bool) -> FindingsRow:
        shown = line.shown_cells(disclosure.ON_A_STAFF_SCREEN)
        pairs = [(cell.hits, cell.valid) for cell, visible in shown if visible]
        hidden = sum(1 for cell, visible in shown if not visible)
        chart = charts.interval(line.hits, line.valid, pairs, hidden, charts.TABLE) if line.valid else None
        cells = {cell.meeting.pk: cell if visible else None for cell, visible in shown}
        return cls(result, line, chart, cells, beside)


def _which(request: HttpRequest) -> str:
    which = request.GET.get("workshops", "all")
    return which if which in aggregates.WORKSHOP_FILTERS else "all"


@login_required
@require_safe
def programme(request: HttpRequest, key: str) -> HttpResponse:
    """Every finding of a programme, pooled, by domain."""
    programme = access.programme_for(request.user, key, *access.READERS)
    findings = aggregates.load_findings(programme, _which(request))
    sections = [
        (section, [series for each in section.instruments for series in _series(each)])
        for section in findings.sections
        if not section.profile
    ]
    fits = len(findings.meetings) <= MAX_COLUMNS
    by_workshop = [
        (row, _in_order(row, findings.meetings))
        for _section, series in sections
        for _result, rows in series
        for row in rows
        if fits and row.line.key
    ]
    context = {
        "section": "results",
        "findings": findings,
        "choices": _choices(findings.which),
        "sections": sections,
        "by_workshop": by_workshop,
        "fits": fits,
        "many": len(findings.meetings) > charts.MAX_DOTS,
        "hidden": any(kind == "hidden" for _row, cells in by_workshop for kind, _cell in cells),
        "profile": [section for section in findings.sections if section.profile],
        "smallest": disclosure.ON_A_STAFF_SCREEN,
        "published": disclosure.PUBLISHED,
        "small": disclosure.SMALL_CELL,
        "marker": disclosure.MARKER,
        "to_read": with_something_to_read(programme.workshops.all()),
    }
    return access.page(request, programme, "visions/programme.html", **context)


def _choices(selected: str) -> list[tuple[str, str, bool]]:
    names = {"all": _("All workshops"), "real": _("Real workshops"), "synthetic": _("Synthetic workshops")}
    return [(which, names[which], which == selected) for which in aggregates.WORKSHOP_FILTERS]


def _series(newest: InstrumentResult) -> Iterator[tuple[InstrumentResult, list[FindingsRow]]]:
    """The rows of a question: of its newest series, then of those that stand side by side with it."""
    for result in (newest, *newest.earlier):
        yield result, [FindingsRow.of(result, line, beside=result is not newest) for line in leading(result)]


def leading(result: InstrumentResult) -> list[ResultLine]:
    """The leading lines of a question: its measures, else its options with most people, else its number of answers."""
    if result.measures:
        return result.measures
    # A ranking leads with the people who gave an option any place, before those who put it first.
    options = [line for line in result.options if line.key.endswith(":listed")] or result.options
    if result.question.type == "number" or not options:
        return [result.answers] if result.answers else []
    most = sorted(options, key=lambda line: -line.hits)[:LEADING]
    return [line for line in options if line in most]


def _in_order(row: FindingsRow, meetings: tuple[aggregates.Meeting, ...]) -> list[tuple[str, Any]]:
    """One `(kind of cell, cell)` per workshop: shown, hidden, or not asked there."""
    cells = []
    for meeting in meetings:
        if meeting.pk not in row.cells:
            cells.append(("none", None))
        else:
            cell = row.cells[meeting.pk]
            cells.append(("shown", cell) if cell else ("hidden", None))
    return cells


@login_required
@require_safe
def download(request: HttpRequest, key: str) -> HttpResponse:
    """The findings as CSV."""
    programme = access.programme_for(request.user, key, *access.READERS)
    which = _which(request)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    name = f"{programme.key}-results.csv" if which == "all" else f"{programme.key}-results-{which}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    note(programme, request.user, "exported", about=name)
    results_csv.write(aggregates.load_findings(programme, which), response)
    return response


@login_required
@require_safe
def question(request: HttpRequest, key: str, instrument: str) -> HttpResponse:
    """One question over all its workshops; `?version=` is of the series that is looked at, the newest without it."""
    programme = access.programme_for(request.user, key, *access.READERS)
    newest = aggregates.instrument_result(programme, instrument, _which(request))
    if newest is None:
        raise Http404
    version = request.GET.get("version", "")
    wanted = int(version) if version.isdecimal() and len(version) < 10 else 0
    result = newest.with_version(wanted) or newest
    context: dict[str, Any] = {
        "section": "results",
        "result": result,
        "newest": newest,
        "beside": [_beside(each) for each in (newest, *newest.earlier) if each is not result],
        "which": _which(request),
        "domain": result.instrument.domains.filter(programme=programme).first(),
        "marker": disclosure.MARKER,
        "smallest": disclosure.ON_A_STAFF_SCREEN,
    }
    context |= _question_context(result, _chosen(result, request.GET.get("figure", "")))
    context["benchmarks"] = list(_benchmarks(programme, result))
    return access.page(request, programme, "visions/question.html", **context)


def _beside(result: InstrumentResult) -> dict[str, Any]:
    """Another series of the question, in short: its ledger and its lines."""
    return {
        "result": result,
        "ledger": list(_ledger(result)),
        "lines": [*result.measures, *result.options][:CHOICE_OF_FIGURES],
    }


def _chosen(result: InstrumentResult, wanted: str) -> ResultLine:
    """The line that the page shows in detail: the one wanted by id, else the leading line with most people."""
    chosen = next((line for line in result.lines if line.id == wanted), None)
    return chosen or max(leading(result), key=lambda line: line.hits)


def _question_context(result: InstrumentResult, line: ResultLine) -> dict[str, Any]:
    pooled = result.pooled
    shown = line.shown_cells(disclosure.ON_A_STAFF_SCREEN)
    visible = [cell for cell, is_shown in shown if is_shown and cell.valid]
    strip = charts.strip(
        [(cell.meeting.name, cell.hits, cell.valid) for cell in visible], line.hits, line.valid
    )
    return {
        "line": line,
        "lines": [*result.measures, *result.options][:CHOICE_OF_FIGURES],
        "picked": _members(result, line),
        "ledger": list(_ledger(result)),
        "plain": result.question.type in PLAIN_BARS and not result.question.settings.get("items"),
        "bars": _bars(result.options),
        "result_template": f"polls/{result.question.type}/result.html",
        "question": result.question,
        "picture": pooled.picture,
        "table": pooled.table,
        "counts": pooled.counts.as_json(),
        "finding": pooled.finding,
        "audience": "page",
        "poll_id": 0,
        "cells": shown,
        "strip": strip if line.valid and line.kind != "answers" and visible else None,
        "range": _range(visible) if line.kind != "answers" and len(visible) > 1 else None,
        "spread": _spread(line) if len(visible) > 1 and line.kind != "answers" else None,
        "hidden": any(not is_shown and cell.valid for cell, is_shown in shown),
        "breakdown": breakdown.by_profile(result, line) if line.kind != "answers" else None,
        # Open text is read, not charted.
        "plotly": charts.plotly(pooled)
        if pooled.tally["n"] and result.question.type != "open_text"
        else None,
        "taken_ids": style_ids(),
    }


def _bars(options: list[ResultLine]) -> list[tuple[ResultLine, int]]:
    """Options with the length of their bars, 90 for the longest."""
    most = max((option.hits for option in options), default=0)
    return [(option, round(90 * option.hits / most) if most else 0) for option in options]


def _members(result: InstrumentResult, line: ResultLine) -> set[str]:
    """Keys of the options that the line counts, to be highlighted among the bars."""
    if line.kind == "option":
        return {line.key}
    for measure in result.instrument.measures.filter(key=line.key).order_by("-number")[:1]:
        if measure.kind == "merge":
            return set(measure.definition.get("members", ()))
        if measure.kind == "top_box":
            return {option.key for option in result.options[-measure.definition.get("boxes", 0) :]}
    return set()


def _ledger(result: InstrumentResult) -> Iterator[dict[str, Any]]:
    """The denominators from attended to valid, each step with the people lost; steps without a number are left out."""
    names = {
        "attended": (_("Attended"), _("head count")),
        "joined": (_("Joined"), _("with a phone, consented")),
        "issued": (_("Shown"), _("their phone showed the question")),
        "cast": (_("Answered"), _("or passed")),
        "valid": (_("Counted"), _("the base of every share")),
    }
    most = max(number or 0 for number in result.ledger.values())
    before = None
    for key, (name, words) in names.items():
        number = result.ledger[key]
        if number is None:
            continue
        lost = before - number if before is not None and before > number else 0
        share = round(100 * number / most) if most else 0
        yield {"name": name, "words": words, "people": number, "share": share, "lost": lost}
        before = number


def _range(cells: list[Cell]) -> tuple[Cell, Cell] | None:
    """The workshops with the lowest and the highest share."""
    ranked = sorted(cells, key=lambda cell: cell.hits / cell.valid)
    return (ranked[0], ranked[-1]) if ranked else None


def _spread(line: ResultLine) -> dict[str, Any]:
    """Heterogeneity between workshops, for the details."""
    pairs = line.pairs
    return {
        "mean": round(100 * statistics.mean_of_workshops(pairs), 1),
        "x2": round(statistics.chi_squared(pairs), 2),
        "freedom": line.workshops - 1,
        "i2": round(statistics.i_squared(pairs), 2),
        "icc": round(statistics.intraclass(pairs), 3),
        "design_effect": round(statistics.design_effect(pairs), 2),
        "n_effective": round(statistics.effective_size(pairs), 1),
    }


def _benchmarks(programme: Any, result: InstrumentResult) -> Iterator[dict[str, Any]]:
    """Benchmarks with the measure that each is compared with, where the programme names one."""
    for benchmark in publishing.benchmarks(programme, result.key):
        yield {
            **benchmark,
            "ideal": result.line("measure", benchmark["measure"]) if benchmark.get("measure") else None,
            "base": benchmark.get("n") if isinstance(benchmark.get("n"), int) else None,
        }
