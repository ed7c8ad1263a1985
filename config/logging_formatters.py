"""Log formatters, as text or JSON lines, that keep personal data out: no contents, addresses, codes or voter keys.

Identifiers are replaced by a keyed-hash pseudonym, stable for one secret key, so that lines about one workshop or one
phone can be correlated. An exception is logged with its type and traceback but without its message, since databases
and parsers quote their input in it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import traceback
from datetime import UTC, datetime

#: join codes and wall keys in addresses, voter keys and tokens anywhere, e-mail and network addresses
NAMES = re.compile(
    r"(?<=/w/)[^/\s]+|(?<=/wall/)[^/\s]+|(?<=/workshops/)[A-Z0-9]{6}\b|(?<=/live/phone/)[^/\s]+"
    r"|(?<=/live/wall/)[^/\s]+|(?<=/live/console/)[^/\s]+|(?<=/reset/key/)[^/\s]+|(?<=/invitation/)[^/\s]+"
    r"|\b[0-9a-f]{32,}\b|[\w.+-]+@[\w-]+\.[\w.-]+|\b\d{1,3}(?:\.\d{1,3}){3}\b"
    r"|(?<![\w:])(?:[0-9a-fA-F]{1,4}:){3,7}[0-9a-fA-F]{0,4}|(?<=[?])\S+",
)


def pseudonym(name: str) -> str:
    """A keyed hash (BLAKE2) of an identifier, 8 hexadecimal digits; without the key it cannot be found by guessing."""
    from django.conf import settings

    key = hashlib.blake2s(settings.SECRET_KEY.encode()).digest()
    return "~" + hashlib.blake2s(name.encode(), key=key, digest_size=4).hexdigest()


def without_names(text: str) -> str:
    return NAMES.sub(lambda match: pseudonym(match.group()), text)


def traceback_without_messages(error: BaseException) -> str:
    """The tracebacks and types of an exception and its causes, without their messages; causes first."""
    parts: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(parts) < 5:
        frames = "".join(traceback.format_tb(cause.__traceback__))
        parts.append(
            f"Traceback (most recent call last):\n{frames}{type(cause).__module__}.{type(cause).__qualname__}"
        )
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "\n\n".join(reversed(parts))


class TextFormatter(logging.Formatter):
    """One line of text per record."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        return without_names(super().formatMessage(record))

    def formatException(self, ei) -> str:
        return traceback_without_messages(ei[1])


class JsonFormatter(logging.Formatter):
    """One JSON object per record: `at`, `level`, `logger`, `message`, `process`, and `error`, `trace` if any."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": without_names(record.getMessage()),
            "process": record.process,
        }
        if record.exc_info and (error := record.exc_info[1]):
            line |= {"error": type(error).__qualname__, "trace": traceback_without_messages(error)}
        return json.dumps(line, ensure_ascii=False)


class DatabaseOutageFilter(logging.Filter):
    """Log a database outage as one line without a traceback: during it, every request and every draw fails."""

    def filter(self, record: logging.LogRecord) -> bool:
        from django.db import InterfaceError, OperationalError

        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, (InterfaceError, OperationalError)):
            record.msg, record.args = f"{record.getMessage()} ({type(error).__name__})", None
            record.exc_info = record.exc_text = None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True
