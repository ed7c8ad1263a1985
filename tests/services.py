"""PostgreSQL and Redis of a test's own: real servers on free ports, to stop, kill, pause and start again as one likes.

Their data lives in a place of its own and outlives a stop, as on a real machine. A service starts with `start`
and ends with `close`, which also removes its data; in between nothing is undone by itself. Where a program is not
installed, `start` raises `NotInstalled`; `or_skip` turns that into a skip, or a failure where REQUIRE_SERVICES is set.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest
import redis
from psycopg import sql
from redis.backoff import NoBackoff
from redis.retry import Retry

from .browser.server import free_port
from .patience import PATIENCE


class NotInstalled(Exception):
    """The program is not on this machine; the message is one plain sentence."""


def skip(sentence: str) -> NoReturn:
    """Skip the running test in plain words, or fail it where services must be there."""
    if os.environ.get("REQUIRE_SERVICES"):
        pytest.fail(sentence)
    pytest.skip(sentence)


@contextlib.contextmanager
def or_skip() -> Iterator[None]:
    try:
        yield
    except NotInstalled as error:
        skip(str(error))


def program(name: str, service: str) -> str:
    """The path of a program: on PATH, or where Debian keeps PostgreSQL's. Raises `NotInstalled`."""
    found = sorted(
        Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: path.parts[-3].zfill(4)
    )
    path = shutil.which(name) or (str(found[-1]) if found else "")
    if not path:
        raise NotInstalled(f"{name} is not installed: it is needed to stop and start {service} in a test.")
    return path


def family(pid: int) -> list[int]:
    """A process and all that came from it, parents first; those that are gone are left out."""
    found = [pid]
    for each in found:
        with contextlib.suppress(OSError):  # gone while it is looked at
            for thread in Path(f"/proc/{each}/task").glob("*/children"):
                found += [int(child) for child in thread.read_text().split()]
    return found


def signal_all(pids: list[int], how: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, how)


class Service:
    """A server program as a child of this process. Always the same port and the same data."""

    name = "the service"
    polite = signal.SIGTERM  # ends it without waiting for whoever is connected

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host = host  # where it listens, and nowhere else
        self.port = free_port()
        self.place = Path(tempfile.mkdtemp(prefix="vision-service-"))
        self.process: subprocess.Popen[bytes] | None = None

    # -- what each service says of itself ---------------------------------------------------------------

    def _command(self) -> list[str]:
        raise NotImplementedError

    def _answers(self) -> bool:
        raise NotImplementedError

    @property
    def _user(self) -> str | None:
        """Whom it runs as; `None`: whoever we are."""
        return None

    # -- what a test does with it --------------------------------------------------------------------------

    def start(self) -> None:
        """Returns when it answers. Raises `NotInstalled`."""
        command = self._command()
        with (self.place / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.place, user=self._user, group=self._user, stdout=log, stderr=log,
                extra_groups=[] if self._user else None,
            )  # fmt: skip
        end = time.monotonic() + PATIENCE
        while not self._answers():
            if time.monotonic() > end or self.process.poll() is not None:
                said = (self.place / "log").read_text(errors="replace")[-2000:]
                self.kill()
                raise RuntimeError(f"{self.name} did not start. It said:\n{said}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End it as an administrator would, whoever is connected. Safe to call twice."""
        if self.process is None:
            return
        signal_all(family(self.process.pid), signal.SIGCONT)
        self.process.send_signal(self.polite)
        try:
            self.process.wait(PATIENCE)
            self.process = None
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it and all its children at once, as a crash would. Safe to call twice."""
        if self.process is not None:
            signal_all(family(self.process.pid), signal.SIGKILL)
            self.process.wait()
            self.process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def pause(self) -> None:
        """It is there and answers nothing: connections stay open, new ones wait."""
        assert self.process is not None
        signal_all(family(self.process.pid), signal.SIGSTOP)

    def resume(self) -> None:
        assert self.process is not None
        signal_all(family(self.process.pid), signal.SIGCONT)

    def close(self) -> None:
        """End it for good; its data goes too."""
        self.kill()
        shutil.rmtree(self.place, ignore_errors=True)


class Redis(Service):
    name = "Redis"

    @property
    def url(self) -> str:
        return f"redis://{self.host}:{self.port}/0"

    def client(self, seconds: float) -> redis.Redis:
        """A client that waits so long for an answer and asks once."""
        return redis.Redis(
            host=self.host,
            port=self.port,
            socket_connect_timeout=seconds,
            socket_timeout=seconds,
            retry=Retry(NoBackoff(), 0),
        )

    @property
    def listeners(self) -> int:
        """How many processes hear what others announce."""
        with self.client(PATIENCE) as client:
            groups = client.pubsub_channels("*__group__*")
            return sum(number for _name, number in client.pubsub_numsub(*groups)) if groups else 0

    def _command(self) -> list[str]:
        options = ["--port", str(self.port), "--bind", self.host, "--save", "", "--dir", str(self.place)]
        return [program("redis-server", self.name), *options, "--protected-mode", "no"]

    def _answers(self) -> bool:
        try:
            with self.client(1.0) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


class Postgres(Service):
    """PostgreSQL that forgets to wait for the disk: processes are killed here, the machine's power is not cut."""

    name = "PostgreSQL"
    polite = signal.SIGINT  # "fast": SIGTERM would wait until the last client has gone

    @property
    def server_url(self) -> str:
        return self.url("postgres")

    def url(self, database: str) -> str:
        return f"postgres://postgres@{self.host}:{self.port}/{database}"

    def create(self, database: str, template: str = "template0") -> str:
        """A new database, a copy of another; returns its address."""
        with psycopg.connect(self.server_url, autocommit=True) as connection:
            words = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            connection.execute(words.format(sql.Identifier(database), sql.Identifier(template)))
        return self.url(database)

    def drop(self, database: str) -> None:
        with psycopg.connect(self.server_url, autocommit=True) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database))
            )

    @property
    def _user(self) -> str | None:
        """PostgreSQL refuses to run as root."""
        return "postgres" if os.geteuid() == 0 else None

    def _command(self) -> list[str]:
        data = self.place / "data"
        if not data.exists():
            self._make(data)
        settings = {
            "listen_addresses": self.host, "unix_socket_directories": "", "fsync": "off",
            "full_page_writes": "off", "max_connections": "60", "shared_buffers": "16MB",
        }  # fmt: skip
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [program("postgres", self.name), "-D", str(data), "-p", str(self.port), *options]

    def _make(self, data: Path) -> None:
        initdb = program("initdb", self.name)
        if self._user:
            shutil.chown(self.place, self._user, self._user)
        command = [initdb, "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(
            [*command, "--locale", "C"], cwd=self.place, user=self._user, group=self._user, check=True,
            extra_groups=[] if self._user else None, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        with (data / "pg_hba.conf").open("a") as rules:  # initdb lets in this machine alone
            rules.write(f"host all all {self.host}/24 trust\n")

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self.server_url, connect_timeout=1) as connection:
                return connection.execute("SELECT 1").fetchone() == (1,)
        except psycopg.Error:
            return False
