"""Doors for people with a phone. Everything works as plain forms; `live.js` makes it live."""

from __future__ import annotations

import hashlib
import json
import logging
from math import ceil
from typing import Any

import msgspec
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polls.ballot_box import Receipt, Refusal

from .. import breakouts, commands, queries, screens, seats, waiting
from ..actions import participation, seating, together
from ..live import allowance, engine, intake, pages, socket
from ..live.hub import revision_of
from ..live.intake import Busy
from ..live.topics import SHOWN, Audience, Topic
from ..models import Participant, Workshop, new_key
from . import errors, joining
from .public import read_code

log = logging.getLogger(__name__)

#: topics that a full page draws for this person and this moment; the others are as hubs draw them
OWN = (Topic.STAGE, Topic.TALLY, Topic.CLOCK)
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
    seat = seats.of_request(request, workshop)
    participant = seats.participant_of(seat)
    if (
        participant
        and participant.profiled_at is None
        and workshop.is_running
        and joining.open_profile(workshop)
    ):
        return redirect("phone-profile", code=workshop.code)
    if seat and seat.is_observer and (asked := request.GET.get("listen", "")).startswith(NEXT):
        following = breakouts.group_after(workshop.pk, _number(asked.removeprefix(NEXT)))
        return redirect(f"{request.path}?listen={following}")
    if participant or (seat and seat.is_observer):
        return stage_page(request, workshop, seat, participant)
    return joining.welcome(request, workshop)


def stage_page(
    request: HttpRequest, workshop: Workshop, seat: seats.Seat, participant: Participant | None,
    *, refusal: Refusal | None = None, typed: Any = None, desk: dict[str, Any] | None = None, status: int = 0,
) -> HttpResponse:  # fmt: skip
    """The page with everything on it: `refusal` of an answer that was `typed`, `desk` what was written for a group."""
    audience = Audience.PHONE if participant else Audience.OBSERVER
    scene = screens.Scene.load(workshop.pk)
    if participant and scene.state == "ballot":
        joining.issue(workshop, participant, scene.poll.pk)
    papers = (queries.papers(seat) or []) if participant else []
    own = _own(scene, seat, papers, refusal, typed, "change" in request.GET)
    shared = {topic: screens.draw(scene, topic, audience) for topic in SHOWN[audience]}
    fragments = shared | {topic: screens.draw(scene, topic, audience, request, **own) for topic in OWN}
    place = _place(request, workshop, seat, participant)
    pad, own_pad = screens.draw_own_pad(workshop.pk, place)
    shared |= {Topic.GROUP: pad} if pad else {}
    context = screens.context(scene, audience) | {
        "fragments": {str(topic): html for topic, html in fragments.items()} | {"group": own_pad},
        "place": place,
        "desk": {"once": new_key(), **(desk or _editing(request, place, seat))},
        # What the shared pictures were, so that the socket need not send them again.
        "seen": {str(topic): revision_of(html) for topic, html in shared.items()},
        "seed": _seed(seat),
        "now_ms": round(timezone.now().timestamp() * 1000),
        "papers": [commands.paper(paper) for paper in papers],
    }
    status = status or {None: 200, "busy": 503}.get(refusal.code if refusal else None, 422)
    response = render(request, "workshops/phone/stage.html", context, status=status)
    if status == 503:
        response["Retry-After"] = str(ceil(waiting.soon()))
    return response


def _place(
    request: HttpRequest, workshop: Workshop, seat: seats.Seat, participant: Participant | None
) -> dict[str, Any]:
    """Where this person sits in the current round; who comes in while groups are there is given a place.

    An observer's own page says which group they listen to (`?listen=`), for nobody else knows.
    """
    listens = _number(request.GET.get("listen", ""))
    place = breakouts.places(workshop.pk, seat.voter or None).of(seat.voter, listens=listens)
    if participant is None or place["group"] >= 0:
        return place
    try:
        seating.place_latecomer(workshop.pk, seat.voter)
    except OperationalError as error:  # the page is there all the same; the socket asks again
        log.warning("a latecomer has no place yet (%s)", type(error).__name__)
    return breakouts.places(workshop.pk, seat.voter).of(seat.voter)


def _editing(request: HttpRequest, place: dict[str, Any], seat: seats.Seat) -> dict[str, Any]:
    """The note that somebody without the script wants to change."""
    asked = _number(request.GET.get("edit", ""))
    if elsewhere := [note for note in place.get("elsewhere", []) if note["note"] == asked]:
        return {"editing": elsewhere[0]}
    if not asked or place["group"] <= 0:
        return {}
    found = breakouts.own_note(place["group"], asked, seat.voter)
    return {"editing": {"note": found.pk, "rev": found.revision, "text": found.text}} if found else {}


def _number(text: str) -> int:
    """A row's number in an address; 0 for everything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


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


# --- voting without a socket -----------------------------------------------------------------------------------


@never_cache
@require_POST
async def vote(request: HttpRequest, code: str) -> HttpResponse:
    """The safe lane: a plain form, or JSON from the script when websockets fail. Same command as the socket."""
    if request.content_type == "application/json":
        return await by_script(request, code)
    return await pages.in_a_thread(_vote_by_form, request, code)


async def by_script(request: HttpRequest, code: str) -> JsonResponse:
    """Whatever a phone would say on its socket, one frame at a time; the answer is the same."""
    try:
        frame = msgspec.json.decode(request.body, type=commands.PhoneFrame)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        words = {"t": "nack", "op": "", "code": "invalid", "message": _("That could not be read.")}
        return JsonResponse(words, status=400)
    op, poll = getattr(frame, "op", ""), getattr(frame, "poll", 0)
    seat = await _seat_of_script(request, code)
    if seat is None:
        words = _("You have left this workshop. Join again to answer.")
        return JsonResponse({"t": "nack", "op": op, "code": "consent", "message": words}, status=401)
    if not allowance.of(seat.token).take():
        nack = {"t": "nack", "op": op, "poll": poll, "code": "rate", "retry_after": 1.0, "message": ""}
        return JsonResponse(nack, status=429, headers={"Retry-After": "1"})
    try:
        outcome = await commands.run_frame(seat, frame)
    except Busy as busy:
        later = {"Retry-After": str(ceil(busy.retry_after))}
        return JsonResponse(commands.busy(op, poll, busy.retry_after), status=503, headers=later)
    return JsonResponse(commands.reply(outcome) if outcome else {"t": "ok"})


async def _seat_of_script(request: HttpRequest, code: str) -> seats.Seat | None:
    """No query and no thread for a workshop that this process knows, and none for somebody without a seat."""
    seat = seats.Seat.from_cookie(request.COOKIES.get(settings.SEAT_COOKIE_NAME))
    if seat is None:
        return None
    if engine.is_running_here():
        workshop_id = await socket.workshop_id(code=read_code(code))
    else:
        workshop_id = (await sync_to_async(joining.workshop_with)(code)).pk
    return seat if seat.workshop_id == workshop_id else None


def _vote_by_form(request: HttpRequest, code: str) -> HttpResponse:
    workshop = joining.workshop_with(code)
    seat = seats.of_request(request, workshop)
    participant = seats.participant_of(seat)
    poll_id = _number(request.POST.get("poll", ""))
    item = queries.poll_item(workshop, poll_id) if poll_id else None
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
    return stage_page(request, workshop, seat, participant, refusal=outcome, typed=request.POST)


def _write_now(vote: participation.Vote) -> together.Outcome | None:
    try:
        return intake.write_from_a_page(vote)
    except OperationalError as error:
        log.warning("an answer has to wait: the database does not take it (%s)", type(error).__name__)
        words = _("We could not save this just now. Nothing is lost: press again in a moment.")
        return Refusal(vote.poll, "", "busy", words)


@never_cache
@require_GET
def pictures(request: HttpRequest, code: str) -> JsonResponse:
    """The slow poll: what the socket would have sent, for phones whose network lets no socket through."""
    workshop = joining.workshop_with(code)
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
    place = _place(request, workshop, seat, participant)
    frames.append({"t": "place", **place})
    drawn = {topic: screens.draw(scene, topic, audience) for topic in SHOWN[audience]}
    drawn |= {Topic.GROUP: pad} if (pad := screens.draw_own_pad(workshop.pk, place)[0]) else {}
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
