"""What facilitators may do with small groups: the shapes of these commands, and what each does."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from .actions import groups
from .shapes import Gesture, Id, NoteRef, Run, Seconds, Shape, WordsRef


class MakeGroups(Shape, tag="make_groups"):
    how: Literal["random", "balanced", "by_role", "by_table", "by_hand", "self_chosen", "kept", "merged"]
    size: Annotated[int, Meta(ge=2, le=100)] | None = None
    groups: Annotated[int, Meta(ge=1, le=200)] | None = None


class MovePerson(Shape, tag="move_person"):
    group: Annotated[int, Meta(ge=0, le=2**53)]  # 0: out of the groups, while people are seated by hand
    places: Annotated[list[Id], Meta(max_length=1000)] = []


class NameGroup(Shape, tag="name_group"):
    group: Id
    name: Annotated[str, Meta(max_length=60)] = ""
    link: Annotated[str, Meta(max_length=500)] = ""


class GivePrompts(Shape, tag="give_prompts"):
    """Ticked prompts go round among the ticked groups (`to`; none: all of them)."""

    prompts: Annotated[list[Id], Meta(max_length=1000)] = []
    to: Annotated[list[Id], Meta(max_length=1000)] = []
    back: bool = False


class OpenGroups(Shape, tag="open_groups"):
    seconds: Seconds | None = None
    think_first: bool = False


class ShareNotes(Shape, tag="share_notes"): ...


class SendProbe(Shape, tag="probe"):
    text: Annotated[str, Meta(max_length=500)] = ""
    group: Id | None = None


class SendMessage(Shape, tag="message"):
    text: Annotated[str, Meta(max_length=500)] = ""
    group: Id | None = None


class Recall(Shape, tag="recall"): ...


class CloseGroups(Shape, tag="close_groups"): ...


class AnswerHelp(Shape, tag="answer_help"):
    group: Id


class FreeScribe(Shape, tag="free_scribe"):
    group: Id


class Present(Shape, tag="present"):
    group: Id | None = None
    ref: NoteRef | None = None


class Propose(Shape, tag="propose"):
    ref: WordsRef
    on: bool = True


class AgreementPoll(Gesture, tag="agreement_poll"):
    ref: WordsRef


GROUPS: dict[type[Shape], Run] = {
    MakeGroups: lambda workshop, by, data: groups.make(
        workshop, by, data.how, size=data.size, groups=data.groups
    ),
    MovePerson: lambda workshop, by, data: groups.move(workshop, by, data.places, data.group),
    NameGroup: lambda workshop, by, data: groups.name_group(workshop, by, data.group, data.name, data.link),
    GivePrompts: lambda workshop, by, data: groups.give_prompts(
        workshop, by, data.prompts, data.to, back=data.back
    ),
    OpenGroups: lambda workshop, by, data: groups.open_round(
        workshop, by, seconds=data.seconds, think_first=data.think_first
    ),
    ShareNotes: lambda workshop, by, data: groups.share(workshop, by),
    SendProbe: lambda workshop, by, data: groups.call(workshop, by, "probe", data.text, data.group),
    SendMessage: lambda workshop, by, data: groups.call(workshop, by, "message", data.text, data.group),
    Recall: lambda workshop, by, data: groups.recall(workshop, by),
    CloseGroups: lambda workshop, by, data: groups.close_round(workshop, by),
    AnswerHelp: lambda workshop, by, data: groups.answer_help(workshop, by, data.group),
    FreeScribe: lambda workshop, by, data: groups.free_scribe(workshop, by, data.group),
    Present: lambda workshop, by, data: groups.present(workshop, by, data.group, data.ref),
    Propose: lambda workshop, by, data: groups.propose(workshop, by, data.ref, data.on),
    AgreementPoll: lambda workshop, by, data: groups.agreement_poll(workshop, by, data.ref, data.rev),
}

GroupForm = (
    MakeGroups | MovePerson | NameGroup | GivePrompts | OpenGroups | ShareNotes | SendProbe | SendMessage | Recall
    | CloseGroups | AnswerHelp | FreeScribe | Present | Propose | AgreementPoll
)  # fmt: skip
