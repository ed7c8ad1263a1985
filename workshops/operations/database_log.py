"""PostgreSQL's own log: which of its settings would write statements into it, and with them keys and answers.

Statements carry their values. By default PostgreSQL logs those that fail, and one that was not given its lock in time
fails: so a log has voter keys, consent and live sessions in it that nobody meant to keep. The settings belong to the
database's server, and this one is somebody's own where Compose has not started it: then it can only be said.
"""

from __future__ import annotations

import logging

from django.db import Error, connection

log = logging.getLogger(__name__)

#: each with the values that log no statement
QUIET: dict[str, frozenset[str]] = {
    "log_min_error_statement": frozenset({"log", "fatal", "panic"}),
    "log_statement": frozenset({"none"}),
    "log_min_duration_statement": frozenset({"-1"}),
    "log_min_duration_sample": frozenset({"-1"}),
}


def loud_settings() -> list[str]:
    """`log_statement=all`, …: what has the database write statements down; empty on SQLite, and where none can be
    asked."""
    if connection.vendor != "postgresql":
        return []
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(QUIET)])
            found = cursor.fetchall()
    except Error:  # whoever needs the database waits for it
        return []
    return sorted(f"{name}={value}" for name, value in found if value not in QUIET[name])


def warn() -> None:
    if loud := loud_settings():
        log.warning(
            "PostgreSQL's own log may hold voter keys and answers (%s): see docs/operating.md, PostgreSQL of your own",
            ", ".join(loud),
        )
