"""What people do in their small group: one desk beside the ballot of every phone.

It does what its page does (`workshops/static/workshops/group.js`): what somebody did waits in an outbox in the order
in which they did it, one item is on its way at a time, by socket and by POST in turns with the same `op`, and leaves
only with an answer. Who is told that somebody else changed a note meanwhile decides: their words again, or not.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import pictures
from .record import FAIL, INFO, INVOKE, OK

if TYPE_CHECKING:
    from .clients import Phone

PATIENCE = 1.5  # seconds until what had no answer is sent again
MANY = 25  # notes on a pad from which on people rather take theirs back: forty are the limit
WAITING = 6  # in the outbox, from which on people wait too


@dataclass
class Item:
    """Something on its way."""

    frame: dict[str, Any]
    tries: int = 0
    timer: asyncio.TimerHandle | None = None


class Desk:
    """`every`: seconds between two things that its person does, on average."""

    def __init__(self, phone: Phone, every: float) -> None:
        self.phone, self.every, self.rng = phone, every, phone.rng
        self.place: dict[str, Any] = {"group": 0}
        self.outbox: list[Item] = []
        self._sent: dict[str, dict[str, Any]] = {}  # frames by their operation

    @property
    def pad(self) -> pictures.Pad:
        return pictures.pad_of(self.phone.pictures.get("group", ""))

    async def write_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(self.rng.uniform(0, 2 * self.every))
            if self.place["group"] > 0 and len(self.outbox) < WAITING:
                self._do_something(self.pad, self.rng.random())

    def _do_something(self, pad: pictures.Pad, chance: float) -> None:
        me = self.place["tag"]
        mine = [note for note in pad.notes if note.by == me]
        others = [note for note in pad.notes if note.by != me]
        changeable = pad.notes if pad.scribe == me else mine
        if changeable and chance < 0.35:
            note = self.rng.choice(changeable)
            self.put("edit_note", note=note.number, rev=note.revision)
        elif others and chance < 0.55:
            number = self.rng.choice(others).number
            self.put("agree", note=number, on=number not in self.place["agreed"])
        elif mine and (chance < 0.6 or len(pad.notes) > MANY):
            self.put("take_back", note=self.rng.choice(mine).number)
        elif len(pad.notes) <= MANY:
            astray = self.rng.random() < 0.05  # a pad that may not be theirs
            self.put("note", group=self.rng.choice(self.phone.room.groups) if astray else self.place["group"])

    def put(self, do: str, **what: Any) -> None:
        op = f"{self.phone.name}.n{len(self._sent) + 1}"
        words = {"text": pictures.SAYING.format(op)} if do in ("note", "edit_note") else {}
        self._sent[op] = {"t": do, "op": op, **what, **words}
        self.outbox.append(Item(self._sent[op]))
        if len(self.outbox) == 1:
            self.flush()

    # -- one after the other -----------------------------------------------------------------------------------

    def flush(self) -> None:
        """Send what is next, also if it was sent: a new line knows nothing of it."""
        if self.outbox:
            self._deliver(self.outbox[0])

    def _deliver(self, item: Item) -> None:
        if item not in self.outbox[:1]:
            return
        item.tries += 1
        self._note(INVOKE, item.frame, more=_asked(item.frame))
        by_socket = item.tries % 2 == 1 and self.phone.wire is not None
        self.phone.start(self.phone.say(item.frame) if by_socket else self.phone.send_by_post(item.frame))
        self.phone.after(PATIENCE, item, lambda: self._no_answer(item, by_socket))

    def _no_answer(self, item: Item, by_socket: bool) -> None:
        self._note(INFO, item.frame, code="silence")
        if by_socket:
            self.phone.drop()
        self.phone.retry(item, lambda: self._deliver(item))

    def _note(self, kind: str, frame: dict[str, Any], **what: Any) -> None:
        self.phone.history.note(self.phone.voter, kind, frame["t"], op=frame["op"], **what)

    # -- what it hears -------------------------------------------------------------------------------------------

    def hear(self, frame: dict[str, Any]) -> bool:
        """Whether this was for the desk."""
        if frame["t"] == "place":
            self.place = frame
            return True
        sent = self._sent.get(frame.get("op", ""))
        if sent is None:
            return False
        if frame["t"] == "ack":
            self._stored(sent, frame)
        else:
            self._refused(sent, frame)
        return True

    def _stored(self, sent: dict[str, Any], answer: dict[str, Any]) -> None:
        self._note(OK, sent, more={"note": answer["note"], "rev": answer["rev"]})
        if sent["t"] == "agree" and self._is_next(sent):
            others = [number for number in self.place["agreed"] if number != sent["note"]]
            self.place = self.place | {"agreed": sorted(others + [sent["note"]] * sent["on"])}
        self._take_out(sent)

    def _refused(self, sent: dict[str, Any], answer: dict[str, Any]) -> None:
        code = answer["code"]
        if code in ("busy", "rate"):
            self._note(INFO, sent, code=code)
            if self._is_next(sent):
                wait = answer.get("retry_after", 1.0) * self.rng.uniform(0.5, 1.5)
                self.phone.retry(self.outbox[0], self.flush, wait)
            return
        self._note(FAIL, sent, code=code)
        if code == "conflict" and self._is_next(sent) and self.rng.random() < 0.5:
            self.put("edit_note", note=answer["note"], rev=answer["rev"])
        self._take_out(sent)

    def _is_next(self, sent: dict[str, Any]) -> bool:
        return bool(self.outbox) and self.outbox[0].frame is sent

    def _take_out(self, sent: dict[str, Any]) -> None:
        if self._is_next(sent):
            item = self.outbox.pop(0)
            if item.timer:
                item.timer.cancel()
            self.flush()

    @property
    def waiting(self) -> list[str]:
        return [item.frame["op"] for item in self.outbox]

    def says(self) -> dict[str, Any]:
        """Its pad: the group, `[number, text, how many agree]` of every note in order, own agreements."""
        pad = self.pad
        notes = [[note.number, note.text, note.agreeing] for note in pad.notes]
        return {"group": pad.group, "notes": notes, "agreed": self.place.get("agreed", [])}


def _asked(frame: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in frame.items() if key not in ("t", "op")}
