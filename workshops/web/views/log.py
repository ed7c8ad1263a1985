"""The log of a programme, the way back, and what was removed."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from ...actions import log as actions
from ...actions.authoring import lead
from ...actions.authoring import removed as removed_actions
from ...models import LogEntry, Programme
from ...people import access
from ...programmes import removed as removed_things
from ...text.exports.cells import safe
from ..readable_input import read_number

ENTRIES_A_PAGE = 50
COLUMNS = ("time", "who", "what", "workshop", "taken_back")


class FilterForm(forms.Form):
    """Whose entries, about what, since when. What cannot be read filters nothing, and is said."""

    who = forms.ChoiceField(required=False, label=gettext_lazy("Who"))
    what = forms.ChoiceField(required=False, label=gettext_lazy("What"))
    since = forms.DateField(
        required=False,
        label=gettext_lazy("Since"),
        error_messages={"invalid": gettext_lazy("We could not read this day. Write it like 26/11/2026.")},
    )

    def __init__(self, programme: Programme, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        who, what = self.fields["who"], self.fields["what"]
        assert isinstance(who, forms.ChoiceField)
        assert isinstance(what, forms.ChoiceField)
        people = User.objects.filter(pk__in=programme.log.order_by().values("by")).order_by("email")
        who.choices = [("", _("Everyone")), *((str(one.pk), one.email) for one in people)]
        what.choices = [("", _("Everything")), *actions.SUBJECTS.items()]

    def entries(self, programme: Programme) -> QuerySet[LogEntry]:
        found = programme.log.select_related("by", "workshop", "undone_by")
        said = self.cleaned_data if self.is_bound and (self.is_valid() or self.cleaned_data) else {}
        if said.get("who"):
            found = found.filter(by=int(said["who"]))
        if said.get("what"):
            found = found.filter(verb__in=actions.verbs_about(said["what"]))
        if said.get("since"):
            found = found.filter(at__gte=timezone.make_aware(datetime.combine(said["since"], time.min)))
        return found


@dataclass(frozen=True)
class Line:
    """An entry as the page shows it."""

    entry: LogEntry
    can_undo: bool
    is_undone: bool


@login_required
@never_cache
@require_safe
def log(request: HttpRequest, key: str) -> HttpResponse:
    """By day, newest first; filtered; older pages by the entry they follow."""
    programme = access.programme_for(request.user, key, *access.OWNERS)
    lead.settle(programme)
    form = FilterForm(programme, request.GET)
    found = list(_after(form.entries(programme), request.GET.get("after", ""))[: ENTRIES_A_PAGE + 1])
    entries, more = found[:ENTRIES_A_PAGE], found[ENTRIES_A_PAGE:]
    asked = {name: request.GET[name] for name in ("who", "what", "since") if request.GET.get(name)}
    return access.page(
        request, programme, "workshops/log.html", section="people", form=form, days=list(_days(entries)),
        older=urlencode(asked | {"after": entries[-1].pk}) if more else "", asked=urlencode(asked),
        is_first="after" not in request.GET,
    )  # fmt: skip


def _after(entries: QuerySet[LogEntry], pk: str) -> QuerySet[LogEntry]:
    """Those that stand below the entry with this number."""
    last = LogEntry.objects.filter(pk=read_number(pk)).first()
    return entries.filter(Q(at__lt=last.at) | Q(at=last.at, pk__lt=last.pk)) if last else entries


def _days(entries: list[LogEntry]) -> Iterator[tuple[str, list[Line]]]:
    now = timezone.now()
    for day, found in groupby(entries, lambda one: timezone.localtime(one.at).date()):
        lines = [Line(one, actions.can_undo(one, now), is_undone=hasattr(one, "undone_by")) for one in found]
        yield _day(day, timezone.localdate()), lines


def _day(day: date, today: date) -> str:
    """ "Today", "Tue 24 Nov"; with the year where it is not this one."""
    if day == today:
        return _("Today")
    if day == today - timedelta(days=1):
        return _("Yesterday")
    return date_format(day, "D j M" if day.year == today.year else "D j M Y")


@login_required
@never_cache
@require_safe
def log_file(request: HttpRequest, key: str) -> StreamingHttpResponse:
    """The same as a table (CSV), with the same filters."""
    programme = access.programme_for(request.user, key, *access.OWNERS)
    entries = FilterForm(programme, request.GET).entries(programme)
    name = f"{programme.key}-log.csv"
    actions.note(programme, request.user, "exported", about=name)
    rows = ([safe(cell) for cell in _cells(entry)] for entry in entries.iterator(chunk_size=500))
    response = StreamingHttpResponse(_csv(rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _csv(rows: Iterator[list[str]]) -> Iterator[str]:
    writer = csv.writer(_Line(), lineterminator="\n")
    yield writer.writerow(COLUMNS)
    for row in rows:
        yield writer.writerow(row)


class _Line:
    """A file that gives back what is written to it."""

    def write(self, line: str) -> str:
        return line


def _cells(entry: LogEntry) -> tuple[str, ...]:
    return (
        timezone.localtime(entry.at).isoformat(timespec="seconds"),
        entry.by.email if entry.by else "",
        actions.sentence(entry),
        str(entry.workshop.number) if entry.workshop else "",
        str(int(hasattr(entry, "undone_by"))),
    )


@login_required
@require_POST
def undo(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """Take an action back, and go on where it was pressed."""
    _undo(request, access.log_entry_for(request.user, key, pk), _("Took back: %s."))
    then = request.POST.get("next", "")
    return redirect(then if url_has_allowed_host_and_scheme(then, allowed_hosts=None) else "home")


def _undo(request: HttpRequest, entry: LogEntry, words: str) -> None:
    assert isinstance(request.user, User)
    try:
        actions.undo(entry, request.user)
        messages.success(request, words % actions.sentence(entry))
    except actions.UndoRefused as refused:
        messages.warning(request, str(refused))


# --- what was removed ----------------------------------------------------------------------------------------


@login_required
@never_cache
@require_safe
def removed(request: HttpRequest, key: str) -> HttpResponse:
    """What waits thirty days, and the way back."""
    programme = access.programme_for(request.user, key, *access.RUNNERS)
    return access.page(
        request, programme, "workshops/removed.html", section="people", things=removed_things.of(programme)
    )


@login_required
@require_POST
def restore(request: HttpRequest, key: str, kind: str, pk: int) -> HttpResponse:
    """Bring one of them back. Pressed twice, the second finds it there already."""
    programme = access.programme_for(request.user, key, *access.RUNNERS)
    if kind == removed_things.STEP:
        entry = get_object_or_404(programme.log.select_related("workshop"), pk=pk)
        if not removed_things.deletes_a_step(entry.changes):
            raise Http404
        _undo(request, entry, _("Brought back. %s is undone."))
    elif kind in removed_things.KINDS:
        row = get_object_or_404(removed_things.rows_of(programme, kind), pk=pk)
        removed_actions.restore(programme, row, request.user)
        messages.success(request, _("“%s” is back.") % row)
    else:
        raise Http404
    then = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(then, allowed_hosts=None):
        return redirect(then)
    return redirect("removed", key=key)
