"""Commands of participants: their schemas, the permission check, the request for the writer, and the reply.

The caller passes in the writer, so this module knows nothing of sockets and write batching.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Union

import msgspec
from django.utils.translation import gettext as _
from msgspec import Meta

from polls.ballot_box import Receipt, Refusal
from polls.types.base import Filled

from ..actions import batch, participation
from ..actions.groups import requests
from ..people.participant_cookie import ParticipantToken
from ..screens.queries import receipt_json as receipt_json
from .schemas import BadCommand, Command, Id, Op, Rev, Seq

Fields = Annotated[
    dict[Annotated[str, Meta(max_length=100)], Annotated[list[str], Meta(max_length=100)]],
    Meta(max_length=100),
]


class Vote(Command, tag="vote"):
    op: Op
    poll: Id
    seq: Seq
    fields: Fields  # of the ballot's form, as a plain submit would send them


class MarkSeen(Command, tag="shown"):
    poll: Id


#: the commands of small groups by their names, each as its request; its fields on the wire are the request's own
GROUPWORK: dict[str, type[requests.GroupRequest]] = {
    "note": requests.Add,
    "edit_note": requests.Edit,
    "take_back": requests.TakeBack,
    "agree": requests.Agree,
    "move_note": requests.Move,
    "pick": requests.Pick,
    "scribe": requests.Scribe,
    "help": requests.Help,
    "choose": requests.Choose,
    "stand_up": requests.StandUp,
    "table": requests.Table,
}

FIELDS: dict[str, Any] = {
    "op": Op,
    "group": Id,
    "note": Id,
    "rev": Rev,
    # longer than a note may be: what is too long is told in a sentence
    "text": Annotated[str, Meta(max_length=6000)],
    "place": Annotated[int, Meta(ge=0, le=1000)],
    "table": Annotated[int, Meta(ge=1, le=999)],
    "on": bool,
}


def _schema(name: str, request: type[requests.GroupRequest]) -> Any:
    """What a phone sends: the fields of the request, without the seat, which the cookie says."""
    own = [field.name for field in dataclasses.fields(request)][2:]
    fields = [(field, FIELDS[field], *([True] if field == "on" else [])) for field in own]
    return msgspec.defstruct(name, fields, bases=(Command,), tag=name)


_SCHEMAS = {name: _schema(name, request) for name, request in GROUPWORK.items()}
_REQUESTS = {_SCHEMAS[name]: request for name, request in GROUPWORK.items()}


def vote(token: ParticipantToken, data: Vote) -> participation.Vote:
    return participation.Vote(
        token.workshop_id, token.voter, data.poll, Filled(data.fields), data.op, data.seq
    )


def shown(token: ParticipantToken, data: MarkSeen) -> participation.QuestionSeen:
    return participation.QuestionSeen(token.workshop_id, token.voter, data.poll)


#: called with the outcome once it is committed, or with what says that it could not be written
Answer = Callable[[Any], None]

PHONE_FRAMES: Any = Union[(Vote, MarkSeen, *_SCHEMAS.values())]


def take_frame(
    token: ParticipantToken, frame: Command, put: Callable[[batch.Item, Answer], None], answer: Answer
) -> None:
    """Enqueue a phone's command with `put`; `answer` is called with the outcome after its commit, a refusal at once."""
    item = _item(token, frame)
    return answer(item) if isinstance(item, Refusal) else put(item, answer)


async def run_frame(
    token: ParticipantToken, frame: Command, write: Callable[[batch.Item], Awaitable[batch.Outcome | None]]
) -> batch.Outcome | None:
    """`take_frame` for a caller that awaits the outcome. Raises what `write` raises."""
    item = _item(token, frame)
    return item if isinstance(item, Refusal) else await write(item)


def write_now(
    token: ParticipantToken, frame: Command, write: Callable[[batch.Item], batch.Outcome | None]
) -> batch.Outcome | None:
    """`run_frame` for a plain form, synchronous, in the thread of its request. Raises what `write` raises."""
    item = _item(token, frame)
    return item if isinstance(item, Refusal) else write(item)


def _item(token: ParticipantToken, frame: Command) -> batch.Item | Refusal:
    op, poll = getattr(frame, "op", ""), getattr(frame, "poll", 0)
    if token.is_observer:
        return Refusal(poll, op, "consent", _("You are here as an observer, so answers are not counted."))
    if request := _REQUESTS.get(type(frame)):
        return request(token.workshop_id, token.voter, **msgspec.structs.asdict(frame))
    if isinstance(frame, Vote):
        return vote(token, frame)
    assert isinstance(frame, MarkSeen)
    return shown(token, frame)


def group_command(data: Mapping[str, Any]) -> Any:
    """Parse a participant's group command from the fields of a plain form. Raises `BadCommand`.

    `do` is the command's name; a button without other fields carries its values too: `agree:12:1`.
    """
    name, *values = str(data.get("do", "")).split(":")
    command = _SCHEMAS.get(name)
    if command is None:
        raise BadCommand(_("That could not be read. Load the page again, and press again."))
    names = command.__struct_fields__
    given = {field: data[field] for field in names if field in data}
    given |= dict(zip(names[1:], values, strict=False))
    if "text" in given:  # too long a text gets the error message about notes, not one about the schema
        given["text"] = given["text"][:6000]
    try:
        return msgspec.convert({**given, "t": name}, command, strict=False)
    except msgspec.ValidationError:
        raise BadCommand(_("That could not be read. Load the page again, and press again.")) from None


def reply(outcome: batch.Outcome) -> dict[str, Any]:
    """An outcome as the JSON reply to the phone: ack or nack, with the idempotency key `op` of its command."""
    if isinstance(outcome, requests.Done):
        return {
            "t": "ack", "op": outcome.op, "group": outcome.group, "note": outcome.note, "rev": outcome.revision,
        }  # fmt: skip
    if isinstance(outcome, requests.Conflict):
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
    return {"t": "ack", "op": outcome.op, "rev": outcome.revision, **receipt_json(outcome)}


def busy_reply(op: str, poll: int, retry_after: float) -> dict[str, Any]:
    """The nack of an overloaded server (back-pressure); `retry_after` in seconds."""
    return {"t": "nack", "op": op, "poll": poll, "code": "busy", "retry_after": retry_after, "message": ""}
