"""The admission queue: so many requests at once, one after the other, so many that wait, none for long.

Back-pressure for a thundering herd: what comes beyond that is told at once when to come again. These appointments lie
one after another at the pace at which requests are being done, so the herd does not come back as one.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator

from workshops.live import writer_priority

PATIENCE = 8.0  # seconds in a queue
SOONEST, LATEST = 2.0, 60.0  # seconds until it is worth another try
GIVEN_AWAY = 0.5  # the share of the pace that goes to appointments; the rest is for new arrivals
NEWEST = 0.1  # how much the newest request counts in the mean pace


class QueueFull(Exception):
    """No slot and no room to wait: try again after `retry_after` seconds. `why` is for the page that says so."""

    def __init__(self, why: str, retry_after: float) -> None:
        super().__init__(why)
        self.why, self.retry_after = why, retry_after


class AdmissionQueue:
    """`slots` at once; `room` may wait, none longer than `patience` seconds. `first`: before those of other queues."""

    def __init__(
        self, why: str, slots: int, room: int, patience: float = PATIENCE, *, first: bool = False
    ) -> None:
        self.why, self.slots, self.room, self.patience, self.first = why, slots, room, patience, first
        self.waiting = 0
        self._free = asyncio.Semaphore(slots)
        self._pace = slots / 0.05  # requests a second, until some were done
        self._next = 0.0  # when the next appointment is, by the monotonic clock

    @contextlib.asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """A slot for the length of the block. Raises `QueueFull`."""
        await self._wait()
        since = time.monotonic()
        try:
            yield
        finally:
            self._free.release()
            self._learn(time.monotonic() - since)

    async def _wait(self) -> None:
        if self._free.locked() and self.waiting >= self.room:
            raise QueueFull(self.why, self.retry_after())
        try:
            async with asyncio.timeout(self.patience):
                await self._acquire()
        except TimeoutError:
            raise QueueFull(self.why, self.retry_after()) from None

    async def _acquire(self) -> None:
        self.waiting += 1
        try:
            await self._free.acquire()
        finally:
            self.waiting -= 1
        try:
            await writer_priority.turns().take(first=self.first)
        except BaseException:
            self._free.release()
            raise

    def _learn(self, seconds: float) -> None:
        newest = self.slots / max(seconds, 0.001)
        self._pace = 1 / ((1 - NEWEST) / self._pace + NEWEST / newest)

    def retry_after(self) -> float:
        """Seconds until the next appointment. Past the latest they are spread over the last half: nobody is sent away
        for good."""
        now = time.monotonic()
        self._next = max(now + SOONEST, self._next) + 1 / (self._pace * GIVEN_AWAY)
        if self._next - now > LATEST:
            self._next = now + LATEST
            return random.uniform(LATEST / 2, LATEST)
        return (self._next - now) * random.uniform(1.0, 1.2)
