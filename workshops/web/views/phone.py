"""Doors for people with a phone. Everything works as plain forms; `live.js` makes it live."""

from __future__ import annotations

import json
import logging
from functools import partial
from math import ceil
from typing import Any

import msgspec
from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polls.ballot_box import Receipt, Refusal
from polls.types.base import Filled

from ... import commands, groups, screens
from ...actions import batch, participation
from ...actions.authoring import questionnaires as authoring
from ...actions.groups import membership
from ...live import engine, hub, rate_limit, socket, write_batcher
from ...live.hub import revision_of
from ...live.write_batcher import Busy
from ...models import Participant, Workshop, new_key
from ...people import participant_cookie
from ...people.participant_cookie import ParticipantToken
from ...screens import queries
from ...signals.topics import SHOWN, Audience, Topic
from ..admission import shared_pages
from ..admission.doorway import Doorway
from ..admission.page_threads import in_a_thread
from ..admission.retry_later_page import soon
from ..admission.shared_pages import as_shared
from ..readable_input import read_number
from ..same_origin import same_origin_only
from . import errors, joining, questionnaires
from .public import read_code

log = logging.getLogger(__name__)

#: topics that a full page draws for this person and this moment; the others are as hubs draw them
OWN = (Topic.STAGE, Topic.TALLY, Topic.CLOCK)
OP_LENGTH = 36  # characters of an idempotency key
#: in an observer's address, before the group whose successor they want to see
NEXT = "after-"


# --- the one page of the hour ------------------------------------------------------------------------


@never_cache
@require_http_methods(["GET", "HEAD"])
def stage(request: HttpRequest, code: str) -> HttpResponse:
    """Where a phone stays for the hour; before joining, the welcome."""
    workshop = joining.find(request, code)
    if isinstance(workshop, HttpResponse):
        return workshop
    if workshop.is_questionnaire:
        authoring.catch_up(workshop)
    seat = participant_cookie.of_request(request, workshop)
    if seat is None and participant_cookie.has_listened(request, workshop) and not workshop.has_ended:
        return render(request, "workshops/phone/not_listening.html", joining.about(workshop), status=403)
    participant = participant_cookie.participant_of(seat)
    if (
        participant
        and participant.profiled_at is None
        and workshop.is_running
        and queries.has_open_profile(workshop.pk)
    ):
        return redirect("phone-profile", code=workshop.code)
    if workshop.is_questionnaire and seat and (participant or seat.is_observer):
        return questionnaires.page(request, workshop, seat)
    if seat and seat.is_observer and (asked := request.GET.get("listen", "")).startswith(NEXT):
        following = groups.group_after(workshop.pk, read_number(asked.removeprefix(NEXT)))
        return redirect(f"{request.path}?listen={following}")
    if participant or (seat and seat.is_observer):
        return stage_page(request, workshop, seat, participant)
    return joining.welcome(request, workshop)


def stage_page(
    request: HttpRequest, workshop: Workshop, seat: ParticipantToken, participant: Participant | None,
    *, refusal: Refusal | None = None, typed: Any = None, desk: dict[str, Any] | None = None, status: int = 0,
) -> HttpResponse:  # fmt: skip
    """The page with everything on it: `refusal` of an answer that was `typed`, `desk` what was written for a group."""
    audience = Audience.PHONE if participant else Audience.OBSERVER
    if seat.is_observer:
        hub.page_listens(workshop.pk, seat.observer_key)
    scene = screens.Scene.load(workshop.pk)
    if participant and scene.poll and scene.state == "ballot":
        joining.issue(seat, scene.poll.pk)
    papers = (queries.own_receipts(seat) or []) if participant else []
    own = _own(scene, seat, papers, refusal, typed, "change" in request.GET)
    place = _place(request, workshop, seat, participant)
    context = {
        "place": place,
        "desk": {"once": new_key(), **(desk or _editing(request, place, seat))},
        "papers": [commands.receipt_json(receipt) for receipt in papers],
    }
    status = status or {None: 200, "busy": 503}.get(refusal.code if refusal else None, 422)
    response = _stage(request, scene, audience, own, context | {"now_ms": _now_ms()}, status)
    if status == 503:
        response["Retry-After"] = str(ceil(soon()))
    return response


def shared_stage(request: HttpRequest, way_in: Doorway, audience: Audience) -> HttpResponse:
    """The page as everybody sees it who has just come in: no paper, no place. Their own order of options, and the time,
    are put in as it leaves."""
    seed, now = new_key(), _now_ms()
    scene = screens.Scene.load(way_in.workshop.pk)
    context = {"place": {"group": 0}, "desk": {}, "papers": [], "now_ms": now}
    response = _stage(request, scene, audience, {"seed": seed}, context, 200)
    copies = {
        seed: lambda seat: seat.seed if seat else "",
        f'data-now="{now}"': lambda _seat: f'data-now="{_now_ms()}"',
    }
    return as_shared(response, copies)


shared_pages.register("stage", "/w/{}/", partial(shared_stage, audience=Audience.PHONE))
shared_pages.register("observer", "/w/{}/", partial(shared_stage, audience=Audience.OBSERVER))


def _stage(
    request: HttpRequest, scene: screens.Scene, audience: Audience, own: dict[str, Any], more: dict[str, Any],
    status: int,
) -> HttpResponse:  # fmt: skip
    shared = {topic: screens.draw(scene, topic, audience) for topic in SHOWN[audience]}
    fragments = shared | {topic: screens.draw(scene, topic, audience, request, **own) for topic in OWN}
    pad, own_pad = _pad(scene.workshop, more["place"], audience)
    shared |= {Topic.GROUP: pad} if pad else {}
    context = screens.context(scene, audience) | {
        "fragments": {str(topic): html for topic, html in fragments.items()} | {"group": own_pad},
        # What the shared pictures were, so that the socket need not send them again.
        "seen": {str(topic): revision_of(html) for topic, html in shared.items()},
        "seed": own["seed"],
    }
    return render(request, "workshops/phone/stage.html", context | more, status=status)


def _pad(workshop: Workshop, place: dict[str, Any], audience: Audience) -> tuple[str, str]:
    listening = hub.listening(workshop.pk)
    return screens.draw_own_pad(
        workshop.pk, place, listening=listening, observed=audience is Audience.OBSERVER
    )


def _now_ms() -> int:
    return round(timezone.now().timestamp() * 1000)


def _place(
    request: HttpRequest,
    workshop: Workshop,
    seat: ParticipantToken,
    participant: Participant | None,
) -> dict[str, Any]:
    """Where this person sits in the current round; who comes in while groups are there is given a place.

    An observer's own page says which group they listen to (`?listen=`), for nobody else knows.
    """
    listens = read_number(request.GET.get("listen", ""))
    place = groups.load_places(workshop.pk, seat.voter or None).of(seat.voter, listens=listens)
    if participant is None or place["group"] >= 0:
        return place
    try:
        membership.place_latecomer(workshop.pk, seat.voter)
    except OperationalError as error:  # the page is there all the same; the socket asks again
        log.warning("a latecomer has no place yet (%s)", type(error).__name__)
    return groups.load_places(workshop.pk, seat.voter).of(seat.voter)


def _editing(request: HttpRequest, place: dict[str, Any], seat: ParticipantToken) -> dict[str, Any]:
    """The note that somebody without the script wants to change."""
    asked = read_number(request.GET.get("edit", ""))
    if elsewhere := [note for note in place.get("elsewhere", []) if note["note"] == asked]:
        return {"editing": elsewhere[0]}
    if not asked or place["group"] <= 0:
        return {}
    found = groups.own_note(place["group"], asked, seat.voter)
    return (
        {"editing": {"note": found.pk, "rev": found.text.revision, "text": found.text.words}} if found else {}
    )


def _own(scene, seat, papers, refusal, typed, changing) -> dict[str, Any]:
    """What only this person sees on a full page: their own ballot, or what they typed and why it was refused."""
    own: dict[str, Any] = {"seed": seat.seed}
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


# --- voting without a socket -----------------------------------------------------------------------------------


@never_cache
@require_POST
@same_origin_only
async def vote(request: HttpRequest, code: str) -> HttpResponse:
    """The safe lane: a plain form, or JSON from the script when websockets fail. Same command as the socket."""
    if request.content_type == "application/json":
        return await by_script(request, code)
    return await in_a_thread(_vote_by_form, request, code)


async def by_script(request: HttpRequest, code: str) -> JsonResponse:
    """Whatever a phone would say on its socket, one frame at a time; the answer is the same."""
    try:
        frame = msgspec.json.decode(request.body, type=commands.PHONE_FRAMES)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        words = {"t": "nack", "op": "", "code": "invalid", "message": _("That could not be read.")}
        return JsonResponse(words, status=400)
    op, poll = getattr(frame, "op", ""), getattr(frame, "poll", 0)
    seat = await _seat_of_script(request, code)
    if seat is None:
        words = _("You have left this workshop. Join again to answer.")
        return JsonResponse({"t": "nack", "op": op, "code": "consent", "message": words}, status=401)
    if not rate_limit.of(seat.rate_limit_key).take():
        nack = {"t": "nack", "op": op, "poll": poll, "code": "rate", "retry_after": 1.0, "message": ""}
        return JsonResponse(nack, status=429, headers={"Retry-After": "1"})
    try:
        outcome = await commands.run_frame(seat, frame, engine.write)
    except Busy as busy:
        later = {"Retry-After": str(ceil(busy.retry_after))}
        return JsonResponse(commands.busy_reply(op, poll, busy.retry_after), status=503, headers=later)
    return JsonResponse(commands.reply(outcome) if outcome else {"t": "ok"})


async def _seat_of_script(request: HttpRequest, code: str) -> ParticipantToken | None:
    """No query and no thread for a seat whose workshop this process knows, and none for somebody without one."""
    seat = participant_cookie.of_cookies(request.COOKIES, read_code(code))
    if seat is None:
        return None
    if engine.is_running_here():
        return seat if await socket.is_of(seat, read_code(code)) else None
    workshop = await sync_to_async(joining.workshop_with)(code)
    return seat if seat.workshop_id == workshop.pk else None


def _vote_by_form(request: HttpRequest, code: str) -> HttpResponse:
    workshop = joining.workshop_with(code)
    seat = participant_cookie.of_request(request, workshop)
    participant = participant_cookie.participant_of(seat)
    poll_id = read_number(request.POST.get("poll", ""))
    item = queries.poll_item(workshop, poll_id) if poll_id else None
    if participant is None or item is None:
        return errors.page(
            request, 403, _("This answer has no place"),
            _("You may have left the workshop, or the question belongs to another one. Join again to answer."),
        )  # fmt: skip
    fields = Filled(dict(request.POST.lists()))
    op = request.POST.get("op", "")[:OP_LENGTH]
    outcome = _write_now(participation.Vote(workshop.pk, participant.voter, item.poll_id, fields, op))
    if workshop.is_questionnaire:
        return questionnaires.answered(request, workshop, seat, item.poll_id, outcome)
    is_theirs_to_mend = isinstance(outcome, Refusal) and outcome.code in ("invalid", "busy")
    if not is_theirs_to_mend or workshop.stage_item_id != item.pk:
        suffix = "" if isinstance(outcome, Receipt) else "?late=1"
        response = redirect("phone", code=workshop.code)
        response["Location"] += suffix
        return response
    return stage_page(request, workshop, seat, participant, refusal=outcome, typed=request.POST)


def _write_now(vote: participation.Vote) -> batch.Outcome | None:
    try:
        return write_batcher.write_from_a_page(vote)
    except OperationalError as error:
        log.warning("an answer has to wait: the database does not take it (%s)", type(error).__name__)
        words = _("We could not save this just now. Nothing is lost: press again in a moment.")
        return Refusal(vote.poll, "", "busy", words)


@never_cache
@require_GET
def pictures(request: HttpRequest, code: str) -> JsonResponse:
    """The slow poll: what the socket would have sent, for phones whose network lets no socket through."""
    workshop = joining.workshop_with(code)
    seat = participant_cookie.of_request(request, workshop)
    participant = participant_cookie.participant_of(seat)
    if participant is None and not (seat and seat.is_observer):
        return JsonResponse({"t": "gone"}, status=401)
    audience = Audience.PHONE if participant else Audience.OBSERVER
    if seat and seat.is_observer:
        hub.page_listens(workshop.pk, seat.observer_key)
    scene = screens.Scene.load(workshop.pk)
    seen = _seen(request)
    frames: list[dict[str, Any]] = [{"t": "hello", "now": _now_ms()}]
    if participant:
        frames.append(
            {
                "t": "mine",
                "papers": [commands.receipt_json(receipt) for receipt in queries.own_receipts(seat) or []],
            }
        )
    place = _place(request, workshop, seat, participant)
    frames.append({"t": "place", **place})
    drawn = {topic: screens.draw(scene, topic, audience) for topic in SHOWN[audience]}
    drawn |= {Topic.GROUP: pad} if (pad := _pad(workshop, place, audience)[0]) else {}
    for topic, html in drawn.items():
        if seen.get(topic) != (revision := revision_of(html)):
            frames.append({"t": "screen", "topic": topic, "rev": revision, "html": html})
    return JsonResponse({"frames": frames})


def _seen(request: HttpRequest) -> dict[str, Any]:
    try:
        seen = json.loads(request.GET.get("seen", "{}"))
    except (ValueError, RecursionError):
        return {}
    return seen if isinstance(seen, dict) else {}
