"""What every test may ask for. Browser tests find more in `tests/browser/conftest.py`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import hypothesis
import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations

from . import services
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
    every one: no file has to say so."""
    for item in items:
        if item.path.is_relative_to(TESTS / "browser"):
            item.add_marker("browser")
        asks = OF_THE_RUN & set(getattr(item, "fixturenames", ()))
        if not asks and item.get_closest_marker("django_db") is None:
            item.add_marker("once")


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


@pytest.fixture(autouse=True)
def _fresh_cache() -> Iterator[None]:
    """Rate limits and the like of one test must not meet the next."""
    yield
    cache.clear()


def service_url(variable: str, service: str) -> str:
    """The address of a service that tests need; skips in plain words, or fails where it must be there."""
    if url := os.environ.get(variable, ""):
        return url
    services.skip(f"{service} is not here: set {variable} to run this test.")


@pytest.fixture(scope="session")
def _postgres_url() -> Iterator[str]:
    """A migrated PostgreSQL database for this process alone; gone afterwards."""
    import psycopg
    from psycopg import sql

    server = service_url("TEST_DATABASE_URL", "PostgreSQL")
    name = f"vision_{settings.WORKER}_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = urlsplit(server)._replace(path=f"/{name}").geturl()
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
    environment = os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    subprocess.run(migrate, cwd=settings.BASE_DIR, env=environment, check=True)
    yield url
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def postgres(_postgres_url: str) -> str:
    """The address of a PostgreSQL database with our tables: `serve(DATABASE_URL=postgres)`.

    The test's own `connection` stays what it is. To run the whole suite on PostgreSQL and Redis, name them
    in `DATABASE_URL` and `REDIS_URL`, as `.ci/run` does.
    """
    return _postgres_url


@pytest.fixture
def redis() -> str:
    """The address of a Redis server: `serve(REDIS_URL=redis)`."""
    return service_url("TEST_REDIS_URL", "Redis")
