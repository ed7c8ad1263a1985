"""A transcript is read, and its names are taken out, by a process of its own.

It takes seconds of computing (about six for a megabyte, an hour of talk is a tenth of that), in which a server would
hear nobody. So another process does it, with the lowest right to the processor, one at a time; the file goes there
and the pseudonymised parts come back through pipes, and nothing is ever written down.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from .formats import TranscriptError

SIZE_LIMIT = 1024 * 1024  # bytes that a page takes: more than ten hours of talk
SECONDS = 50.0  # until it is given up
#: the environment variable in which their names go to the other process
FACILITATORS = "TRANSCRIPT_FACILITATORS"

_one_at_a_time = threading.Lock()


class TranscriptWorkerBusy(Exception):
    """Another transcript is being read, or the machine has too much else to do; the message says so to people."""


def pseudonymised(source: bytes, facilitators: Collection[str] = ()) -> list[dict[str, Any]]:
    """The parts of a transcript as `Transcript.parts` has them, with pseudonyms.

    Raises `TranscriptError` with words for people where it cannot be read, and `TranscriptWorkerBusy`.
    """
    if len(source) > SIZE_LIMIT:
        raise TranscriptError(_("The file is larger than %(limit)d MB.") % {"limit": SIZE_LIMIT // 1024**2})
    if not _one_at_a_time.acquire(blocking=False):
        raise TranscriptWorkerBusy(_("Another transcript is being read just now. Try again in a minute."))
    try:
        done = subprocess.run(
            _command(), env=_environment(facilitators), input=source, capture_output=True,
            timeout=SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise TranscriptWorkerBusy(
            _("This took too long, so it was stopped. Nothing was kept. Try again when it is calmer.")
        ) from None
    finally:
        _one_at_a_time.release()
    return _answer(done)


def _command() -> list[str]:
    language = translation.get_language() or settings.LANGUAGE_CODE
    manage = str(settings.BASE_DIR / "manage.py")
    return [sys.executable, manage, "pseudonymise", "-", "--format", "json", "--language", language]


def _environment(facilitators: Collection[str]) -> dict[str, str]:
    """Names go by the environment: arguments can be seen by everybody on a machine."""
    return os.environ | {FACILITATORS: json.dumps(list(facilitators))}


def _answer(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        # Its words could hold some of the file's, so they are not repeated here.
        raise RuntimeError(f"pseudonymise ended with {done.returncode} and no answer") from None
    if "error" in answer:
        raise TranscriptError(answer["error"])
    return answer["cues"]
