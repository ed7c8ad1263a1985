"""The composer of a vision summary: statements, evidence, reasons against publishing, and publishing itself.

Works with plain forms, without JavaScript. An invalid form is shown again as typed, with status 422 and one sentence
at each field.
"""

from __future__ import annotations

from dataclasses import replace
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
from ...summary import composing, places, publishing, quoting, tombstones, withdrawal
from ...summary.others_words import Found
from ...summary.publishing import Review
from ..forms import EvidenceForm, KeepForm, StatementForm, SummaryForm, WithdrawForm
from .public import page_context

#: options of one question in the list of figures to choose from
FIGURES_PER_QUESTION = 20


def _programme_and_summary(request: HttpRequest, key: str) -> tuple[Programme, Summary]:
    programme = access.programme_for(request.user, key, *access.READERS)
    written = request.method == "POST"
    summary = composing.summary_of(programme) if written else composing.summary_to_read(programme)
    summary.programme = programme
    return programme, summary


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
    wanted: str | None = None,
    status: int = 200,
    **forms: Any,
) -> HttpResponse:
    """The composer; an invalid form among `forms` replaces the unbound one of the same name.

    It shows the `chosen` statement, or the one that is `wanted` by its number in text, where there is none the first.
    """
    findings = load_findings(programme)
    looked_at = publishing.review(summary, findings)
    statements, reasons = looked_at.statements, looked_at.reasons
    # From here on these objects are for drawing only.
    places.mask(summary, statements, looked_at.withheld)
    number = wanted if chosen is None else str(chosen.pk)
    first = statements[0] if statements and wanted is not None else None
    chosen = next((each for each in statements if str(each.pk) == number), first)
    context: dict[str, Any] = {
        "section": "summary",
        "findings": findings,
        "summary": summary,
        "outline": _outline(statements),
        "chosen": chosen,
        "reasons": reasons,
        "checks": _checks(reasons),
        "versions": _versions(summary),
        "near": _near(looked_at, chosen),
        "words_form": SummaryForm(instance=summary),
        "add_form": StatementForm(programme, prefix="new"),
        "figures": _figures(findings),
        "relations": EvidenceLink.Relation.choices,
        "brought": _brought(programme, statements),
        "domains": programme.domains.all(),
    }
    if chosen:
        context["form"] = StatementForm(programme, instance=chosen)
        context["evidence_form"] = EvidenceForm()
        origins = quoting.sources_of([chosen])
        context["came_from"] = [(each, origins.get(each.pk)) for each in chosen.adoptions.all()]
        context["evidence"] = [_evidence(link, findings, looked_at) for link in chosen.evidence.all()]
    return access.page(request, programme, "visions/composer.html", status=status, **context | forms)


def _versions(summary: Summary) -> list[tuple[Snapshot, bool]]:
    """Published versions, the newest first, and whether words in them were flagged, hidden or taken back since."""
    if summary.pk is None:
        return []
    versions = list(summary.snapshots.defer("content").order_by("-number"))
    gone = tombstones.gone_of(versions)
    return [(each, each.number in gone) for each in versions]


def _near(looked_at: Review, chosen: Statement | None) -> dict[str, Found]:
    """What is near to people's words at the summary's fields and at those of the chosen statement, by field."""
    return {
        place.field: found
        for place, found in looked_at.words.items()
        if place.kind == "summary" or (chosen and place.kind == "statement" and place.pk == chosen.pk)
    }


def _brought(programme: Programme, statements: list[Statement]) -> list[quoting.ProposedText]:
    """Proposed texts with the statements that were made of them, as these are drawn."""
    drawn = {each.pk: each for each in statements}
    return [
        replace(each, statement=drawn.get(each.statement.pk)) if each.statement else each
        for each in quoting.proposed(programme)
    ]


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
        _("No figure stands for fewer than 10 people, or for 1 to 4 of them"),
        _("Words of people stand only where they are shown and all agreed, or are said to be your own"),
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


def _evidence(link: EvidenceLink, findings: Findings, looked_at: Review) -> dict[str, Any]:
    linked = link.linked
    near = {place.field: found for place, found in looked_at.words.items() if place[:2] == ("link", link.pk)}
    line = ResultLine(link.kind, link.figure, linked["label"], linked["hits"], linked["valid"])
    return {
        "link": link,
        "line": line,
        "present": composing.current_line(link, findings),
        "stale": composing.is_stale(link, findings),
        "superseded": composing.is_superseded(link, findings),
        "needs_care": composing.needs_care(link, findings),
        "near": near,
        "is_near": any(found.stops for found in near.values()),
        "needs_note": link.relation == link.Relation.CONTRADICTS and not link.note,
    }


# --- views -------------------------------------------------------------------------------------------


@login_required
@require_safe
def compose(request: HttpRequest, key: str) -> HttpResponse:
    programme, summary = _programme_and_summary(request, key)
    return _page(request, programme, summary, wanted=request.GET.get("statement", ""))


@login_required
@require_POST
def words(request: HttpRequest, key: str) -> HttpResponse:
    """Title, lead and opening."""
    programme, summary = _programme_and_summary(request, key)
    form = SummaryForm(request.POST, instance=Summary(programme=programme, key=summary.key))
    if not form.is_valid():
        return _page(request, programme, summary, status=422, words_form=form)
    composing.edit_summary(summary, **_as_it_was(form.cleaned_data, summary))
    _say_own_words(request, summary)
    messages.success(request, _("Saved."))
    return _redirect(programme)


@login_required
@require_POST
def own(request: HttpRequest, key: str) -> HttpResponse:
    """Say of words that are not written in the composer (a question, a domain) that they are our own."""
    programme, summary = _programme_and_summary(request, key)
    if _say_own_words(request, summary):
        messages.success(request, _("Noted, with your name and the time."))
    return _redirect(programme)


@login_required
@require_POST
def add(request: HttpRequest, key: str) -> HttpResponse:
    programme, summary = _programme_and_summary(request, key)
    form = StatementForm(programme, request.POST, prefix="new")
    if not form.is_valid():
        return _page(request, programme, summary, status=422, add_form=form)
    return _redirect(programme, composing.add_statement(summary, **form.cleaned_data))


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
        made = composing.adopt(summary, origin, request.user, _domain(request, programme))
    except composing.CannotAdopt as why:
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
        composing.delete_statement(statement, request.user)
        messages.success(request, _("The statement is taken out."))
        return _redirect(programme)
    if action in ("up", "down"):
        composing.move_statement(statement, -1 if action == "up" else 1)
        return _redirect(programme, statement)
    form = StatementForm(programme, request.POST)
    if not form.is_valid():
        return _page(request, programme, summary, chosen=statement, status=422, form=form)
    composing.edit_statement(statement, **_as_it_was(form.cleaned_data, statement))
    _say_own_words(request, summary)
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
            composing.link(statement, load_findings(programme), *form.parts, **_described(form))
            return _redirect(programme, statement, "#evidence")
        except composing.NoSuchFigure:
            form.add_error("figure", _("That figure is not in this programme. Choose one from the list."))
        except composing.NotToBePublished as why:
            form.add_error("figure", str(why))
        except composing.AlreadyLinked:
            form.add_error("figure", _("This statement has that figure already."))
    return _page(request, programme, summary, chosen=statement, status=422, evidence_form=form)


def _as_it_was(typed: dict[str, Any], row: Any) -> dict[str, Any]:
    """What was typed; a field that was not drawn, and was left as it was, keeps the words that it has."""
    mark = places.under_review()
    return {name: getattr(row, name) if value == mark else value for name, value in typed.items()}


def _say_own_words(request: HttpRequest, summary: Summary) -> bool:
    """Take note of the ticks at "These are our own words"; returns whether there was any that counts."""
    said = request.POST.getlist("own")[:50]
    if not said:
        return False
    return bool(publishing.say_own_words(summary, load_findings(summary.programme), request.user, said))


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
        composing.unlink(tie)
    elif action == "update":
        _update(request, programme, tie)
    elif action == "keep":
        form = KeepForm(request.POST)
        if not form.is_valid():
            return _page(
                request, programme, summary, chosen=statement, status=422, keep_form=form, keep_link=tie.pk
            )
        because = _as_it_was({"kept_because": form.cleaned_data["because"]}, tie)["kept_because"]
        composing.keep_evidence(tie, composing.current_line(tie, load_findings(programme)), because)
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
        composing.describe_evidence(tie, **_as_it_was(_described(described), tie))
    _say_own_words(request, summary)
    return _redirect(programme, statement, "#evidence")


def _update(request: HttpRequest, programme: Programme, tie: EvidenceLink) -> None:
    present = composing.current_line(tie, load_findings(programme))
    if present is None:
        messages.warning(
            request, _("This figure can no longer be counted. Keep it with a reason, or unlink it.")
        )
    else:
        composing.update_evidence(tie, present)


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
    except publishing.CannotPublish:
        return _page(request, programme, summary, status=422, refused=True)
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
        gone=tombstones.gone(snapshot),
        status=status,
    )


def _withdrawn(request: HttpRequest, snapshot: Snapshot, form: WithdrawForm) -> bool:
    by, because, words = cast(User, request.user), form.cleaned_data["because"], form.cleaned_data["words"]
    try:
        if form.cleaned_data["gone"]:
            successor = withdrawal.take_out_what_is_gone(snapshot.summary, by, because)
            messages.success(request, _without_them(successor))
        elif not words:
            withdrawal.withdraw(snapshot, by, because)
            messages.success(request, _("Version %(number)d is withdrawn.") % {"number": snapshot.number})
        else:
            successor = withdrawal.take_out(snapshot.summary, [words], by, because)
            messages.success(request, _without_them(successor))
    except withdrawal.CannotWithdraw as why:
        form.add_error("words" if words else "because", str(why))
        return False
    return True


def _without_them(successor: Snapshot | None) -> str:
    if successor is None:
        return _("These words are out of every version.")
    said = _("These words are out of every version. Version %(number)d is the one without them.")
    return said % {"number": successor.number}
