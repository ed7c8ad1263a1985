"""The few threads in which pages of phones are drawn.

A thread that draws takes the interpreter from the loop, which votes need: people who are not in yet share one or two
threads of their own (`as_a_newcomer`), so a crowd of them slows nobody who is in.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import close_old_connections

from workshops.live import engine

NEWCOMERS_PART = 4  # people who are not in yet have a quarter of the threads beside those of people who are

T = TypeVar("T")

_threads = ThreadPoolExecutor(settings.PARTICIPANT_THREADS, thread_name_prefix="page")
_for_newcomers = ThreadPoolExecutor(
    max(1, settings.PARTICIPANT_THREADS // NEWCOMERS_PART), thread_name_prefix="page-new"
)
_own: ContextVar[ThreadPoolExecutor] = ContextVar("page_threads", default=_threads)


@contextlib.contextmanager
def as_a_newcomer() -> Iterator[None]:
    """What this block draws is for somebody who is not in yet."""
    before = _own.set(_for_newcomers)
    try:
        yield
    finally:
        _own.reset(before)


async def in_a_thread(work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Do this in a thread of pages; its database connection is given back afterwards."""
    if not engine.is_running_here():  # a test's client, plain WSGI: Django's own thread
        return await sync_to_async(work)(*args, **kwargs)

    def and_give_back() -> T:
        try:
            return work(*args, **kwargs)
        finally:
            close_old_connections()

    return await sync_to_async(and_give_back, thread_sensitive=False, executor=_own.get())()
