"""People in a workshop while things go wrong: phones, a wall and consoles, over real websockets and forms.

A phone does what its page does (`workshops/static/workshops/phone.js`): an answer stays in the outbox until it is
acknowledged or refused, is sent again with the same `op` by socket and by POST in turns, a newer answer takes its
place, and a lost connection comes back with full jitter. Only its patience is shorter, so that minutes suffice.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from .desks import Desk
from .desks import Item as Doing
from .pictures import CHOICES, REV, SAID, cast_of, counts_of, stage_of
from .record import FAIL, INFO, INVOKE, OK, SAW, History

PATIENCE = 1.5  # seconds until an answer without a receipt is sent again
SHORTEST, LONGEST = 0.2, 2.0  # seconds between two tries to connect: drawn from 0 to these
DEAF, PING = 4.0, 1.0  # seconds: a line that says nothing for so long is dropped; how often it is asked
OPENING = 3.0  # seconds a handshake may take
LOST = (OSError, TimeoutError, WebSocketException, asyncio.IncompleteReadError, asyncio.LimitOverrunError)

TOKEN = "a" * 32  # any will do, where cookie and form agree


@dataclass
class Room:
    """What everybody knows of the workshop: its addresses, its polls in the order of the agenda, groups, ways to a server."""

    code: str
    wall_key: str
    polls: list[int]
    items: list[int]
    groups: list[int]
    #: ports to connect to; whoever connects takes one by chance, as a balancer would give them
    doors: list[int] = field(default_factory=list)


# --- one connection that comes back by itself ------------------------------------------------------------------------


class Client:
    """A screen that is always about to be connected."""

    voter = ""  # whose it is; nobody's

    def __init__(
        self, name: str, room: Room, history: History, rng: random.Random, path: str, cookie: str = ""
    ):
        self.name, self.room, self.history, self.rng = name, room, history, rng
        self.path, self.cookie = path, cookie
        self.wire: ClientConnection | None = None
        self.pictures: dict[str, str] = {}
        self._seen: dict[str, str] = {}
        self._read: set[str] = set()
        self._heard = 0.0
        self._failures = 0

    async def run(self) -> None:
        while True:
            with contextlib.suppress(*LOST):
                await self._session()
            self.wire = None
            self._failures += 1
            await asyncio.sleep(self.rng.uniform(0, min(LONGEST, SHORTEST * 2**self._failures)))

    async def _session(self) -> None:
        door = self.rng.choice(self.room.doors)
        opening = connect(
            f"ws://127.0.0.1:{door}{self.path}",
            origin=f"http://127.0.0.1:{door}",  # type: ignore[arg-type]
            additional_headers={"Cookie": self.cookie} if self.cookie else {},
            compression=None, open_timeout=OPENING, close_timeout=0.5, ping_interval=None, proxy=None,
        )  # fmt: skip
        async with opening as wire:
            self.wire, self._failures = wire, 0
            watch = asyncio.ensure_future(self._watch(wire))
            try:
                await self.opened()
                async for text in wire:
                    self._heard = asyncio.get_running_loop().time()
                    self.hear(json.loads(text))
            finally:
                watch.cancel()

    async def _watch(self, wire: ClientConnection) -> None:
        """Half-open lines look alive for minutes: what says nothing is dropped."""
        loop = asyncio.get_running_loop()
        self._heard = loop.time()
        while loop.time() - self._heard < DEAF:
            with contextlib.suppress(*LOST):
                await wire.send('{"t":"ping"}')
            await asyncio.sleep(PING)
        wire.transport.abort()

    async def opened(self) -> None:
        await self.say({"t": "hello", "seen": self._seen})

    async def say(self, frame: dict[str, Any]) -> bool:
        if self.wire is None:
            return False
        with contextlib.suppress(*LOST):
            async with asyncio.timeout(PATIENCE):
                await self.wire.send(json.dumps(frame))
            return True
        return False

    def drop(self) -> None:
        if self.wire:
            self.wire.transport.abort()

    def hear(self, frame: dict[str, Any]) -> None:
        if frame["t"] == "screen":
            self.pictures[frame["topic"]] = frame["html"]
            self._seen[frame["topic"]] = frame["rev"]
            self._read_words(frame["html"])

    def _read_words(self, picture: str) -> None:
        """Write down whose words from groups stand on this screen, each once."""
        for op in set(SAID.findall(picture)) - self._read:
            self._read.add(op)
            self.history.note(self.name, SAW, "words", op=op, more={"voter": self.voter})

    @property
    def stage(self) -> list[Any]:
        return stage_of(self.pictures.get("stage", ""), self.room.polls)

    def show(self) -> None:
        """Write down what this screen says now."""
        self.history.note(self.name, SAW, "screen", more=self.says())

    def says(self) -> dict[str, Any]:
        tally = self.pictures.get("tally", "")
        return {
            "stage": self.stage, "cast": cast_of(tally), "counts": counts_of(tally),
            "papers": None, "voter": self.voter, "outbox": [], "pad": None,
        }  # fmt: skip

    async def post(self, path: str, body: str, kind: str, seconds: float, **headers: str) -> tuple[int, str]:
        """Status and body of the answer. Raises what is in `LOST`."""
        door = self.rng.choice(self.room.doors)
        head = {
            "Host": f"127.0.0.1:{door}", "Origin": f"http://127.0.0.1:{door}", "Connection": "close",
            "Cookie": f"csrf={TOKEN}; {self.cookie}", "Content-Type": kind,
            "Content-Length": str(len(body.encode())), **headers,
        }  # fmt: skip
        lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", body]
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection("127.0.0.1", door)
            try:
                writer.write("\r\n".join(lines).encode())
                top = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = re.search(r"(?im)^content-length: *(\d+)", top)
                answer = await reader.readexactly(int(length[1])) if length else await reader.read()
            finally:
                writer.transport.abort()
        return int(top.split()[1]), answer.decode()


class Wall(Client):
    """Writes down every count it shows."""

    def __init__(self, name: str, room: Room, history: History, rng: random.Random) -> None:
        super().__init__(name, room, history, rng, f"/live/wall/{room.wall_key}/")

    def hear(self, frame: dict[str, Any]) -> None:
        super().hear(frame)
        if frame["t"] == "screen" and frame["topic"] == "tally":
            self.show()


# --- phones ------------------------------------------------------------------------------------------------------------


@dataclass
class Item:
    """An answer in the outbox."""

    op: str
    poll: int
    seq: int
    value: Any
    tries: int = 0
    is_refused: bool = False
    timer: asyncio.TimerHandle | None = None


class Phone(Client):
    """One tab of one voter. `every`: seconds between two answers, `write`: between two things done in their group."""

    def __init__(
        self,
        name: str,
        voter: str,
        room: Room,
        history: History,
        rng: random.Random,
        cookie: str,
        every: float,
        write: float,
    ) -> None:
        super().__init__(name, room, history, rng, f"/live/phone/{room.code}/", cookie)
        self.voter, self.every = voter, every
        self.desk = Desk(self, write)
        self.outbox: dict[int, Item] = {}
        self.papers: dict[int, list[Any]] = {}
        self._seq = 0
        self._number = 0
        self._tasks: set[asyncio.Task] = set()

    async def answer_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(self.rng.uniform(0, 2 * self.every))
            poll, state = self.stage
            if self.rng.random() < 0.1:
                poll, state = self.rng.choice(self.room.polls), "ballot"  # late, early, or on an old page
            if poll and (state == "ballot" or self.rng.random() < 0.2):
                self.answer(poll, "never" if self.rng.random() < 0.02 else self.rng.choice(list(CHOICES)))

    def answer(self, poll: int, value: Any) -> None:
        known = self.papers.get(poll, [0])[0], self.outbox[poll].seq if poll in self.outbox else 0
        self._seq = max(self._seq, *known) + 1
        self._number += 1
        self._take_out(poll)
        self.outbox[poll] = Item(f"{self.name}.{self._number}", poll, self._seq, value)
        self._deliver(self.outbox[poll])

    def _deliver(self, item: Item) -> None:
        if self.outbox.get(item.poll) is not item or item.is_refused:
            return
        item.tries += 1
        self.history.note(
            self.voter, INVOKE, "vote", op=item.op, poll=item.poll, seq=item.seq, value=item.value
        )
        frame = {
            "t": "vote",
            "op": item.op,
            "poll": item.poll,
            "seq": item.seq,
            "fields": {"choice": [item.value]},
        }
        by_socket = item.tries % 2 == 1 and self.wire is not None
        self.start(self.say(frame) if by_socket else self.send_by_post(frame))
        self.after(PATIENCE, item, lambda: self._no_answer(item, by_socket))

    def _no_answer(self, item: Item, by_socket: bool) -> None:
        self.history.note(self.voter, INFO, "vote", op=item.op, poll=item.poll, code="silence")
        if by_socket:
            self.drop()
        self.retry(item, lambda: self._deliver(item))

    def retry(self, item: Item | Doing, do: Callable[[], None], wait: float | None = None) -> None:
        longest = min(LONGEST, SHORTEST * 2**item.tries)
        self.after(self.rng.uniform(0.05, longest) if wait is None else min(LONGEST, wait), item, do)

    def after(self, seconds: float, item: Item | Doing, do: Callable[[], None]) -> None:
        if item.timer:
            item.timer.cancel()
        item.timer = asyncio.get_running_loop().call_later(seconds, do)

    def start(self, doing: Any) -> None:
        task = asyncio.ensure_future(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def send_by_post(self, frame: dict[str, Any]) -> None:
        path, token = f"/w/{self.room.code}/vote/", {"X-CSRFToken": TOKEN}
        with contextlib.suppress(*LOST, ValueError):  # a page instead of JSON: sent again when patience ends
            _status, answer = await self.post(
                path, json.dumps(frame), "application/json", 3 * PATIENCE, **token
            )
            self.hear(json.loads(answer))

    def _take_out(self, poll: int) -> None:
        item = self.outbox.pop(poll, None)
        if item and item.timer:
            item.timer.cancel()

    # -- what it hears ------------------------------------------------------------------------------------------

    async def opened(self) -> None:
        await super().opened()
        for item in list(self.outbox.values()):
            self._deliver(item)
        self.desk.flush()

    def hear(self, frame: dict[str, Any]) -> None:
        super().hear(frame)
        if self.desk.hear(frame):
            return
        if frame["t"] == "ack":
            self._acknowledged(frame)
        elif frame["t"] == "nack" and frame["op"]:
            self._refused(frame)
        elif frame["t"] == "mine":
            for paper in frame["papers"]:
                self._keep(paper)
        elif frame["t"] == "screen" and frame["topic"] == "stage" and self.stage[1] == "ballot":
            self.start(self.say({"t": "shown", "poll": self.stage[0]}))

    def _acknowledged(self, frame: dict[str, Any]) -> None:
        receipt = {key: frame[key] for key in ("rev", "seq", "status", "said")} | {"value": _value(frame)}
        self.history.note(self.voter, OK, "vote", op=frame["op"], poll=frame["poll"], more=receipt)
        self._keep(frame)
        if (item := self.outbox.get(frame["poll"])) and item.op == frame["op"]:
            self._take_out(frame["poll"])

    def _refused(self, frame: dict[str, Any]) -> None:
        code, poll = frame["code"], frame["poll"]
        may_come = code in ("busy", "rate")
        kind = INFO if may_come else FAIL
        self.history.note(self.voter, kind, "vote", op=frame["op"], poll=poll, code=code)
        item = self.outbox.get(poll)
        if item is None or item.op != frame["op"]:
            return
        if may_come:
            wait = frame.get("retry_after", 1.0) * self.rng.uniform(0.5, 1.5)
            self.retry(item, lambda: self._deliver(item), wait)
        elif code in ("invalid", "stale"):
            self._take_out(poll)
        else:
            item.is_refused = True
            if item.timer:
                item.timer.cancel()

    def _keep(self, paper: dict[str, Any]) -> None:
        if self.papers.get(paper["poll"], [0])[0] <= paper["seq"]:
            self.papers[paper["poll"]] = [paper["seq"], _value(paper)]
            self._seq = max(self._seq, paper["seq"])

    @property
    def waiting(self) -> list[str]:
        answers = [item.op for item in self.outbox.values() if not item.is_refused]
        return answers + self.desk.waiting

    def says(self) -> dict[str, Any]:
        return super().says() | {
            "papers": dict(self.papers), "outbox": self.waiting, "pad": self.desk.says()
        }  # fmt: skip


# --- facilitators ---------------------------------------------------------------------------------------------------------


class Console(Client):
    """A facilitator who presses what fits what they see; every gesture carries the stage it was meant for."""

    def __init__(
        self, name: str, room: Room, history: History, rng: random.Random, cookie: str, every: float
    ) -> None:
        super().__init__(name, room, history, rng, f"/live/console/{room.code}/", cookie)
        self.every = every
        self._number = 0

    async def press_now_and_then(self) -> None:
        while True:
            poll, state = self.stage
            if state and (chosen := self._choose(poll, state)):
                await self.press(*chosen)
            await asyncio.sleep(self.rng.uniform(0, 2 * self.every))

    def _choose(self, poll: int, state: str) -> tuple[str, int] | None:
        """A gesture, and the poll that a launch puts on stage; `None`: let them vote."""
        chance = self.rng.random()
        if state == "ballot" and chance < 0.7:
            return ("close", 0) if chance < 0.3 else None
        if state == "closed" and chance < 0.7:
            return "reopen", 0
        return "launch", self.rng.choice([other for other in self.room.polls if other != poll])

    async def press(self, name: str, launched: int = 0) -> None:
        poll, rev = self.stage[0], REV.search(self.pictures["stage"])
        self._number += 1
        op = f"{self.name}.{self._number}"
        self.history.note(self.name, INVOKE, name, op=op, poll=poll, more={"item": launched})
        fields = {"csrfmiddlewaretoken": TOKEN, "rev": rev[1] if rev else ""}
        if launched:
            fields["item"] = str(self.room.items[self.room.polls.index(launched)])
        path, form = f"/workshops/{self.room.code}/do/{name}/", urllib.parse.urlencode(fields)
        try:
            status, _page = await self.post(path, form, "application/x-www-form-urlencoded", 4.0)
        except LOST as error:
            self.history.note(self.name, INFO, name, op=op, code=type(error).__name__)
            return
        kind = {302: OK, 422: FAIL}.get(status, INFO)
        self.history.note(self.name, kind, name, op=op, code="" if kind == OK else str(status))


def _value(paper: dict[str, Any]) -> Any:
    """The answer that this paper's fields hold; every question here has one choice."""
    return paper["fields"]["choice"][0]
