"""Rehearsals: runs of simulated phones, and the signed pass that marks a phone as simulated.

The pass is signed with the secret key and expires after some minutes, so nobody else can mark a phone as rehearsal.
A run is a subprocess (`manage.py rehearse`), at most one per workshop and server process.
"""

from __future__ import annotations

import subprocess
import sys

from django.conf import settings
from django.core import signing

from ..models import Workshop

SALT = "workshops.operations.rehearsal"
PASS_SECONDS = 15 * 60


def new_pass(workshop: Workshop) -> str:
    return signing.dumps(workshop.pk, salt=SALT)


def is_pass(value: str, workshop: Workshop) -> bool:
    try:
        return bool(value) and signing.loads(value, salt=SALT, max_age=PASS_SECONDS) == workshop.pk
    except signing.BadSignature:
        return False


class StillRunning(Exception):
    """The subprocess of an earlier run has not ended yet."""


_runs: dict[int, subprocess.Popen] = {}  # started by this process, by workshop


def start(workshop: Workshop, phones: int, base_url: str) -> None:
    """Start simulated phones that join at the server with this URL. Raises `StillRunning`."""
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
