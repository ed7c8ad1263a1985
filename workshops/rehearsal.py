"""Rehearsals: a run of phones that are none, and the pass that proves them to be of this project's own command.

The pass is signed with the project's key and good for a few minutes, so nobody else can mark a phone as
rehearsal. A run is a process of its own, one a workshop at a time.
"""

from __future__ import annotations

import subprocess
import sys

from django.conf import settings
from django.core import signing

from .models import Workshop

SALT = "workshops.rehearsal"
PASS_SECONDS = 15 * 60


def new_pass(workshop: Workshop) -> str:
    return signing.dumps(workshop.pk, salt=SALT)


def is_pass(value: str, workshop: Workshop) -> bool:
    try:
        return bool(value) and signing.loads(value, salt=SALT, max_age=PASS_SECONDS) == workshop.pk
    except signing.BadSignature:
        return False


class StillRunning(Exception):
    """The phones of an earlier run are still here."""


_runs: dict[int, subprocess.Popen] = {}  # of this process, by workshop


def start(workshop: Workshop, phones: int, base_url: str) -> None:
    """Let phones arrive at the server with this address. Raises `StillRunning`."""
    for ended in [pk for pk, run in _runs.items() if run.poll() is not None]:
        del _runs[ended]
    if workshop.pk in _runs:
        raise StillRunning
    _runs[workshop.pk] = subprocess.Popen(
        [
            sys.executable, str(settings.BASE_DIR / "manage.py"), "rehearse", workshop.code,
            "--phones", str(phones), "--base-url", base_url, "--quiet",
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
