"""The console of a questionnaire: how many got how far, its link, opening and closing. There is no stage."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from polls.lifecycle import State

from ... import screens
from ...actions import log
from ...actions.authoring import questionnaires
from ...actions.log import Stale
from ...actions.stage import GestureRejected
from ...models import Mode, Workshop
from ...people import access
from ...screens import questionnaire
from ...signals.topics import Audience, Topic
from ..forms.questionnaires import TimesForm
from ..readable_input import read_number

#: what can be done with a questionnaire, each an address of its own
GESTURES = ("open", "close", "times", "added", "mode")


def page(
    request: HttpRequest,
    workshop: Workshop,
    *,
    form: TimesForm | None = None,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    """`form` holds what was typed and refused, `error` says why something else was not done."""
    workshop = questionnaires.catch_up(workshop)
    context: dict[str, Any] = {
        "section": "workshops",
        "workshop": workshop,
        "form": form or TimesForm(workshop, only_close=not workshop.is_planned),
        "form_is_open": form is not None,
        "error": error,
        "turnout": questionnaire.turnout(workshop),
        "wall_url": reverse("wall", args=[workshop.wall_key]),
        "added": workshop.is_running and workshop.agenda.filter(poll__state=State.DRAFT).count(),
        "prompts": workshop.agenda.filter(prompt__isnull=False).count(),
        "undoable": log.last_undoable(request.user, programme=workshop.programme, workshop=workshop),
    }
    return access.page(
        request, workshop.programme, "workshops/questionnaire/console.html", status=status, **context
    )


@login_required
@never_cache
@require_safe
def turnout(request: HttpRequest, code: str) -> HttpResponse:
    """The part of the console that moves by itself, for a look every few seconds."""
    workshop = _questionnaire(request, code)
    context = {"workshop": workshop, "turnout": questionnaire.turnout(workshop)}
    return render(request, "workshops/questionnaire/_turnout.html", context)


def results_wall(request: HttpRequest, workshop: Workshop) -> HttpResponse:
    """The results on the big screen, one after the other (`?result=2`); whoever stands there goes on by hand."""
    scenes = questionnaire.result_scenes(workshop)
    number = read_number(request.GET.get("result", ""))
    if not 1 <= number <= len(scenes):
        return redirect("wall", key=workshop.wall_key)
    scene = scenes[number - 1]
    context = screens.context(scene, Audience.WALL) | {
        "stage": screens.draw(scene, Topic.STAGE, Audience.WALL),
        "tally": screens.draw(scene, Topic.TALLY, Audience.WALL),
        "number": number,
        "of": len(scenes),
    }
    return render(request, "workshops/questionnaire/wall.html", context)


@login_required
@require_POST
def do(request: HttpRequest, code: str, what: str) -> HttpResponse:
    """Open, close, or set when it does either, as plain forms."""
    workshop = access.workshop_for(request.user, code, *access.RUNNERS)
    if what == "mode":
        return _set_mode(request, workshop)
    if not workshop.is_questionnaire:
        raise Http404
    try:
        if what == "close":
            questionnaires.close_now(workshop.pk, request.user)
            messages.success(request, _("Closed. Everybody who took part can see the results."))
        elif what == "added":
            questionnaires.ask_added(workshop.pk, request.user)
        elif refused := _open_or_set(request, workshop, what):
            return refused
    except GestureRejected as why:
        workshop.refresh_from_db()
        return page(request, workshop, error=str(why), status=422)
    return redirect("console", code=workshop.code)


def _open_or_set(request: HttpRequest, workshop: Workshop, what: str) -> HttpResponse | None:
    """Both come with the times; the page again where these are refused."""
    if what == "open" and "closes_on" not in request.POST:  # as it was set before
        questionnaires.open_now(workshop.pk, request.user)
    else:
        form = TimesForm(workshop, request.POST, only_close=what == "open" or not workshop.is_planned)
        if not form.is_valid():
            return page(request, workshop, form=form, status=422)
        times = form.cleaned_data
        if what == "open":
            questionnaires.open_now(workshop.pk, request.user, times["closes_at"])
        else:
            try:
                questionnaires.set_times(
                    workshop,
                    request.user,
                    opens_at=times["opens_at"],
                    closes_at=times["closes_at"],
                    seen=form.times_seen,
                )
            except Stale:
                return _told(request, workshop)
            messages.success(request, _("Saved."))
            return None
    messages.success(request, _("Open. Send the link to the people you ask."))
    return None


def _told(request: HttpRequest, workshop: Workshop) -> HttpResponse:
    """What was typed stays; pressing again now means it."""
    workshop.refresh_from_db()
    typed = request.POST.copy()
    typed["seen"] = str(TimesForm(workshop).initial["seen"])
    words = _(
        "Somebody else has changed the times just now; above you see how they stand. Yours are kept below."
    )
    form = TimesForm(workshop, typed, only_close=not workshop.is_planned)
    return page(request, workshop, form=form, error=words, status=409)


def _set_mode(request: HttpRequest, workshop: Workshop) -> HttpResponse:
    mode = request.POST.get("mode", "")
    if mode not in Mode.values:
        raise Http404
    try:
        questionnaires.set_mode(workshop, request.user, mode)
    except GestureRejected as why:
        messages.warning(request, str(why))
    return redirect("console", code=workshop.code)


def _questionnaire(request: HttpRequest, code: str) -> Workshop:
    workshop = access.workshop_for(request.user, code, *access.RUNNERS)
    if not workshop.is_questionnaire:
        raise Http404
    return questionnaires.catch_up(workshop)
