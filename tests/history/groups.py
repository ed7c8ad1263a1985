"""A history in the shape that promises about small groups ask for: who did what, what was stored when, who saw it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .record import FAIL, INVOKE, OK, SAW, Event

DEEDS = ("note", "edit_note", "take_back", "agree")
FOREVER = float("inf")


class Note(NamedTuple):
    number: int
    group: int
    author: str
    op: str
    text: str
    revision: int
    position: int
    is_taken_back: bool


class Wording(NamedTuple):
    note: int
    revision: int
    text: str
    by: str
    op: str
    is_kept: bool


@dataclass(slots=True)
class Deed:
    """One thing that somebody did in their group, however often it was sent."""

    op: str
    who: str
    do: str
    asked: dict[str, Any]
    sent_at: float
    sent: int = 0
    answers: int = 0
    last_answer_at: float = 0.0
    acked_at: float = FOREVER
    refused_at: float = FOREVER
    code: str = ""
    receipts: list[dict[str, Any]] = field(default_factory=list)

    @property
    def note(self) -> int:
        return self.receipts[0]["note"] if self.do == "note" else self.asked["note"]

    @property
    def may_act_until(self) -> float:
        return self.last_answer_at if self.answers >= self.sent else FOREVER

    def __str__(self) -> str:
        return f"Voter {self.who[:8]}: {self.do} {self.op}"


@dataclass(frozen=True)
class Look:
    """The tables of groups at one moment between `since` and `until`."""

    since: float
    until: float
    notes: list[Note]
    wordings: list[Wording]
    agreements: list[tuple[int, str]]
    seats: dict[str, int]


class Story:
    """What a history says of groups."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.deeds: dict[tuple[str, str], Deed] = {}
        self.looks: list[Look] = []
        self.seen: list[Event] = []
        self.pads: dict[str, Event] = {}
        self._rows: dict[Any, Any] = {}
        begun: dict[str, float] = {}
        for event in sorted(events, key=lambda event: event.at):
            if event.do in DEEDS:
                self._deed(event)
            elif event.do == "words":
                self.seen.append(event)
            elif event.do == "screen" and event.kind == SAW and event.more.get("pad"):
                self.pads[event.who] = event
            elif event.do == "audit" and event.kind == INVOKE:
                begun[event.op] = event.at
            elif event.do == "audit" and event.kind == OK and "notes" in event.more:
                self.looks.append(self._look(begun[event.op], event))
        self.by_op = {deed.op: deed for deed in self.deeds.values()}
        self.agreeing: dict[tuple[int, str], list[Deed]] = defaultdict(list)
        for deed in self.deeds.values():
            if deed.do == "agree":
                self.agreeing[deed.note, deed.who].append(deed)

    def _deed(self, event: Event) -> None:
        key = (event.who, event.op)
        if key not in self.deeds:
            self.deeds[key] = Deed(event.op, event.who, event.do, event.more, event.at)
        deed = self.deeds[key]
        if event.kind == INVOKE:
            deed.sent += 1
        elif event.kind in (OK, FAIL):
            deed.answers += 1
            deed.last_answer_at = event.at
        if event.kind == OK:
            deed.acked_at = min(deed.acked_at, event.at)
            deed.receipts.append(event.more)
        elif event.kind == FAIL:
            deed.refused_at, deed.code = min(deed.refused_at, event.at), event.code

    def _look(self, since: float, event: Event) -> Look:
        rows = event.more
        return Look(
            since,
            event.at,
            self._shared(Note, rows["notes"]),
            self._shared(Wording, rows["wordings"]),
            [(note, voter) for note, voter in rows["agreements"]],
            dict(rows["seats"]),
        )

    def _shared(self, kind: Any, rows: Iterable[Any]) -> list[Any]:
        """Hundreds of looks at the same rows: each is made once."""
        return [self._rows.setdefault((kind, *row), kind(*row)) for row in rows]

    def acked(self, *do: str, before: float) -> Iterator[Deed]:
        return (deed for deed in self.deeds.values() if deed.do in do and deed.acked_at < before)
