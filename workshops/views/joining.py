"""Doors into a workshop and out of it: welcome, consent, profile, leaving. Plain forms, no script needed."""

from __future__ import annotations

import logging
from typing import Any

from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from polls.ballot_box import Refusal

from .. import queries, rehearsal, screens, seats
from ..actions import participation
from ..live import intake
from ..models import AgendaItem, Participant, Workshop, new_key
from .public import code_error, read_code
from .straight import straight_on

log = logging.getLogger(__name__)


def workshop_with(code: str) -> Workshop:
    found = Workshop.objects.select_related("programme", "sheet").filter(code=read_code(code)).first()
    if found is None:
        raise Http404
    return found


def lost(request: HttpRequest, code: str) -> HttpResponse:
    """A code that leads nowhere: the form to type it again, with why."""
    spaced = f"{read_code(code)[:3]} {read_code(code)[3:6]}"
    return render(
        request, "workshops/phone/start.html", {"typed": spaced, "error": code_error(code)}, status=404
    )


def find(request: HttpRequest, code: str) -> Workshop | HttpResponse:
    try:
        return workshop_with(code)
    except Http404:
        return lost(request, code)


def welcome(request: HttpRequest, workshop: Workshop) -> HttpResponse:
    if workshop.has_ended:
        return lost(request, workshop.code)
    here = Participant.objects.filter(workshop=workshop, left_at__isnull=True).count()
    context = {"workshop": workshop, "programme": workshop.programme, "here": here}
    return render(request, "workshops/phone/welcome.html", context)


# --- consent ---------------------------------------------------------------------------------------------


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@straight_on
def consent(request: HttpRequest, code: str) -> HttpResponse:
    """The information sheet and what people agree to. Nothing is ticked for them."""
    workshop = find(request, code)
    if isinstance(workshop, HttpResponse):
        return workshop
    if workshop.has_ended:
        return lost(request, code)
    if not workshop.is_running:
        return redirect("phone", code=workshop.code)
    seat = seats.of_request(request, workshop)
    if seats.participant_of(seat):
        return redirect("phone", code=workshop.code)
    if request.method != "POST":
        return _consent_page(request, workshop)
    if request.POST.get("observe"):
        return seats.give(redirect("phone", code=workshop.code), seats.Seat.to_observe(workshop.pk))
    return _join(request, workshop)


def _join(request: HttpRequest, workshop: Workshop) -> HttpResponse:
    ticked = request.POST.getlist("consent")
    try:
        person = participation.joining(
            workshop,
            ticked,
            once=request.POST.get("once", "")[:64],
            rehearsal=_is_rehearsal(request, workshop),
        )
    except participation.ConsentMissing as error:
        return _consent_page(request, workshop, ticked=ticked, missing=error.missing)
    intake.write_from_a_page(person)
    # Straight to what comes next: on a slow line each redirect is a wait. Who answered it before is sent on from there.
    next_page = "phone-profile" if queries.has_open_profile(workshop.pk) else "phone"
    response = redirect(next_page, code=workshop.code)
    return seats.give(response, seats.Seat(workshop.pk, person.voter))


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
        "has_profile": queries.has_open_profile(workshop.pk),
    }
    return render(request, "workshops/phone/consent.html", context, status=422 if missing else 200)


# --- the profile --------------------------------------------------------------------------------------------


def open_profile(workshop: Workshop) -> list[AgendaItem]:
    return [item for item in queries.profile_items(workshop) if item.poll and item.poll.is_open]


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@straight_on
def profile(request: HttpRequest, code: str) -> HttpResponse:
    """A few questions about people's work, asked once; each can be skipped."""
    workshop = workshop_with(code)
    participant = seats.participant_of(seats.of_request(request, workshop))
    if participant is None or participant.profiled_at is not None:
        return redirect("phone", code=workshop.code)
    asked = open_profile(workshop)
    if request.method != "POST":
        for item in asked:
            issue(workshop, participant, item.poll_id)
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


def issue(workshop: Workshop, participant: Participant, poll_id: int) -> None:
    """Hand out a paper at the first look; a reload writes nothing."""
    if queries.has_paper(participant, poll_id):
        return
    try:
        participation.write([participation.Shown(workshop.pk, participant.voter, poll_id)])
    except OperationalError as error:  # the question can be read all the same; its answer brings the paper
        log.warning("a paper was not issued (%s)", type(error).__name__)


# --- leaving ---------------------------------------------------------------------------------------------


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest, code: str) -> HttpResponse:
    workshop = workshop_with(code)
    participant = seats.participant_of(seats.of_request(request, workshop))
    context = {"workshop": workshop, "programme": workshop.programme}
    if request.method != "POST":
        return render(request, "workshops/phone/leave.html", context)
    if participant:
        participation.leave(participant)
    return seats.take(render(request, "workshops/phone/left.html", context))
