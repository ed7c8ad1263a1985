"""Work on what people upload or type, by libraries in other languages, in a process of its own.

It has a limit of time and of memory, and where it dies nothing else does. At most two are at work in a server; the
caller sits in a thread of pages. The modules run so (`python -m`) know nothing of Django and of the database.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).parents[2]
SECONDS = 20.0
MEMORY = 1536 * 2**20  # bytes of address space, of which most is never used
AT_ONCE = 2
PATIENCE = 10.0  # seconds until a place is free

_places = threading.BoundedSemaphore(AT_ONCE)


class ProcessFailed(Exception):
    """It took too long, needed too much memory or died; nothing is known of the result."""


def run(module: str, sent: bytes) -> bytes:
    """What `python -m module` writes when it is given these bytes. Raises `ProcessFailed`."""
    if not _places.acquire(timeout=PATIENCE):
        raise ProcessFailed("no place was free")
    try:
        done = subprocess.run(
            [sys.executable, "-m", module],
            input=sent, capture_output=True, timeout=SECONDS, check=False, cwd=ROOT,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ProcessFailed(f"{module} took longer than {SECONDS:g} s") from None
    finally:
        _places.release()
    if done.returncode:
        raise ProcessFailed(f"{module} ended with {done.returncode}")
    return done.stdout


def limit() -> None:
    """Called first by the module itself: no more memory and processor time than this, where the system knows limits."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (int(SECONDS), int(SECONDS)))
