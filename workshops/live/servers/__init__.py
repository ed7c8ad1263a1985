"""Daphne and Uvicorn, tuned for many sockets, each with a graceful shutdown (connection draining)."""

from __future__ import annotations

import asyncio
import contextlib
import resource
from collections.abc import Callable

from .. import hub, write_batcher

# Maximum size of a WebSocket frame in bytes. Daphne applies it to outgoing frames too, so it is above the 64 KiB of a
# console's largest fragment. `live.socket` has a lower limit for frames of phones.
FRAME_LIMIT = 96 * 1024
OPEN_FILES_LIMIT = 65_536
# The listen queue: after an outage all phones of a hall reconnect within a second (thundering herd).
BACKLOG = 2048
# Bytes of a request's body that a server keeps before an application sees it; pages have smaller limits of their own.
LONGEST_BODY = 14 * 2**20
FINISH_SECONDS, FLUSH_SECONDS = 3.0, 0.3


def raise_file_limit(say: Callable[[str], object]) -> None:
    """Raise the limit of open files (RLIMIT_NOFILE), since every socket is one; warn where the hard limit is low."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = OPEN_FILES_LIMIT if hard == resource.RLIM_INFINITY else min(OPEN_FILES_LIMIT, hard)
    if soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if most < 4096:
        say(f"Only {most} files may be open at once, so about {max(0, most - 100)} phones can be here.")


async def drain() -> None:
    """Drain: write and acknowledge queued votes, then close every socket with 1012 (service restart); screens
    reconnect by themselves."""
    # A database that takes nothing: phones keep what was not answered.
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(write_batcher.finish(), FINISH_SECONDS)
    await asyncio.sleep(FLUSH_SECONDS)  # answers go out
    for connection in hub.everyone():
        connection.close(1012)
    await asyncio.sleep(FLUSH_SECONDS)
