"""What joining needs to know of a workshop, kept for a moment: thousands ask within seconds, and nothing has changed.

`Kept` is the cache of this package: loads once however many ask at the same time (no cache stampede), and forgets all
with every change on a stage that this process hears of.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from polls.models import Poll
from workshops.groups.membership import rounds
from workshops.live import engine, hub
from workshops.models import Workshop
from workshops.screens import queries

from .page_threads import in_a_thread

FRESH_SECONDS = 2.0
KEPT = 500  # before all are forgotten
CODES = 10_000

T = TypeVar("T")


class Kept(Generic[T]):
    def __init__(self) -> None:
        self._kept: dict[object, tuple[float, asyncio.Future[T]]] = {}
        self._as_of = -1

    async def get(self, key: object, load: Callable[[], Awaitable[T]]) -> T:
        """What was loaded for this key within `FRESH_SECONDS`. A load that fails is not kept."""
        self._forget()
        until, found = self._kept.get(key, (0.0, None))
        if found is None or until < time.monotonic() or found.get_loop() is not asyncio.get_running_loop():
            found = asyncio.ensure_future(load())
            self._kept[key] = (time.monotonic() + FRESH_SECONDS, found)
            found.add_done_callback(lambda done: self._drop_failed(key, done))
        return await asyncio.shield(found)

    def _forget(self) -> None:
        if self._as_of != hub.stage_changes() or len(self._kept) >= KEPT:
            self._as_of = hub.stage_changes()
            self._kept.clear()

    def _drop_failed(self, key: object, done: asyncio.Future[T]) -> None:
        if (done.cancelled() or done.exception()) and self._kept.get(key, (0.0, None))[1] is done:
            del self._kept[key]


@dataclass(frozen=True, slots=True)
class Doorway:
    """A workshop as people come to it; for reading only."""

    workshop: Workshop  # with its programme, its sheet and the question on its stage
    profile: list[Poll]  # questions about people's work that can still be answered
    has_groups: bool  # a round of groups is formed or open

    @property
    def has_one_stage(self) -> bool:
        """Does everybody who has just come in see the same? Not while groups are there, or options stand in an order
        of one's own; and in a questionnaire everybody is at another question."""
        if self.workshop.is_questionnaire:
            return False
        item = self.workshop.stage_item
        shuffled = item and item.poll and item.poll.question.settings.get("shuffle")
        return not (self.has_groups or shuffled)


def load(code: str) -> Doorway | None:
    """`None` for a code that leads nowhere. Three queries."""
    found = (
        Workshop.objects.select_related("programme", "sheet", "stage_item__poll__version")
        .filter(code=code, removed_at=None, programme__removed_at=None)
        .first()
    )
    if found is None:
        return None
    note(code)
    profile = [item.poll for item in queries.profile_items(found) if item.poll and item.poll.is_open]
    return Doorway(found, profile, bool(rounds(found.pk)))


def note(code: str) -> None:
    """A workshop was found by this code."""
    if len(_right_codes) >= CODES:
        _right_codes.clear()
    _right_codes.add(code)


_right_codes: set[str] = set()
_kept: Kept[Doorway | None] = Kept()


def is_known(code: str) -> bool:
    """Has this process found a workshop by this code?"""
    return code in _right_codes


async def find(code: str) -> Doorway | None:
    """The same, of the last moments where the engine runs here."""
    if not engine.is_running_here():  # a test's client, plain WSGI
        return await in_a_thread(load, code)
    return await _kept.get(code, lambda: in_a_thread(load, code))
