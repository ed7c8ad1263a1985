"""A facilitator's home: what comes next, what comes then, what was held, of every programme they belong to.

However many workshops there are: two pages of rows, each counted and described for its rows alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.paginator import Page, Paginator
from django.db.models import Case, Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from ...actions import log
from ...models import AgendaItem, LogEntry, Membership, Participant, Programme, Round, Workshop
from ...people import access
from ...text.reports import asked_in_words
from ..moments import greeting, when

#: a workshop that should have started longer ago than this is no longer what comes next
LATE = timedelta(hours=12)
COMING_ON_A_PAGE, HELD_ON_A_PAGE = 10, 20


@dataclass
class Rights:
    """What somebody may do, by programme and by workshop; one query."""

    programmes: dict[int, Programme] = field(default_factory=dict)
    roles: defaultdict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    #: workshops in which they are a guest
    guest_in: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, user: User) -> Rights:
        rights = cls()
        rows = Membership.objects.filter(user=user, programme__removed_at=None)
        for row in rows.select_related("programme").order_by("programme__title", "pk"):
            rights.programmes[row.programme_id] = row.programme
            if row.workshop_id:
                rights.guest_in.add(row.workshop_id)
            else:
                rights.roles[row.programme_id].add(row.role)
        return rights

    def workshops(self) -> QuerySet[Workshop]:
        """All that this person may see: whole programmes, and the workshops in which they are a guest."""
        seen = Q(programme__in=list(self.roles)) | Q(pk__in=self.guest_in)
        return Workshop.objects.filter(seen, removed_at=None)

    def may_run(self, programme: int, workshop: int = 0) -> bool:
        return bool(self.roles.get(programme, set()) & set(access.RUNNERS)) or workshop in self.guest_in

    def may_read(self, programme: int) -> bool:
        return bool(self.roles.get(programme, set()) & set(access.READERS))


@login_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    rights = Rights.of(request.user)
    words = " ".join(request.GET.get("q", "").split())[:100]
    found = _matching(rights.workshops(), words)
    coming = _page(
        found.exclude(status="ended").order_by(*_coming_order()), request.GET.get("coming"), COMING_ON_A_PAGE
    )
    held = _page(found.filter(status="ended").order_by(*_HELD_ORDER), request.GET.get("held"), HELD_ON_A_PAGE)
    rows = _described([*coming, *held], rights)
    listed = [rows[one.pk] for one in coming]
    lead = not words and coming.number == 1 and bool(listed)
    context: dict[str, Any] = {
        "section": "workshops",
        "greeting": greeting(timezone.localtime()),
        "programmes": [_card(one, rights) for one in rights.programmes.values() if one.pk in rights.roles],
        "is_guest_only": bool(rights.guest_in) and not rights.roles,
        "several": len(rights.programmes) > 1,
        "q": words,
        "next": listed[0] if lead else None,
        "coming": listed[1:] if lead else listed,
        "coming_page": coming,
        "held": [rows[one.pk] for one in held],
        "held_page": held,
        "undoable": _undoable(request.user, rights),
    }
    if len(rights.programmes) == 1:
        (programme,) = rights.programmes.values()
        context |= access.page_context(request.user, programme)
    return render(request, "workshops/home.html", context)


def _card(programme: Programme, rights: Rights) -> dict[str, Any]:
    return {
        "programme": programme,
        "may_run": rights.may_run(programme.pk),
        "may_read": rights.may_read(programme.pk),
        "may_invite": bool(rights.roles[programme.pk] & set(access.OWNERS)),
    }


def _undoable(user: User, rights: Rights) -> LogEntry | None:
    """What this person has just done, in whatever programme."""
    last = (
        LogEntry.objects.filter(by=user, programme__in=rights.programmes).select_related("programme").first()
    )
    if last is None or not rights.may_run(last.programme_id, last.workshop_id or 0):
        return None
    return log.last_undoable(user, programme=last.programme)


# --- which ----------------------------------------------------------------------------------------------------------


def _matching(workshops: QuerySet[Workshop], words: str) -> QuerySet[Workshop]:
    """Every word is found in what the row says, or all of them are its code."""
    if not words:
        return workshops
    every = Q()
    for word in words.split():
        some = Q(programme__title__icontains=word)
        for column in ("title", "place", "region", "intended_for"):
            some |= Q(**{f"{column}__icontains": word})
        if word.isdecimal() and len(word) < 7:
            some |= Q(number=int(word))
        every &= some
    return workshops.filter(every | Q(code__iexact=words.replace(" ", "")))


def _page(workshops: QuerySet[Workshop], number: str | None, size: int) -> Page[Workshop]:
    """The rows' keys alone; what they say is looked up for this page."""
    return Paginator(workshops.only("pk"), size).get_page(number)


def _coming_order() -> list[Any]:
    """Running first, then by their start, then without a day, then those whose day went by."""
    group = Case(
        When(status="running", then=Value(0)),
        When(starts_at__isnull=True, then=Value(2)),
        When(starts_at__gt=timezone.now() - LATE, then=Value(1)),
        default=Value(3),
        output_field=IntegerField(),
    )
    return [group, F("starts_at").asc(nulls_last=True), "number", "pk"]


_HELD_ORDER = (Coalesce("ended_at", "started_at", "starts_at").desc(nulls_last=True), "-number", "-pk")


# --- what a row says --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A workshop as this page shows it."""

    workshop: Workshop
    when: str
    #: "60 minutes. 8 questions, 3 breakouts."
    holds: str
    may_run: bool
    may_copy: bool
    may_read: bool
    has_notes: bool

    @property
    def name(self) -> str:
        """Its own title where it has one, beside its number."""
        workshop = self.workshop
        return "" if workshop.title == workshop.programme.title else workshop.title


def _described(listed: list[Workshop], rights: Rights) -> dict[int, Row]:
    now = timezone.localtime()
    rows = _counted(Workshop.objects.filter(pk__in=[one.pk for one in listed])) if listed else []
    return {one.pk: _row(one, rights, lambda moment: when(moment, now)) for one in rows}


def _row(workshop: Any, rights: Rights, said: Callable[..., str]) -> Row:
    ended = workshop.has_ended
    return Row(
        workshop=workshop,
        when=said((workshop.started_at or workshop.starts_at) if ended else workshop.starts_at),
        holds=_holds(workshop),
        may_run=rights.may_run(workshop.programme_id, workshop.pk),
        may_copy=rights.may_run(workshop.programme_id),
        may_read=rights.may_read(workshop.programme_id),
        has_notes=bool(workshop.group_times or workshop.in_words),
    )


def _counted(workshops: QuerySet[Workshop]) -> QuerySet[Workshop]:
    """With the people who took part and what the agenda holds, in one query."""
    return workshops.select_related("sheet", "programme").annotate(
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


def _holds(workshop: Any) -> str:
    minutes = ngettext("%d minute", "%d minutes", workshop.minutes) % workshop.minutes
    if not (workshop.questions or workshop.breakouts):
        return f"{minutes}. {_('Its agenda is empty.')}"
    parts = []
    if workshop.questions:
        parts.append(ngettext("%d question", "%d questions", workshop.questions) % workshop.questions)
    if workshop.breakouts:
        parts.append(ngettext("%d breakout", "%d breakouts", workshop.breakouts) % workshop.breakouts)
    return f"{minutes}. {', '.join(parts)}."
