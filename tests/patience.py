"""How long a test waits for what it expects, before it says that it did not come.

Long enough for a machine that does ten other things: a test proves that something happens; how fast it is, is for
`make budget`, `make bench` and the load test to say. What passes never waits for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

PATIENCE = 60.0  # seconds


def until(is_so: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until something is so. Raises `AssertionError`."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, f"not so within {seconds:g} s"
        time.sleep(0.02)


async def eventually(is_so: Callable[[], object]) -> None:
    """The same for a test in an event loop, whose tasks go on meanwhile."""
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end, f"not so within {PATIENCE:g} s"
        await asyncio.sleep(0.005)


async def idle(turns: int = 20) -> None:
    """Let tasks do whatever they can do at once: what has not happened then waits for something to come."""
    for _turn in range(turns):
        await asyncio.sleep(0)
