"""The one door for what people do in their small group: plain forms, or JSON when websockets fail.

A form that is refused comes back with what was typed in it. Two people who changed one note at once both see both
wordings here too, with a choice that loses neither.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import Any

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils.cache import patch_cache_control
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from polls.ballot_box import Refusal

from ... import commands
from ...actions.groups.requests import Conflict, Done
from ...live import write_batcher
from ...people import participant_cookie
from ..admission.page_threads import in_a_thread
from ..same_origin import same_origin_only
from . import errors, joining, phone

log = logging.getLogger(__name__)

STATUS = {"busy": 503, "conflict": 409}


@require_http_methods(["GET", "HEAD", "POST"])
@same_origin_only
async def group(request: HttpRequest, code: str) -> HttpResponse:
    """The same commands as on the socket; the script sends JSON, a page without it a form.

    GET is the empty desk, for a page that was there before the groups: the same for everybody, so that a whole room
    may ask for it at once without a query.
    """
    if request.method != "POST":
        response = HttpResponse(_empty_desk(get_language()))
        patch_cache_control(response, private=True, max_age=3600)
        return response
    return await _posted(request, code)


@lru_cache(maxsize=32)
def _empty_desk(language: str) -> str:
    return render_to_string("workshops/phone/_desk.html", {"place": {"group": 0}})


@never_cache
async def _posted(request: HttpRequest, code: str) -> HttpResponse:
    if request.content_type == "application/json":
        return await phone.by_script(request, code)
    return await in_a_thread(_by_form, request, code)


def _by_form(request: HttpRequest, code: str) -> HttpResponse:
    workshop = joining.workshop_with(code)
    seat = participant_cookie.of_request(request, workshop)
    participant = participant_cookie.participant_of(seat)
    if seat is None or participant is None:
        return errors.page(
            request, 403, _("This has no place"),
            _("You may have left the workshop. Join again to write in a group."),
        )  # fmt: skip
    what, _colon, note = request.POST.get("do", "").partition(":")
    if what == "edit":
        return _to_page(workshop, "editor", f"?edit={note}" if note.isascii() and note.isdigit() else "")
    outcome = _write(seat, request.POST)
    if isinstance(outcome, Done):
        return _to_page(workshop, _where(outcome, what))
    desk = _desk(request.POST, outcome)
    return phone.stage_page(
        request, workshop, seat, participant, desk=desk, status=STATUS.get(desk["code"], 422)
    )


def _where(done: Done, what: str) -> str:
    """The part of the page where people see what they have done: a pad can be long."""
    if not done.note:
        return "group"
    return "notes-title" if what == "take_back" else f"note-{done.note}"


def _to_page(workshop: Any, part: str, query: str = "") -> HttpResponse:
    response = redirect("phone", code=workshop.code)
    response["Location"] += f"{query}#{part}"
    return response


def _write(seat: participant_cookie.ParticipantToken, form: Any) -> Any:
    try:
        return commands.write_now(seat, commands.group_command(form), write_batcher.write_from_a_page)
    except commands.BadCommand as error:
        return Refusal(0, "", "invalid", str(error))
    except OperationalError as error:
        log.warning(
            "something in a group has to wait: the database does not take it (%s)", type(error).__name__
        )
        words = _("We could not save this just now. Nothing is lost: press again in a moment.")
        return Refusal(0, "", "busy", words)


def _desk(form: Any, outcome: Refusal | Conflict) -> dict[str, Any]:
    """What the page shows again: the words as they were typed, and why they were not taken."""
    typed = {key: form.get(key, "") for key in ("text", "note", "rev", "table")}
    if isinstance(outcome, Conflict):
        both = {"note": outcome.note, "rev": outcome.revision, "mine": typed["text"], "theirs": outcome.text}
        return {"code": "conflict", "conflict": both}
    desk: dict[str, Any] = {"code": outcome.code, "error": outcome.message}
    if form.get("do") == "edit_note":
        return desk | {"editing": typed, "wrong": "editor"}
    return desk | {"text": typed["text"], "table": typed["table"], "wrong": form.get("do", "")}
