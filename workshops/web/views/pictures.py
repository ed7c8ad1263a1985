"""Pictures of questions and pauses: served to everybody who has their address, uploaded and removed by staff."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from polls.models import Instrument

from ...actions.authoring import pictures
from ...actions.log import Stale
from ...models import AgendaItem, Programme
from ...people import access
from .. import picture_cache
from ..forms.pictures import PictureForm
from ..picture_cards import PictureCard, card_of_pause, card_of_question


@require_safe
def picture(request: HttpRequest, sha256: str) -> HttpResponse:
    """Its bytes. Where the live engine runs, `admission` answers this address from memory, with the same headers."""
    data = picture_cache.load(sha256)
    if data is None:
        raise Http404
    return HttpResponse(data, headers=picture_cache.HEADERS)


@dataclass(frozen=True)
class _Place:
    """Where a picture belongs: what to draw, and how to change it."""

    programme: Programme
    card: Callable[[], PictureCard]
    save: Callable[..., None]
    remove: Callable[..., None]


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def of_question(request: HttpRequest, key: str, slug: str) -> HttpResponse:
    programme = access.programme_for(request.user, key, *access.RUNNERS)
    instrument = get_object_or_404(Instrument, bank=programme.bank_id, key=slug, removed_at=None)
    return _answer(request, _question(request, programme, instrument))


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def of_item(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    """Of a step of an agenda: a pause's own; a question's is its question's in the bank."""
    workshop = access.workshop_for(request.user, code, *access.RUNNERS)
    item = get_object_or_404(
        workshop.agenda.select_related("picture", "workshop__programme").defer("picture__data"),
        pk=pk, kind=AgendaItem.Kind.PAUSE,
    )  # fmt: skip
    card = partial(card_of_pause, item)
    return _answer(
        request,
        _Place(
            workshop.programme,
            card,
            partial(pictures.set_pause_picture, request.user, item),
            partial(pictures.remove_pause_picture, request.user, item),
        ),
    )


def _question(request: HttpRequest, programme: Programme, instrument: Instrument) -> _Place:
    return _Place(
        programme,
        partial(card_of_question, programme, instrument),
        partial(pictures.set_question_picture, programme, request.user, instrument),
        partial(pictures.remove_question_picture, programme, request.user, instrument),
    )


def _answer(request: HttpRequest, place: _Place) -> HttpResponse:
    if request.method != "POST":
        return _drawn(request, place, PictureForm(place.card()))
    form = PictureForm(place.card(), request.POST, request.FILES)
    change = {"was": request.POST.get("was"), "path": place.card().back}
    try:
        if "remove" in request.POST:
            place.remove(**change)
            return _done(request, place, _("The picture is taken away."))
        if form.is_valid():
            place.save(form.cleaned_data["picture"], form.cleaned_data["alt"], **change)
            return _done(request, place, _("The picture is saved."))
    except Stale:
        form.full_clean()
        form.add_error(
            None,
            _("Somebody else has changed this picture. It is shown above now. Choose again what you want."),
        )
    return _drawn(request, place, form, status=422)


def _done(request: HttpRequest, place: _Place, words: str) -> HttpResponse:
    if request.htmx:
        answer = _drawn(request, place, PictureForm(place.card()), said=words)
        answer["HX-Trigger"] = "picture-changed"
        return answer
    messages.success(request, words)
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()})
    return redirect(back if safe else place.card().back)


def _drawn(
    request: HttpRequest, place: _Place, form: PictureForm, *, status: int = 200, **said: Any
) -> HttpResponse:
    card = place.card()
    context = {"picture": card, "form": form, "next": request.POST.get("next", ""), **said}
    if request.htmx:
        # htmx swaps no answer with an error's status by itself; what was wrong stands in the form
        return render(request, "workshops/authoring/_picture.html", context)
    return access.page(request, place.programme, "workshops/authoring/picture.html", status=status, **context)
