"""Every command: its shape, who may give it, what it does. One table for both doors, websocket and HTTP.

A shape is checked before anything else: unknown fields, wrong types and numbers out of range never reach an
action. What comes back is a `Refusal`, never a traceback.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

import msgspec
from asgiref.sync import sync_to_async
from django.utils.translation import gettext as _
from msgspec import Meta

from polls.ballot_box import Receipt, Refusal
from polls.lifecycle import NotPossible

from .actions import facilitation, intentions, moderation, participation, together
from .group_commands import GROUPS, GroupForm
from .live import engine, hub, intake
from .queries import paper as paper
from .seats import Seat
from .shapes import Gesture, Id, Op, Rev, Run, Seconds, Seq, Shape, WordsRef

# --- people with a phone --------------------------------------------------------------------------


class Vote(Shape, tag="vote"):
    op: Op
    poll: Id
    seq: Seq
    value: Any = None


class Shown(Shape, tag="shown"):
    poll: Id


Text = Annotated[
    str, Meta(max_length=6000)
]  # longer than a note may be: what is too long is told in a sentence


class Note(Shape, tag="note"):
    op: Op
    group: Id
    text: Text


class EditNote(Shape, tag="edit_note"):
    op: Op
    note: Id
    rev: Rev
    text: Text


class TakeBack(Shape, tag="take_back"):
    op: Op
    note: Id


class Agree(Shape, tag="agree"):
    op: Op
    note: Id
    on: bool = True


class MoveNote(Shape, tag="move_note"):
    op: Op
    note: Id
    place: Annotated[int, Meta(ge=0, le=1000)]


class Pick(Shape, tag="pick"):
    op: Op
    note: Id
    on: bool = True


class Scribe(Shape, tag="scribe"):
    op: Op
    group: Id
    on: bool = True


class CallHelp(Shape, tag="help"):
    op: Op
    group: Id
    on: bool = True


class Choose(Shape, tag="choose"):
    op: Op
    group: Id


class StandUp(Shape, tag="stand_up"):
    op: Op


class Table(Shape, tag="table"):
    op: Op
    table: Annotated[int, Meta(ge=1, le=999)]


def vote(seat: Seat, data: Vote) -> participation.Vote | Refusal:
    if not _is_finite(data.value):
        return Refusal(data.poll, data.op, "invalid", _("That is not an answer we can read."))
    return participation.Vote(seat.workshop_id, seat.voter, data.poll, data.value, data.op, data.seq)


def shown(seat: Seat, data: Shown) -> participation.Shown:
    return participation.Shown(seat.workshop_id, seat.voter, data.poll)


GROUPWORK: dict[type[Shape], Callable[[Any, str, str, Any], intentions.Intention]] = {
    Note: lambda ws, voter, op, data: intentions.Add(ws, voter, op, data.group, data.text),
    EditNote: lambda ws, voter, op, data: intentions.Edit(ws, voter, op, data.note, data.rev, data.text),
    TakeBack: lambda ws, voter, op, data: intentions.TakeBack(ws, voter, op, data.note),
    Agree: lambda ws, voter, op, data: intentions.Agree(ws, voter, op, data.note, data.on),
    MoveNote: lambda ws, voter, op, data: intentions.Move(ws, voter, op, data.note, data.place),
    Pick: lambda ws, voter, op, data: intentions.Pick(ws, voter, op, data.note, data.on),
    Scribe: lambda ws, voter, op, data: intentions.Scribe(ws, voter, op, data.group, data.on),
    CallHelp: lambda ws, voter, op, data: intentions.Help(ws, voter, op, data.group, data.on),
    Choose: lambda ws, voter, op, data: intentions.Choose(ws, voter, op, data.group),
    StandUp: lambda ws, voter, op, data: intentions.StandUp(ws, voter, op),
    Table: lambda ws, voter, op, data: intentions.Table(ws, voter, op, data.table),
}


def _is_finite(value: Any) -> bool:
    """JSON has no NaN and no infinity, but Python's readers let huge exponents through as one."""
    return not isinstance(value, float) or math.isfinite(value)


# --- facilitators -----------------------------------------------------------------------------------


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
    """Several texts of one question at once."""

    poll: Id
    keys: list[Annotated[str, Meta(max_length=1100)]]
    shown: bool


class WordsAtOnce(Shape, tag="words_at_once"):
    poll: Id
    on: bool


class Decide(Shape, tag="decide"):
    """One text or note; `words` stand instead where it is redacted."""

    ref: WordsRef
    state: Literal["pending", "shown", "hidden", "redacted", "flagged"]
    words: Annotated[str, Meta(max_length=2000)] = ""


class ClearRehearsal(Shape, tag="clear_rehearsal"): ...


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
    CheckTexts: lambda workshop, by, data: moderation.check_texts(
        workshop, by, data.poll, data.keys, data.shown
    ),
    WordsAtOnce: lambda workshop, by, data: moderation.words_at_once(workshop, by, data.poll, data.on),
    Decide: lambda workshop, by, data: moderation.decide(workshop, by, data.ref, data.state, data.words),
    ClearRehearsal: lambda workshop, by, data: facilitation.clear_rehearsal(workshop, by),
    **GROUPS,
}

PARTICIPATION: dict[
    type[Shape], Callable[[Seat, Any], participation.Vote | participation.Shown | Refusal]
] = {
    Vote: vote,
    Shown: shown,
}


class BadShape(Exception):
    """The data does not have the shape of its command; the message is one plain sentence."""


PhoneFrame = (
    Vote
    | Shown
    | Note
    | EditNote
    | TakeBack
    | Agree
    | MoveNote
    | Pick
    | Scribe
    | CallHelp
    | Choose
    | StandUp
    | Table
)
StaffForm = (
    Start | End | Joining | Launch | Close | CloseIn | Reopen | Reveal | Hide | QuickPoll
    | HeadCount | Timer | AddTime | StopTimer | CheckTexts | WordsAtOnce | Decide | ClearRehearsal
    | GroupForm
)  # fmt: skip

STAFF_COMMANDS = frozenset(shape.__struct_config__.tag for shape in FACILITATION)


def gesture(name: str, data: Mapping[str, Any]) -> Shape:
    """A facilitator's command from a form. Raises `BadShape`."""
    try:
        return msgspec.convert({**data, "t": name}, StaffForm, strict=False)
    except msgspec.ValidationError as error:
        raise BadShape(_why(str(error), name)) from None


def _why(error: str, name: str) -> str:
    """One plain sentence for whoever typed it; the reader's own words name the field at their end."""
    sentences = {
        "seconds": _("Give a time from 5 seconds to 4 hours."),
        "people": _("Write the number of people, such as 23."),
        "text": _("The question can have up to 2,000 letters."),
        "options": _("The answers can have up to 6,000 letters together."),
        "size": _("Give a number of people in each group, from 2 to 100."),
        "groups": _("Give a number of groups, from 1 to 200."),
        "name": _("A group’s name can have up to 60 letters."),
        "link": _("A link can have up to 500 letters."),
    }
    if name in ("probe", "message"):
        sentences["text"] = _("This can have up to 500 letters.")
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


async def run_frame(seat: Seat, frame: PhoneFrame) -> together.Outcome | None:
    """The same for whoever waits. Raises `intake.Busy`."""
    item = _item(seat, frame)
    if isinstance(item, Refusal):
        return item
    if engine.is_running_here():
        outcome = await intake.get().submit(item)
        hub.mark_cast(seat.workshop_id)
        return outcome
    # Straight into the box where no engine runs: tests, plain WSGI.
    return (await sync_to_async(together.write)([item]))[0]


def _item(seat: Seat, frame: PhoneFrame) -> together.Item | Refusal:
    op, poll = getattr(frame, "op", ""), getattr(frame, "poll", 0)
    if seat.is_observer:
        return Refusal(poll, op, "consent", _("You are here as an observer, so answers are not counted."))
    if type(frame) in GROUPWORK:
        return GROUPWORK[type(frame)](seat.workshop_id, seat.voter, op, frame)
    return PARTICIPATION[type(frame)](seat, frame)


def write_now(seat: Seat, frame: PhoneFrame) -> together.Outcome | None:
    """The same for a plain form, in the thread of its page. Raises `OperationalError`."""
    item = _item(seat, frame)
    return item if isinstance(item, Refusal) else intake.write_from_a_page(item)


def group_form(data: Mapping[str, Any]) -> Any:
    """What somebody asks for in their group by a plain form. Raises `BadShape`.

    `do` names the command; a button that needs no other field carries its values too: `agree:12:1`.
    """
    name, *values = str(data.get("do", "")).split(":")
    shape = _GROUP_FORMS.get(name)
    if shape is None:
        raise BadShape(_("That could not be read. Load the page again, and press again."))
    names = shape.__struct_fields__
    given = {field: data[field] for field in names if field in data}
    given |= dict(zip(names[1:], values, strict=False))
    if "text" in given:  # whatever is too long is told in the sentence about notes
        given["text"] = given["text"][:6000]
    try:
        return msgspec.convert({**given, "t": name}, shape, strict=False)
    except msgspec.ValidationError:
        raise BadShape(_("That could not be read. Load the page again, and press again.")) from None


_GROUP_FORMS: dict[str, type[Shape]] = {str(shape.__struct_config__.tag): shape for shape in GROUPWORK}


def reply(outcome: together.Outcome) -> dict[str, Any]:
    """An outcome as the answer to the phone that asked: ack or nack."""
    if isinstance(outcome, intentions.Done):
        return {
            "t": "ack", "op": outcome.op, "group": outcome.group, "note": outcome.note, "rev": outcome.revision,
        }  # fmt: skip
    if isinstance(outcome, intentions.Conflict):
        return {
            "t": "nack", "op": outcome.op, "code": "conflict", "note": outcome.note, "rev": outcome.revision,
            "text": outcome.text, "message": _("Two of you changed this note. Choose which words stay."),
        }  # fmt: skip
    if isinstance(outcome, Refusal):
        return {
            "t": "nack", "op": outcome.op, "poll": outcome.poll, "code": outcome.code,
            "message": outcome.message, "field": outcome.field,
        }  # fmt: skip
    assert isinstance(outcome, Receipt), "phones join by a page"
    return {"t": "ack", "op": outcome.op, "rev": outcome.revision, **paper(outcome)}


def busy(op: str, poll: int, retry_after: float) -> dict[str, Any]:
    return {"t": "nack", "op": op, "poll": poll, "code": "busy", "retry_after": retry_after, "message": ""}
