"""The settings of a programme, for its owners: what it says of itself, domains, the information sheet, its file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from polls.models import Instrument

from ...actions import log
from ...actions.authoring import programmes, sheets
from ...actions.authoring.programmes import DomainRow, NotPossible
from ...actions.log import Stale, note
from ...actions.retention import job
from ...models import InformationSheet, LogEntry, Programme
from ...people import access, second_factor
from ...programmes import colour
from ...programmes.file import io as file_io
from ...programmes.keys import free_key
from ..forms.programmes import FileForm, SettingsForm, SheetForm
from ..readable_input import read_number
from . import programmes as programme_pages

TITLE_LENGTH = 200
SETTINGS_VERBS = ("changed_settings", "changed_domains", "removed_domain", "changed_profile", "loaded_file")
#: types that can be asked at joining: one tap each
PROFILE_TYPES = ("single_choice", "multiple_choice", "scale", "number")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest, key: str) -> HttpResponse:
    """One page, four forms; each is saved by itself."""
    programme = access.programme_for(request.user, key, *access.OWNERS)
    if request.method != "POST":
        return _page(request, programme)
    saves: dict[str, Callable[[HttpRequest, Programme], HttpResponse]] = {
        "about": _save_about,
        "domains": _save_domains,
        "profile": _save_profile,
        "file": _check_file,
        "remove": _remove,
    }
    try:
        save = saves[request.POST.get("do", "")]
    except KeyError:
        raise Http404 from None
    return save(request, programme)


def _page(request: HttpRequest, programme: Programme, *, status: int = 200, **context: Any) -> HttpResponse:
    programme = Programme.objects.select_related("bank").get(pk=programme.pk)
    form = context.pop("form", None) or SettingsForm.of(programme)
    hue = form["hue"].value()
    shown = int(hue) if str(hue).isdecimal() and len(str(hue)) < 4 and int(hue) < 360 else programme.hue
    context = {
        "form": form,
        "domains": [(str(row.pk), row.title, row.description) for row in _domains(programme)],
        "profile": _profile(programme),
        "sheet": programme.sheets.last(),
        "file_form": FileForm(),
        "contrast": f"{colour.worst(shown):.1f}",
        "contrasts": " ".join(f"{colour.worst(each):.1f}" for each in range(360)),
        "running": programme.workshops.filter(removed_at=None).count(),
        "coming": job.next_removal(programme),
        "undoable": log.last_undoable(request.user, programme=programme),
        "section": "settings",
    } | context
    return access.page(request, programme, "workshops/authoring/settings.html", status=status, **context)


def _domains(programme: Programme) -> Any:
    return programme.domains.all()


def _rev(request: HttpRequest) -> int | None:
    sent = request.POST.get("rev", "")
    return int(sent) if sent.isdecimal() and len(sent) < 10 else None


def _saved(request: HttpRequest, programme: Programme, anchor: str) -> HttpResponse:
    messages.success(request, _("Saved."))
    return redirect(f"{request.path}#{anchor}")


def _stale(programme: Programme, verbs: tuple[str, ...] = SETTINGS_VERBS) -> str:
    """Who has changed what meanwhile; what was typed stays on the page."""
    entry: LogEntry | None = programme.log.filter(verb__in=verbs).select_related("by").first()
    if entry is None:
        return _("Somebody else has changed this meanwhile. What you typed is still here.")
    words = _(
        "%(who)s was here at %(time)s: %(what)s. What you typed is still here; save again to keep yours."
    )
    return words % {
        "who": entry.by.email if entry.by else _("Somebody"),
        "time": date_format(timezone.localtime(entry.at), "H:i"),
        "what": log.sentence(entry),
    }


# --- about it -------------------------------------------------------------------------------------------------


def _save_about(request: HttpRequest, programme: Programme) -> HttpResponse:
    form = SettingsForm(request.POST)
    if form.is_valid() and form.cleaned_data["second_factor"] and not second_factor.has_one(request.user):
        form.add_error("second_factor", _("Set up your own second step first, on the page of your account."))
    if not form.is_valid():
        return _page(request, programme, status=422, form=form)
    try:
        programmes.change_settings(programme, request.user, _rev(request), **form.cleaned_data)
    except Stale:
        return _page(request, programme, status=409, form=form, stale_about=_stale(programme))
    return _saved(request, programme, "about")


# --- domains --------------------------------------------------------------------------------------------------


def _save_domains(request: HttpRequest, programme: Programme) -> HttpResponse:
    rows = _sent_domains(request.POST)
    typed = {"domains": rows}
    if wrong := _wrong_domain(rows):
        return _page(request, programme, status=422, domain_error=wrong, **typed)
    remove = request.POST.get("remove", "")
    known = [DomainRow(read_number(pk) or None, title, words) for pk, title, words in rows if title]
    try:
        programmes.change_domains(programme, request.user, _rev(request), known, read_number(remove) or None)
    except NotPossible as why:
        return _page(request, programme, status=422, domain_error=str(why), **typed)
    except Stale:
        return _page(request, programme, status=409, stale_domains=_stale(programme), **typed)
    return _saved(request, programme, "domains")


def _sent_domains(sent: QueryDict) -> list[tuple[str, str, str]]:
    """(pk or empty, title, description) in the order of the page, one of them moved by a button."""
    columns = (sent.getlist(name)[:50] for name in ("pk", "title", "description"))
    rows = [
        (pk[:12], title.strip(), words.replace("\r\n", "\n"))
        for pk, title, words in zip(*columns, strict=False)
    ]
    move = sent.get("move", "").split(":")
    if len(move) == 2 and move[0].isdecimal() and len(move[0]) < 4 and move[1] in ("up", "down"):
        here = int(move[0])
        there = here + (1 if move[1] == "down" else -1)
        if 0 <= here < len(rows) and 0 <= there < len(rows):
            rows[here], rows[there] = rows[there], rows[here]
    return rows


def _wrong_domain(rows: list[tuple[str, str, str]]) -> str:
    if any(len(title) > TITLE_LENGTH or len(words) > 20_000 for _pk, title, words in rows):
        return _("A domain’s title can have up to 200 letters, its description up to 20,000.")
    if any(pk and not title for pk, title, _words in rows):
        return _("Give every domain a title, or remove it with its button.")
    titles = [title.casefold() for _pk, title, _words in rows if title]
    if len(set(titles)) < len(titles):
        return _("Two domains have the same title. Give one of them another.")
    return ""


# --- questions about people -----------------------------------------------------------------------------------


def _profile(programme: Programme) -> list[tuple[Instrument, bool]]:
    """Questions that can be asked at joining, those that are first, in their order."""
    asked = list(
        dict.fromkeys(key for plan in programme.plans.filter(removed_at=None) for key in plan.profile)
    )
    rows = programme.bank.instruments.filter(removed_at=None).prefetch_related("versions")
    found = {
        row.key: row
        for row in rows
        if any(version.definition["type"] in PROFILE_TYPES for version in row.versions.all())
    }
    first = [(found[key], True) for key in asked if key in found]
    return first + [(row, False) for key, row in found.items() if key not in asked]


def _save_profile(request: HttpRequest, programme: Programme) -> HttpResponse:
    known = [row.key for row, _asked in _profile(programme)]
    wanted = [key for key in known if key in request.POST.getlist("profile")]
    try:
        programmes.change_profile(programme, request.user, _rev(request), wanted)
    except Stale:
        return _page(request, programme, status=409, stale_profile=_stale(programme))
    return _saved(request, programme, "profile")


# --- the file, and removing -----------------------------------------------------------------------------------


@login_required
@require_safe
def programme_file(request: HttpRequest, key: str) -> HttpResponse:
    """The programme as a file to keep, to change and to bring back."""
    programme = access.programme_for(request.user, key, *access.OWNERS)
    name = f"{programme.key}.toml"
    note(programme, request.user, "exported", about=name)
    return HttpResponse(
        file_io.export(programme),
        content_type="application/toml; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _check_file(request: HttpRequest, programme: Programme) -> HttpResponse:
    form = FileForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, programme, status=422, file_form=form)
    return programme_pages.checked(request, form.cleaned_data["source"])


def _remove(request: HttpRequest, programme: Programme) -> HttpResponse:
    if request.POST.get("sure", "").strip() != programme.title:
        return _page(
            request, programme, status=422,
            remove_error=_("Type the title as it stands above, so that it is no slip of the hand."),
        )  # fmt: skip
    try:
        programmes.remove(programme, request.user)
    except NotPossible as why:
        return _page(request, programme, status=422, remove_error=str(why))
    words = _("“%s” is removed. For 30 days you can bring it back from “New programme”.")
    messages.success(request, words % programme.title)
    return redirect("home")


# --- the information sheet ------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def sheet(request: HttpRequest, key: str) -> HttpResponse:
    """Written beside what people will see; each version with those who agreed to it."""
    programme = access.programme_for(request.user, key, *access.OWNERS)
    last = programme.sheets.last()
    if request.method != "POST":
        form = SheetForm(initial={"lead": last.lead, "text": last.text} if last else {})
        return _sheet_page(request, programme, last, form, last.items if last else [])
    form, items = SheetForm(request.POST), _sent_items(request.POST)
    error = _wrong_items(items)
    if not form.is_valid() or error:
        return _sheet_page(request, programme, last, form, items, status=422, items_error=error)
    if "look" in request.POST:
        return _sheet_page(request, programme, last, form, items)
    try:
        made = sheets.change_sheet(
            programme, request.user, request.POST.get("seen", ""),
            lead=form.cleaned_data["lead"], text=form.cleaned_data["text"], items=items,
        )  # fmt: skip
    except Stale:
        stale = _stale(programme, ("changed_sheet", "loaded_file"))
        return _sheet_page(request, programme, last, form, items, status=409, stale=stale)
    messages.success(
        request, _("Information sheet %d is saved.") % made.number if made else _("Nothing was changed.")
    )
    return redirect("sheet", key=key)


def _sheet_page(
    request: HttpRequest,
    programme: Programme,
    last: InformationSheet | None,
    form: SheetForm,
    items: list[dict[str, Any]],
    *,
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    context |= {
        "form": form,
        "items": items,
        "lead": form["lead"].value() or "",
        "text": form["text"].value() or "",
        "last": last,
        "is_read": bool(last and sheets.is_read(last)),
        "versions": _versions(programme),
        "undoable": log.last_undoable(request.user, programme=programme),
        "section": "settings",
    }
    return access.page(request, programme, "workshops/authoring/sheet.html", status=status, **context)


def _versions(programme: Programme) -> Any:
    """Newest first, each with the people who agreed to it and in how many workshops."""
    agreed = Q(workshops__participants__rehearsal=False)
    return programme.sheets.order_by("-number").annotate(
        people=Count("workshops__participants", filter=agreed, distinct=True),
        rooms=Count("workshops", filter=agreed, distinct=True),
    )


def _sent_items(sent: QueryDict) -> list[dict[str, Any]]:
    """Consent items in the order of the page; empty lines are none. A key stays with its item."""
    required = set(sent.getlist("required"))
    rows = zip(sent.getlist("item_key")[:30], sent.getlist("item_text")[:30], strict=False)
    items: list[dict[str, Any]] = []
    for number, (key, text) in enumerate(rows):
        text = " ".join(text.split())
        if text:
            items.append({"key": key, "text": text, "required": str(number) in required})
    for item in items:
        item["key"] = item["key"] if slugify(item["key"]) == item["key"] and item["key"] else ""
    taken = {item["key"] for item in items}
    for item in items:
        if not item["key"]:
            item["key"] = free_key(item["text"], taken, _("item"))
            taken.add(item["key"])
    return items


def _wrong_items(items: list[dict[str, Any]]) -> str:
    if not any(item["required"] for item in items):
        return _("At least one line must be one that people have to tick, or nobody has agreed to anything.")
    if any(len(item["text"]) > 2000 for item in items):
        return _("A line can have up to 2,000 letters.")
    if len({item["key"] for item in items}) < len(items):
        return _("Two lines got mixed up on the way. Load the page again.")
    return ""
