"""Commands of facilitators, sent by the console's forms: one table of their names, fields and actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, Literal, Union

import msgspec
from django.utils.translation import gettext as _
from msgspec import Meta

from polls.lifecycle import InvalidTransition
from polls.types import POLL_TYPES

from ..actions import facilitation, groups, moderation, rehearsal, stage, undo
from .schemas import BadCommand, Command, Id, Rev, Seconds, TextRef

Short = Annotated[str, Meta(max_length=500)]
Ids = Annotated[list[Id], Meta(max_length=1000)]
#: an action, called with the workshop's id, the user and the fields by name; and the type of each field, those without
#: a default first
Form = tuple[Callable[..., Any], dict[str, Any]]


def form(action: Callable[..., Any], **fields: Any) -> Form:
    """A command; a field is a type, or a type with its default."""
    return action, fields


def stage_form(action: Callable[..., Any], **fields: Any) -> Form:
    """A command that changes the stage; `rev` is the stage's revision on the facilitator's screen (optimistic lock)."""
    return action, {**fields, "rev": (Rev | None, None)}


FACILITATION: dict[str, Form] = {
    "start": stage_form(facilitation.start),
    "end": stage_form(facilitation.end),
    "joining": stage_form(facilitation.joining),
    "launch": stage_form(facilitation.launch, item=Id),
    "close": stage_form(facilitation.close),
    "close_in": stage_form(facilitation.close_in, seconds=(Seconds, 20)),
    "reopen": stage_form(facilitation.reopen),
    "reveal": stage_form(partial(facilitation.show_result, shown=True)),
    "hide": stage_form(partial(facilitation.show_result, shown=False)),
    "undo": form(undo.undo, rev=Rev),
    "quick_poll": stage_form(
        facilitation.quick_poll,
        text=Annotated[str, Meta(max_length=8000)],
        options=(Annotated[str, Meta(max_length=6000)], ""),
        type=(Literal["", *POLL_TYPES], ""),
    ),
    "head_count": form(
        facilitation.head_count, people=(Annotated[int, Meta(ge=0, le=1_000_000)] | None, None)
    ),
    "timer": form(facilitation.start_timer, seconds=Seconds),
    "add_time": form(facilitation.add_time, seconds=(Annotated[int, Meta(ge=-3600, le=4 * 3600)], 60)),
    "stop_timer": form(facilitation.stop_timer),
    "check_texts": form(moderation.check_texts, refs=list[TextRef], shown=bool),
    "words_at_once": form(moderation.words_at_once, poll=Id, on=bool),
    "decide": form(
        moderation.decide,
        ref=TextRef,
        state=Literal["pending", "shown", "hidden", "redacted", "flagged"],
        words=(Annotated[str, Meta(max_length=2000)], ""),
    ),
    "clear_rehearsal": form(rehearsal.clear_rehearsal),
    # --- small groups
    "make_groups": form(
        groups.make,
        how=Literal["random", "balanced", "by_role", "by_table", "by_hand", "self_chosen", "kept", "merged"],
        size=(Annotated[int, Meta(ge=2, le=100)] | None, None),
        groups=(Annotated[int, Meta(ge=1, le=200)] | None, None),
    ),
    # group 0: out of all groups, while people are assigned by hand
    "move_person": form(groups.move, group=Annotated[int, Meta(ge=0, le=2**53)], places=(Ids, ())),
    "name_group": form(
        groups.name_group, group=Id, name=(Annotated[str, Meta(max_length=60)], ""), link=(Short, "")
    ),
    "give_prompts": form(groups.give_prompts, prompts=(Ids, ()), to=(Ids, ()), back=(bool, False)),
    "open_groups": form(groups.open_round, seconds=(Seconds | None, None), think_first=(bool, False)),
    "share_notes": form(groups.share_notes),
    "probe": form(partial(groups.call, kind="probe"), text=(Short, ""), group=(Id | None, None)),
    "message": form(partial(groups.call, kind="message"), text=(Short, ""), group=(Id | None, None)),
    "recall": form(groups.recall),
    "close_groups": form(groups.close_round),
    "answer_help": form(groups.answer_help, group=Id),
    "free_scribe": form(groups.free_scribe, group=Id),
    "present": form(groups.present, group=(Id | None, None), ref=(TextRef | None, None)),
    "propose": form(groups.propose, ref=TextRef, on=(bool, True)),
    "agreement_poll": stage_form(groups.agreement_poll, ref=TextRef),
}

STAFF_COMMANDS = frozenset(FACILITATION)

StaffForm: Any = Union[  # noqa: UP007 - made from the table
    tuple(
        msgspec.defstruct(
            name,
            [(field, *(kind if isinstance(kind, tuple) else (kind,))) for field, kind in fields.items()],
            bases=(Command,),
            tag=name,
        )
        for name, (_action, fields) in FACILITATION.items()
    )
]


def staff_command(name: str, data: Mapping[str, Any]) -> Command:
    """Parse and validate a facilitator's command from the fields of a form. Raises `BadCommand`."""
    try:
        return msgspec.convert({**data, "t": name}, StaffForm, strict=False)
    except msgspec.ValidationError as error:
        raise BadCommand(_explain(str(error), name)) from None


def _explain(error: str, name: str) -> str:
    """A validation error as one plain sentence for the facilitator; msgspec names the field at the end of its own."""
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


def run_staff_command(workshop_id: int, by: Any, command: Command) -> Any:
    """Run the command's action. Raises `stage.GestureRejected` with a sentence for the facilitator."""
    action, _fields = FACILITATION[str(command.__struct_config__.tag)]
    try:
        return action(workshop_id, by, **msgspec.structs.asdict(command))
    except InvalidTransition:
        raise stage.GestureRejected(
            _("That does not fit what is on stage now. Look, and press again.")
        ) from None
