"""The composer: statements, their evidence, what still stands against publishing, and publishing itself.

Works with plain forms. Whatever is refused comes back with what was typed and one sentence at its field.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from workshops import access
from workshops.models import Domain, Programme

from .. import publishing, quoting
from ..aggregates import Findings, Line, findings
from ..forms import EvidenceForm, KeepForm, StatementForm, SummaryForm
from ..models import EvidenceLink, Statement, Summary
from .public import page_context

#: so many words of one question stand in the list of figures
FIGURES_PER_QUESTION = 20


def _mine(request: HttpRequest, key: str) -> tuple[Programme, Summary]:
    programme = access.programme_for(request.user, key, *access.READERS)
    if request.method == "POST":
        return programme, publishing.summary_of(programme)
    return programme, publishing.summary_to_read(programme)


def _statement(summary: Summary, pk: int) -> Statement:
    found = summary.statements.select_related("domain", "summary").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _at(programme: Programme, statement: Statement | None = None, place: str = "") -> HttpResponse:
    chosen = f"?statement={statement.pk}" if statement else ""
    return redirect(reverse("summary", args=[programme.key]) + chosen + place)


def _page(
    request: HttpRequest,
    programme: Programme,
    summary: Summary,
    *,
    chosen: Statement | None = None,
    status: int = 200,
    **forms: Any,
) -> HttpResponse:
    """The composer; a form that was refused replaces the fresh one of its place."""
    found = findings(programme)
    statements = publishing.statements_of(summary)
    chosen = next((each for each in statements if chosen and each.pk == chosen.pk), None)
    reasons = publishing.reasons_against(summary, found)
    context: dict[str, Any] = {
        "section": "summary",
        "found": found,
        "summary": summary,
        "outline": _outline(statements),
        "chosen": chosen,
        "reasons": reasons,
        "checks": _checks(reasons),
        "versions": list(summary.snapshots.defer("content").order_by("-number")) if summary.pk else [],
        "words_form": SummaryForm(instance=summary),
        "add_form": StatementForm(programme, prefix="new"),
        "figures": _figures(found),
        "relations": EvidenceLink.Relation.choices,
        "brought": quoting.brought(programme),
        "domains": programme.domains.all(),
    }
    if chosen:
        context["form"] = StatementForm(programme, instance=chosen)
        context["evidence_form"] = EvidenceForm()
        origins = quoting.came_from([chosen])
        context["came_from"] = [(each, origins.get(each.pk)) for each in chosen.adoptions.all()]
        context["evidence"] = [_evidence(link, found) for link in chosen.evidence.all()]
    page = access.page_context(request.user, programme) | context | forms
    return render(request, "visions/composer.html", page, status=status)


def _outline(statements: list[Statement]) -> list[tuple[Any, list[Statement]]]:
    parts: dict[Any, list[Statement]] = {}
    for statement in statements:
        parts.setdefault(statement.domain, []).append(statement)
    return list(parts.items())


def _checks(reasons: list[publishing.Reason]) -> list[str]:
    """What is fine already, in words."""
    if any(reason.statement is None for reason in reasons):
        return []
    return [] if reasons else [
        _("Every statement has a figure that supports it"),
        _("Every figure is as it is counted now, or kept with a reason"),
        _("No group smaller than 10 is shown"),
    ]  # fmt: skip


def _figures(found: Findings) -> list[tuple[str, list[Line], str]]:
    """The list to choose a figure from: question, its lines, its key."""
    return [
        (
            asked.question.text,
            [
                *asked.measures,
                *asked.options[:FIGURES_PER_QUESTION],
                *([asked.answers] if asked.answers else []),
            ],
            asked.key,
        )
        for asked in found.asked
        if asked.pooled
    ]


def _evidence(link: EvidenceLink, found: Findings) -> dict[str, Any]:
    linked = link.linked
    line = Line(link.kind, link.figure, linked["label"], linked["hits"], linked["valid"])
    return {
        "link": link,
        "line": line,
        "present": publishing.present_line(link, found),
        "stale": publishing.is_stale(link, found),
        "needs_care": publishing.needs_care(link, found),
        "needs_note": link.relation == link.Relation.CONTRADICTS and not link.note,
    }


# --- doors -------------------------------------------------------------------------------------------


@login_required
@require_safe
def compose(request: HttpRequest, key: str) -> HttpResponse:
    programme, summary = _mine(request, key)
    wanted = request.GET.get("statement", "")
    statements = publishing.statements_of(summary)
    first = statements[0] if statements else None
    chosen = next((each for each in statements if str(each.pk) == wanted), first)
    return _page(request, programme, summary, chosen=chosen)


@login_required
@require_POST
def words(request: HttpRequest, key: str) -> HttpResponse:
    """Title, lead and opening."""
    programme, summary = _mine(request, key)
    form = SummaryForm(request.POST, instance=Summary(programme=programme, key=summary.key))
    if not form.is_valid():
        return _page(request, programme, summary, status=422, words_form=form)
    publishing.edit_summary(summary, **form.cleaned_data)
    messages.success(request, _("Saved."))
    return _at(programme)


@login_required
@require_POST
def add(request: HttpRequest, key: str) -> HttpResponse:
    programme, summary = _mine(request, key)
    form = StatementForm(programme, request.POST, prefix="new")
    if not form.is_valid():
        return _page(request, programme, summary, status=422, add_form=form)
    return _at(programme, publishing.add_statement(summary, **form.cleaned_data))


@login_required
@require_POST
def adopt(request: HttpRequest, key: str, pk: int, is_note: bool) -> HttpResponse:
    """Take up a note or a text that a facilitator brought to the vision."""
    programme, summary = _mine(request, key)
    origins = (each.origin for each in quoting.brought(programme))
    origin = next((each for each in origins if (each.source.pk, each.is_note) == (pk, is_note)), None)
    if origin is None:
        raise Http404
    try:
        return _at(programme, publishing.adopt(summary, origin, request.user, _domain(request, programme)))
    except publishing.NotChecked:
        words = _(
            "This is not checked yet. Whoever runs workshops can do that on the page of its notes and words."
        )
    except publishing.NoDomain:
        words = _("Choose the part of the vision that this belongs to.")
    except publishing.AlreadyAdopted:
        words = _("This is a statement already.")
    messages.warning(request, words)
    return _at(programme)


def _domain(request: HttpRequest, programme: Programme) -> Domain | None:
    """The part of the vision that was chosen, where what was asked belongs to none."""
    chosen = request.POST.get("domain", "")
    return (
        programme.domains.filter(pk=int(chosen)).first() if chosen.isdecimal() and len(chosen) < 16 else None
    )


@login_required
@require_POST
def statement(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """Save a statement, move it up or down, or take it out."""
    programme, summary = _mine(request, key)
    mine = _statement(summary, pk)
    action = request.POST.get("do", "save")
    if action == "delete":
        publishing.delete_statement(mine)
        messages.success(request, _("The statement is taken out."))
        return _at(programme)
    if action in ("up", "down"):
        publishing.move_statement(mine, -1 if action == "up" else 1)
        return _at(programme, mine)
    form = StatementForm(programme, request.POST)
    if not form.is_valid():
        return _page(request, programme, summary, chosen=mine, status=422, form=form)
    publishing.edit_statement(mine, **form.cleaned_data)
    messages.success(request, _("Saved."))
    return _at(programme, mine)


@login_required
@require_POST
def link(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """Tie a statement to a pooled figure."""
    programme, summary = _mine(request, key)
    mine = _statement(summary, pk)
    form = EvidenceForm(request.POST)
    if form.is_valid():
        try:
            publishing.link(mine, findings(programme), *form.parts, **_described(form))
            return _at(programme, mine, "#evidence")
        except publishing.NoSuchFigure:
            form.add_error("figure", _("That figure is not in this programme. Choose one from the list."))
        except publishing.AlreadyLinked:
            form.add_error("figure", _("This statement has that figure already."))
    return _page(request, programme, summary, chosen=mine, status=422, evidence_form=form)


def _described(form: EvidenceForm) -> dict[str, str]:
    return {name: form.cleaned_data[name] for name in ("relation", "caption", "note")}


@login_required
@require_POST
def evidence(request: HttpRequest, key: str, pk: int, link: int) -> HttpResponse:
    """Update a link to the present figure, keep it with a reason, describe it, or unlink it."""
    programme, summary = _mine(request, key)
    mine = _statement(summary, pk)
    tie = mine.evidence.select_related("instrument").filter(pk=link).first()
    if tie is None:
        raise Http404
    action = request.POST.get("do", "")
    if action == "unlink":
        publishing.unlink(tie)
    elif action == "update":
        _update(request, programme, tie)
    elif action == "keep":
        form = KeepForm(request.POST)
        if not form.is_valid():
            return _page(
                request, programme, summary, chosen=mine, status=422, keep_form=form, keep_link=tie.pk
            )
        publishing.keep_evidence(
            tie, publishing.present_line(tie, findings(programme)), form.cleaned_data["because"]
        )
    elif action == "describe":
        described = EvidenceForm({**request.POST.dict(), "figure": "as it is"})
        if not described.is_valid():
            return _page(
                request,
                programme,
                summary,
                chosen=mine,
                status=422,
                describe_form=described,
                describe_link=tie.pk,
            )
        publishing.describe_evidence(tie, **_described(described))
    return _at(programme, mine, "#evidence")


def _update(request: HttpRequest, programme: Programme, tie: EvidenceLink) -> None:
    present = publishing.present_line(tie, findings(programme))
    if present is None:
        messages.warning(
            request, _("This figure can no longer be counted. Keep it with a reason, or unlink it.")
        )
    else:
        publishing.update_evidence(tie, present)


@login_required
@require_safe
def preview(request: HttpRequest, key: str) -> HttpResponse:
    """The public page as it would be published now."""
    programme, summary = _mine(request, key)
    content = publishing.content(summary, findings(programme))
    return render(request, "visions/public.html", page_context(content) | {"draft": True})


@login_required
@require_POST
def publish(request: HttpRequest, key: str) -> HttpResponse:
    programme, summary = _mine(request, key)
    try:
        snapshot = publishing.publish(summary, request.user)
    except publishing.CannotPublish as why:
        return _page(request, programme, summary, status=422, refused=why.reasons)
    messages.success(request, _("Version %(number)d is published.") % {"number": snapshot.number})
    return _at(programme)
