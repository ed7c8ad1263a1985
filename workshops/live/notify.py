"""Telling every process that something has changed: a name, never a picture.

Nothing that matters depends on a message arriving: hubs also look by themselves every few seconds. So the
layer is given a moment, in the background, and its failure is a log line.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable

from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.db import transaction

from . import hub, layer, metrics
from .topics import GROUP

log = logging.getLogger(__name__)
LAYER_SECONDS = 2.0
AGAIN_SECONDS = 1.0
WATCH_SECONDS = 2.0
NOBODY = 0  # no workshop has this number
GATHER_SECONDS = 0.01


def changed(workshop_id: int, *topics: str) -> None:
    """After the running transaction commits, every screen of the workshop is drawn anew. Call it from any thread."""
    # Robust: the change is stored by then, and whoever made it must not be told that it failed.
    transaction.on_commit(lambda: announce(workshop_id, topics), robust=True)


def announce(workshop_id: int, topics: Iterable[str]) -> None:
    """Mark the topics in this process and send their names to the others; returns at once."""
    loop = hub.running_loop()
    if loop is None or loop.is_closed():
        return  # a management command, or a test without a server: hubs elsewhere look by themselves
    names = [str(topic) for topic in topics]
    loop.call_soon_threadsafe(_mark_and_send, workshop_id, names)


def _mark_and_send(workshop_id: int, names: list[str]) -> None:
    global _telling
    hub.mark(workshop_id, names)
    if not hears_others():
        return
    _untold.setdefault(workshop_id, set()).update(names)
    if _telling is None or _telling.done() or _telling.get_loop() is not asyncio.get_running_loop():
        _telling = asyncio.ensure_future(_tell_others())
        _sending.add(_telling)
        _telling.add_done_callback(_sending.discard)


def hears_others() -> bool:
    """A layer in memory ends at this process."""
    layer = get_channel_layer()
    return layer is not None and not isinstance(layer, InMemoryChannelLayer)


_untold: dict[int, set[str]] = {}
_telling: asyncio.Future | None = None
_sending: set[asyncio.Future] = set()  # keeps the tasks alive until they are done


async def _tell_others() -> None:
    """What changed within a moment goes out as one message a workshop, however many votes it was."""
    while _untold:
        await asyncio.sleep(GATHER_SECONDS)
        untold = dict(_untold)
        _untold.clear()
        for workshop_id, names in untold.items():
            await _send(workshop_id, sorted(names))


async def _send(workshop_id: int, names: list[str]) -> None:
    channels = get_channel_layer()
    if channels is None:
        return
    message = {"type": "changed", "from": hub.PROCESS, "workshop": workshop_id, "topics": names}
    try:
        await asyncio.wait_for(channels.group_send(GROUP, message), LAYER_SECONDS)
        layer.note(away=False)
    except Exception as error:
        metrics.NOT_TOLD.inc()
        if layer.note(away=True):  # one line an outage, not one a vote
            log.warning(
                "other processes are not told at once (%s); they look by themselves", type(error).__name__
            )


async def watch() -> None:
    """Find out that the layer has gone or is back also while nothing changes: facilitators are told which it is."""
    while hears_others():
        await asyncio.sleep(WATCH_SECONDS)
        await _send(NOBODY, [])


async def listen() -> None:
    """Hear what other processes announce; runs for the life of a process, through every fault of the layer."""
    channels = get_channel_layer()
    while channels is not None:
        try:
            channel = await channels.new_channel()
            await channels.group_add(GROUP, channel)
            while True:
                message = await channels.receive(channel)
                if message.get("from") != hub.PROCESS:
                    hub.mark(message["workshop"], message["topics"], elsewhere=True)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            log.warning("not hearing other processes (%s); trying again", type(error).__name__)
            await asyncio.sleep(AGAIN_SECONDS)
            with contextlib.suppress(Exception):
                await channels.flush()  # else every try would leave a queue behind that nobody empties
