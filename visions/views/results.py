"""What the workshops say: the programme's findings, one question, and the findings as a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from workshops import access
from workshops.afterwards import with_something_to_read

from .. import aggregates, breakdown, charts, disclosure, publishing, statistics
from ..aggregates import Asked, Cell, Line
from ..exports import results_csv
from ..finders import style_ids

#: rows of one question on the programme page, where it has no measure of its own
LEADING = 4
#: bars with a figure behind each; other types draw themselves
PLAIN_BARS = ("single_choice", "multiple_choice", "scale", "statement")
CHOICE_OF_FIGURES = 40
#: workshops side by side in a table; more of them are read in the file
MOST_COLUMNS = 60


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the findings table with its picture and its workshops."""

    asked: Asked
    line: Line
    chart: charts.Interval | None
    cells: dict[int, Cell | None]

    @classmethod
    def of(cls, asked: Asked, line: Line) -> Row:
        shown = line.shown_cells(disclosure.ON_A_STAFF_SCREEN)
        pairs = [(cell.hits, cell.valid) for cell, visible in shown if visible]
        hidden = sum(1 for cell, visible in shown if not visible)
        chart = charts.interval(line.hits, line.valid, pairs, hidden, charts.TABLE) if line.valid else None
        return cls(
            asked, line, chart, {cell.meeting.pk: cell if visible else None for cell, visible in shown}
        )


def _which(request: HttpRequest) -> str:
    which = request.GET.get("workshops", "all")
    return which if which in aggregates.WHICH else "all"


@login_required
@require_safe
def programme(request: HttpRequest, key: str) -> HttpResponse:
    """Every finding of a programme, pooled, by domain."""
    mine = access.programme_for(request.user, key, *access.READERS)
    found = aggregates.findings(mine, _which(request))
    sections = [(section, list(_rows(section.asked))) for section in found.sections if not section.profile]
    fits = len(found.meetings) <= MOST_COLUMNS
    by_workshop = [
        (row, _in_order(row, found.meetings))
        for _section, rows in sections
        for row in rows
        if fits and row.line.key
    ]
    context = {
        "section": "results",
        "found": found,
        "choices": _choices(found.which),
        "sections": sections,
        "by_workshop": by_workshop,
        "fits": fits,
        "many": len(found.meetings) > charts.MOST_DOTS,
        "hidden": any(kind == "hidden" for _row, cells in by_workshop for kind, _cell in cells),
        "profile": [section for section in found.sections if section.profile],
        "smallest": disclosure.ON_A_STAFF_SCREEN,
        "marker": disclosure.MARKER,
        "to_read": with_something_to_read(mine.workshops.all()),
    }
    return render(request, "visions/programme.html", access.page_context(request.user, mine) | context)


def _choices(now: str) -> list[tuple[str, str, bool]]:
    names = {"all": _("All workshops"), "real": _("Real workshops"), "synthetic": _("Synthetic workshops")}
    return [(which, names[which], which == now) for which in aggregates.WHICH]


def _rows(asked: tuple[Asked, ...]) -> Iterator[Row]:
    for each in asked:
        if each.refused:
            yield Row(each, Line("refused", "", each.question.text, 0, 0), None, {})
        for line in leading(each):
            yield Row.of(each, line)


def leading(asked: Asked) -> list[Line]:
    """What a question says first: its measures, else its options with most people, else its answers."""
    if asked.measures:
        return asked.measures
    # A ranking says first how many had it among their choices, then how many put it first.
    options = [line for line in asked.options if line.key.endswith(":listed")] or asked.options
    if asked.question.type == "number" or not options:
        return [asked.answers] if asked.answers else []
    most = sorted(options, key=lambda line: -line.hits)[:LEADING]
    return [line for line in options if line in most]


def _in_order(row: Row, meetings: tuple[aggregates.Meeting, ...]) -> list[tuple[str, Any]]:
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
    mine = access.programme_for(request.user, key, *access.READERS)
    which = _which(request)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    name = f"{mine.key}-results.csv" if which == "all" else f"{mine.key}-results-{which}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    results_csv.write(aggregates.findings(mine, which), response)
    return response


@login_required
@require_safe
def question(request: HttpRequest, key: str, instrument: str) -> HttpResponse:
    """One question over all its workshops."""
    mine = access.programme_for(request.user, key, *access.READERS)
    asked = aggregates.one(mine, instrument, _which(request))
    if asked is None:
        raise Http404
    context: dict[str, Any] = {
        "section": "results",
        "asked": asked,
        "which": _which(request),
        "domain": asked.instrument.domains.filter(programme=mine).first(),
        "marker": disclosure.MARKER,
        "smallest": disclosure.ON_A_STAFF_SCREEN,
    }
    if asked.pooled:
        context |= _question_context(asked, _chosen(asked, request.GET.get("figure", "")))
        context["benchmarks"] = list(_benchmarks(mine, asked))
    return render(request, "visions/question.html", access.page_context(request.user, mine) | context)


def _chosen(asked: Asked, wanted: str) -> Line:
    """The line that the page looks at more closely: the one asked for, else the first measure, else the lead."""
    found = next((line for line in asked.lines if line.id == wanted), None)
    return found or max(leading(asked), key=lambda line: line.hits)


def _question_context(asked: Asked, line: Line) -> dict[str, Any]:
    pooled = asked.pooled
    assert pooled is not None
    shown = line.shown_cells(disclosure.ON_A_STAFF_SCREEN)
    visible = [cell for cell, is_shown in shown if is_shown and cell.valid]
    strip = charts.strip(
        [(cell.meeting.name, cell.hits, cell.valid) for cell in visible], line.hits, line.valid
    )
    return {
        "line": line,
        "lines": [*asked.measures, *asked.options][:CHOICE_OF_FIGURES],
        "picked": _members(asked, line),
        "ledger": list(_ledger(asked)),
        "plain": asked.question.type in PLAIN_BARS and not asked.question.settings.get("items"),
        "bars": _bars(asked.options),
        "result_template": f"polls/{asked.question.type}/result.html",
        "question": asked.question,
        "picture": pooled.picture,
        "table": pooled.table,
        "counts": pooled.counts.as_json(),
        "finding": pooled.finding,
        "audience": "page",
        "poll_id": 0,
        "cells": shown,
        "strip": strip if line.valid and line.kind != "answers" and visible else None,
        "range": _range(visible) if line.kind != "answers" else None,
        "spread": _spread(line) if len(visible) > 1 and line.kind != "answers" else None,
        "hidden": any(not is_shown and cell.valid for cell, is_shown in shown),
        "breakdown": breakdown.by_profile(asked, line) if line.kind != "answers" else None,
        # People's own sentences are read, not drawn.
        "plotly": charts.plotly(pooled) if pooled.tally["n"] and asked.question.type != "open_text" else None,
        "taken_ids": style_ids(),
    }


def _bars(options: list[Line]) -> list[tuple[Line, int]]:
    """Options with the length of their bars, 90 for the longest."""
    most = max((option.hits for option in options), default=0)
    return [(option, round(90 * option.hits / most) if most else 0) for option in options]


def _members(asked: Asked, line: Line) -> set[str]:
    """Option keys that the line joins, to be marked among the bars."""
    if line.kind == "option":
        return {line.key}
    for measure in asked.instrument.measures.filter(key=line.key).order_by("-number")[:1]:
        if measure.kind == "merge":
            return set(measure.definition.get("members", ()))
        if measure.kind == "top_box":
            return {option.key for option in asked.options[-measure.definition.get("boxes", 0) :]}
    return set()


def _ledger(asked: Asked) -> Iterator[dict[str, Any]]:
    """From attended to counted, each step with the people it lost; a step nobody counted is left out."""
    names = {
        "attended": (_("Attended"), _("head count")),
        "joined": (_("Joined"), _("with a phone, consented")),
        "issued": (_("Shown"), _("their phone showed the question")),
        "cast": (_("Answered"), _("or passed")),
        "valid": (_("Counted"), _("the base of every share")),
    }
    most = max(number or 0 for number in asked.ledger.values())
    before = None
    for key, (name, words) in names.items():
        number = asked.ledger[key]
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


def _spread(line: Line) -> dict[str, Any]:
    """How much workshops differ, for the details."""
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


def _benchmarks(programme: Any, asked: Asked) -> Iterator[dict[str, Any]]:
    """Outside figures with the line of our own that each stands beside, where the programme names one."""
    for benchmark in publishing.benchmarks(programme, asked.key):
        yield {
            **benchmark,
            "ideal": asked.line("measure", benchmark["measure"]) if benchmark.get("measure") else None,
            "base": benchmark.get("n") if isinstance(benchmark.get("n"), int) else None,
        }
