"""The composer of a vision summary: statements, evidence, reasons against publishing, and publishing itself.

Works with plain forms, without JavaScript. An invalid form is shown again as typed, with status 422 and one sentence
at each field.
"""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from workshops.models import Domain, Programme
from workshops.people import access

from ...models import EvidenceLink, Snapshot, Statement, Summary
from ...results.aggregates import Findings, ResultLine, load_findings
from ...summary import publishing, quoting, withdrawal
from ..forms import EvidenceForm, KeepForm, StatementForm, SummaryForm, WithdrawForm
from .public import page_context

#: options of one question in the list of figures to choose from
FIGURES_PER_QUESTION = 20


def _programme_and_summary(request: HttpRequest, key: str) -> tuple[Programme, Summary]:
    programme = access.programme_for(request.user, key, *access.READERS)
    if request.method == "POST":
        return programme, publishing.summary_of(programme)
    return programme, publishing.summary_to_read(programme)


def _statement(summary: Summary, pk: int) -> Statement:
    return get_object_or_404(summary.statements.select_related("domain", "summary"), pk=pk)


def _redirect(programme: Programme, statement: Statement | None = None, fragment: str = "") -> HttpResponse:
    chosen = f"?statement={statement.pk}" if statement else ""
    return redirect(reverse("summary", args=[programme.key]) + chosen + fragment)


def _page(
    request: HttpRequest,
    programme: Programme,
    summary: Summary,
    *,
    chosen: Statement | None = None,
    status: int = 200,
    **forms: Any,
) -> HttpResponse:
    """The composer; an invalid form among `forms` replaces the unbound one of the same name."""
    findings = load_findings(programme)
    statements = publishing.statements_of(summary)
    chosen = next((each for each in statements if chosen and each.pk == chosen.pk), None)
    reasons = publishing.reasons_against(summary, findings)
    context: dict[str, Any] = {
        "section": "summary",
        "findings": findings,
        "summary": summary,
        "outline": _outline(statements),
        "chosen": chosen,
        "reasons": reasons,
        "checks": _checks(reasons),
        "versions": list(summary.snapshots.defer("content").order_by("-number")) if summary.pk else [],
        "words_form": SummaryForm(instance=summary),
        "add_form": StatementForm(programme, prefix="new"),
        "figures": _figures(findings),
        "relations": EvidenceLink.Relation.choices,
        "brought": quoting.proposed(programme),
        "domains": programme.domains.all(),
    }
    if chosen:
        context["form"] = StatementForm(programme, instance=chosen)
        context["evidence_form"] = EvidenceForm()
        origins = quoting.sources_of([chosen])
        context["came_from"] = [(each, origins.get(each.pk)) for each in chosen.adoptions.all()]
        context["evidence"] = [_evidence(link, findings) for link in chosen.evidence.all()]
    return access.page(request, programme, "visions/composer.html", status=status, **context | forms)


def _outline(statements: list[Statement]) -> list[tuple[Any, list[Statement]]]:
    parts: dict[Any, list[Statement]] = {}
    for statement in statements:
        parts.setdefault(statement.domain, []).append(statement)
    return list(parts.items())


def _checks(reasons: list[publishing.Reason]) -> list[str]:
    """The checks that the summary passes, as sentences; empty while there is any reason against publishing."""
    if any(reason.statement is None for reason in reasons):
        return []
    return [] if reasons else [
        _("Every statement has a figure that supports it"),
        _("Every figure is as it is counted now, or kept with a reason"),
        _("No figure stands for fewer than 10 people, and words of people only where they all agreed"),
    ]  # fmt: skip


def _figures(findings: Findings) -> list[tuple[str, list[ResultLine], str]]:
    """The figures to choose from, as `(question text, lines, instrument key)`."""
    return [
        (
            result.question.text,
            [
                *result.measures,
                *result.options[:FIGURES_PER_QUESTION],
                *([result.answers] if result.answers else []),
            ],
            result.key,
        )
        for result in findings.instruments
    ]


def _evidence(link: EvidenceLink, findings: Findings) -> dict[str, Any]:
    linked = link.linked
    line = ResultLine(link.kind, link.figure, linked["label"], linked["hits"], linked["valid"])
    return {
        "link": link,
        "line": line,
        "present": publishing.current_line(link, findings),
        "stale": publishing.is_stale(link, findings),
        "superseded": publishing.is_superseded(link, findings),
        "needs_care": publishing.needs_care(link, findings),
        "needs_note": link.relation == link.Relation.CONTRADICTS and not link.note,
    }


# --- views -------------------------------------------------------------------------------------------


@login_required
@require_safe
def compose(request: HttpRequest, key: str) -> HttpResponse:
    programme, summary = _programme_and_summary(request, key)
    wanted = request.GET.get("statement", "")
    statements = publishing.statements_of(summary)
    first = statements[0] if statements else None
    chosen = next((each for each in statements if str(each.pk) == wanted), first)
    return _page(request, programme, summary, chosen=chosen)


@login_required
@require_POST
def words(request: HttpRequest, key: str) -> HttpResponse:
    """Title, lead and opening."""
    programme, summary = _programme_and_summary(request, key)
    form = SummaryForm(request.POST, instance=Summary(programme=programme, key=summary.key))
    if not form.is_valid():
        return _page(request, programme, summary, status=422, words_form=form)
    publishing.edit_summary(summary, **form.cleaned_data)
    messages.success(request, _("Saved."))
    return _redirect(programme)


@login_required
@require_POST
def add(request: HttpRequest, key: str) -> HttpResponse:
    programme, summary = _programme_and_summary(request, key)
    form = StatementForm(programme, request.POST, prefix="new")
    if not form.is_valid():
        return _page(request, programme, summary, status=422, add_form=form)
    return _redirect(programme, publishing.add_statement(summary, **form.cleaned_data))


@login_required
@require_POST
def adopt(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """Take up a note or a text that a facilitator brought to the vision."""
    programme, summary = _programme_and_summary(request, key)
    origins = (each.origin for each in quoting.proposed(programme))
    origin = next((each for each in origins if each.text.pk == pk), None)
    if origin is None:
        raise Http404
    try:
        made = publishing.adopt(summary, origin, request.user, _domain(request, programme))
    except publishing.CannotAdopt as why:
        messages.warning(request, str(why))
        return _redirect(programme)
    return _redirect(programme, made)


def _domain(request: HttpRequest, programme: Programme) -> Domain | None:
    """The domain chosen in the form, for a text whose question belongs to none; `None` without a choice."""
    chosen = request.POST.get("domain", "")
    return (
        programme.domains.filter(pk=int(chosen)).first() if chosen.isdecimal() and len(chosen) < 16 else None
    )


@login_required
@require_POST
def statement(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """Save a statement, move it up or down, or take it out."""
    programme, summary = _programme_and_summary(request, key)
    statement = _statement(summary, pk)
    action = request.POST.get("do", "save")
    if action == "delete":
        publishing.delete_statement(statement, request.user)
        messages.success(request, _("The statement is taken out."))
        return _redirect(programme)
    if action in ("up", "down"):
        publishing.move_statement(statement, -1 if action == "up" else 1)
        return _redirect(programme, statement)
    form = StatementForm(programme, request.POST)
    if not form.is_valid():
        return _page(request, programme, summary, chosen=statement, status=422, form=form)
    publishing.edit_statement(statement, **form.cleaned_data)
    messages.success(request, _("Saved."))
    return _redirect(programme, statement)


@login_required
@require_POST
def link(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """Tie a statement to a pooled figure."""
    programme, summary = _programme_and_summary(request, key)
    statement = _statement(summary, pk)
    form = EvidenceForm(request.POST)
    if form.is_valid():
        try:
            publishing.link(statement, load_findings(programme), *form.parts, **_described(form))
            return _redirect(programme, statement, "#evidence")
        except publishing.NoSuchFigure:
            form.add_error("figure", _("That figure is not in this programme. Choose one from the list."))
        except publishing.NotToBePublished as why:
            form.add_error("figure", str(why))
        except publishing.AlreadyLinked:
            form.add_error("figure", _("This statement has that figure already."))
    return _page(request, programme, summary, chosen=statement, status=422, evidence_form=form)


def _described(form: EvidenceForm) -> dict[str, str]:
    return {name: form.cleaned_data[name] for name in ("relation", "caption", "note")}


@login_required
@require_POST
def evidence(request: HttpRequest, key: str, pk: int, link: int) -> HttpResponse:
    """Update a link to the present figure, keep it with a reason, describe it, or unlink it."""
    programme, summary = _programme_and_summary(request, key)
    statement = _statement(summary, pk)
    tie = get_object_or_404(statement.evidence.select_related("instrument"), pk=link)
    action = request.POST.get("do", "")
    if action == "unlink":
        publishing.unlink(tie)
    elif action == "update":
        _update(request, programme, tie)
    elif action == "keep":
        form = KeepForm(request.POST)
        if not form.is_valid():
            return _page(
                request, programme, summary, chosen=statement, status=422, keep_form=form, keep_link=tie.pk
            )
        publishing.keep_evidence(
            tie, publishing.current_line(tie, load_findings(programme)), form.cleaned_data["because"]
        )
    elif action == "describe":
        described = EvidenceForm({**request.POST.dict(), "figure": "as it is"})
        if not described.is_valid():
            return _page(
                request,
                programme,
                summary,
                chosen=statement,
                status=422,
                describe_form=described,
                describe_link=tie.pk,
            )
        publishing.describe_evidence(tie, **_described(described))
    return _redirect(programme, statement, "#evidence")


def _update(request: HttpRequest, programme: Programme, tie: EvidenceLink) -> None:
    present = publishing.current_line(tie, load_findings(programme))
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
    programme, summary = _programme_and_summary(request, key)
    content = publishing.content(summary, load_findings(programme))
    return render(request, "visions/public.html", page_context(content) | {"draft": True})


@login_required
@require_POST
def publish(request: HttpRequest, key: str) -> HttpResponse:
    programme, summary = _programme_and_summary(request, key)
    try:
        snapshot = publishing.publish(summary, request.user)
    except publishing.CannotPublish as why:
        return _page(request, programme, summary, status=422, refused=why.reasons)
    messages.success(request, _("Version %(number)d is published.") % {"number": snapshot.number})
    return _redirect(programme)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """An owner takes a published version back, or words out of all of them."""
    programme = access.programme_for(request.user, key, *access.OWNERS)
    snapshot = get_object_or_404(
        Snapshot.objects.select_related("summary__programme"), summary__programme=programme, number=number
    )
    form = WithdrawForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _withdrawn(request, snapshot, form):
        return _redirect(programme)
    status = 422 if form.errors else 200
    return access.page(
        request,
        programme,
        "visions/withdraw.html",
        section="summary",
        snapshot=snapshot,
        form=form,
        status=status,
    )


def _withdrawn(request: HttpRequest, snapshot: Snapshot, form: WithdrawForm) -> bool:
    by, because, words = cast(User, request.user), form.cleaned_data["because"], form.cleaned_data["words"]
    try:
        if not words:
            withdrawal.withdraw(snapshot, by, because)
            messages.success(request, _("Version %(number)d is withdrawn.") % {"number": snapshot.number})
        elif successor := withdrawal.take_out(snapshot.summary, [words], by, because):
            said = _("These words are out of every version. Version %(number)d is the one without them.")
            messages.success(request, said % {"number": successor.number})
        else:
            messages.success(request, _("These words are out of every version."))
    except withdrawal.CannotWithdraw as why:
        form.add_error("words" if words else "because", str(why))
        return False
    return True
