"""What runs beside the sockets in a server process: hearing other processes, bringing people their own papers to
all their screens, closing what is due.

Started by the first connection of any kind (`attach`), because not every ASGI server speaks lifespan.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import logging
from functools import partial

from asgiref.sync import sync_to_async
from django.db import connection

from ..actions import batch, facilitation
from ..actions.authoring import questionnaires
from . import broker, hub, own_ballots, write_batcher
from .raw import send as raw_send

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


async def write(item: batch.Item) -> batch.Outcome | None:
    """Write one item with the next batch, or by itself where no engine runs (tests, plain WSGI). Raises `Busy`."""
    if not is_running_here():
        return (await sync_to_async(batch.write)([item]))[0]
    outcome = await write_batcher.get().submit(item)
    hub.mark_cast(item.workshop_id)
    return outcome


def ensure_running() -> None:
    if is_running_here():
        return
    hub.use_loop(asyncio.get_running_loop())
    raw_send.are_frames_sound()  # now, not while the first picture waits
    beside = (partial(broker.listen, hub.heard), broker.watch, own_ballots.bring, _close_what_is_due)
    _tasks[:] = [asyncio.ensure_future(task()) for task in beside]
    tune_gc()


def tune_gc() -> None:
    """Default thresholds walk thousands of live sockets again and again: pauses of 300 ms at 5,000 phones."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 1000)


async def _close_what_is_due() -> None:
    """Countdowns end on the server, whoever's laptop has gone; phones without a socket wait a little longer."""
    loop = asyncio.get_running_loop()
    for look in itertools.count():
        await asyncio.sleep(LOOK_SECONDS)
        quiet = look % QUIET_LOOKS == 0
        if (quiet or hub.count()) and await _is_something_due(questionnaires_too=quiet):
            await loop.run_in_executor(None, _do_what_is_due)


async def _is_something_due(*, questionnaires_too: bool = True) -> bool:
    """Asked where connections stay open: one for each look would cost more than the question."""
    try:
        if await hub.read(facilitation.is_something_due):
            return True
        return questionnaires_too and await hub.read(questionnaires.is_something_due)
    except Exception as error:  # whatever it was: the next look must still come
        log.warning("could not look for countdowns (%s)", type(error).__name__)
        return False


def _do_what_is_due() -> None:
    try:
        facilitation.close_what_is_due()
        questionnaires.open_and_close_what_is_due()
    except Exception as error:  # whatever it was: the next look must still come
        log.warning("could not close what is due (%s)", type(error).__name__)
    finally:
        connection.close()
