"""The servers of a history and what they stand on: one process on SQLite, or two on PostgreSQL and Redis.

Django must be set up with `environment` before a stack starts. The database is looked at past the product's code:
plain SQL in one transaction that sees one moment.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from ..browser.server import Server, free_port, start_server
from ..services import Postgres, Redis

STARTS = 3  # how often a server that does not answer is started anew
BUSY_SECONDS = 2  # shorter than a database is locked at times, so that phones hear "busy"

BALLOTS = "SELECT poll_id, voter, op, seq, value, revision FROM polls_ballot"
POLLS = "SELECT id, state, result FROM polls_poll"
GROUPS = {
    "notes": "SELECT note.id, group_id, author, note.op, words.words, revision, position, taken_back_at IS NOT NULL "
    "FROM workshops_contribution note JOIN polls_text words ON words.id = note.text_id",
    # Every revision leads back to the first, and words that lost to those which stood in their way.
    "wordings": "WITH RECURSIVE mine(text, note) AS (SELECT text_id, id FROM workshops_contribution UNION "
    "SELECT former.former_id, note FROM mine JOIN polls_text former ON former.id = mine.text WHERE former.former_id IS NOT NULL) "
    "SELECT note, revision, words.words, voter, op, standing <> 'lost' FROM polls_text words "
    "JOIN mine ON mine.text = CASE standing WHEN 'lost' THEN words.former_id ELSE words.id END",
    "agreements": "SELECT contribution_id, voter FROM workshops_agreement",
    "seats": "SELECT voter, group_id FROM workshops_place",
}
STAGE = (
    "SELECT item.poll_id FROM workshops_workshop workshop "
    "LEFT JOIN workshops_agendaitem item ON item.id = workshop.stage_item_id"
)


class Stack:
    """Servers and services of one history. `servers` keep their ports, whatever happens to their processes."""

    name = ""
    processes = 1

    def __init__(self, place: Path, kind: str, **environment: str) -> None:
        self.place, self.kind = place, kind
        self.environment = {
            "DJANGO_SETTINGS_MODULE": "tests.history.settings",
            "DATABASE_BUSY_SECONDS": str(BUSY_SECONDS),
            **environment,
        }
        self.postgres: Postgres | None = None
        self.redis: Redis | None = None
        self.ports = [free_port() for _ in range(self.processes)]
        self.servers: dict[int, Server] = {}
        self._rows: dict[tuple, tuple] = {}

    @property
    def database_url(self) -> str:
        raise NotImplementedError

    def start_services(self) -> None:
        """Raises `services.NotInstalled`."""

    def start_server(self, number: int) -> None:
        """Start a process, or start it again on its port; returns when it answers.

        On a machine that is busy with much else a start may outlast its patience: that is tried again.
        """
        for tries_left in reversed(range(STARTS)):
            try:
                port = self.ports[number]
                self.servers[number] = start_server(self.place, port, server=self.kind, **self.environment)
                return
            except RuntimeError:
                if not tries_left:
                    raise

    def kill_server(self, number: int) -> None:
        """SIGKILL, also for one that is stopped."""
        server = self.servers[number]
        server.process.kill()
        server.process.wait()

    def signal_server(self, number: int, how: signal.Signals) -> None:
        self.servers[number].process.send_signal(how)

    def close(self) -> None:
        for number in self.servers:
            self.kill_server(number)
        for service in (self.postgres, self.redis):
            if service:
                service.close()

    # -- the database, past the product ------------------------------------------------------------------------

    def look(self) -> dict[str, Any]:
        """`ballots`, `polls` by number, the `stage`, what is in groups, all of one moment. Raises the driver's errors."""
        with self._snapshot() as rows:
            ballots = [
                {
                    "poll": poll,
                    "voter": voter,
                    "op": op,
                    "seq": seq,
                    "value": _json(value),
                    "revision": revision,
                }
                for poll, voter, op, seq, value, revision in rows(BALLOTS)
            ]
            polls = {poll: {"state": state, "result": _json(result)} for poll, state, result in rows(POLLS)}
            poll = rows(STAGE)[0][0] or 0
            groups = {name: self._shared(rows(sql)) for name, sql in GROUPS.items()}
        state = {"open": "ballot", "closed": "closed"}[polls[poll]["state"]] if poll else "joining"
        return {"ballots": ballots, "polls": polls, "stage": [poll, state], **groups}

    def _shared(self, rows: list[tuple]) -> list[tuple]:
        """The same rows of a hundred looks are kept once."""
        return [self._rows.setdefault(row, row) for row in rows]

    def _snapshot(self) -> contextlib.AbstractContextManager:
        raise NotImplementedError

    def lock(self, seconds: float) -> None:
        """Let nobody write for so long. Raises the driver's errors."""
        raise NotImplementedError


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


class OnSqlite(Stack):
    name = "sqlite"

    @property
    def _file(self) -> Path:
        return self.place / "history.sqlite3"

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self._file}"

    @contextlib.contextmanager
    def _snapshot(self) -> Iterator[Any]:
        address = f"file:{self._file}?mode=ro"
        with contextlib.closing(sqlite3.connect(address, uri=True, timeout=10)) as connection:
            connection.execute("BEGIN")
            yield lambda sql: connection.execute(sql).fetchall()

    def lock(self, seconds: float) -> None:
        with contextlib.closing(sqlite3.connect(self._file, timeout=5, isolation_level=None)) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            time.sleep(seconds)
            connection.execute("ROLLBACK")


class OnPostgres(Stack):
    name = "postgres"
    processes = 2

    def start_services(self) -> None:
        self.postgres, self.redis = Postgres(), Redis()
        self.postgres.start()
        self.postgres.create("history")
        self.redis.start()

    @property
    def database_url(self) -> str:
        assert self.postgres
        return self.postgres.url("history")

    @contextlib.contextmanager
    def _snapshot(self) -> Iterator[Any]:
        with psycopg.connect(self.database_url, connect_timeout=2) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.execute("SET LOCAL statement_timeout = '5s'")
            # JSON as it is written: a plain string in it must not be taken for JSON twice.
            psycopg.types.json.set_json_loads(lambda data: bytes(data).decode(), connection)
            yield lambda sql: connection.execute(sql).fetchall()

    def lock(self, seconds: float) -> None:
        with psycopg.connect(self.database_url, connect_timeout=2) as connection:
            connection.execute("SET LOCAL lock_timeout = '5s'")
            connection.execute(
                "LOCK TABLE polls_ballot, polls_poll, workshops_contribution IN ACCESS EXCLUSIVE MODE"
            )
            time.sleep(seconds)
            connection.rollback()


STACKS: dict[str, type[Stack]] = {stack.name: stack for stack in (OnSqlite, OnPostgres)}


def use(stack: Stack) -> None:
    """Make this process's Django that of the stack: its database, its settings, its place."""
    os.environ.update(stack.environment)
    os.environ["DATABASE_URL"] = stack.database_url
    os.environ["REDIS_URL"] = stack.redis.url if stack.redis else ""
    os.environ["TEST_VAR_DIR"] = str(stack.place)
    os.environ["TEST_VAR_OWNER"] = os.environ.get("PYTEST_XDIST_WORKER", "main")
    import django

    django.setup()
