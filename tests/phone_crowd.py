"""Phones in numbers, as a fault meets them: each keeps what it sends until it is acknowledged.

A phone here does what `phone.js` does on its socket: an outbox of operations, sent again with the same number
after `busy` and after every new connection, which it tries for with growing, jittered waits. What it hears is
kept for the test to judge; nothing is judged here.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from .browser.server import Server
from .patience import PATIENCE
from .socket_screens import cookie_of

SHORTEST, LONGEST = 0.5, 4.0  # seconds; a page whose slow poll is answered tries its socket as soon


class Phone:
    """One person's phone. `send` puts answers into the outbox; `run` is its life."""

    def __init__(self, crowd: Crowd, workshop: Any, who: Any) -> None:
        self.crowd, self.voter, self.cookie = crowd, who.voter, cookie_of(who)
        self.path = f"/live/phone/{workshop.code}/"
        self.outbox: dict[str, dict[str, Any]] = {}
        self.acks: dict[str, dict[str, Any]] = {}
        self.busy: list[dict[str, Any]] = []
        self.refused: list[dict[str, Any]] = []
        self.closed: list[int] = []  # close codes; 0 where the line just broke
        self.since: float | None = None  # when this phone was greeted; none: not connected
        self.failures = 0
        self.wire: ClientConnection | None = None

    def put(self, op: str, poll: int, value: Any, seq: int = 1) -> None:
        """An answer on its way."""
        self.outbox[op] = {"t": "vote", "op": op, "poll": poll, "seq": seq, "fields": {"choice": [value]}}
        self.crowd.start(self.deliver(op))

    async def deliver(self, op: str, after: float = 0.0) -> None:
        await asyncio.sleep(after)
        if self.wire and op in self.outbox:
            with contextlib.suppress(ConnectionClosed):
                await self.wire.send(json.dumps(self.outbox[op]))

    async def run(self) -> None:
        while True:
            with contextlib.suppress(OSError, InvalidHandshake, TimeoutError, EOFError):
                address = f"{self.crowd.server.socket_url}{self.path}"
                async with connect(
                    address, origin=self.crowd.server.url, additional_headers={"Cookie": self.cookie},
                    ping_interval=None, proxy=None, open_timeout=PATIENCE,
                ) as wire:  # fmt: skip
                    with contextlib.suppress(ConnectionClosed):  # `_listen` hears how it was closed
                        await wire.send(json.dumps({"t": "hello", "seen": {}}))
                    self.wire = wire
                    for op in list(self.outbox):
                        await self.deliver(op)
                    await self._listen(wire)
            self.failures += 1
            self.wire = self.since = None
            await asyncio.sleep(random.uniform(0, min(LONGEST, SHORTEST * 2**self.failures)))

    async def _listen(self, wire: ClientConnection) -> None:
        try:
            while True:
                self._hear(json.loads(await wire.recv()))
                self.crowd.changed.set()
        except ConnectionClosed as end:
            self.closed.append(end.rcvd.code if end.rcvd else 0)

    def _hear(self, frame: dict[str, Any]) -> None:
        op = frame.get("op", "")
        if frame["t"] == "hello":  # not before: a server without its database sends new screens away
            self.since, self.failures = time.monotonic(), 0
        elif frame["t"] == "ack" and self.outbox.pop(op, None):
            self.acks[op] = frame
        elif frame["t"] == "nack" and frame["code"] == "busy":
            self.busy.append(frame)
            self.crowd.start(self.deliver(op, frame["retry_after"] * random.uniform(0.5, 1.5)))
        elif frame["t"] == "nack":
            self.outbox.pop(op, None)
            self.refused.append(frame)


class Crowd:
    """The phones of one workshop: `async with Crowd(server, workshop, people) as crowd`."""

    def __init__(self, server: Server, workshop: Any, people: Sequence[Any]) -> None:
        self.server = server
        self.phones = [Phone(self, workshop, who) for who in people]
        self.changed = asyncio.Event()
        self._tasks: set[asyncio.Task] = set()

    def start(self, coroutine: Any) -> None:
        task = asyncio.ensure_future(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def __aenter__(self) -> Crowd:
        for phone in self.phones:
            self.start(phone.run())
        await self.until(lambda: self.connected == len(self.phones))
        for phone in self.phones:
            phone.closed.clear()  # a door that was slow on the way in is no part of the fault
        return self

    async def __aexit__(self, *_error: object) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome

    async def until(self, is_so: Callable[[], bool]) -> float:
        """Wait for something that phones bring about; returns how many seconds it took. Raises `AssertionError`."""
        start = time.monotonic()
        while not is_so():
            assert time.monotonic() < start + PATIENCE, f"not so within {PATIENCE:g} s: {self}"
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.changed.wait(), 0.05)
            self.changed.clear()
        return time.monotonic() - start

    @property
    def connected(self) -> int:
        return sum(phone.since is not None for phone in self.phones)

    @property
    def acked(self) -> set[tuple[str, str]]:
        """`(voter, operation)` of everything that was acknowledged."""
        return {(phone.voter, op) for phone in self.phones for op in phone.acks}

    @property
    def unsaved(self) -> int:
        """Answers that are not acknowledged yet."""
        return sum(len(phone.outbox) for phone in self.phones)

    @property
    def refusals(self) -> list[dict[str, Any]]:
        return [frame for phone in self.phones for frame in phone.refused]

    def __str__(self) -> str:
        return (
            f"{self.connected} of {len(self.phones)} connected, {len(self.acked)} acked, {self.unsaved} not yet, "
            f"refused: {self.refusals[:2]}"
        )
