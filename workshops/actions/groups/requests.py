"""Requests of members of a group, and the outcomes of these. Plain values; `notes.write` executes them.

Every request has an idempotency key, `op`: sent again, it gets the same outcome and has no second effect.
"""

from __future__ import annotations

from dataclasses import dataclass

from polls.ballot_box import Refusal


@dataclass(frozen=True, slots=True)
class GroupRequest:
    workshop_id: int
    voter: str
    op: str


@dataclass(frozen=True, slots=True)
class Add(GroupRequest):
    """A new note in this group."""

    group: int
    text: str


@dataclass(frozen=True, slots=True)
class Edit(GroupRequest):
    """An edit of a note by its author or the scribe, based on revision `rev`."""

    note: int
    rev: int
    text: str


@dataclass(frozen=True, slots=True)
class TakeBack(GroupRequest):
    note: int


@dataclass(frozen=True, slots=True)
class Agree(GroupRequest):
    note: int
    on: bool


@dataclass(frozen=True, slots=True)
class Move(GroupRequest):
    """The scribe puts a note at this place in the list, from 0."""

    note: int
    place: int


@dataclass(frozen=True, slots=True)
class Pick(GroupRequest):
    """This is the sentence that the group brings to the plenary; `on` false takes it back."""

    note: int
    on: bool


@dataclass(frozen=True, slots=True)
class Scribe(GroupRequest):
    """Become the scribe of a group that has none, or hand over."""

    group: int
    on: bool


@dataclass(frozen=True, slots=True)
class Help(GroupRequest):
    group: int
    on: bool


@dataclass(frozen=True, slots=True)
class Choose(GroupRequest):
    """Sit down in this group, where people choose."""

    group: int


@dataclass(frozen=True, slots=True)
class StandUp(GroupRequest):
    """Give up one's place where people choose, to choose another."""


@dataclass(frozen=True, slots=True)
class Table(GroupRequest):
    """The number on one's table, where groups are tables."""

    table: int


@dataclass(frozen=True, slots=True)
class Done:
    op: str
    group: int = 0
    note: int = 0
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Conflict:
    """An edit conflict: the note was changed meanwhile; the losing revision is kept beside it."""

    op: str
    note: int
    revision: int
    text: str


Outcome = Done | Conflict | Refusal


class Rejected(Exception):
    """Why something is not done; it becomes a `Refusal`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code, self.message = code, message
