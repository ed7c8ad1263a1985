"""The turnstile before the pages: so many at once, so many in the queue, nobody for long.

What comes beyond that is sent away at once with an appointment. Appointments lie one after another at the pace at
which pages are being done, so those who were sent away do not come back as one crowd.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator

SOON, LATE = 2.0, 60.0  # seconds: the earliest and the latest appointment
HURRY = 0.5  # the share of the pace that is given away as appointments; the rest is for those who come first
NEWEST = 0.1  # how much the newest page counts in the mean


class Full(Exception):
    """No place and no queue: come back in `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__("full")
        self.seconds = seconds


class Turnstile:
    """`places` at once; `queue` may wait, none longer than `patience` seconds."""

    def __init__(self, places: int, queue: int, patience: float) -> None:
        self.queue, self.patience = queue, patience
        self._free = asyncio.Semaphore(places)
        self.waiting = 0
        self._pace = places / 0.05  # pages a second, until some were done
        self._places = places
        self._next = 0.0  # when the next appointment is, by the monotonic clock

    @contextlib.asynccontextmanager
    async def place(self, share: float = 1.0) -> AsyncIterator[None]:
        """A place for the length of the block. Who uses only a `share` of the queue leaves its end to others.

        Raises `Full`.
        """
        await self._wait(share)
        since = time.monotonic()
        try:
            yield
        finally:
            self._free.release()
            self._learn(time.monotonic() - since)

    def is_full(self, share: float = 1.0) -> bool:
        """Would `place` send somebody away at once?"""
        return self._free.locked() and self.waiting >= self.queue * share

    async def _wait(self, share: float) -> None:
        if self.is_full(share):
            raise Full(self.appointment())
        self.waiting += 1
        try:
            async with asyncio.timeout(self.patience):
                await self._free.acquire()
        except TimeoutError:
            raise Full(self.appointment()) from None
        finally:
            self.waiting -= 1

    def _learn(self, seconds: float) -> None:
        newest = self._places / max(seconds, 0.001)
        self._pace = 1 / ((1 - NEWEST) / self._pace + NEWEST / newest)

    def appointment(self) -> float:
        """Seconds from now. Past the latest they are spread over the last half: nobody is sent away for good."""
        now = time.monotonic()
        self._next = max(now + SOON, self._next) + 1 / (self._pace * HURRY)
        if self._next - now > LATE:
            self._next = now + LATE
            return random.uniform(LATE / 2, LATE)
        return (self._next - now) * random.uniform(1.0, 1.2)
