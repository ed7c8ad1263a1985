"""A database of a test's own, whatever the rest of the run stands on: for faults that befall a database.

`standing_on(address)` makes it the one that models of this process speak to, so that factories and assertions work
as anywhere; servers are given the same address.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import environs
from django.conf import settings
from django.db import connections


def migrate(address: str) -> None:
    """Give a database our tables; in a process of its own, so that nothing of it is remembered in this one."""
    environment = os.environ | {"DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    command = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
    subprocess.run(command, cwd=settings.BASE_DIR, env=environment, check=True)


def sqlite_address(path: Path) -> str:
    return f"sqlite:///{path}"


@contextmanager
def standing_on(address: str) -> Iterator[None]:
    """Models of this process speak to the database at this address."""
    parsed = environs.Env().dj_db_url("NO_SUCH_VARIABLE", address)
    if parsed["ENGINE"].endswith("sqlite3"):
        parsed["OPTIONS"] = {"transaction_mode": "IMMEDIATE", "timeout": 20}
    found = connections.configure_settings({"default": parsed})["default"]
    before, usual = connections["default"], connections.settings["default"]
    connections.settings["default"] = found  # for threads to come
    connections["default"] = connections.create_connection("default")
    try:
        yield
    finally:
        connections["default"].close()
        connections.settings["default"] = usual
        connections["default"] = before


async def read(function: Callable[[], Any]) -> Any:
    """A look into the database from a test's event loop, on a connection of its own."""

    def look() -> Any:
        try:
            return function()
        finally:
            connections.close_all()

    return await asyncio.to_thread(look)
