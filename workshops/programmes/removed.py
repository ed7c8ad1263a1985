"""What was removed from a programme in the last thirty days and can be brought back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.utils import timezone

from polls.models import Instrument

from ..models import LogEntry, Plan, Programme, Prompt, Workshop

KEPT_FOR = timedelta(days=30)
#: what has a date of its removal, by the name it has in addresses
KINDS: dict[str, type[models.Model]] = {
    "question": Instrument,
    "prompt": Prompt,
    "plan": Plan,
    "workshop": Workshop,
}
STEP = "step"


@dataclass(frozen=True, slots=True)
class Removed:
    """`pk` is the row's; of a step the log entry's, for a step is deleted and made again."""

    kind: str
    pk: int
    name: str
    at: datetime

    @property
    def until(self) -> datetime:
        return self.at + KEPT_FOR


def rows_of(programme: Programme, kind: str) -> models.QuerySet[Any]:
    """The instruments, prompts, plans or workshops of a programme, removed or not."""
    parent = {"bank": programme.bank_id} if kind == "question" else {"programme": programme.pk}
    return KINDS[kind]._base_manager.filter(**parent)


def removed_steps(programme: Programme) -> models.QuerySet[LogEntry]:
    """Log entries that have deleted steps of agendas, newest first."""
    found = programme.log.filter(verb__startswith="removed", at__gt=timezone.now() - KEPT_FOR)
    return found.filter(undone_by=None, workshop__removed_at=None, workshop__isnull=False)


def of(programme: Programme) -> list[Removed]:
    """Everything, newest first; one query a kind."""
    found = [
        Removed(kind, row.pk, str(row), row.removed_at)
        for kind in KINDS
        for row in rows_of(programme, kind).filter(removed_at__gt=timezone.now() - KEPT_FOR)
    ]
    found += [
        Removed(STEP, entry.pk, entry.about, entry.at)
        for entry in removed_steps(programme)
        if deletes_a_step(entry.changes)
    ]
    return sorted(found, key=lambda one: one.at, reverse=True)


def deletes_a_step(changes: Iterable[dict[str, Any]]) -> bool:
    return any(one["model"] == "workshops.agendaitem" and one["after"] is None for one in changes)
