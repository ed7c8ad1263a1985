"""Changes of rows that can be undone: each is kept with the values before and after, as JSON.

    journal = Journal()
    journal.create(item)
    journal.update(item, minutes=5)
    journal.delete(item)
    LogEntry.objects.create(changes=journal.changes, ...)

`revert` takes such changes back, newest first, unless a later change touched the same columns of the same row.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeVar

from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import ProtectedError, RestrictedError

#: {"model": "workshops.agendaitem", "pk": 7, "before": {column: value} or None, "after": {…} or None}
Change = dict[str, Any]
Row = TypeVar("Row", bound=models.Model)


class ChangedSince(Exception):
    """Cannot be undone: the row was changed, deleted or used since."""

    def __init__(self, row: str = "") -> None:
        super().__init__(row)
        self.row = row


class Immutable(Exception):
    """Raised by a model's `save`: people have answered on this row's word, so it stays as it is."""


#: the column of an optimistic lock: it only ever counts on, so that nobody's page matches by accident
REV = "rev"


class Journal:
    """The changes of one action. Every write happens at once; the caller holds the transaction."""

    def __init__(self) -> None:
        self.changes: list[Change] = []

    def create(self, row: Row) -> Row:
        row.save(force_insert=True)
        self._note(row, None, _values(row))
        return row

    def create_all(self, rows: Sequence[Row]) -> None:
        """Insert rows of one model in one query, without their `save`."""
        if rows:
            type(rows[0])._default_manager.bulk_create(rows)
        self.created(rows)

    def created(self, rows: Sequence[models.Model]) -> None:
        """Rows that somebody else has just inserted are this action's."""
        for row in rows:
            self._note(row, None, _values(row))

    def update(self, row: models.Model, *, watch: Sequence[str] = (), **values: Any) -> bool:
        """Set these fields of a row; returns whether any was different.

        A later change of a column in `watch` also keeps this one from being taken back.
        """
        changed = [name for name, value in values.items() if getattr(row, name) != value]
        if not changed:
            return False
        before = _values(row, [*changed, *watch])
        for name in changed:
            setattr(row, name, values[name])
        # Columns that a model computes in `save` (hashes) follow.
        row.save()
        self._note(row, before, _values(row, [*changed, *watch]))
        return True

    def delete(self, row: models.Model) -> None:
        """Delete a row. Rows that the cascade would take with it are to be deleted first, each by itself."""
        before = _values(row)
        pk = row.pk
        row.delete()
        self.changes.append({"model": row._meta.label_lower, "pk": pk, "before": before, "after": None})

    def _note(self, row: models.Model, before: dict[str, Any] | None, after: dict[str, Any]) -> None:
        self.changes.append({"model": row._meta.label_lower, "pk": row.pk, "before": before, "after": after})


def revert(changes: list[Change]) -> Journal:
    """Take changes back, within the caller's transaction. Returns the journal of doing so.

    Raises `ChangedSince`; then the caller rolls back.
    """
    journal = Journal()
    for change in reversed(changes):
        model = apps.get_model(change["model"])
        row = model._base_manager.select_for_update().filter(pk=change["pk"]).first()
        if change["after"] is None:
            if row is not None:
                raise ChangedSince(str(row))
            journal.create(model(**_read(model, {"pk": change["pk"], **change["before"]})))
            continue
        if row is None:
            raise ChangedSince
        if change["before"] is None:
            _delete_if_unused(journal, row, change["after"])
            continue
        after = {name: value for name, value in change["after"].items() if name != REV}
        if _values(row, after) != after:
            raise ChangedSince(str(row))
        values = _read(model, change["before"])
        if REV in values:
            values[REV] = getattr(row, REV) + 1
        try:
            journal.update(row, **values)
        except Immutable:
            raise ChangedSince(str(row)) from None
    return journal


def _delete_if_unused(journal: Journal, row: models.Model, after: dict[str, Any]) -> None:
    now = _values(row)
    if any(now[name] != value for name, value in after.items() if name in now):
        raise ChangedSince(str(row))
    name = str(row)
    before, pk = now, row.pk
    try:
        _count, deleted = row.delete()
    except (ProtectedError, RestrictedError):
        raise ChangedSince(name) from None
    if sum(deleted.values()) > 1:  # something hangs on it that this action has not made
        raise ChangedSince(name)
    journal.changes.append({"model": row._meta.label_lower, "pk": pk, "before": before, "after": None})


def _values(row: models.Model, names: Any = None) -> dict[str, Any]:
    """Columns as plain JSON; bytes are left out, so rows that hold any are never deleted by a journal."""
    columns = {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if not field.primary_key
        and not isinstance(field, models.BinaryField)
        and (names is None or field.attname in names or field.name in names)
    }
    return json.loads(json.dumps(columns, cls=DjangoJSONEncoder))


def _read(model: type[models.Model], values: dict[str, Any]) -> dict[str, Any]:
    fields = {field.attname: field for field in model._meta.concrete_fields}
    return {
        name: fields[name].to_python(value) if name in fields else value for name, value in values.items()
    }
