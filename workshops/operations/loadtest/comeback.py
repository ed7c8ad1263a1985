"""The load client of a server that is killed: phones that lose it all at once and come back by themselves.

`python -m workshops.operations.loadtest.comeback`, commands as for `phones`. A phone does what `live.js`
does: waits with full jitter that grow with each failure, and from the third failure on a slow poll beside
them; a server that was away is tried by socket first, and asked for pictures where that fails.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import Any

from . import figures, phones
from .browser import Browser
from .phones import Phone, now

SHORTEST, LONGEST = 0.5, 30.0  # seconds, as in live.js
PATIENCE = 10.0
POLLS_AFTER = 3  # failures
QUIET_SECONDS = 5.0  # a crowd that is back is watched for so long
BUCKET = 0.1  # seconds


class Life:
    """One phone through all its sockets."""

    def __init__(self, crowd: Return, cookie: str) -> None:
        self.crowd, self.cookie = crowd, cookie
        self.socket: Phone | None = None
        self.failures = 0
        self.back_at = 0.0
        self.poll: asyncio.Task | None = None
        self.woken, self.failed = asyncio.Event(), asyncio.Event()

    @property
    def is_in(self) -> bool:
        return bool(self.socket and self.socket.is_open and self.socket.greeted.done())

    async def run(self) -> None:
        while True:
            with contextlib.suppress(OSError, TimeoutError):
                await self._connected()
            self.failures += 1
            self.failed.set()
            if self.failures >= POLLS_AFTER and not self.poll:
                self.poll = asyncio.ensure_future(self._poll())
            self.woken.clear()
            with contextlib.suppress(TimeoutError):
                wait = self.crowd.rng.uniform(0, min(LONGEST, SHORTEST * 2**self.failures))
                await asyncio.wait_for(self.woken.wait(), wait)

    async def _connected(self) -> None:
        self.crowd.tried.append(now())
        async with asyncio.timeout(PATIENCE):
            self.socket = await self.crowd.connect(Phone, f"/live/phone/{self.crowd.code}/", self.cookie)
            self.socket.say(b'{"t":"hello","seen":{}}')
            await asyncio.wait([self.socket.greeted, self.socket.closed], return_when=asyncio.FIRST_COMPLETED)
        if not self.is_in:
            raise ConnectionError("sent away before it was greeted")
        self.back_at, self.failures = now(), 0
        if self.poll:
            self.poll.cancel()
            self.poll = None
        self.crowd.look()
        await self.socket.closed
        self.crowd.look()

    async def _poll(self) -> None:
        path, was_away = f"/w/{self.crowd.code}/pictures/?seen=%7B%7D", False
        browser = Browser(self.crowd.where, self.crowd.address, self.cookie)
        while True:
            if was_away:  # the socket first
                self.failed.clear()
                self.woken.set()
                await self.failed.wait()
            try:
                answer = await browser.ask(path, seconds=PATIENCE)
                self.crowd.polled[str(answer.status)] += 1
                if answer.status != 200:
                    raise ConnectionError(str(answer.status))
            except (OSError, TimeoutError) as error:
                self.crowd.polled[type(error).__name__] += 1
                was_away = True
            else:
                if was_away:
                    was_away, self.failures = False, 1
                    self.woken.set()
            await asyncio.sleep(self.crowd.rng.uniform(4, 8))


class Return(phones.Crowd):
    """Everybody who comes back, and how evenly."""

    def __init__(self, url: str, code: str, choices: list[str]) -> None:
        super().__init__(url, code, choices)
        self.lives: list[Life] = []
        self.tried: list[float] = []  # when somebody tried a handshake
        self.polled: Counter[str] = Counter()  # what became of slow polls
        self.began = 0.0

    async def come_in(self, cookies: list[str]) -> dict[str, Any]:
        self.lives = [Life(self, cookie) for cookie in cookies]
        self._running = []
        for life in self.lives:
            self._running.append(asyncio.ensure_future(life.run()))
            await asyncio.sleep(0.0005)
        everybody = await self.until(self._are_in, PATIENCE * 3)
        return {"joined": sum(life.is_in for life in self.lives), "all": everybody}

    def _are_in(self) -> bool:
        return all(life.is_in for life in self.lives)

    async def are_gone(self, seconds: float) -> dict[str, Any]:
        """Until nobody has a socket any more."""
        await self.until(lambda: not any(life.is_in for life in self.lives), seconds)
        return {"left": sum(life.is_in for life in self.lives)}

    async def server_listens(self) -> dict[str, Any]:
        """From now on a handshake can succeed."""
        self.began, self.lost, self.polled = now(), 0, Counter()
        return {}

    async def come_back(self, patience: float) -> dict[str, Any]:
        """Until everybody is in again, and a while longer: nobody may be thrown out by the others' return."""
        await self.until(self._are_in, patience)
        watch = phones.Watch(self.loop)
        await asyncio.sleep(QUIET_SECONDS)
        client = watch.end()
        self.phones = [life.socket for life in self.lives if life.is_in and life.socket]
        moments = [moment - self.began for moment in self.tried if moment >= self.began]
        back = [max(0.0, life.back_at - self.began) for life in self.lives if life.is_in]
        return {
            "back": len(back),
            "back_ms": figures.spread(back, 50, 99, 100),
            "tries": len(moments),
            "tries_at_once": busiest(moments),
            "polls": dict(self.polled),
            "lost_again": self.lost,
            "client": client,
        }


def busiest(moments: list[float]) -> int:
    """How many lie in the fullest tenth of a second."""
    buckets: dict[int, int] = {}
    for moment in moments:
        buckets[int(moment / BUCKET)] = buckets.get(int(moment / BUCKET), 0) + 1
    return max(buckets.values(), default=0)


if __name__ == "__main__":
    phones.main(Return)
