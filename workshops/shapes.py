"""What shapes of commands are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from msgspec import Meta, Struct

#: a UUID in practice; only what can stand in a column and a log line
Op = Annotated[str, Meta(max_length=36, pattern=r"\A[!-~]+\Z")]
Id = Annotated[int, Meta(ge=1, le=2**53)]
Seq = Annotated[int, Meta(ge=0, le=2**53)]
Rev = Annotated[int, Meta(ge=0, le=2**31)]
Seconds = Annotated[int, Meta(ge=5, le=4 * 3600)]
#: words as a screen showed them: a wording of a note, or a text of a question
NoteRef = Annotated[str, Meta(pattern=r"\Anote-[0-9]{1,15}-[0-9]{1,9}\Z")]
WordsRef = Annotated[str, Meta(pattern=r"\A(?:text-[0-9]{1,15}-[0-9a-f]{16}|note-[0-9]{1,15}-[0-9]{1,9})\Z")]


class Shape(Struct, frozen=True, forbid_unknown_fields=True, tag_field="t"):
    """What a command carries; its tag is its name."""


class Gesture(Shape, kw_only=True):
    """A gesture that moves the stage; `rev` is the stage that the facilitator's screen showed."""

    rev: Rev | None = None


#: does a facilitator's command: (workshop, by whom, what it carries)
Run = Callable[[int, Any, Any], Any]
