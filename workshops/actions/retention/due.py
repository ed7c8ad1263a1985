"""Something that is to be removed: what, from when, and in which small steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from ...models import Programme

#: rows in one transaction: people vote meanwhile, and SQLite has one writer at a time
BATCH = 100


@dataclass(frozen=True, slots=True)
class Due:
    """`kind` is a key of `job.PHRASES`; without a `programme` it belongs to the whole server.

    `batches` finds what is there, outside a transaction, in lists that stand for as many things. `remove` takes such a
    list, within a transaction, and returns how many it removed: what is gone or has changed since is left out.
    """

    kind: str
    when: datetime
    programme: Programme | None
    batches: Callable[[], Iterator[list[Any]]]
    remove: Callable[[list[Any]], int]


def batches_of(rows: QuerySet[Any], size: int = 0) -> Iterator[list[Any]]:
    """Primary keys in their order; what was left in place is not found again."""
    rows, last, size = rows.order_by("pk"), None, size or BATCH
    while found := list(
        (rows if last is None else rows.filter(pk__gt=last)).values_list("pk", flat=True)[:size]
    ):
        yield found
        last = found[-1]
