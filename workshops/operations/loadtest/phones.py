"""The load generator: a process with many phones and one wall on WebSockets that measures latencies.

`python -m workshops.operations.loadtest.phones` reads one command per line from standard input and answers each with a
line of JSON (`{"progress": …}` lines in between). It does not import Django, to keep the CPU time per phone small.

Time until a vote is visible: a fragment has the number of answers, not whose. Votes are stored in order of arrival, so
the k-th vote sent counts as visible with the first fragment that shows k or more.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import random
import resource
import secrets
import sys
import time
from collections.abc import Iterable
from typing import Any

from . import figures, frames

AT_ONCE = 50  # concurrent handshakes
HANDSHAKE_SECONDS = 30.0
PING_SECONDS = 25.0  # as a phone's page does
LAG_SECONDS = 0.01  # interval at which the lag of the client's event loop is measured
LEAST_SECONDS = 1.0  # minimum duration of the measurement of CPU time and lag
now = time.perf_counter


class Socket(asyncio.Protocol):
    """One WebSocket. Text frames go to `hear`."""

    def __init__(self, crowd: Crowd, request: bytes) -> None:
        self.crowd, self.request = crowd, request
        self.rest = b""
        self.is_open = False
        self.opened = crowd.loop.create_future()
        self.closed = crowd.loop.create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        if self.rest:
            data = self.rest + data
        at = 0 if self.is_open else self._open(data)
        while self.is_open and (frame := frames.read(data, at)):
            opcode, payload, at = frame
            if opcode == frames.TEXT:
                self.crowd.messages += 1
                self.hear(payload)
            elif opcode == frames.PING:
                self.transport.write(frames.masked(payload, frames.PONG))
        self.rest = data[at:]

    def _open(self, data: bytes) -> int:
        end = data.find(b"\r\n\r\n")
        if end < 0:
            return 0
        self.is_open = data.startswith(b"HTTP/1.1 101")
        if self.is_open:
            self.opened.set_result(None)
        else:
            self._fail(data[: data.find(b"\r\n")].decode(errors="replace"))
        return end + 4

    def _fail(self, why: str) -> None:
        if not self.opened.done():
            self.opened.set_exception(ConnectionError(f"The server refused a websocket: {why}"))
        self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(str(error or "it closed the connection"))
        self.closed.set_result(None)
        if self.is_open:
            self.is_open = False
            self.crowd.lost += 1

    def say(self, payload: bytes) -> None:
        self.transport.write(frames.masked(payload))

    def hear(self, payload: bytes) -> None:
        raise NotImplementedError


class Wall(Socket):
    """The wall: records `(time, number of answers)` of every tally fragment."""

    def __init__(self, crowd: Crowd, request: bytes) -> None:
        super().__init__(crowd, request)
        self.totals: list[tuple[float, int]] = []
        self.ready = crowd.loop.create_future()

    def hear(self, payload: bytes) -> None:
        if payload.startswith(frames.TALLY) and (total := frames.total(payload)) >= 0:
            self.totals.append((now(), total))
            self.crowd.look()
        if payload.startswith(frames.STAGE) and not self.ready.done():
            self.ready.set_result(None)

    @property
    def total(self) -> int:
        return self.totals[-1][1] if self.totals else -1


class Phone(Socket):
    """A phone that votes once: records when its vote was acknowledged, and when its own fragment counted it."""

    def __init__(self, crowd: Crowd, request: bytes) -> None:
        super().__init__(crowd, request)
        self.greeted = crowd.loop.create_future()
        self.ballot = 0
        self.place = 0  # rank among all votes in the order of sending, from 1
        self.sent_at = self.acked_at = self.seen_at = 0.0
        self.total = -1

    def hear(self, payload: bytes) -> None:
        if payload.startswith(frames.TALLY):
            self.look_at(self.crowd.total_of(payload))
        elif payload.startswith(frames.ACK):
            self.acked_at = self.acked_at or now()
            self.crowd.acked += 1
            self.crowd.look()
        elif payload.startswith(frames.NACK):
            self.crowd.refused(self, json.loads(payload))
        elif payload.startswith(frames.STAGE):
            self.ballot = frames.ballot_on_stage(payload)
            if self.ballot and not self.crowd.choices:
                self.crowd.choices = frames.choices(payload)
            self.crowd.look()
        elif payload.startswith(frames.MINE) and not self.greeted.done():
            self.greeted.set_result(None)

    def look_at(self, total: int) -> None:
        self.total = total
        if not self.seen_at and self.place and total >= self.place:
            self.seen_at = now()
        if total >= self.crowd.expected:
            self.crowd.look()

    def vote(self, place: int) -> None:
        self.place, self.sent_at = place, now()
        self.frame = json.dumps(
            {
                "t": "vote",
                "op": secrets.token_hex(8),
                "poll": self.ballot,
                "seq": 1,
                "fields": self.crowd.fields(),
            }
        ).encode()
        self.say(self.frame)


class Crowd:
    """All sockets of a run, and their shared measurements."""

    def __init__(self, url: str, code: str, choices: list[str]) -> None:
        self.loop = asyncio.get_running_loop()
        scheme, _, self.address = url.rstrip("/").partition("://")
        self.origin = f"{scheme}://{self.address}"
        self.secure = scheme == "https"
        host, _, port = self.address.partition(":")
        self.where = (host, int(port or (443 if self.secure else 80)))
        self.code, self.choices = code, choices
        self.phones: list[Phone] = []
        self.wall: Wall | None = None
        self.messages = self.acked = self.lost = 0
        self.expected = 0
        self.refusals: dict[str, int] = {}
        self.seen_total: tuple[bytes, int] = (b"", -1)
        self.changed = asyncio.Event()
        self.rng = random.Random()

    # -- callbacks of sockets --------------------------------------------------------------------------------

    def total_of(self, payload: bytes) -> int:
        """The number of answers in a fragment, cached: all phones get the same bytes."""
        if payload != self.seen_total[0]:
            self.seen_total = (payload, frames.total(payload))
        return self.seen_total[1]

    def look(self) -> None:
        self.changed.set()

    def refused(self, phone: Phone, answer: dict[str, Any]) -> None:
        """Retry after a nack with code busy or rate, as a phone does; any other is final."""
        code = answer.get("code", "")
        self.refusals[code] = self.refusals.get(code, 0) + 1
        if code in figures.TRIED_AGAIN:
            wait = answer.get("retry_after", 1.0) * self.rng.uniform(1, 1.5)
            self.loop.call_later(wait, phone.say, phone.frame)

    def fields(self) -> dict[str, list[str]]:
        """An answer, as the ballot's form holds it."""
        return {"choice": [self.rng.choice(self.choices)]}

    async def until(self, is_so: Any, seconds: float) -> bool:
        """Wait until a condition on the sockets' state holds, checked at most 100 times a second; False on timeout."""
        end = now() + seconds
        while not is_so():
            if now() > end:
                return False
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.changed.wait(), 0.25)
            self.changed.clear()
            await asyncio.sleep(0.01)
        return True

    # -- commands -----------------------------------------------------------------------------

    async def connect(self, kind: type[Socket], path: str, cookie: str = "") -> Any:
        request = frames.handshake(self.address, path, self.origin, cookie)
        async with asyncio.timeout(HANDSHAKE_SECONDS):
            _, socket = await self.loop.create_connection(
                lambda: kind(self, request), *self.where, ssl=self.secure or None
            )
            await socket.opened
        return socket

    async def open_wall(self, key: str) -> dict[str, Any]:
        self.wall = await self.connect(Wall, f"/live/wall/{key}/")
        self.wall.say(b'{"t":"hello","seen":{}}')
        await asyncio.wait_for(self.wall.ready, HANDSHAKE_SECONDS)
        return {}

    async def join(self, cookies: list[str]) -> dict[str, Any]:
        """Every handshake first, then every hello; failed phones do not count in the rates."""
        watch = Watch(self.loop)
        await self._by_many(self._open_phone, iter(cookies), "phones connected", len(cookies))
        opened = now()
        await self._by_many(self._greet, iter(self.phones), "phones greeted", len(cookies))
        greeted, client = now(), watch.end()
        joined = sum(phone.is_open and phone.greeted.done() for phone in self.phones)
        return {
            "joined": joined,
            "handshakes_per_second": round(len(self.phones) / (opened - watch.begun), 1),
            "joins_per_second": round(joined / (greeted - watch.begun), 1),
            "client_busy": client["busy"],
        }

    async def _by_many(self, do: Any, things: Iterable[Any], words: str, of: int) -> None:
        done = 0

        async def one_after_the_other() -> None:
            nonlocal done
            for thing in things:
                await do(thing)
                done += 1
                if done % 100 == 0:
                    say({"progress": f"{done} of {of} {words}"})

        await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))

    async def _open_phone(self, cookie: str) -> None:
        with contextlib.suppress(OSError, TimeoutError):
            self.phones.append(await self.connect(Phone, f"/live/phone/{self.code}/", cookie))

    async def _greet(self, phone: Phone) -> None:
        phone.say(b'{"t":"hello","seen":{}}')
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(phone.greeted, HANDSHAKE_SECONDS)

    async def wait_for_ballot(self, seconds: float) -> dict[str, Any]:
        """Wait until every phone shows the question."""
        shown = await self.until(lambda: all(phone.ballot for phone in self.phones), seconds)
        return {"shown": shown, "phones": sum(bool(phone.ballot) for phone in self.phones)}

    async def vote(self, window: float, patience: float) -> dict[str, Any]:
        """Every phone votes at a random time in the window of seconds; then wait until all see the final number of
        answers, for at most `patience` seconds."""
        before = max(
            0, self.wall.total if self.wall else max((phone.total for phone in self.phones), default=0)
        )
        self.expected = before + len(self.phones)
        self.messages = 0
        watch = Watch(self.loop)
        await self._cast(window)
        await self.until(self._is_final, patience)
        seconds = now() - watch.begun
        messages = self.messages
        await asyncio.sleep(max(0.0, LEAST_SECONDS - seconds))
        return {
            **self._seen(before),
            "seconds": round(seconds, 3),
            "messages": messages,
            "client": watch.end(),
        }

    async def _cast(self, window: float) -> None:
        begun, reported_at = now(), 0.0
        moments = sorted(self.rng.uniform(0, window) for _ in self.phones)
        order = self.rng.sample(self.phones, len(self.phones))
        for place, (moment, phone) in enumerate(zip(moments, order, strict=True), start=1):
            if (wait := begun + moment - now()) > 0 or place % 20 == 0:
                await asyncio.sleep(max(0.0, wait))
            phone.vote(place)
            if now() - reported_at > 0.5:
                reported_at = now()
                say({"progress": f"{place} of {len(order)} votes sent, {self.acked} acknowledged"})

    def _is_final(self) -> bool:
        return (
            self.acked >= len(self.phones)
            and (self.wall is None or self.wall.total >= self.expected)
            and all(phone.total >= self.expected for phone in self.phones)
        )

    def _seen(self, before: int) -> dict[str, Any]:
        voted = [phone for phone in self.phones if phone.place]
        moments = [p.sent_at for p in sorted(voted, key=lambda phone: phone.place)]
        on_wall = figures.delays(moments, self.wall.totals, before, now()) if self.wall else []
        on_phones = [(p.seen_at or now()) - p.sent_at for p in voted]
        return {
            "sent": len(voted),
            "acked": sum(bool(phone.acked_at) for phone in voted),
            "refused": self.refusals,
            "connections_lost": self.lost,
            "wall": self.wall.total - before if self.wall else None,
            "without_final": sum(phone.total < self.expected for phone in self.phones),
            "ack": figures.spread([p.acked_at - p.sent_at for p in voted if p.acked_at], 50, 95, 99),
            "on_wall": figures.spread(on_wall, 50, 99),
            "on_phones": figures.spread(on_phones, 50, 99),
        }

    async def keep_awake(self) -> None:
        """Heartbeats (pings) as pages send them, spread over their interval."""
        while True:
            for phone in self.phones[:]:
                await asyncio.sleep(PING_SECONDS / (len(self.phones) + 1))
                if phone.is_open and phone.greeted.done():
                    phone.say(b'{"t":"ping"}')
            await asyncio.sleep(1)


class Watch:
    """Measures this process: CPU usage, and lag of its event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.begun, self.cpu = now(), time.process_time()
        self.lags: list[float] = []
        self.task = loop.create_task(self._look())

    async def _look(self) -> None:
        while True:
            asleep = now()
            await asyncio.sleep(LAG_SECONDS)
            self.lags.append(max(0.0, now() - asleep - LAG_SECONDS))

    def end(self) -> dict[str, float | None]:
        self.task.cancel()
        busy = (time.process_time() - self.cpu) / (now() - self.begun)
        return {
            "busy": round(busy, 3),
            "lag_p99_ms": figures.milliseconds(figures.percentile(self.lags, 0.99)) or 0.0,
        }


# --- the process --------------------------------------------------------------------------------------


def say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


async def obey(kind: type[Crowd]) -> None:
    """The command loop: `["name", {arguments}]` per line; the first command is `crowd`."""
    loop = asyncio.get_running_loop()
    crowd: Crowd | None = None
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        name, arguments = json.loads(line)
        try:
            if name == "crowd":
                crowd = kind(**arguments)
                awake = loop.create_task(crowd.keep_awake())  # noqa: F841, RUF006 - lives as long as this process
                say({})
            else:
                say(await getattr(crowd, name)(**arguments))
        except (OSError, TimeoutError) as error:
            say({"error": str(error) or type(error).__name__})


def main(kind: type[Crowd]) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 65_536)), hard))
    gc.set_threshold(50_000, 20, 1000)
    try:
        import uvloop
    except ImportError:
        asyncio.run(obey(kind))
    else:
        uvloop.run(obey(kind))


if __name__ == "__main__":
    main(Crowd)
