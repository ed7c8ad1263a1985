"""A questionnaire on a phone: one question after the other, at one's own pace.

Without a script every question is a page (`?q=3`) and a plain form. With it all of them are on the first page already,
so going on, going back and answering need no signal; answers wait on the phone until they are stored.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from polls.ballot_box import Receipt, Refusal

from ... import commands, screens
from ...actions import batch
from ...models import Workshop, new_key
from ...people import participant_cookie
from ...people.participant_cookie import ParticipantToken
from ...screens import questionnaire
from ...screens.questionnaire import Step, Way
from ...signals.topics import Audience
from ..readable_input import read_number
from . import joining


def page(request: HttpRequest, workshop: Workshop, seat: ParticipantToken) -> HttpResponse:
    """The next question of somebody who takes part, the one they ask for, or what they have answered so far."""
    if workshop.is_planned:
        return joining.welcome(request, workshop)
    if workshop.has_ended:
        return _thanks(request, workshop, seat)
    way = questionnaire.load(workshop, seat)
    number = read_number(request.GET.get("q", ""))
    step = way.step(number) if number else None if "all" in request.GET else way.resume()
    if step is None or seat.is_observer:
        return _overview(request, workshop, seat, way)
    return _question_page(request, workshop, seat, way, step)


def answered(
    request: HttpRequest,
    workshop: Workshop,
    seat: ParticipantToken,
    poll_id: int,
    outcome: batch.Outcome | None,
) -> HttpResponse:
    """After a plain form: on to the next question without an answer, or the same page where it has to be mended."""
    way = questionnaire.load(workshop, seat)
    step = way.place_of(poll_id)
    if isinstance(outcome, Refusal) and outcome.code in ("invalid", "busy") and step:
        return _question_page(request, workshop, seat, way, step, outcome)
    response = redirect("phone", code=workshop.code)
    if not isinstance(outcome, Receipt):
        response["Location"] += "?late=1"
    elif step:
        following = way.next_open(step.number)
        response["Location"] += f"?q={following.number}&saved={step.number}" if following else "?all=1"
    return response


def _shown(
    request: HttpRequest, workshop: Workshop, seat: ParticipantToken, name: str, **more: Any
) -> HttpResponse:
    """A page of somebody with a seat; their cookie lives on from here, also where the closing moment has moved."""
    context = {
        "workshop": workshop,
        "programme": workshop.programme,
        "observer": seat.is_observer,
        "keep": f"/w/{workshop.code}/",
        "seed": seat.seed,
    }
    status = more.pop("status", 200)
    response = render(request, f"workshops/questionnaire/{name}.html", context | more, status=status)
    return participant_cookie.set_cookie(response, seat, workshop)


# --- one question -------------------------------------------------------------------------------------------


def _question_page(
    request: HttpRequest,
    workshop: Workshop,
    seat: ParticipantToken,
    way: Way,
    step: Step,
    refusal: Refusal | None = None,
) -> HttpResponse:
    joining.issue(seat, step.poll.pk)
    changing = "change" in request.GET
    current = _question(workshop, seat, way, step, changing=changing, refusal=refusal, typed=request.POST)
    saved = way.step(read_number(request.GET.get("saved", "")))
    receipts = [one.receipt for one in way.steps if one.receipt]
    return _shown(
        request, workshop, seat, "question",
        way=way,
        step=step,
        question=current,
        #: every question as it is before anything was filled in, for the script
        questions=[(one.number, _question(workshop, seat, way, one, plain=True)) for one in way.steps],
        saved=saved.receipt if saved else None,
        papers=[commands.receipt_json(receipt) for receipt in receipts],
        now_ms=round(timezone.now().timestamp() * 1000),
        status=503 if refusal and refusal.code == "busy" else 422 if refusal else 200,
    )  # fmt: skip


def _question(
    workshop: Workshop, seat: ParticipantToken, way: Way, step: Step, *,
    plain: bool = False, changing: bool = False, refusal: Refusal | None = None, typed: Any = None,
) -> str:  # fmt: skip
    """The form of one question; `plain`: without this person's answer, which the script puts in."""
    receipt = None if plain else step.receipt
    following = way.next_open(step.number)
    context = screens.poll_context(step.poll) | {
        "workshop": workshop,
        "place": step,
        "step": _("Question %(place)d of %(of)d") % {"place": step.number, "of": way.total},
        "seed": seat.seed,
        "op": new_key(),
        "back": step.number - 1,
        #: where skipping leads; 0: to what was answered so far
        "next": following.number if following else 0,
        "receipt": None if changing or refusal else receipt,
        "answered": receipt is not None,
        "change_url": f"?q={step.number}&change=1",
    }
    if receipt:
        context |= {"value": receipt.value, "passed": receipt.status == "passed"}
    if refusal:
        context |= {"error": refusal.message, "error_field": refusal.field, "typed": typed}
    return render_to_string("workshops/questionnaire/_question.html", context)


# --- all of them --------------------------------------------------------------------------------------------


def _overview(request: HttpRequest, workshop: Workshop, seat: ParticipantToken, way: Way) -> HttpResponse:
    """What was answered so far, each question with its own way to it."""
    return _shown(
        request,
        workshop,
        seat,
        "overview",
        way=way,
        go_on=way.next_open(0) if way.is_through else way.resume(),
    )


def _thanks(request: HttpRequest, workshop: Workshop, seat: ParticipantToken) -> HttpResponse:
    """After the close: thanks, and what everybody together has said."""
    way = questionnaire.load(workshop, seat)
    own = {step.poll.pk: step.receipt.said for step in way.steps if step.receipt}
    results = [
        {"said": own.get(scene.asked.poll_id, ""), **screens.context(scene, Audience.PHONE)}
        for scene in questionnaire.result_scenes(workshop)
    ]
    return _shown(request, workshop, seat, "thanks", results=results)
