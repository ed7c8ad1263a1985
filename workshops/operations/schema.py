"""Schema version: databases of versions before the first release cannot be migrated."""

from __future__ import annotations

from typing import Any

from django.core.management import CommandError
from django.db import OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

OUR_APPS = ("polls", "workshops", "visions")


def refuse_earlier_schema(**_signal: Any) -> None:
    """Raises `CommandError` where migrations were applied that this code does not have. A database that does not answer
    is nobody's fault here: whoever needs it waits for it."""
    try:
        applied = MigrationRecorder(connection).applied_migrations()
    except OperationalError:
        return
    known = MigrationLoader(None).disk_migrations
    if any(app in OUR_APPS and (app, name) not in known for app, name in applied):
        raise CommandError(
            "This database was made by an earlier version, whose tables are different. Use a new, empty database, and "
            "take files home from the old one with the version that made it."
        )
