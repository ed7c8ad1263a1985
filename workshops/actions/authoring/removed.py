"""What was removed waits for thirty days to be brought back; then `actions.retention` deletes it for good."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import models

from ...models import Programme
from ..log import logged


def restore(programme: Programme, row: models.Model, by: User) -> None:
    """Bring an instrument, a prompt, a plan or a workshop back; one that is back already is left so."""
    with logged(programme, by, "restored", about=str(row)) as journal:
        found = type(row)._base_manager.select_for_update().get(pk=row.pk)
        journal.update(found, removed_at=None)
