"""Votes go first: who hands out pictures lets a batch of votes be written before the next hundred, and who draws many
before the next one.

Both need the interpreter, which runs one thread at a time. A thread that writes needs it for moments only, but a
dozen times a batch, and beside a loop that sends without a pause it waits for each of them.
"""

from __future__ import annotations

import asyncio
import time

MOMENT = 0.001  # seconds
MOMENTS = 5  # at most: a database that does not answer must not hold up pictures

_writing = 0


class writing:
    """While this block runs, a batch is being written."""

    def __enter__(self) -> None:
        global _writing
        _writing += 1

    def __exit__(self, *_error: object) -> None:
        global _writing
        _writing -= 1


async def give() -> None:
    """Let others run; a while longer if votes are being written."""
    await asyncio.sleep(0)
    for _ in range(MOMENTS):
        if not _writing:
            return
        await asyncio.sleep(MOMENT)


def stand_back() -> None:
    """The same for a thread that draws one picture after the other."""
    for _ in range(MOMENTS):
        if not _writing:
            return
        time.sleep(MOMENT)
