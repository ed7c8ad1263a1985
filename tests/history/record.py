"""What was done, answered and seen, in the order of one clock.

A history is a list of `Event`s of one process, so their times can be compared: what ended before something else
began really came first. An operation begins with `invoke` and ends with `ok` (it happened), `fail` (refused, with a
code) or `info` (nobody knows: no answer, or one that leaves it open); a vote may be sent, and answered, several times.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

INVOKE, OK, FAIL, INFO, SAW = "invoke", "ok", "fail", "info", "saw"


@dataclass(frozen=True, slots=True)
class Event:
    """`at`: seconds since the history began. `who` did or saw it. `do`: vote, launch, close, reopen, end …

    What else is known depends on what was done:
    vote      poll, op, seq, value; its `ok` has the receipt in `more`, its `fail` the code
    gestures  poll: the one that was on stage; `more["item"]`: the poll that a launch puts there
    in a group (`groups.DEEDS`)  `more`: what was asked; the `ok` has `note` and `rev`
    audit     `more`: the rows of all `ballots`, `polls` by number, the `stage`, and for groups the tables of `notes`, all of
              one moment
    words     `op`: whose words stand on a screen; `more["voter"]`: of whom the screen is
    screen    what a client shows: `more` has its `stage`, how many have `cast` and the `counts` (`None`: it does not
              say), and for a phone its `voter`, own `papers` as {poll: [seq, value]}, the `outbox` and the `pad`
    fault     `code` says in words what goes wrong, or is well again
    """

    at: float
    who: str
    kind: str
    do: str
    op: str = ""
    poll: int = 0
    seq: int = 0
    value: Any = None
    code: str = ""
    more: dict[str, Any] = field(default_factory=dict)


class History:
    """Where everybody writes down what happens to them."""

    def __init__(self) -> None:
        self.begun = time.monotonic()
        self.events: list[Event] = []

    def note(self, who: str, kind: str, do: str, **what: Any) -> Event:
        event = Event(round(time.monotonic() - self.begun, 6), who, kind, do, **what)
        self.events.append(event)
        return event

    def counts(self) -> dict[str, int]:
        """How often what happened: `{"vote invoke": 812, "vote fail closed": 41, "fault": 12, …}`."""
        return dict(Counter(_words(event) for event in self.events))


def _words(event: Event) -> str:
    if event.do == "fault":
        return "fault"
    return " ".join(filter(None, [event.do, event.kind, event.code]))


def save(events: Iterable[Event], path: Path) -> None:
    """One event a line, as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        for event in events:
            file.write(json.dumps(asdict(event), separators=(",", ":")) + "\n")


def load(path: Path) -> list[Event]:
    return [Event(**json.loads(line)) for line in path.read_text().splitlines()]
