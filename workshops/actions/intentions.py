"""What people in a small group ask for, and what they are answered. Plain values; `groupwork.write` does them.

Every one has an `op`: sent again it has the same answer and no second effect.
"""

from __future__ import annotations

from dataclasses import dataclass

from polls.ballot_box import Refusal


@dataclass(frozen=True, slots=True)
class Intention:
    workshop_id: int
    voter: str
    op: str


@dataclass(frozen=True, slots=True)
class Add(Intention):
    """A new note in this group."""

    group: int
    text: str


@dataclass(frozen=True, slots=True)
class Edit(Intention):
    """Other words for a note, by its author or the scribe, who saw wording `revision`."""

    note: int
    revision: int
    text: str


@dataclass(frozen=True, slots=True)
class TakeBack(Intention):
    note: int


@dataclass(frozen=True, slots=True)
class Agree(Intention):
    note: int
    on: bool


@dataclass(frozen=True, slots=True)
class Move(Intention):
    """The scribe puts a note at this place in the list, from 0."""

    note: int
    place: int


@dataclass(frozen=True, slots=True)
class Pick(Intention):
    """This is the sentence that the group brings to the plenary; `on` false takes it back."""

    note: int
    on: bool


@dataclass(frozen=True, slots=True)
class Scribe(Intention):
    """Become the scribe of a group that has none, or hand over."""

    group: int
    on: bool


@dataclass(frozen=True, slots=True)
class Help(Intention):
    group: int
    on: bool


@dataclass(frozen=True, slots=True)
class Choose(Intention):
    """Sit down in this group, where people choose."""

    group: int


@dataclass(frozen=True, slots=True)
class StandUp(Intention):
    """Give up one's place where people choose, to choose another."""


@dataclass(frozen=True, slots=True)
class Table(Intention):
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
    """Not taken over: somebody changed the note meanwhile; what was sent is kept beside it."""

    op: str
    note: int
    revision: int
    text: str


Outcome = Done | Conflict | Refusal


class No(Exception):
    """Why something is not done; it becomes a `Refusal`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code, self.message = code, message
