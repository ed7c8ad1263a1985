"""The published summary, drawn from its snapshot and from what was decided since about the words in it; public."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_safe

from ...models import Snapshot
from ...results import charts
from ...summary import tombstones

#: words are shown as bars of people, never as a chart of a share
WORDS = "words"


@require_safe
def latest(request: HttpRequest, key: str) -> HttpResponse:
    """The newest version that stands; where all were withdrawn, what is left of the newest."""
    versions = Snapshot.objects.filter(summary__key=key)
    return _page(request, versions.filter(withdrawn_at=None).last() or versions.last())


@require_safe
def version(request: HttpRequest, key: str, number: int) -> HttpResponse:
    return _page(request, Snapshot.objects.filter(summary__key=key, number=number).first())


def _page(request: HttpRequest, snapshot: Snapshot | None) -> HttpResponse:
    if snapshot is None:
        raise Http404
    if snapshot.withdrawn_at is not None:
        return _withdrawn(request, snapshot)
    gone = tombstones.gone(snapshot)
    context = page_context(tombstones.drawn(snapshot, gone)) | {"gone": gone, "sha256": snapshot.sha256}
    return render(request, "visions/public.html", context)


def _withdrawn(request: HttpRequest, snapshot: Snapshot) -> HttpResponse:
    standing = snapshot.summary.snapshots.filter(withdrawn_at=None).exists()
    context = {"snapshot": snapshot, "programme": snapshot.summary.programme, "standing": standing}
    return render(request, "visions/withdrawn.html", context, status=410)


def page_context(content: dict[str, Any]) -> dict[str, Any]:
    """The template context, from the content alone; no query."""
    return {
        "page": content,
        "programme": content["programme"],
        "published": parse_datetime(content["published_at"]) if content["published_at"] else None,
        "domains": [_domain(domain) for domain in content["domains"]],
        "all_synthetic": content["synthetic"] == len(content["workshops"]),
    }


def _domain(domain: dict[str, Any]) -> dict[str, Any]:
    return {**domain, "statements": [_statement(statement) for statement in domain["statements"]]}


def _statement(statement: dict[str, Any]) -> dict[str, Any]:
    """A headline figure with its interval chart, further figures as bars under it; words all as bars."""
    figures = statement["figures"]
    lead = figures[0] if figures and figures[0]["type"] != WORDS else None
    return {
        **statement,
        "lead": lead,
        "chart": _chart(lead) if lead else None,
        "bars": figures[1:] if lead else figures,
        "answered": figures[0]["valid"] if figures and not lead else None,
        "benchmarks": [benchmark for figure in figures for benchmark in figure["benchmarks"]],
        "notes": [figure for figure in figures if figure["note"] or figure["kept_because"]],
    }


def _chart(figure: dict[str, Any]) -> charts.Interval | None:
    if not figure["valid"] or figure["kind"] == "answers" or figure["percent"] is None:
        return None
    pairs = [(hits, valid) for _number, hits, valid in figure["cells"]]
    return charts.interval(figure["hits"], figure["valid"], pairs, len(figure["hidden"]), charts.PAGE)
