"""Gathers what phones send and writes it in one transaction.

One writer thread with its own database connection. While it commits, and rests a moment after it, what arrives
waits and becomes the next batch: a lone vote is written at once, a thousand cost a few commits. An acknowledgement
leaves only after the commit. A batch that fails is tried row by row, so one bad paper harms no other; what
still fails is answered "busy" and the phone keeps it and tries again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from polls.ballot_box import Refusal

from ..actions import batch
from ..actions.batch import Item
from . import hub, metrics, writer_priority

log = logging.getLogger(__name__)

#: After a commit the writer rests so many times as long as it took, at most `LONGEST_REST` seconds. A commit costs
#: about the same for one vote as for twenty: in a busy room this halves the work, for a dozen milliseconds an answer.
RESTS, LONGEST_REST = 8, 0.016

Outcome = batch.Outcome | None
#: called once with the outcome of an item, or with `Busy`
Answer = Callable[["Outcome | Busy"], None]


class Busy(Exception):
    """Not written; the phone keeps it and tries again after `retry_after` seconds."""

    def __init__(self, retry_after: float = 1.0) -> None:
        super().__init__("busy")
        self.retry_after = retry_after


def _new_writer() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="batcher")


class WriteBatcher:
    """The queue before the ballot box of this process."""

    def __init__(self, write: Callable[[Sequence[Item]], list[Outcome]]) -> None:
        self._write = write
        self._waiting: list[tuple[Item, Answer, float]] = []
        self._wake = asyncio.Event()
        self._writer = _new_writer()
        self._task = asyncio.ensure_future(self._run())
        self._writing = False
        self.open = True

    def put(self, item: Item, answer: Answer) -> None:
        """Take an item. `answer` is called once, after the commit, with its outcome, or with `Busy`."""
        if not self.open or len(self._waiting) >= settings.LIVE_QUEUE_LIMIT:
            metrics.count(Busy())
            return answer(Busy())
        self._waiting.append((item, answer, metrics.now()))
        return self._wake.set()

    async def submit(self, item: Item) -> Outcome:
        """The outcome of one item, after its commit. Raises `Busy`. Whoever stops waiting takes nothing back."""
        future = asyncio.get_running_loop().create_future()
        self.put(item, lambda outcome: None if future.done() else future.set_result(outcome))
        outcome = await future
        if isinstance(outcome, Exception):
            raise outcome
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
                taken = self._waiting[: settings.LIVE_BATCH_LIMIT]
                del self._waiting[: settings.LIVE_BATCH_LIMIT]
                self._writing, since = True, metrics.now()
                metrics.BATCH_SIZE.observe(len(taken))
                with writer_priority.writing():
                    outcomes = await self._written([item for item, _answer, _since in taken])
                self._writing, took = False, metrics.now() - since
                for (_item, answer, arrived), outcome in zip(taken, outcomes, strict=True):
                    _tell(answer, outcome, arrived)
                if self.open:
                    await asyncio.sleep(min(RESTS * took, LONGEST_REST))

    async def _written(self, items: list[Item]) -> list[Outcome | Busy]:
        """An outcome for each, whatever happens: the next batch must be written too."""
        try:
            loop = asyncio.get_running_loop()
            writing = loop.run_in_executor(self._writer, self._write_batch, items)
            outcomes = await asyncio.wait_for(asyncio.shield(writing), settings.LIVE_WRITE_SECONDS)
            if len(outcomes) == len(items):
                return outcomes
            log.error("a batch of %d had %d outcomes", len(items), len(outcomes))
        except TimeoutError:
            log.warning("a batch of %d has to wait: the database does not answer", len(items))
            self._leave_the_writer()
        except Exception as error:
            log.error("the writer failed (%s)", type(error).__name__)
        return [Busy() for _item in items]

    def _leave_the_writer(self) -> None:
        """It waits for a database that neither answers nor goes away: the next batch gets a thread, and a connection,
        of its own. What the old one may still write harms nobody: whoever heard "busy" sends the same operation."""
        self._writer.submit(connection.close)
        self._writer.shutdown(wait=False)
        self._writer = _new_writer()

    def _write_batch(self, items: list[Item]) -> list[Outcome | Busy]:
        try:
            return [*self._write(items)]
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

    def _write_one(self, item: Item) -> Outcome | Busy:
        try:
            return self._write([item])[0]
        except Exception as error:
            log.exception("an item was not written (%s)", type(error).__name__)
            connection.close()
            return Busy()

    async def stop(self) -> None:
        """Write what waits, take nothing more. Whoever is left when that is cut short hears "busy"."""
        self.open = False
        try:
            while self._waiting or self._writing:
                await asyncio.sleep(0.01)
        finally:
            self._task.cancel()
            for _item, answer, arrived in self._waiting:
                _tell(answer, Busy(), arrived)
            self._waiting.clear()


def _tell(answer: Answer, outcome: Outcome | Busy, arrived: float) -> None:
    metrics.count(outcome)
    metrics.answered(arrived)
    try:
        answer(outcome)
    except Exception:  # one phone's answer that cannot be handed over must not cost the others theirs
        log.exception("an answer could not be handed over")


_batchers: dict[asyncio.AbstractEventLoop, WriteBatcher] = {}


def get() -> WriteBatcher:
    """The batcher of the running loop; there is one a process."""
    loop = asyncio.get_running_loop()
    if loop not in _batchers:
        _batchers.clear()
        _batchers[loop] = WriteBatcher(batch.write)
    return _batchers[loop]


def write_from_a_page(item: Item) -> Outcome:
    """For a page in its thread: what is to be written goes with the next batch, so this page never holds the lock
    that votes wait for. Where no engine runs (tests, plain WSGI), at once. Raises `OperationalError` if not taken."""
    loop = hub.running_loop()
    if loop is None or not loop.is_running() or _runs_here(loop):
        return batch.write([item])[0]
    try:
        # For the batch that is being written, or for this one; a process that stops must not wait long for its pages.
        return asyncio.run_coroutine_threadsafe(_submit(item), loop).result(settings.LIVE_WRITE_SECONDS + 1.0)
    except (Busy, TimeoutError, CancelledError):
        raise OperationalError("the database does not take it now") from None


async def _submit(item: Item) -> Outcome:
    return await get().submit(item)


def _runs_here(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


def waiting() -> int:
    """Votes that this process has taken and not written yet."""
    return sum(batcher.waiting for batcher in _batchers.values())


def is_taking() -> bool:
    """False once the process is about to stop."""
    return all(batcher.open for batcher in _batchers.values())


async def finish() -> None:
    """Write what waits in this process; from now on phones hear "busy" and keep their answers."""
    for waiting in list(_batchers.values()):
        await waiting.stop()


__all__ = ["Busy", "Refusal", "WriteBatcher", "finish", "get", "is_taking", "waiting"]
