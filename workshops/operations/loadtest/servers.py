"""Server processes: start on a free port, wait until they listen, measure CPU and memory, stop.

Measurements read `/proc`: CPU time and resident memory of a process and its children, for any kind of server.
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
    #: stores votes in the database, so that rows can be counted
    durable: bool = True
    #: has a stage on which the poll has to be launched
    staged: bool = True
    #: a bad example for comparison: votes that it loses do not make a run invalid
    specimen: bool = False


DAPHNE = Kind("daphne", "Vision Workshops, Daphne", ("manage.py", "serve", "--port", "{port}"))
UVICORN = Kind(
    "uvicorn", "Vision Workshops, Uvicorn", ("manage.py", "serve", "--server", "uvicorn", "--port", "{port}")
)
REFERENCE = Kind(
    "reference", "reference: picows, in memory", ("-m", "workshops.operations.loadtest.reference", "{port}"),
    durable=False, staged=False,
)  # fmt: skip
SPECIMEN = "workshops.operations.loadtest.specimen:application"
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
    """Environment variables with a fresh database and secret key in `place`; settings of the live engine are kept."""
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


def manage(place: Path, *command: str, checkout: Path | None = None) -> None:
    """Run a management command, of this or another checkout, on the database in `place`."""
    subprocess.run(
        [PYTHON, "manage.py", *command, "--verbosity=0"],
        cwd=checkout or settings.BASE_DIR,
        env=environment(place),
        check=True,
        stdout=subprocess.DEVNULL,
    )


@contextmanager
def running(
    kind: Kind, place: Path, core: int | None = None, port: int = 0, checkout: Path | None = None
) -> Iterator[Server]:
    """A server that listens; stopped afterwards. Every kind gets the limit of open files that ours raises itself."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, FILES), hard))  # its child has it too
    port = port or free_port()
    arguments = [argument.format(port=port) for argument in kind.arguments]
    with _log(place, kind).open("wb") as log:
        process = subprocess.Popen(
            [PYTHON, *arguments],
            cwd=checkout or settings.BASE_DIR, env=environment(place), stdout=log, stderr=log,
        )  # fmt: skip
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
    """The last line that the last server of this kind logged as an error; empty without one."""
    log = _log(place, kind).read_text(errors="replace")
    return next((line for line in reversed(log.splitlines()) if ERROR.search(line)), "")


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
    """A CPU core for the server and another for everything else; `None` (no pinning) where there is only one."""
    if not hasattr(os, "sched_getaffinity") or len(allowed_cores := sorted(os.sched_getaffinity(0))) < 2:
        return None, None
    return allowed_cores[0], allowed_cores[-1]


def pin(pid: int, core: int | None) -> None:
    """Pin a process and its threads to one core (CPU affinity)."""
    if core is not None:
        for thread in os.listdir(f"/proc/{pid}/task"):
            os.sched_setaffinity(int(thread), {core})


@dataclass(frozen=True)
class Server:
    """A server process on this machine; with `pid` 0 it cannot be measured."""

    pid: int
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cpu_seconds(self) -> float | None:
        """CPU time so far, in seconds, of the process, its threads and its children."""
        if not self.pid:
            return None
        return sum(_ticks(pid) for pid in _tree(self.pid)) / TICKS

    def memory_bytes(self) -> int | None:
        """Resident memory of the process and its children, in bytes."""
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
    """The id of the process on this machine that listens on a port; 0 if it cannot be found."""
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
            continue  # another user's process, or one that has just ended
    return 0
