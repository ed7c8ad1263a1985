"""A facilitator's home: what comes next, what comes then, what was held."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from .. import access
from ..afterwards import asked_in_words
from ..models import AgendaItem, Participant, Programme, Round, Workshop

#: a workshop that should have started longer ago than this is no longer what comes next
LATE = timedelta(hours=12)


@dataclass(frozen=True)
class Section:
    """One programme on the page."""

    programme: Programme
    may: dict[str, Any]
    next: Workshop | None
    coming: list[Workshop]
    held: list[Workshop]


@login_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    sections = [_section(request, programme) for programme in access.programmes_of(request.user)]
    # What runs now is what somebody came for; then what is planned; the rest keeps its order.
    sections.sort(key=lambda one: (not (one.next and one.next.is_running), not one.next))
    context: dict[str, Any] = {
        "section": "workshops",
        "sections": sections,
        "greeting": greeting(timezone.localtime()),
    }
    if len(sections) == 1:
        context |= sections[0].may
    return render(request, "workshops/home.html", context)


def greeting(now: datetime) -> str:
    if now.hour < 12:
        return _("Good morning")
    return _("Good afternoon") if now.hour < 18 else _("Good evening")


def _section(request: HttpRequest, programme: Programme) -> Section:
    workshops = [_described(one) for one in _counted(programme)]
    to_come = sorted((one for one in workshops if not one.has_ended), key=_order)
    held = sorted((one for one in workshops if one.has_ended), key=_when_held, reverse=True)
    return Section(
        programme=programme,
        may=access.page_context(request.user, programme),
        next=to_come[0] if to_come else None,
        coming=to_come[1:],
        held=held,
    )


def _counted(programme: Programme) -> QuerySet[Workshop]:
    """Every workshop with the people who took part and what its agenda holds, in one query."""
    return programme.workshops.select_related("sheet").annotate(
        people=_count(Participant.objects.filter(rehearsal=False)),
        questions=_count(AgendaItem.objects.filter(kind=AgendaItem.Kind.POLL, profile=False, quick=False)),
        about_people=_count(AgendaItem.objects.filter(profile=True)),
        group_times=_count(Round.objects.filter(opened_at__isnull=False)),
        in_words=_count(asked_in_words()),
        breakouts=_count(AgendaItem.objects.filter(kind=AgendaItem.Kind.PROMPT)),
    )


def _count(rows: QuerySet[Any]) -> Coalesce:
    """A subquery per number: joins would multiply them."""
    counted = rows.filter(workshop=OuterRef("pk")).order_by().values("workshop").annotate(n=Count("pk"))
    return Coalesce(Subquery(counted.values("n")), 0)


def _described(workshop: Workshop) -> Workshop:
    """With its own words for the page: `when` and `holds`."""
    moment = workshop.started_at or workshop.starts_at if workshop.has_ended else workshop.starts_at
    workshop.when = when(moment, timezone.localtime())  # type: ignore[attr-defined]
    workshop.holds = _holds(workshop)  # type: ignore[attr-defined]
    return workshop


def when(moment: datetime | None, now: datetime) -> str:
    """ "Today, 13:00", "Thu 26 Nov, 18:30"; the year where it is not this one; empty without a moment."""
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    if local.date() == now.date():
        return _("Today, %s") % date_format(local, "H:i")
    if local.date() == (now + timedelta(days=1)).date():
        return _("Tomorrow, %s") % date_format(local, "H:i")
    return date_format(local, "D j M, H:i" if local.year == now.year else "D j M Y, H:i")


def _holds(workshop: Any) -> str:
    """ "60 minutes. 8 questions, 3 breakouts." """
    parts = [ngettext("%d question", "%d questions", workshop.questions) % workshop.questions]
    if workshop.breakouts:
        parts.append(ngettext("%d breakout", "%d breakouts", workshop.breakouts) % workshop.breakouts)
    minutes = ngettext("%d minute", "%d minutes", workshop.minutes) % workshop.minutes
    return f"{minutes}. {', '.join(parts)}."


def _order(workshop: Workshop) -> tuple[int, float, int]:
    """Running first, then by its start, then without a day, then those whose day went by."""
    start = workshop.starts_at
    if workshop.is_running:
        group = 0
    elif start is None:
        group = 2
    else:
        group = 1 if start > timezone.now() - LATE else 3
    return group, start.timestamp() if start else 0, workshop.number


def _when_held(workshop: Workshop) -> tuple[float, int]:
    moment = workshop.ended_at or workshop.started_at or workshop.starts_at
    return moment.timestamp() if moment else 0, workshop.number
