"""The pads of small groups: a group's picture goes to that group's screens and to nobody else.

The same idea as the hub's: whole pictures, the newest only, drawn once for all who look at it. But a hundred groups
that type at once are a hundred different pictures, each for six people: so they are drawn together, with a handful
of queries for all of them, a few times a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from django.conf import settings

from ..groups import load_places
from ..signals.topics import PLACES, Topic, group_of
from . import metrics, writer_priority
from .fragments import encode, read, revision_of
from .raw.send import Frame

if TYPE_CHECKING:
    from .connection import Connection

log = logging.getLogger(__name__)

# between two pictures of one pad: what a person writes is with the others within a second
WINDOW_SECONDS = 0.3
REST = 3  # a part of the window, at least, in which nothing is drawn
AT_A_TIME = 12  # pads that are read and drawn before the first of them are handed out
Draw = Callable[[int, list[int]], dict[int, str]]


class Pads:
    """Who of this process looks at which group's pad.

    `draw` makes the pictures of a workshop's groups, `people` gives the screens that are told where they sit.
    """

    def __init__(
        self, workshop_id: int, draw: Draw, people: Callable[[], Iterable[Connection]] = lambda: ()
    ) -> None:
        self.workshop_id = workshop_id
        self._draw_pads, self._people = draw, people
        self._groups: dict[int, set[Connection]] = {}
        self._frames: dict[int, tuple[str, Frame]] = {}
        self._dirty: set[int] = set()
        self._moved = False
        self._wake = asyncio.Event()
        self._task: asyncio.Task | None = None

    # -- who looks ------------------------------------------------------------------------------------------

    def join(self, screen: Connection, group: int, seen: str = "") -> None:
        """This screen looks at this group's pad from now on, and at no other; 0 is none."""
        if screen.group == group:
            return
        self.leave(screen)
        screen.group = group
        if not group:
            return
        self._groups.setdefault(group, set()).add(screen)
        drawn = self._frames.get(group)
        if drawn is None:
            self._dirty.add(group)
            self._stir()
        elif drawn[0] != seen:
            screen.set_fragment(Topic.GROUP, drawn[1])

    def leave(self, screen: Connection) -> None:
        looking = self._groups.get(screen.group, set())
        looking.discard(screen)
        if not looking:
            self._groups.pop(screen.group, None)
            self._frames.pop(screen.group, None)  # nobody keeps it new from here on
        screen.group = 0

    def tell_place(self, screen: Connection, place: dict[str, Any], seen: str = "") -> None:
        """Tell a screen where its person sits (`Places`); the pad follows."""
        if screen.place != place:
            screen.place = place
            screen.send(encode({"t": "place", **place}))
        if self._task is None:  # it looks by itself from now on: an announcement may be lost
            self._task = asyncio.ensure_future(self._run())
        self.join(screen, place["group"], seen)

    # -- what they see -----------------------------------------------------------------------------------------

    def invalidate(self, names: Iterable[str]) -> None:
        """Draw the pads that these names announce anew; `PLACES`: also ask who sits where."""
        dirty = {group for name in names if (group := group_of(name))} & self._groups.keys()
        self._dirty |= dirty
        self._moved |= PLACES in names
        if dirty or PLACES in names:
            self._stir()

    def invalidate_all(self) -> None:
        """Draw every pad anew that somebody looks at."""
        if self._groups:
            self._dirty |= self._groups.keys()
            self._stir()

    def _stir(self) -> None:
        self._wake.set()
        if self._task is None:
            self._task = asyncio.ensure_future(self._run())

    async def _run(self) -> None:
        """A window after each change. By itself every few seconds, however much is announced, for an announcement may
        be lost: then some pads in each window, so that a hundred of them are no burst."""
        look_at, due = time.monotonic() + settings.LIVE_POLL_SECONDS, list[int]()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0 if due else max(0.0, look_at - time.monotonic())):
                    await self._wake.wait()
            self._wake.clear()
            if time.monotonic() >= look_at:
                look_at, due = time.monotonic() + settings.LIVE_POLL_SECONDS, list(self._groups)
                self._moved = True
            some = math.ceil(len(self._groups) * WINDOW_SECONDS / settings.LIVE_POLL_SECONDS)
            self._dirty.update(due[:some])
            del due[:some]
            begun = time.monotonic()
            await self._look()
            took = time.monotonic() - begun
            await asyncio.sleep(max(WINDOW_SECONDS - took, WINDOW_SECONDS / REST))

    async def _look(self) -> None:
        moved, self._moved = self._moved, False
        dirty, self._dirty = self._dirty, set()
        try:
            if moved:
                await self._tell_places()
            if groups := sorted((dirty | self._dirty) & self._groups.keys()):
                await self._draw(groups)
        except Exception:
            log.exception("pads could not be drawn; trying again at the next look")

    async def _tell_places(self) -> None:
        if not (people := list(self._people())):
            return
        places = await read(load_places, self.workshop_id)
        for number, screen in enumerate(people, start=1):
            if screen.greeted:
                self.tell_place(screen, places.of(screen.voter, self.watching, screen.group))
            if number % 50 == 0:
                await writer_priority.yield_to_writer()

    async def _draw(self, groups: list[int]) -> None:
        for start in range(0, len(groups), AT_A_TIME):
            with metrics.DRAW_SECONDS.time():
                pictures = await read(self._draw_pads, self.workshop_id, groups[start : start + AT_A_TIME])
            for group, html in pictures.items():
                self._show(group, html)
            await writer_priority.yield_to_writer()  # votes and notes in between

    def _show(self, group: int, html: str) -> None:
        revision, looking = revision_of(html), self._groups.get(group)
        drawn = self._frames.get(group)
        if not looking or (drawn and drawn[0] == revision):
            return
        frame = Frame(encode({"t": "screen", "topic": Topic.GROUP, "rev": revision, "html": html}))
        self._frames[group] = (revision, frame)
        metrics.PICTURES.inc(len(looking))
        for screen in list(looking):
            screen.set_fragment(Topic.GROUP, frame)

    def watching(self, group: int) -> int:
        """How many screens of this process look at a pad."""
        return len(self._groups.get(group, ()))

    def stop(self) -> None:
        if self._task:
            self._task.cancel()
