"""A real server for a browser: Daphne in a process of its own, on the database of the test that starts it.

A process, not a thread: Twisted's reactor runs once in a process and wants its main thread, and a server that
people use has an event loop to itself too.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError

from django.conf import settings
from django.db import connection

from ..patience import PATIENCE

METRICS_TOKEN = "of the browser tests"


@dataclass
class Server:
    """A running server. `url` has no slash at its end; `log` is the file with all that it said."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    host: str = "127.0.0.1"
    #: where in its log this test begins
    heard: int = 0

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def socket_url(self) -> str:
        return f"ws://{self.host}:{self.port}"

    @property
    def said(self) -> str:
        return self.log.read_bytes()[self.heard :].decode(errors="replace")

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    @property
    def sockets(self) -> int:
        """How many screens are connected, as it says itself (`METRICS_TOKEN`)."""
        asked = urllib.request.Request(
            f"{self.url}/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"}
        )
        with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
            lines = answer.read().decode().splitlines()
        return sum(int(float(line.split()[-1])) for line in lines if line.startswith("vision_sockets{"))

    def is_left_alone(self) -> bool:
        """Wait until no screen is connected: from then on nothing that it draws can meet another test's database."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if not self.sockets:
                return True
            time.sleep(0.02)
        return False

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it: politely, or with SIGKILL as a power cut would. Safe to call twice."""
        self.process.send_signal(how)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @property
    def errors(self) -> str:
        """What it said that no test may pass with: tracebacks, and lines logged as errors."""
        log = self.said
        lines = log.splitlines()
        if "Traceback (most recent call last)" in log:
            return log
        return "\n".join(line for line in lines if " ERROR " in line or " CRITICAL " in line)


def start_server(
    place: Path, port: int = 0, server: str = "daphne", host: str = "127.0.0.1", **environment: str
) -> Server:
    """Start `manage.py serve` with the given variables on top of the test's own; returns when it answers.

    `port` 0 takes a free one; a number lets a test start the same server again after a stop.
    """
    port = port or free_port()
    log = place / f"server-{host}-{port}.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--host", host, "--port", str(port), "--server", server],
            cwd=settings.BASE_DIR,
            env=_environment() | environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    running = Server(process, port, log, host)
    _wait_until_it_answers(running)
    return running


class Standing:
    """A server for one test after the other: to start one takes longer than most of what a test does.

    Another is started where the last one was stopped, or still has a screen or something wrong to say when its test
    is over.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        self._server: Server | None = None

    def begin(self) -> Server:
        if self._server is None or not self._server.is_running:
            # What a test does by itself, past the server, is on the screens with the next look.
            self._server = start_server(self._place, METRICS_TOKEN=METRICS_TOKEN, LIVE_POLL_SECONDS="0.4")
        self._server.heard = self._server.log.stat().st_size
        return self._server

    def finish(self) -> None:
        server = self._server
        if server and (not server.is_running or not server.is_left_alone() or server.errors):
            self.end()

    def end(self) -> None:
        if self._server:
            self._server.stop()
        self._server = None


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def _environment() -> dict[str, str]:
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": database_url(),
        "SECRET_KEY": settings.SECRET_KEY,
        "LOG_LEVEL": "WARNING",
    }


def database_url() -> str:
    """The address of the database that this test is on, for another process."""
    if connection.vendor == "sqlite":
        return f"sqlite:///{connection.settings_dict['NAME']}"
    database = connection.settings_dict
    password = f":{database['PASSWORD']}" if database["PASSWORD"] else ""
    port = f":{database['PORT']}" if database["PORT"] else ""
    return f"postgres://{database['USER']}{password}@{database['HOST']}{port}/{database['NAME']}"


def _wait_until_it_answers(server: Server) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and server.process.poll() is None:
        if _answers(server.url):
            return
        time.sleep(0.05)
    server.stop()
    raise RuntimeError(f"The server did not start. It said:\n{server.said}")


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(f"{url}/static/workshops/icon.svg", timeout=10).close()
    except HTTPError as answer:
        answer.close()
    except (URLError, OSError):
        return False
    return True
