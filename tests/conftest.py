"""What every test may ask for. Browser tests find more in `tests/browser/conftest.py`."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations

from . import own_database
from .budget import spend as spend  # what something costs a phone

TESTS = Path(__file__).parent

# A machine that is busy with other tests is not a failure of this one.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(settings.TEST_PLACE, ignore_errors=True)


OF_THE_RUN = {"db", "transactional_db", "django_db_setup", "live_server"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What stands in tests/browser is a browser test, and what asks for no database, or brings its own, is the same on
    every one: no file has to say so.

    The browser's tests come first and together: Chromium and the server that they share end with the last of them.
    """
    for item in items:
        if item.path.is_relative_to(TESTS / "browser"):
            item.add_marker("browser")
        asks = OF_THE_RUN & set(getattr(item, "fixturenames", ()))
        if not asks and item.get_closest_marker("django_db") is None:
            item.add_marker("once")
    items.sort(key=lambda item: item.get_closest_marker("browser") is None)


def _delete_all(self: DatabaseOperations, _style: Any, tables: list[str], **_options: Any) -> list[str]:
    """A test leaves a handful of rows; to truncate makes every table anew on the disk, a hundred times the work."""
    return [f"DELETE FROM {self.quote_name(table)}" for table in tables]


DatabaseOperations.sql_flush = _delete_all


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Before the database goes, whoever is still in it is shown out: a server that a test has just ended, a thread that
    looked for rows. PostgreSQL drops no database that somebody is in."""
    yield
    with django_db_blocker.unblock():
        if connection.vendor == "postgresql":
            connection.close()
            connection.close_pool()
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            connection.close()
            connection.close_pool()


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with our tables, to copy: made once a run, by the process that needs it first."""
    place = tmp_path_factory.getbasetemp()
    if settings.WORKER != "main":
        place = place.parent  # that of all processes of this run
    path, unfinished = place / "empty.sqlite3", place / "unfinished.sqlite3"
    with (place / "empty.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            own_database.migrate(own_database.sqlite_address(unfinished))
            unfinished.rename(path)
    return path


@pytest.fixture(autouse=True)
def _fresh_cache() -> Iterator[None]:
    """Rate limits and the like of one test must not meet the next."""
    yield
    cache.clear()
