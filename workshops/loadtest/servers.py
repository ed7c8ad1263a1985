"""Servers as processes of their own: start on a free port, wait until they answer, weigh, stop.

Weighing reads `/proc`: processor time and memory of a process and its children, whatever server it is.
"""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

START_SECONDS, STOP_SECONDS = 30.0, 10.0
FILES = 65_536
TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
PYTHON = sys.executable
ERROR = re.compile(r" ERROR | CRITICAL |^\w+(\.\w+)*(Error|Exception): ")


@dataclass(frozen=True)
class Kind:
    """A server that can be measured. `arguments` follow the Python interpreter; `{port}` is filled in."""

    name: str
    label: str
    arguments: tuple[str, ...]
    #: keeps votes in the database, so rows can be counted
    durable: bool = True
    #: has a stage: the question has to be launched
    staged: bool = True
    #: not ours, and there to be worse: what it loses is no reason against a run
    specimen: bool = False


DAPHNE = Kind("daphne", "Vision Workshops, Daphne", ("manage.py", "serve", "--port", "{port}"))
UVICORN = Kind(
    "uvicorn", "Vision Workshops, Uvicorn", ("manage.py", "serve", "--server", "uvicorn", "--port", "{port}")
)
REFERENCE = Kind(
    "reference", "reference: picows, in memory", ("-m", "workshops.loadtest.reference", "{port}"),
    durable=False, staged=False,
)  # fmt: skip
SPECIMEN = "workshops.loadtest.specimen:application"
TUTORIAL = Kind(
    "tutorial", "specimen: tutorial design, Daphne",
    ("-m", "daphne", "-v", "0", "-b", "127.0.0.1", "-p", "{port}", SPECIMEN),
    staged=False, specimen=True,
)  # fmt: skip
TUTORIAL_ON_UVICORN = Kind(
    "tutorial-uvicorn", "specimen: tutorial design, Uvicorn",
    ("-m", "uvicorn", "--port", "{port}", "--ws", "websockets-sansio", "--ws-per-message-deflate", "false",
     "--lifespan", "off", "--log-level", "warning", SPECIMEN),
    staged=False, specimen=True,
)  # fmt: skip
KINDS = {kind.name: kind for kind in (DAPHNE, UVICORN, REFERENCE, TUTORIAL, TUTORIAL_ON_UVICORN)}


def environment(place: Path) -> dict[str, str]:
    """A fresh database and key in `place`, whatever this command was started with; the engine's settings stay."""
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "VAR_DIR": str(place),
        "DATABASE_URL": os.environ.get("LOADTEST_DATABASE_URL", f"sqlite:///{place / 'loadtest.sqlite3'}"),
        "REDIS_URL": os.environ.get("LOADTEST_REDIS_URL", ""),
        "SECRET_KEY": "",
        "PUBLIC_URL": "",
        "ALLOWED_HOSTS": "127.0.0.1",
        "DEBUG": "false",
    }


def manage(place: Path, *command: str) -> None:
    """A command of the project, for the database in `place`."""
    subprocess.run(
        [PYTHON, "manage.py", *command, "--verbosity=0"],
        cwd=settings.BASE_DIR,
        env=environment(place),
        check=True,
    )


@contextmanager
def running(kind: Kind, place: Path, core: int | None = None, port: int = 0) -> Iterator[Server]:
    """The server, answering; stopped afterwards. What we compare with gets as many sockets as ours asks for itself."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, FILES), hard))  # its child has it too
    port = port or free_port()
    arguments = [argument.format(port=port) for argument in kind.arguments]
    with _log(place, kind).open("wb") as log:
        process = subprocess.Popen(
            [PYTHON, *arguments], cwd=settings.BASE_DIR, env=environment(place), stdout=log, stderr=log
        )
    server = Server(process.pid, port)
    try:
        _wait_until_it_listens(process, port, _log(place, kind))
        pin(process.pid, core)
        yield server
    finally:
        _stop(process)


def _log(place: Path, kind: Kind) -> Path:
    return place / f"{kind.name}.log"


def errors(place: Path, kind: Kind) -> str:
    """The last thing that the last server of this kind reported as an error; empty if it was content."""
    said = _log(place, kind).read_text(errors="replace")
    return next((line for line in reversed(said.splitlines()) if ERROR.search(line)), "")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_it_listens(process: subprocess.Popen, port: int, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"The server did not start. It said:\n{log.read_text(errors='replace')[-2000:]}")


def _stop(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def cores() -> tuple[int | None, int | None]:
    """One processor core for the server and another for everything else; nothing is pinned where there is only one."""
    if not hasattr(os, "sched_getaffinity") or len(mine := sorted(os.sched_getaffinity(0))) < 2:
        return None, None
    return mine[0], mine[-1]


def pin(pid: int, core: int | None) -> None:
    """Keep a process and its threads on one core."""
    if core is not None:
        for thread in os.listdir(f"/proc/{pid}/task"):
            os.sched_setaffinity(int(thread), {core})


@dataclass(frozen=True)
class Server:
    """A server process on this machine; `pid` 0 stands for one that cannot be weighed."""

    pid: int
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cpu_seconds(self) -> float | None:
        """Processor time so far, of the process, its threads and its children."""
        if not self.pid:
            return None
        return sum(_ticks(pid) for pid in _tree(self.pid)) / TICKS

    def memory_bytes(self) -> int | None:
        """Resident memory now."""
        if not self.pid:
            return None
        return sum(_resident_pages(pid) for pid in _tree(self.pid)) * os.sysconf("SC_PAGE_SIZE")


def _tree(root: int) -> Iterator[int]:
    yield root
    for thread in Path(f"/proc/{root}/task").glob("*/children"):
        for child in thread.read_text().split():
            yield from _tree(int(child))


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return int(fields[11]) + int(fields[12])  # utime, stime; proc(5) counts from 1 and two fields earlier


def _resident_pages(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1])


def listening_on(port: int) -> int:
    """The process of this machine that listens on a port; 0 if it cannot be found out."""
    inodes = {
        row[9]
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for row in map(str.split, Path(table).read_text().splitlines()[1:])
        if row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port
    }
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if os.readlink(link).removeprefix("socket:[").removesuffix("]") in inodes:
                return int(link.parts[2])
        except OSError:
            continue  # another person's process, or one that has just gone
    return 0
