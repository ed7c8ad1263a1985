"""Votes go first: what hands out pictures, draws many, or lets a crowd in gives way while votes are being written.

All need the interpreter, which runs one thread at a time. A thread that writes needs it for moments only, but a
dozen times a batch, and beside a loop that never pauses it waits for each of them.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque

MOMENT = 0.001  # seconds
MOMENTS = 5  # at most: a database that does not answer must not hold up pictures
LONGEST = 0.1  # seconds that people who come in wait for a batch; the next one follows soon

_writing = 0


class writing:
    """While this block runs, a batch is being written."""

    def __enter__(self) -> None:
        global _writing
        _writing += 1

    def __exit__(self, *_error: object) -> None:
        global _writing
        _writing -= 1


async def yield_to_writer() -> None:
    """Let others run; a while longer if votes are being written."""
    await asyncio.sleep(0)
    for _ in range(MOMENTS):
        if not _writing:
            return
        await asyncio.sleep(MOMENT)


def yield_to_writer_sync() -> None:
    """The same for a thread that draws one picture after the other."""
    for _ in range(MOMENTS):
        if not _writing:
            return
        time.sleep(MOMENT)


class Turns:
    """Pacing of a crowd: one request or handshake in each round of the loop, none while votes are being written.

    A loop that took all that a crowd asks at once would hear of the next vote after all of it. `pause` seconds lie
    between two turns.
    """

    def __init__(self, pause: float = 0) -> None:
        self._pause = pause
        self._first: deque[asyncio.Future[None]] = deque()
        self._later: deque[asyncio.Future[None]] = deque()
        self._giving: asyncio.Task | None = None

    async def take(self, *, first: bool = False) -> None:
        """Wait for one's turn; people who are on their way already go `first`."""
        turn = asyncio.get_running_loop().create_future()
        (self._first if first else self._later).append(turn)
        if self._giving is None or self._giving.done():
            self._giving = asyncio.ensure_future(self._give())
        await turn

    async def _give(self) -> None:
        while waiting := self._first or self._later:
            until = time.monotonic() + LONGEST
            while _writing and time.monotonic() < until:
                await asyncio.sleep(MOMENT)
            turn = (self._first or waiting).popleft()
            if not turn.done():  # else it was not waited for any longer
                turn.set_result(None)
                await asyncio.sleep(self._pause)


_turns: dict[asyncio.AbstractEventLoop, Turns] = {}


def turns() -> Turns:
    """Those of the running loop."""
    loop = asyncio.get_running_loop()
    if loop not in _turns:
        _turns.clear()
        _turns[loop] = Turns()
    return _turns[loop]
