"""Doors for people with a phone. Everything works as plain forms; `live.js` makes it live."""

from __future__ import annotations

import hashlib
import json
import logging
from typing import Any

import msgspec
from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polls.ballot_box import Receipt, Refusal

from .. import commands, queries, rehearsal, screens, seats
from ..actions import participation
from ..live.hub import revision_of
from ..live.intake import Busy
from ..live.topics import SHOWN, Audience, Topic
from ..models import AgendaItem, Participant, Workshop, new_key
from . import errors
from .public import code_error, read_code

log = logging.getLogger(__name__)


def _workshop(code: str) -> Workshop:
    found = Workshop.objects.select_related("programme", "sheet").filter(code=read_code(code)).first()
    if found is None:
        raise Http404
    return found


def _lost(request: HttpRequest, code: str) -> HttpResponse:
    """A code that leads nowhere: the form to type it again, with why."""
    spaced = f"{read_code(code)[:3]} {read_code(code)[3:6]}"
    return render(
        request, "workshops/phone/start.html", {"typed": spaced, "error": code_error(code)}, status=404
    )


def _find(request: HttpRequest, code: str) -> Workshop | HttpResponse:
    try:
        return _workshop(code)
    except Http404:
        return _lost(request, code)


# --- the one page of the hour ------------------------------------------------------------------------


@never_cache
@require_http_methods(["GET", "HEAD"])
def stage(request: HttpRequest, code: str) -> HttpResponse:
    """Where a phone stays for the hour; before joining, the welcome."""
    workshop = _find(request, code)
    if isinstance(workshop, HttpResponse):
        return workshop
    seat = seats.of_request(request, workshop)
    participant = seats.participant_of(seat)
    if participant and participant.profiled_at is None and workshop.is_running and _profile(workshop):
        return redirect("phone-profile", code=workshop.code)
    if participant or (seat and seat.is_observer):
        return _stage_page(request, workshop, seat, participant)
    return _welcome(request, workshop)


def _welcome(request: HttpRequest, workshop: Workshop) -> HttpResponse:
    if workshop.has_ended:
        return _lost(request, workshop.code)
    here = Participant.objects.filter(workshop=workshop, left_at__isnull=True).count()
    context = {"workshop": workshop, "programme": workshop.programme, "here": here}
    return render(request, "workshops/phone/welcome.html", context)


def _stage_page(
    request: HttpRequest, workshop: Workshop, seat: seats.Seat, participant: Participant | None,
    *, refusal: Refusal | None = None, typed: Any = None,
) -> HttpResponse:  # fmt: skip
    audience = Audience.PHONE if participant else Audience.OBSERVER
    scene = screens.Scene.load(workshop.pk)
    if participant and scene.state == "ballot":
        _issue(workshop, participant, scene.poll.pk)
    papers = (queries.papers(seat) or []) if participant else []
    own = _own(scene, seat, papers, refusal, typed, "change" in request.GET)
    shared = {topic: screens.draw(scene, topic, audience) for topic in SHOWN[audience]}
    fragments = shared | {
        topic: screens.draw(scene, topic, audience, request, **own) for topic in (Topic.STAGE, Topic.TALLY)
    }
    context = screens.context(scene, audience) | {
        "fragments": {str(topic): html for topic, html in fragments.items()},
        # What the shared pictures were, so that the socket need not send them again.
        "seen": {str(topic): revision_of(html) for topic, html in shared.items()},
        "seed": _seed(seat),
        "now_ms": round(timezone.now().timestamp() * 1000),
        "papers": [commands.paper(paper) for paper in papers],
    }
    status = {None: 200, "busy": 503}.get(refusal.code if refusal else None, 422)
    return render(request, "workshops/phone/stage.html", context, status=status)


def _own(scene, seat, papers, refusal, typed, changing) -> dict[str, Any]:
    """What only this person sees on a full page: their own ballot, or what they typed and why it was refused."""
    own: dict[str, Any] = {"seed": _seed(seat)}
    if seat.is_observer or not scene.poll:
        return own
    receipt = {paper.poll: paper for paper in papers}.get(scene.poll.pk)
    if refusal:
        own |= {"error": refusal.message, "error_field": refusal.field, "typed": typed, "refusal": refusal}
    elif receipt and not changing:
        own |= {"receipt": receipt}
    if receipt:
        own |= {
            "value": receipt.value,
            "passed": receipt.status == "passed",
            "answered": True,
            "mine": receipt,
        }
    return own


def _seed(seat: seats.Seat) -> str:
    """Keeps a shuffled order the same over reloads, and tells nothing about the voter key."""
    return hashlib.blake2s(f"order:{seat.voter}".encode(), digest_size=6).hexdigest()


def _issue(workshop: Workshop, participant: Participant, poll_id: int) -> None:
    """Hand out a paper at the first look; a reload writes nothing."""
    if queries.has_paper(participant, poll_id):
        return
    try:
        participation.write([participation.Shown(workshop.pk, participant.voter, poll_id)])
    except OperationalError as error:  # the question can be read all the same; its answer brings the paper
        log.warning("a paper was not issued (%s)", type(error).__name__)


# --- joining ---------------------------------------------------------------------------------------------


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def consent(request: HttpRequest, code: str) -> HttpResponse:
    """The information sheet and what people agree to. Nothing is ticked for them."""
    workshop = _find(request, code)
    if isinstance(workshop, HttpResponse):
        return workshop
    if workshop.has_ended:
        return _lost(request, code)
    if not workshop.is_running:
        return redirect("phone", code=workshop.code)
    seat = seats.of_request(request, workshop)
    if seats.participant_of(seat):
        return redirect("phone", code=workshop.code)
    if request.method != "POST":
        return _consent_page(request, workshop)
    if request.POST.get("observe"):
        return seats.give(redirect("phone", code=workshop.code), seats.Seat(workshop.pk))
    return _join(request, workshop)


def _join(request: HttpRequest, workshop: Workshop) -> HttpResponse:
    ticked = request.POST.getlist("consent")
    try:
        participant = participation.join(
            workshop,
            ticked,
            once=request.POST.get("once", "")[:64],
            rehearsal=_is_rehearsal(request, workshop),
        )
    except participation.ConsentMissing as error:
        return _consent_page(request, workshop, ticked=ticked, missing=error.missing)
    response = redirect("phone", code=workshop.code)
    return seats.give(response, seats.Seat(workshop.pk, participant.voter))


def _is_rehearsal(request: HttpRequest, workshop: Workshop) -> bool:
    return rehearsal.is_pass(request.headers.get("X-Rehearsal", ""), workshop)


def _consent_page(request, workshop, *, ticked=(), missing=()) -> HttpResponse:
    items = workshop.sheet.items if workshop.sheet else []
    context = {
        "workshop": workshop,
        "programme": workshop.programme,
        "sheet": workshop.sheet,
        "items": [
            item | {"ticked": item["key"] in ticked, "wrong": item["key"] in missing} for item in items
        ],
        "missing": bool(missing),
        "once": request.POST.get("once", "")[:64] or new_key(),
        "has_profile": bool(_profile(workshop)),
    }
    return render(request, "workshops/phone/consent.html", context, status=422 if missing else 200)


# --- the profile --------------------------------------------------------------------------------------------


def _profile(workshop: Workshop) -> list[AgendaItem]:
    return [item for item in queries.profile_items(workshop) if item.poll and item.poll.is_open]


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest, code: str) -> HttpResponse:
    """A few questions about people's work, asked once; each can be skipped."""
    workshop = _workshop(code)
    participant = seats.participant_of(seats.of_request(request, workshop))
    if participant is None or participant.profiled_at is not None:
        return redirect("phone", code=workshop.code)
    asked = _profile(workshop)
    if request.method != "POST":
        for item in asked:
            _issue(workshop, participant, item.poll_id)
        return _profile_page(request, workshop, asked, {})
    refusals = {} if request.POST.get("skip") else _answer_profile(request, workshop, participant, asked)
    if refusals:
        return _profile_page(request, workshop, asked, refusals)
    participation.finish_profile(participant)
    return redirect("phone", code=workshop.code)


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


def _answer_profile(request, workshop, participant, asked) -> dict[int, Refusal]:
    votes = []
    for item in asked:
        data = _Prefixed(request.POST, item.poll_id)
        if not data.is_empty:
            raw = item.poll.poll_type.from_form(data, item.poll.question)
            votes.append(participation.Vote(workshop.pk, participant.voter, item.poll_id, raw))
    outcomes = participation.write(votes) if votes else []
    return {outcome.poll: outcome for outcome in outcomes if isinstance(outcome, Refusal)}


def _profile_page(request, workshop, asked, refusals: dict[int, Refusal]) -> HttpResponse:
    questions = []
    for item in asked:
        refusal = refusals.get(item.poll_id)
        context = screens.poll_context(item.poll) | {
            "prefix": f"q{item.poll_id}-",
            "heading": "h2",
            "typed": _Prefixed(request.POST, item.poll_id) if refusals else None,
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
    return render(request, "workshops/phone/profile.html", context, status=422 if refusals else 200)


# --- voting without a socket -----------------------------------------------------------------------------------


@never_cache
@require_POST
async def vote(request: HttpRequest, code: str) -> HttpResponse:
    """The safe lane: a plain form, or JSON from the script when websockets fail. Same command as the socket."""
    workshop = await sync_to_async(_workshop)(code)
    seat = seats.of_request(request, workshop)
    if request.content_type == "application/json":
        return await _vote_by_script(request, seat)
    return await _vote_by_form(request, workshop, seat)


async def _vote_by_script(request: HttpRequest, seat: seats.Seat | None) -> JsonResponse:
    try:
        frame = msgspec.json.decode(request.body, type=commands.PhoneFrame)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        words = {"t": "nack", "op": "", "code": "invalid", "message": _("That could not be read.")}
        return JsonResponse(words, status=400)
    if seat is None:
        words = _("You have left this workshop. Join again to answer.")
        nack = {"t": "nack", "op": getattr(frame, "op", ""), "code": "consent", "message": words}
        return JsonResponse(nack, status=401)
    try:
        outcome = await commands.run_frame(seat, frame)
    except Busy as busy:
        return JsonResponse(commands.busy(getattr(frame, "op", ""), frame.poll, busy.retry_after), status=503)
    return JsonResponse(commands.reply(outcome) if outcome else {"t": "ok"})


async def _vote_by_form(request: HttpRequest, workshop: Workshop, seat: seats.Seat | None) -> HttpResponse:
    return await sync_to_async(_vote_by_form_now)(request, workshop, seat)


def _vote_by_form_now(request: HttpRequest, workshop: Workshop, seat: seats.Seat | None) -> HttpResponse:
    participant = seats.participant_of(seat)
    poll_id = request.POST.get("poll", "")
    is_number = poll_id.isascii() and poll_id.isdigit() and len(poll_id) < 16
    item = queries.poll_item(workshop, int(poll_id)) if is_number else None
    if participant is None or item is None:
        return errors.page(
            request, 403, _("This answer has no place"),
            _("You may have left the workshop, or the question belongs to another one. Join again to answer."),
        )  # fmt: skip
    raw = item.poll.poll_type.from_form(request.POST, item.poll.question)
    outcome = _write_now(participation.Vote(workshop.pk, participant.voter, item.poll_id, raw))
    is_theirs_to_mend = isinstance(outcome, Refusal) and outcome.code in ("invalid", "busy")
    if not is_theirs_to_mend or workshop.stage_item_id != item.pk:
        suffix = "" if isinstance(outcome, Receipt) else "?late=1"
        response = redirect("phone", code=workshop.code)
        response["Location"] += suffix
        return response
    return _stage_page(request, workshop, seat, participant, refusal=outcome, typed=request.POST)


def _write_now(vote: participation.Vote) -> Receipt | Refusal | None:
    try:
        return participation.write([vote])[0]
    except OperationalError as error:
        log.warning("an answer has to wait: the database does not take it (%s)", type(error).__name__)
        words = _("We could not save this just now. Nothing is lost: press again in a moment.")
        return Refusal(vote.poll, "", "busy", words)


@never_cache
@require_GET
def pictures(request: HttpRequest, code: str) -> JsonResponse:
    """The slow poll: what the socket would have sent, for phones whose network lets no socket through."""
    workshop = _workshop(code)
    seat = seats.of_request(request, workshop)
    participant = seats.participant_of(seat)
    if participant is None and not (seat and seat.is_observer):
        return JsonResponse({"t": "gone"}, status=401)
    audience = Audience.PHONE if participant else Audience.OBSERVER
    scene = screens.Scene.load(workshop.pk)
    seen = _seen(request)
    frames: list[dict[str, Any]] = [{"t": "hello", "now": round(timezone.now().timestamp() * 1000)}]
    if participant:
        frames.append(
            {"t": "mine", "papers": [commands.paper(paper) for paper in queries.papers(seat) or []]}
        )
    for topic in SHOWN[audience]:
        html = screens.draw(scene, topic, audience)
        if seen.get(topic) != (revision := revision_of(html)):
            frames.append({"t": "screen", "topic": topic, "rev": revision, "html": html})
    return JsonResponse({"frames": frames})


def _seen(request: HttpRequest) -> dict[str, Any]:
    try:
        seen = json.loads(request.GET.get("seen", "{}"))
    except (ValueError, RecursionError):
        return {}
    return seen if isinstance(seen, dict) else {}


# --- leaving ------------------------------------------------------------------------------------------------------


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest, code: str) -> HttpResponse:
    workshop = _workshop(code)
    participant = seats.participant_of(seats.of_request(request, workshop))
    context = {"workshop": workshop, "programme": workshop.programme}
    if request.method != "POST":
        return render(request, "workshops/phone/leave.html", context)
    if participant:
        participation.leave(participant)
    return seats.take(render(request, "workshops/phone/left.html", context))
