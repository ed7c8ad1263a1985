"""The broker between server processes (a channel layer): announces names of topics to the others and hears theirs.

Nothing that matters depends on a message arriving: hubs also poll every few seconds. So the broker is given a
moment, in the background, and its failure is one log line an outage. Whether it is away is kept here, of this
process alone, and shown to facilitators.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable

from channels.layers import InMemoryChannelLayer, get_channel_layer

from ..signals.topics import GROUP, NO_WORKSHOP
from . import metrics

log = logging.getLogger(__name__)
LAYER_SECONDS = 2.0
AGAIN_SECONDS = 1.0
WATCH_SECONDS = 2.0
PROCESS = secrets.token_hex(4)  # tells a process its own announcements
GATHER_SECONDS = 0.01

_is_away = False


def is_away() -> bool:
    """The last announcement reached no other process; screens there poll by themselves every few seconds."""
    return _is_away


def _note_state(*, away: bool) -> bool:
    """Returns whether that is news."""
    global _is_away
    is_news, _is_away = away != _is_away, away
    return is_news


def tell_others(workshop_id: int, names: list[str]) -> None:
    """Send these names to the other processes, if there is a broker to carry them; call it in the loop."""
    global _telling
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
    message = {"type": "changed", "from": PROCESS, "workshop": workshop_id, "topics": names}
    try:
        await asyncio.wait_for(channels.group_send(GROUP, message), LAYER_SECONDS)
        _note_state(away=False)
    except Exception as error:
        metrics.NOT_TOLD.inc()
        if _note_state(away=True):  # one line an outage, not one a vote
            log.warning("other processes are not told at once (%s); they poll", type(error).__name__)


async def watch() -> None:
    """Find out that the layer has gone or is back also while nothing changes: facilitators are told which it is."""
    while hears_others():
        await asyncio.sleep(WATCH_SECONDS)
        await _send(NO_WORKSHOP, [])


async def listen(heard: Callable[[int, list[str]], None]) -> None:
    """Call `heard` with what other processes announce; runs for the life of a process, through every fault."""
    channels = get_channel_layer()
    while channels is not None:
        try:
            channel = await channels.new_channel()
            await channels.group_add(GROUP, channel)
            while True:
                message = await channels.receive(channel)
                if message.get("from") != PROCESS:
                    heard(message["workshop"], message["topics"])
        except asyncio.CancelledError:
            raise
        except Exception as error:
            log.warning("not hearing other processes (%s); trying again", type(error).__name__)
            await asyncio.sleep(AGAIN_SECONDS)
            with contextlib.suppress(Exception):
                await channels.flush()  # else every try would leave a queue behind that nobody empties
