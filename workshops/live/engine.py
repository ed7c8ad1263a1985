"""What runs beside the sockets in a server process: hearing other processes, bringing people their own papers to
all their screens, closing what is due.

Started by the first connection of any kind (`attach`), because not every ASGI server speaks lifespan.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import logging

from django.db import connection

from ..actions import facilitation
from . import hub, notify, papers
from .direct import lines

log = logging.getLogger(__name__)
LOOK_SECONDS = 0.5  # how exactly a countdown closes
QUIET_LOOKS = 10  # looks between two where no socket is here: people may be on plain pages

_tasks: list[asyncio.Task] = []


def attach(application):
    """The ASGI application, with the engine started in its loop by the first scope."""

    async def with_engine(scope, receive, send):
        ensure_running()
        await application(scope, receive, send)

    return with_engine


def is_running_here() -> bool:
    try:
        return hub.running_loop() is asyncio.get_running_loop()
    except RuntimeError:
        return False


def ensure_running() -> None:
    if is_running_here():
        return
    hub.use_loop(asyncio.get_running_loop())
    lines.are_frames_sound()  # now, not while the first picture waits
    beside = (notify.listen, notify.watch, papers.bring, _close_what_is_due)
    _tasks[:] = [asyncio.ensure_future(task()) for task in beside]
    _calm_the_collector()


def _calm_the_collector() -> None:
    """Default thresholds walk thousands of live sockets again and again: pauses of 300 ms at 5,000 phones."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 1000)


async def _close_what_is_due() -> None:
    """Countdowns end on the server, whoever's laptop has gone; phones without a socket wait a little longer."""
    loop = asyncio.get_running_loop()
    for look in itertools.count():
        await asyncio.sleep(LOOK_SECONDS)
        if (look % QUIET_LOOKS == 0 or hub.count()) and await _is_something_due():
            await loop.run_in_executor(None, _close_due_polls)


async def _is_something_due() -> bool:
    """Asked where connections stay open: one for each look would cost more than the question."""
    try:
        return await hub.read(facilitation.is_something_due)
    except Exception as error:  # whatever it was: the next look must still come
        log.warning("could not look for countdowns (%s)", type(error).__name__)
        return False


def _close_due_polls() -> None:
    try:
        facilitation.close_what_is_due()
    except Exception as error:  # whatever it was: the next look must still come
        log.warning("could not close what is due (%s)", type(error).__name__)
    finally:
        connection.close()
