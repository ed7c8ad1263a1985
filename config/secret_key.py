"""The key that signs cookies, where no `SECRET_KEY` is given: made once and kept in a file."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from pathlib import Path


def read_or_create(path: Path) -> str:
    """The key in `path`, which only its owner can read; written by the first process that finds none.

    The file appears whole: a second process that starts at the same moment reads all of the key, and a disk that is
    full leaves no empty one.
    """
    if not path.exists():
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".secret_key-") as file:  # mode 0600
            file.write(secrets.token_urlsafe(50))
            file.flush()
            with contextlib.suppress(FileExistsError):  # another process was first: its key counts
                os.link(file.name, path)
    return path.read_text()
