"""What every picture needs on its way: a thread to read in, a revision, and JSON."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec
from django.db import Error
from django.db import connection as database

encode = msgspec.json.Encoder().encode
_readers = ThreadPoolExecutor(2, thread_name_prefix="read")


def revision_of(html: str) -> str:
    """The same text has the same revision in every process and after every restart."""
    return hashlib.blake2s(html.encode(), digest_size=6).hexdigest()


async def read(function: Callable, *args):
    """Run a read in one of the drawing threads, whose connections stay open until a fault."""
    return await asyncio.get_running_loop().run_in_executor(_readers, _guarded, function, args)


def _guarded(function: Callable, args: tuple):
    try:
        return function(*args)
    except Error:  # also InterfaceError, which is no DatabaseError: a dead connection must not be kept
        database.close()
        raise
