"""Doors into a workshop and out of it: welcome, consent, profile, leaving. Plain forms, no script needed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

from django.conf import settings
from django.db import Error, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from polls.ballot_box import Refusal

from ... import screens
from ...actions import batch, participation
from ...live import engine, hub, socket, write_batcher
from ...live.write_batcher import Busy
from ...models import Participant, Workshop, new_key
from ...operations import rehearsal
from ...people import participant_cookie
from ...people.participant_cookie import ParticipantToken
from ...screens import queries, questionnaire
from ..admission import doorway, shared_pages
from ..admission.doorway import Doorway
from ..admission.page_threads import in_a_thread
from ..admission.shared_pages import as_shared
from ..same_origin import same_origin_only
from . import errors
from .public import code_error, read_code, start_page

log = logging.getLogger(__name__)


def workshop_with(code: str) -> Workshop:
    rows = Workshop.objects.select_related("programme", "sheet")
    found = rows.filter(code=read_code(code), removed_at=None, programme__removed_at=None).first()
    if found is None:
        raise Http404
    doorway.note(found.code)
    return found


def lost(request: HttpRequest, code: str) -> HttpResponse:
    """A code that leads nowhere: the form to type it again, with why."""
    spaced = f"{read_code(code)[:3]} {read_code(code)[3:6]}"
    return start_page(request, spaced, code_error(code))


def about(workshop: Workshop) -> dict[str, Any]:
    return {"workshop": workshop, "programme": workshop.programme}


def over(request: HttpRequest, workshop: Workshop) -> HttpResponse:
    """For people without a seat. A workshop's code is gone with it; the link of a questionnaire was sent to people,
    who read it when they get to it."""
    if not workshop.is_questionnaire:
        return lost(request, workshop.code)
    return render(request, "workshops/questionnaire/over.html", about(workshop), status=410)


def find(request: HttpRequest, code: str) -> Workshop | HttpResponse:
    try:
        return workshop_with(code)
    except Http404:
        return lost(request, code)


def welcome(request: HttpRequest, workshop: Workshop) -> HttpResponse:
    if workshop.has_ended:
        return over(request, workshop)
    if workshop.is_questionnaire:
        questions, minutes = questionnaire.questions_and_minutes(workshop)
        context = {
            "workshop": workshop,
            "programme": workshop.programme,
            "questions": questions,
            "minutes": minutes,
        }
        return as_shared(render(request, "workshops/questionnaire/welcome.html", context))
    here = Participant.objects.filter(workshop=workshop, left_at__isnull=True).count()
    context = {"workshop": workshop, "programme": workshop.programme, "here": here}
    return as_shared(render(request, "workshops/phone/welcome.html", context))


COOKIES = "cookies"  # a cookie that is the same for everybody and says that a browser keeps some


def keeps_cookies(request: HttpRequest) -> bool:
    """Does this browser send a cookie that it was given? Django's test client is believed unless it enforces checks."""
    return bool(request.COOKIES) or getattr(request, "_dont_enforce_csrf_checks", False)


# --- consent ---------------------------------------------------------------------------------------------


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@same_origin_only
async def consent(request: HttpRequest, code: str) -> HttpResponse:
    """The information sheet and what people agree to. Nothing is ticked for them, and nothing is written before."""
    way_in = await doorway.find(read_code(code))
    if way_in is None:
        return await in_a_thread(lost, request, code)
    workshop = way_in.workshop
    if workshop.has_ended:
        return await in_a_thread(over, request, workshop)
    seat = participant_cookie.of_request(request, workshop)
    if not workshop.is_running or (seat and await in_a_thread(participant_cookie.participant_of, seat)):
        return redirect("phone", code=workshop.code)
    if request.method != "POST":
        return await in_a_thread(_consent_page, request, way_in)
    if not keeps_cookies(request):  # nobody would know their place a page later, so nothing is written
        return await in_a_thread(errors.csrf_failure, request)
    if request.POST.get("observe") and not workshop.observers:  # switched off since the page was drawn
        return await in_a_thread(_consent_page, request, way_in, not_listening=True)
    if request.POST.get("observe"):
        return await _onward(request, way_in, "observer", ParticipantToken.for_observer(workshop.pk))
    seat = ParticipantToken.of_form(workshop.pk, request.POST.get("once", "")[:64])
    ticked = request.POST.getlist("consent")
    try:
        person = participation.joining(
            workshop,
            ticked,
            voter=seat.voter,
            rehearsal=rehearsal.is_pass(request.headers.get("X-Rehearsal", ""), workshop),
        )
        if isinstance(await _write(person), Refusal):
            raise participation.ConsentMissing([])
    except participation.ConsentMissing as error:
        said = {"ticked": ticked, "missing": error.missing, "refused": True}
        return await in_a_thread(_consent_page, request, way_in, **said)
    # Straight to what comes next: on a slow line each redirect is a wait. Who answered it before is sent on from there.
    kind = "profile" if way_in.profile else "stage"
    return await _onward(request, way_in, kind, seat)


def _consent_page(
    request: HttpRequest,
    way_in: Doorway,
    *,
    ticked=(),
    missing=(),
    refused: bool = False,
    not_listening: bool = False,
) -> HttpResponse:
    workshop, once = way_in.workshop, request.POST.get("once", "")[:64] or new_key()
    items = workshop.sheet.items if workshop.sheet else []
    context = {
        "workshop": workshop,
        "programme": workshop.programme,
        "sheet": workshop.sheet,
        "items": [
            item | {"ticked": item["key"] in ticked, "wrong": item["key"] in missing} for item in items
        ],
        "refused": refused,
        "nothing_to_agree_to": not participation.required_consent(items),
        "not_listening": not_listening,
        "once": once,
        "has_profile": bool(way_in.profile),
    }
    status = 422 if refused or not_listening else 200
    response = render(request, "workshops/phone/consent.html", context, status=status)
    response.set_cookie(COOKIES, "on", secure=settings.HTTPS, httponly=True, samesite="Lax")
    return as_shared(response, {once: lambda _seat: new_key()})


async def _write(item: batch.Item) -> Any:
    """The outcome of one item, with the next batch. Raises `OperationalError` where the database does not take it."""
    try:
        return await engine.write(item)
    except Busy:
        raise OperationalError("the database does not take it now") from None


# --- onward ----------------------------------------------------------------------------------------------

INLINE = (
    "straight"  # a field of forms whose script can write the next page's own address over that of the form
)


async def _onward(request: HttpRequest, way_in: Doorway, kind: str, seat: ParticipantToken) -> HttpResponse:
    """The answer to a form: the seat, and the way to the next page, or that page itself where the form's script asks
    for it and it is there for everybody. On a slow line a redirect is a whole wait. Either way reloading and going back
    ask for pages, never to send the form again."""
    if seat.is_observer:
        hub.page_listens(way_in.workshop.pk, seat.observer_key)
    path = shared_pages.ADDRESSES[kind]
    response: HttpResponse = HttpResponseRedirect(path.format(way_in.workshop.code))
    if INLINE in request.POST and way_in.has_one_stage and (handler := request.scope.get("vision.handler")):
        with contextlib.suppress(Error):  # it is drawn in a moment
            if page := await handler.page(kind, request.scope, way_in):
                _is_shown(way_in, seat, kind)
                response = HttpResponse(page.copy(seat, str(request.csp_nonce) if page.nonce else ""))
    return participant_cookie.set_cookie(response, seat, way_in.workshop)


def _is_shown(way_in: Doorway, seat: ParticipantToken, kind: str) -> None:
    """Papers of what stands on a page that was kept; nobody waits for them, an answer brings its own."""
    workshop = way_in.workshop
    polls = [poll.pk for poll in way_in.profile] if kind == "profile" else []
    if kind == "stage" and workshop.stage_item and workshop.stage_item.poll_id:
        polls = [workshop.stage_item.poll_id]
    for poll_id in polls:
        write_batcher.get().put(
            participation.QuestionSeen(workshop.pk, seat.voter, poll_id), lambda _outcome: None
        )


async def page_of(way_in: Doorway, seat: ParticipantToken, rest: str) -> str | None:
    """Which shared page this person sees at this part of the workshop's address; `None` where it is theirs alone."""
    if not way_in.has_one_stage or rest == "consent/":
        return None
    if seat.is_observer:
        if not way_in.workshop.observers or rest:
            return None
        hub.page_listens(way_in.workshop.pk, seat.observer_key)
        return "observer"
    item = way_in.workshop.stage_item
    arrived = await _arrived(seat, item.poll_id if item else None)
    if arrived is None or arrived.has_answered or arrived.stage_rev != way_in.workshop.stage_rev:
        return None
    has_to_do = bool(way_in.profile) and not arrived.profiled
    if has_to_do != (rest == "profile/"):
        return None
    kind = "profile" if has_to_do else "stage"
    _is_shown(way_in, seat, kind)
    return kind


async def _arrived(seat: ParticipantToken, poll_id: int | None = None) -> queries.Newcomer | None:
    read = socket.read_at_the_door if engine.is_running_here() else in_a_thread
    return await read(queries.newcomer, seat, poll_id)


# --- the profile --------------------------------------------------------------------------------------------


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@same_origin_only
async def profile(request: HttpRequest, code: str) -> HttpResponse:
    """A few questions about people's work, asked once; each can be skipped."""
    way_in = await doorway.find(read_code(code))
    if way_in is None:
        raise Http404
    workshop = way_in.workshop
    seat = participant_cookie.of_request(request, workshop)
    arrived = await _arrived(seat) if seat else None
    if seat is None or arrived is None or arrived.profiled:
        return redirect("phone", code=workshop.code)
    if request.method != "POST":
        await in_a_thread(_issue_profile, way_in, seat)
        return await in_a_thread(_profile_page, request, way_in, {})
    if not request.POST.get("skip"):
        outcomes = await asyncio.gather(*(_write(vote) for vote in _answers(request, way_in, seat)))
        if refusals := {outcome.poll: outcome for outcome in outcomes if isinstance(outcome, Refusal)}:
            return await in_a_thread(_profile_page, request, way_in, refusals)
    await _write(participation.Profiled(workshop.pk, seat.voter))
    return await _onward(request, way_in, "stage", seat)


def _answers(request: HttpRequest, way_in: Doorway, seat: ParticipantToken) -> list[participation.Vote]:
    votes = []
    for poll in way_in.profile:
        data = _Prefixed(request.POST, poll.pk)
        if not data.is_empty:
            raw = poll.poll_type.from_form(data, poll.question)
            votes.append(participation.Vote(way_in.workshop.pk, seat.voter, poll.pk, raw))
    return votes


def _issue_profile(way_in: Doorway, seat: ParticipantToken) -> None:
    for poll in way_in.profile:
        issue(seat, poll.pk)


class _Prefixed:
    """Part of a form: the fields of one question, whose names carry its poll's number."""

    def __init__(self, data, poll_id: int) -> None:
        self.data, self.prefix = data, f"q{poll_id}-"

    def get(self, key: str, default: Any = None) -> Any:
        return self.data.get(self.prefix + key, default)

    def getlist(self, key: str) -> list[Any]:
        return self.data.getlist(self.prefix + key)

    @property
    def is_empty(self) -> bool:
        return not any(self.data.get(key, "").strip() for key in self.data if key.startswith(self.prefix))


def _profile_page(request: HttpRequest, way_in: Doorway, refusals: dict[int, Refusal]) -> HttpResponse:
    workshop, questions = way_in.workshop, []
    for poll in way_in.profile:
        refusal = refusals.get(poll.pk)
        context = screens.poll_context(poll) | {
            "prefix": f"q{poll.pk}-",
            "heading": "h2",
            "typed": _Prefixed(request.POST, poll.pk) if refusals else None,
            "error": refusal.message if refusal else "",
            "error_field": refusal.field if refusal else "",
        }
        questions.append(context)
    context = {
        "workshop": workshop,
        "programme": workshop.programme,
        "questions": questions,
        "refused": len(refusals),
    }
    response = render(request, "workshops/phone/profile.html", context, status=422 if refusals else 200)
    return as_shared(response)


shared_pages.register("profile", "/w/{}/profile/", lambda request, way_in: _profile_page(request, way_in, {}))


def issue(seat: ParticipantToken, poll_id: int) -> None:
    """Hand out a paper at the first look; a reload writes nothing."""
    if queries.has_ballot(seat, poll_id):
        return
    try:
        participation.write([participation.QuestionSeen(seat.workshop_id, seat.voter, poll_id)])
    except OperationalError as error:  # the question can be read all the same; its answer brings the paper
        log.warning("a paper was not issued (%s)", type(error).__name__)


# --- leaving ---------------------------------------------------------------------------------------------


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@same_origin_only
def leave(request: HttpRequest, code: str) -> HttpResponse:
    workshop = workshop_with(code)
    seat = participant_cookie.of_request(request, workshop)
    participant = participant_cookie.participant_of(seat)
    context = about(workshop) | {"observer": bool(seat and seat.is_observer)}
    if request.method != "POST":
        return render(request, "workshops/phone/leave.html", context)
    if participant:
        participation.leave(participant)
    return participant_cookie.delete_cookie(render(request, "workshops/phone/left.html", context), workshop)
