"""Doors of the console and the wall."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from polls.types import POLL_TYPES

from ... import commands, screens
from ...actions.stage import GestureRejected
from ...live import broker, hub
from ...live.hub import revision_of
from ...models import Round, Workshop
from ...operations import rehearsal
from ...people import access
from ...signals.topics import SHOWN, Audience
from .. import joining_link
from ..readable_input import read_number
from ..unlisted import unlisted
from . import questionnaire_desk


def live_context(request: HttpRequest, workshop: Workshop, audience: Audience) -> dict[str, Any]:
    """A page of fragments, with the revisions that the socket need not send again."""
    scene = screens.Scene.load(
        workshop.pk, listening=hub.listening(workshop.pk), broker_is_away=broker.is_away()
    )
    shared = {str(topic): screens.draw(scene, topic, audience) for topic in SHOWN[audience]}
    join = joining_link.join_url(workshop, request)
    return screens.context(scene, audience) | {
        "scene": scene,
        "fragments": {str(topic): screens.draw(scene, topic, audience, request) for topic in SHOWN[audience]},
        "seen": {topic: revision_of(html) for topic, html in shared.items()},
        "now_ms": round(timezone.now().timestamp() * 1000),
        "join_url": join,
        "join_host": joining_link.host_of(join),
    }


@unlisted
@never_cache
@require_safe
def wall(request: HttpRequest, key: str) -> HttpResponse:
    """The big screen; its address is its key."""
    found = Workshop.objects.select_related("programme").filter(removed_at=None, programme__removed_at=None)
    workshop = get_object_or_404(found, wall_key=key)
    if workshop.is_questionnaire and "result" in request.GET:
        return questionnaire_desk.results_wall(request, workshop)
    return render(request, "workshops/wall/wall.html", live_context(request, workshop, Audience.WALL))


@login_required
@never_cache
@require_safe
def console(request: HttpRequest, code: str) -> HttpResponse:
    """Agenda, stage and room of one workshop."""
    workshop = access.workshop_for(request.user, code, *access.RUNNERS)
    if workshop.is_questionnaire:
        return questionnaire_desk.page(request, workshop)
    return _console_page(request, workshop)


def _console_page(
    request: HttpRequest, workshop: Workshop, *, status: int = 200, **said: Any
) -> HttpResponse:
    """The console; `said` holds what a refused form has to say and what was typed into it."""
    said = {"words": "", "wrong": False, "said_at": "", **said}
    context = live_context(request, workshop, Audience.CONSOLE) | said
    context |= access.page_context(request.user, workshop.programme, workshop)
    context["wall_url"] = reverse("wall", args=[workshop.wall_key])
    context["types"] = POLL_TYPES
    context |= _groups_desk(request, workshop)
    ref = request.POST.get("ref") or request.GET.get("reword")
    context["reword"] = next((text for text in context["scene"].texts if ref == text.ref and text.text), None)
    return render(request, "workshops/console/console.html", context, status=status)


#: forms of the groups' desk say beside themselves what was wrong; the rest says so at the top
SPOTS = ("make-said", "open-said", "all-said", "group-said", "name-said")


def _groups_desk(request: HttpRequest, workshop: Workshop) -> dict[str, Any]:
    """What the groups' forms need, and the group that somebody without a script has opened (`?group=`)."""
    asked = read_number(request.POST.get("look") or request.GET.get("group", ""))
    found = screens.desk_pads(workshop.pk, [asked]) if asked else []
    return {
        "ways": Round.Made.choices,
        "opened": found[0] if found else None,
        "group_opened": screens.draw_desk_pad(workshop.pk, found[0], request) if found else "",
    }


@login_required
@require_POST
def gesture(request: HttpRequest, code: str, name: str) -> HttpResponse:
    """One gesture of a facilitator, as a plain form or by htmx."""
    workshop = access.workshop_for(request.user, code, *access.RUNNERS)
    if name not in commands.STAFF_COMMANDS or workshop.is_questionnaire:
        raise Http404
    try:
        commands.run_staff_command(workshop.pk, request.user, commands.staff_command(name, _fields(request)))
    except (GestureRejected, commands.BadCommand) as error:
        return _answer(request, workshop, str(error), wrong=True)
    return _answer(request, workshop, _done(name))


LISTS = ("refs", "prompts", "places", "to")
OWN_FIELDS = ("csrfmiddlewaretoken", "said_at", "as", "look")  # for the page, not for the command


def _fields(request: HttpRequest) -> dict[str, Any]:
    """A form's fields: `LISTS` are lists, an empty field is left out, the rest are single values."""
    data: dict[str, Any] = {
        key: request.POST.get(key) for key in request.POST if key not in OWN_FIELDS and request.POST.get(key)
    }
    data |= {key: request.POST.getlist(key) for key in LISTS if key in request.POST}
    if (unit := data.pop("of", "")) in ("groups", "size"):  # so many groups, or so many people in each
        data[unit] = data.pop("number", None)
    for button in ("shown", "hidden", "redacted", "flagged", "pending"):
        if ref := data.pop(f"as_{button}", ""):  # one text's own button, in the form of all of them
            data |= {"ref": ref, "state": button}
    if ref := data.pop("hold_back", ""):  # words that were brought to the vision
        data |= {"ref": ref, "on": "false"}
    if data.get("minutes"):
        data["seconds"] = _seconds(data.pop("minutes"))
    return data


def _seconds(minutes: str) -> Any:
    try:
        return round(float(minutes.replace(",", ".")) * 60)
    except (ValueError, OverflowError):
        return minutes


def _done(name: str) -> str:
    """Words for what cannot be seen on the stage by itself."""
    return {"head_count": _("Head count saved."), "clear_rehearsal": _("The rehearsal is cleared away.")}.get(
        name, ""
    )


def _answer(request: HttpRequest, workshop: Workshop, words: str, *, wrong: bool = False) -> HttpResponse:
    asked = request.POST.get("said_at", "")
    spot = asked if asked in SPOTS else ""
    if request.htmx:
        context = {"words": words, "wrong": wrong, "spot": spot}
        return render(request, "workshops/console/_notice.html", context, status=200)
    if wrong and spot:
        said = {"said_at": spot, "said": request.POST}
        return _console_page(request, workshop, words=words, wrong=True, status=422, **said)
    if wrong:  # the whole page again, with what was typed
        return _console_page(request, workshop, words=words, wrong=True, typed=request.POST, status=422)
    if words:
        messages.success(request, words)
    return redirect("console", code=workshop.code)


@login_required
@require_POST
def rehearse(request: HttpRequest, code: str) -> HttpResponse:
    """Let phones arrive that are none, to try the workshop out; a process of its own, ended by itself."""
    workshop = access.workshop_for(request.user, code, *access.RUNNERS)
    if workshop.is_questionnaire:
        raise Http404
    try:
        phones = int(request.POST.get("phones", "23"))
    except ValueError:
        phones = 0
    if not 1 <= phones <= 200:
        return _answer(request, workshop, _("Choose 1 to 200 phones."), wrong=True)
    if not workshop.is_running:
        return _answer(request, workshop, _("Open the doors first."), wrong=True)
    try:
        _start_rehearsal(request, workshop, phones)
    except rehearsal.StillRunning:
        return _answer(request, workshop, _("A rehearsal of this workshop is running already."), wrong=True)
    words = ngettext("%(n)d phone is on its way.", "%(n)d phones are on their way.", phones) % {"n": phones}
    return _answer(request, workshop, words)


def _start_rehearsal(request: HttpRequest, workshop: Workshop, phones: int) -> None:
    rehearsal.start(workshop, phones, settings.REHEARSAL_URL or settings.PUBLIC_URL or _own_address(request))


def _own_address(request: HttpRequest) -> str:
    """Where this server listens, by the name it was asked by: never at a port that only the request names, for the
    phones that come there carry a signed pass."""
    name = split_domain_port(request.get_host())[0]
    return f"{request.scheme}://{name}:{request.META['SERVER_PORT']}/"
