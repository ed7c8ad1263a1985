"""Workshops to come: planned, one or a series of them; copied; their facts; removed."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Max
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from ...actions.authoring import workshops
from ...actions.log import Stale
from ...models import Programme, Workshop
from ...people import access
from ...programmes import facts as workshop_facts
from ...programmes.planning import PlanIncomplete
from ..forms.workshops import CopyForm, FactsForm, MomentForm, PlanForm, a_week_later, dates_apart, typed
from ..moments import when


def _posted(request: HttpRequest) -> QueryDict | None:
    """What was sent, also if it is nothing at all."""
    return request.POST if request.method == "POST" else None


# --- plan -----------------------------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def plan(request: HttpRequest, key: str) -> HttpResponse:
    """Plan one workshop, or a series: then every date stands in a row of its own and can be changed."""
    programme = access.programme_for(request.user, key, *access.RUNNERS)
    form = PlanForm(programme, _posted(request), initial=_first_guess(request, programme))
    if request.method != "POST":
        return _plan_page(request, programme, form, [])
    valid = form.is_valid()
    rows = _rows(request, form)
    if "dates" in request.POST and request.htmx:  # type: ignore[attr-defined]
        context = {"rows": rows, "first": _next_number(programme), "form": form}
        return render(request, "workshops/authoring/_series.html", context)
    many = form.cleaned_data.get("many", 1)
    shown = "row-0-date" in request.POST and len(rows) == _rows_sent(request)
    wrong = [row for row in rows if not row.is_valid()]
    if valid and not wrong and (shown or many == 1) and "dates" not in request.POST:
        starts = [row.cleaned_data["starts_at"] for row in rows] or [form.cleaned_data["starts_at"]]
        try:
            made = workshops.plan_series(
                programme, form.cleaned_data["plan"], request.user, starts, **form.said
            )
        except PlanIncomplete as incomplete:
            form.add_error("plan", str(incomplete))
        else:
            return _planned(request, made)
    return _plan_page(request, programme, form, rows)


def _first_guess(request: HttpRequest, programme: Programme) -> dict[str, object]:
    """The plan that was asked for, or the first one; the programme's own title."""
    plans = programme.plans.filter(removed_at=None)
    first = plans.filter(key=request.GET.get("plan", "")).first() or plans.first()
    return {"title": programme.title, "plan": first.pk if first else None, "many": 1, "every": "1"}


def _rows(request: HttpRequest, form: PlanForm) -> list[MomentForm]:
    """A form for each workshop of a series, none for a single one. What was typed in a row stays there."""
    many = form.cleaned_data.get("many", 1)
    if many == 1:
        return []
    weeks = int(form.cleaned_data.get("every") or 1)
    days = dates_apart(form.cleaned_data.get("date"), many, weeks)
    start = request.POST.get("time", "")
    apart = "|".join([days[0], start, str(weeks)])
    keep = request.POST.get("apart", apart) == apart
    data = {"apart": apart}
    for place, day in enumerate(days):
        for name, guess in ((f"row-{place}-date", day), (f"row-{place}-time", start)):
            data[name] = request.POST.get(name, guess) if keep else guess
    form.apart = apart  # type: ignore[attr-defined]
    return [MomentForm(data, prefix=f"row-{place}") for place in range(many)]


def _rows_sent(request: HttpRequest) -> int:
    return sum(name.startswith("row-") and name.endswith("-date") for name in request.POST)


def _next_number(programme: Programme) -> int:
    return (programme.workshops.aggregate(last=Max("number"))["last"] or 0) + 1


def _plan_page(
    request: HttpRequest, programme: Programme, form: PlanForm, rows: list[MomentForm]
) -> HttpResponse:
    plans = [
        (one, sum(entry.get("minutes", 0) for entry in one.agenda))
        for one in programme.plans.filter(removed_at=None)
    ]
    return access.page(
        request, programme, "workshops/plan.html",
        section="workshops", form=form, plans=plans, rows=rows, first=_next_number(programme),
    )  # fmt: skip


def _planned(request: HttpRequest, made: list[Workshop]) -> HttpResponse:
    first = made[0]
    if len(made) == 1:
        words = _("Workshop %(number)d is planned. Its code is %(code)s.")
        messages.success(request, words % {"number": first.number, "code": first.spaced_code})
        return redirect("prepare", first.code)
    words = _("Workshops %(first)d to %(last)d are planned.")
    messages.success(request, words % {"first": first.number, "last": made[-1].number})
    return redirect("home")


# --- copy -----------------------------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def copy(request: HttpRequest, code: str) -> HttpResponse:
    """The same workshop another time. The day is guessed, so that Enter is enough."""
    source = access.workshop_for(request.user, code, *access.RUNNERS, guests=False)
    programme = source.programme
    form = CopyForm(_posted(request), initial=a_week_later(source))
    if request.method == "POST" and form.is_valid():
        made = workshops.copy_workshop(source, request.user, starts_at=form.cleaned_data["starts_at"])
        words = _("Workshop %(number)d is planned. Its code is %(code)s.")
        messages.success(request, words % {"number": made.number, "code": made.spaced_code})
        left_out = source.agenda.count() - made.agenda.count()
        if left_out:
            words = ngettext(
                "%d step was left out, because it was removed from the programme.",
                "%d steps were left out, because they were removed from the programme.",
                left_out,
            )
            messages.warning(request, words % left_out)
        return redirect("prepare", made.code)
    return access.page(
        request, programme, "workshops/authoring/copy.html",
        section="workshops", workshop=source, form=form, number=_next_number(programme),
    )  # fmt: skip


# --- facts ----------------------------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def facts(request: HttpRequest, code: str) -> HttpResponse:
    """When, where, for whom: in place of the facts bar (htmx), or as a page. `?shown`: the bar again."""
    workshop = access.workshop_for(request.user, code, *access.RUNNERS)
    in_place = bool(request.htmx)  # type: ignore[attr-defined]
    if in_place and "shown" in request.GET:
        return _facts_bar(request, workshop)
    form = FactsForm(workshop, _posted(request), initial=_typed_facts(workshop))
    others: list[tuple[str, object]] = []
    changed_by = ""
    if request.method == "POST" and form.is_valid():
        try:
            workshops.change_facts(workshop, request.user, form.cleaned_data["seen"], **form.values)
            return _facts_bar(request, workshop) if in_place else redirect("prepare", workshop.code)
        except Stale:
            workshop.refresh_from_db()
            others, changed_by = _theirs(form, workshop), _who_changed(workshop)
        except workshops.CannotChange as refused:
            form.add_error(None, str(refused))
    context = {
        "workshop": workshop,
        "form": form,
        "others": others,
        "changed_by": changed_by,
        # After a conflict the person has seen both; after a mistake, still what they saw first.
        "seen": request.POST.get("seen") if form.errors else workshop_facts.fingerprint(workshop),
        "when": when(workshop.starts_at, timezone.localtime()),
    }
    if in_place:
        return render(request, "workshops/authoring/_facts_form.html", context)
    return access.page(
        request, workshop.programme, "workshops/authoring/facts.html", section="workshops", **context
    )


def _facts_bar(request: HttpRequest, workshop: Workshop) -> HttpResponse:
    response = render(request, "workshops/authoring/_facts.html", {"workshop": workshop})
    response["HX-Trigger"] = "facts-changed"
    return response


def _typed_facts(workshop: Workshop) -> dict[str, Any]:
    values = {name: getattr(workshop, name) for name in workshop_facts.COLUMNS}
    return values | typed(workshop.starts_at)


def _theirs(form: FactsForm, workshop: Workshop) -> list[tuple[str, object]]:
    """(label, what is stored now) of every fact that differs from what this person has typed."""
    now = timezone.localtime()
    typed_values = form.values
    stored = {name: getattr(workshop, name) for name in typed_values}
    labels = {name: form.fields[name].label for name in typed_values if name in form.fields}
    return [
        (labels.get(name, _("When")), when(value, now) if name == "starts_at" else value or "–")
        for name, value in stored.items()
        if value != typed_values[name]
    ]


def _who_changed(workshop: Workshop) -> str:
    entry = workshop.log.filter(verb="changed_facts").select_related("by").first()
    return entry.by.email if entry and entry.by else ""


# --- remove ---------------------------------------------------------------------------------------------------------


@login_required
@require_POST
def remove(request: HttpRequest, code: str) -> HttpResponse:
    """Put a planned workshop among the removed ones; pressed twice, the second finds it gone."""
    workshop = access.workshop_for(request.user, code, *access.RUNNERS, guests=False)
    try:
        workshops.remove_workshop(workshop, request.user)
    except workshops.CannotChange as refused:
        messages.warning(request, str(refused))
        return redirect("prepare", workshop.code)
    messages.success(request, _("“%s” is removed. It waits 30 days, in case you want it back.") % workshop)
    return redirect("home")
