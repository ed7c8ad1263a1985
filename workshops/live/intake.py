"""Gathers what phones send and writes it in one transaction.

One writer thread with its own database connection. While it commits, what arrives waits and becomes the
next batch, so a lone vote is written at once and a thousand votes cost a few commits. An acknowledgement
leaves only after the commit. A batch that fails is tried row by row, so one bad paper harms no other; what
still fails is answered "busy" and the phone keeps it and tries again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from polls.ballot_box import Refusal

from ..actions import participation
from . import metrics

log = logging.getLogger(__name__)


class Busy(Exception):
    """Not written; the phone keeps it and tries again after `retry_after` seconds."""

    def __init__(self, retry_after: float = 1.0) -> None:
        super().__init__("busy")
        self.retry_after = retry_after


class Intake:
    """The queue before the ballot box of this process."""

    def __init__(self, write: Callable[[Sequence[Any]], list[Any]]) -> None:
        self._write = write
        self._waiting: list[tuple[Any, asyncio.Future]] = []
        self._wake = asyncio.Event()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="intake")
        self._task = asyncio.ensure_future(self._run())
        self._writing = False
        self.open = True

    async def submit(self, item: Any) -> Any:
        """The outcome of one item, after its commit. Raises `Busy`."""
        if not self.open or len(self._waiting) >= settings.LIVE_QUEUE_LIMIT:
            metrics.count(Busy())
            raise Busy
        since = metrics.now()
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        self._wake.set()
        outcome = await future
        metrics.answered(since)
        return outcome

    @property
    def waiting(self) -> int:
        """How many have arrived and are not in a transaction yet."""
        return len(self._waiting)

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                batch = self._waiting[: settings.LIVE_BATCH_LIMIT]
                del self._waiting[: settings.LIVE_BATCH_LIMIT]
                self._writing = True
                metrics.BATCH_SIZE.observe(len(batch))
                outcomes = await self._written([item for item, _future in batch])
                self._writing = False
                for (_item, future), outcome in zip(batch, outcomes, strict=True):
                    _answer(future, outcome)

    async def _written(self, items: list[Any]) -> list[Any]:
        """An outcome for each, whatever happens: the next batch must be written too."""
        try:
            loop = asyncio.get_running_loop()
            outcomes = await loop.run_in_executor(self._writer, self._write_batch, items)
            if len(outcomes) == len(items):
                return outcomes
            log.error("a batch of %d had %d outcomes", len(items), len(outcomes))
        except Exception as error:
            log.error("the writer failed (%s)", type(error).__name__)
        return [Busy() for _item in items]

    def _write_batch(self, items: list[Any]) -> list[Any]:
        try:
            return self._write(items)
        except (OperationalError, InterfaceError):
            # Locked or gone: trying each one would only wait again for each. The phones keep them.
            log.warning("a batch of %d has to wait: the database does not take it", len(items))
            connection.close()
            return [Busy() for _item in items]
        except Exception as error:
            log.warning(
                "a batch of %d was not written (%s), trying one by one", len(items), type(error).__name__
            )
            return [self._write_one(item) for item in items]

    def _write_one(self, item: Any) -> Any:
        try:
            return self._write([item])[0]
        except Exception as error:
            log.exception("an item was not written (%s)", type(error).__name__)
            connection.close()
            return Busy()

    async def stop(self) -> None:
        """Write what waits, take nothing more."""
        self.open = False
        while self._waiting or self._writing:
            await asyncio.sleep(0.01)
        self._task.cancel()


def _answer(future: asyncio.Future, outcome: Any) -> None:
    metrics.count(outcome)
    if future.done():
        return  # the phone has gone; what it sent is stored all the same
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


_intakes: dict[asyncio.AbstractEventLoop, Intake] = {}


def get() -> Intake:
    """The intake of the running loop; there is one a process."""
    loop = asyncio.get_running_loop()
    if loop not in _intakes:
        _intakes.clear()
        _intakes[loop] = Intake(participation.write)
    return _intakes[loop]


def waiting() -> int:
    """Votes that this process has taken and not written yet."""
    return sum(intake.waiting for intake in _intakes.values())


def is_taking() -> bool:
    """False once the process is about to stop."""
    return all(intake.open for intake in _intakes.values())


async def finish() -> None:
    """Write what waits in this process; from now on phones hear "busy" and keep their answers."""
    for waiting in list(_intakes.values()):
        await waiting.stop()


__all__ = ["Busy", "Intake", "Refusal", "finish", "get", "is_taking", "waiting"]
