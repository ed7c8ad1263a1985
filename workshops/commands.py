"""Every command: its shape, who may give it, what it does. One table for both doors, websocket and HTTP.

A shape is checked before anything else: unknown fields, wrong types and numbers out of range never reach an
action. What comes back is a `Refusal`, never a traceback.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import msgspec
from asgiref.sync import sync_to_async
from django.utils.translation import gettext as _
from msgspec import Meta, Struct

from polls.ballot_box import Outcome, Refusal
from polls.lifecycle import NotPossible

from .actions import facilitation, participation
from .live import engine, hub, intake
from .queries import paper as paper
from .seats import Seat

#: a UUID in practice; only what can stand in a column and a log line
Op = Annotated[str, Meta(max_length=36, pattern=r"\A[!-~]+\Z")]
Id = Annotated[int, Meta(ge=1, le=2**53)]
Seq = Annotated[int, Meta(ge=0, le=2**53)]
Rev = Annotated[int, Meta(ge=0, le=2**31)]
Seconds = Annotated[int, Meta(ge=5, le=4 * 3600)]


class Shape(Struct, frozen=True, forbid_unknown_fields=True, tag_field="t"):
    """What a command carries; its tag is its name."""


# --- people with a phone --------------------------------------------------------------------------


class Vote(Shape, tag="vote"):
    op: Op
    poll: Id
    seq: Seq
    value: Any = None


class Shown(Shape, tag="shown"):
    poll: Id


def vote(seat: Seat, data: Vote) -> participation.Vote | Refusal:
    if not _is_finite(data.value):
        return Refusal(data.poll, data.op, "invalid", _("That is not an answer we can read."))
    return participation.Vote(seat.workshop_id, seat.voter, data.poll, data.value, data.op, data.seq)


def shown(seat: Seat, data: Shown) -> participation.Shown:
    return participation.Shown(seat.workshop_id, seat.voter, data.poll)


def _is_finite(value: Any) -> bool:
    """JSON has no NaN and no infinity, but Python's readers let huge exponents through as one."""
    return not isinstance(value, float) or math.isfinite(value)


# --- facilitators -----------------------------------------------------------------------------------


class Gesture(Shape, kw_only=True):
    """A gesture that moves the stage; `rev` is the stage that the facilitator's screen showed."""

    rev: Rev | None = None


class Start(Gesture, tag="start"): ...


class End(Gesture, tag="end"): ...


class Joining(Gesture, tag="joining"): ...


class Close(Gesture, tag="close"): ...


class Reopen(Gesture, tag="reopen"): ...


class Reveal(Gesture, tag="reveal"): ...


class Hide(Gesture, tag="hide"): ...


class Launch(Gesture, tag="launch"):
    item: Id


class CloseIn(Gesture, tag="close_in"):
    seconds: Seconds = 20


class QuickPoll(Gesture, tag="quick_poll"):
    text: Annotated[str, Meta(max_length=2000)]
    options: Annotated[str, Meta(max_length=6000)] = ""
    several: bool = False


class HeadCount(Shape, tag="head_count"):
    people: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None


class Timer(Shape, tag="timer"):
    seconds: Seconds


class AddTime(Shape, tag="add_time"):
    seconds: Seconds = 60


class StopTimer(Shape, tag="stop_timer"): ...


class CheckTexts(Shape, tag="check_texts"):
    poll: Id
    keys: list[Annotated[str, Meta(max_length=1100)]]
    shown: bool


class ClearRehearsal(Shape, tag="clear_rehearsal"): ...


Run = Callable[[int, Any, Any], Any]

FACILITATION: dict[type[Shape], Run] = {
    Start: lambda workshop, by, data: facilitation.start(workshop, by, data.rev),
    End: lambda workshop, by, data: facilitation.end(workshop, by, data.rev),
    Joining: lambda workshop, by, data: facilitation.joining(workshop, by, data.rev),
    Launch: lambda workshop, by, data: facilitation.launch(workshop, by, data.item, data.rev),
    Close: lambda workshop, by, data: facilitation.close(workshop, by, data.rev),
    CloseIn: lambda workshop, by, data: facilitation.close_in(workshop, by, data.seconds, data.rev),
    Reopen: lambda workshop, by, data: facilitation.reopen(workshop, by, data.rev),
    Reveal: lambda workshop, by, data: facilitation.show_result(workshop, by, True, data.rev),
    Hide: lambda workshop, by, data: facilitation.show_result(workshop, by, False, data.rev),
    QuickPoll: lambda workshop, by, data: facilitation.quick_poll(
        workshop, by, data.text, data.options.splitlines(), several=data.several, rev=data.rev
    ),
    HeadCount: lambda workshop, by, data: facilitation.head_count(workshop, by, data.people),
    Timer: lambda workshop, by, data: facilitation.start_timer(workshop, by, data.seconds),
    AddTime: lambda workshop, by, data: facilitation.add_time(workshop, by, data.seconds),
    StopTimer: lambda workshop, by, data: facilitation.stop_timer(workshop, by),
    CheckTexts: lambda workshop, by, data: facilitation.check_texts(
        workshop, by, data.poll, data.keys, data.shown
    ),
    ClearRehearsal: lambda workshop, by, data: facilitation.clear_rehearsal(workshop, by),
}

PARTICIPATION: dict[
    type[Shape], Callable[[Seat, Any], participation.Vote | participation.Shown | Refusal]
] = {
    Vote: vote,
    Shown: shown,
}


class BadShape(Exception):
    """The data does not have the shape of its command; the message is one plain sentence."""


PhoneFrame = Vote | Shown
StaffForm = (
    Start | End | Joining | Launch | Close | CloseIn | Reopen | Reveal | Hide | QuickPoll
    | HeadCount | Timer | AddTime | StopTimer | CheckTexts | ClearRehearsal
)  # fmt: skip

STAFF_COMMANDS = frozenset(shape.__struct_config__.tag for shape in FACILITATION)


def gesture(name: str, data: Mapping[str, Any]) -> Shape:
    """A facilitator's command from a form. Raises `BadShape`."""
    try:
        return msgspec.convert({**data, "t": name}, StaffForm, strict=False)
    except msgspec.ValidationError as error:
        raise BadShape(_why(str(error))) from None


def _why(error: str) -> str:
    """One plain sentence for whoever typed it; the reader's own words name the field at their end."""
    sentences = {
        "seconds": _("Give a time from 5 seconds to 4 hours."),
        "people": _("Write the number of people, such as 23."),
        "text": _("The question can have up to 2,000 letters."),
        "options": _("The answers can have up to 6,000 letters together."),
    }
    field = error.rpartition("$.")[2].rstrip("`")
    return sentences.get(field, _("That could not be read. Load the page again, and press again."))


def run_gesture(workshop_id: int, by: Any, command: Shape) -> Any:
    """Do it. Raises `facilitation.NotNow` with a sentence for the facilitator."""
    try:
        return FACILITATION[type(command)](workshop_id, by, command)
    except NotPossible:
        raise facilitation.NotNow(
            _("That does not fit what is on stage now. Look, and press again.")
        ) from None


def take_frame(seat: Seat, frame: PhoneFrame, answer: intake.Answer) -> None:
    """Do what a phone asks; `answer` gets the outcome, or `intake.Busy`, once it is committed."""
    item = _item(seat, frame)
    if isinstance(item, Refusal):
        return answer(item)
    return intake.get().put(item, answer)


async def run_frame(seat: Seat, frame: PhoneFrame) -> Outcome | None:
    """The same for whoever waits. Raises `intake.Busy`."""
    item = _item(seat, frame)
    if isinstance(item, Refusal):
        return item
    if engine.is_running_here():
        outcome = await intake.get().submit(item)
        hub.mark_cast(seat.workshop_id)
        return outcome
    # Straight into the box where no engine runs: tests, plain WSGI.
    return (await sync_to_async(participation.write)([item]))[0]


def _item(seat: Seat, frame: PhoneFrame) -> participation.Vote | participation.Shown | Refusal:
    if seat.is_observer:
        sentence = _("You are here as an observer, so answers are not counted.")
        return Refusal(frame.poll, getattr(frame, "op", ""), "consent", sentence)
    return PARTICIPATION[type(frame)](seat, frame)


def reply(outcome: Outcome) -> dict[str, Any]:
    """An outcome as the answer to the phone that asked: ack or nack."""
    if isinstance(outcome, Refusal):
        return {
            "t": "nack", "op": outcome.op, "poll": outcome.poll, "code": outcome.code,
            "message": outcome.message, "field": outcome.field,
        }  # fmt: skip
    return {"t": "ack", "op": outcome.op, "rev": outcome.revision, **paper(outcome)}


def busy(op: str, poll: int, retry_after: float) -> dict[str, Any]:
    return {"t": "nack", "op": op, "poll": poll, "code": "busy", "retry_after": retry_after, "message": ""}
