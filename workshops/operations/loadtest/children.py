"""A subprocess with a line protocol: a command is a line of JSON, and so is its answer (remote procedure calls)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings

from . import servers

Progress = Callable[[str], None]


class ChildFailed(Exception):
    """A command failed in the subprocess; the message is its error."""


class Child:
    """A module of this package as a subprocess. `ask(name, …)` calls a command and returns its answer."""

    def __init__(self, process: subprocess.Popen[str], progress: Progress) -> None:
        self.process, self.progress = process, progress

    def ask(self, name: str, **arguments: Any) -> dict[str, Any]:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps([name, arguments]) + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            answer = json.loads(line)
            if "error" in answer:
                raise ChildFailed(answer["error"])
            if "progress" not in answer:
                return answer
            self.progress(answer["progress"])
        raise ChildFailed(f"The process for {name!r} ended.")


@contextmanager
def child(module: str, env: dict[str, str], progress: Progress, core: int | None = None) -> Iterator[Child]:
    process = subprocess.Popen(
        [sys.executable, "-m", f"workshops.operations.loadtest.{module}"],
        cwd=settings.BASE_DIR, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    servers.pin(process.pid, core)
    try:
        yield Child(process, progress)
    finally:
        process.kill()
        process.communicate()
