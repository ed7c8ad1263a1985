"""What waited thirty days in *Removed*: deleted for good where nobody has answered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef, ProtectedError, Q, RestrictedError
from django.db.models.deletion import Collector

from polls.models import Ballot, Instrument, Poll, Text

from ...models import Participant, Plan, Programme, Prompt, Workshop
from ..log import REMOVED_FOR
from .due import Due

#: what goes with a row that is deleted for good (model labels); a row of any other model keeps it
OWN_PARTS = frozenset({
    "polls.Instrument", "polls.InstrumentVersion", "polls.Measure", "polls.ComparabilityMark",
    "workshops.Domain_instruments", "workshops.Prompt", "workshops.Plan",
})  # fmt: skip


def removed_things(programme: Programme | None, now: datetime) -> Iterator[Due]:
    """Workshops first, then what was asked in them, programmes last."""
    for workshop in _waiting(Workshop.objects.all(), programme, "programme").exclude(_was_joined("pk")):
        yield _due(workshop, workshop.programme, _delete_workshop)
    for model, parent in ((Plan, "programme"), (Prompt, "programme"), (Instrument, "bank__programme")):
        for row in _waiting(model._base_manager.all(), programme, parent):
            owner = row.bank.programme if isinstance(row, Instrument) else row.programme
            yield _due(row, owner, _delete_unless_used)
    gone = Programme.objects.filter(removed_at__isnull=False).exclude(_has_answers()).order_by("pk")
    for each in gone if programme is None else ():
        yield _due(each, None, _delete_programme)  # its log goes with it


def _waiting(rows: Any, programme: Programme | None, parent: str) -> Any:
    rows = rows.filter(removed_at__isnull=False).select_related(parent).order_by("pk")
    return rows if programme is None else rows.filter(**{parent: programme})


def _due(row: Any, programme: Programme | None, delete: Any) -> Due:
    def batches() -> Iterator[list[Any]]:
        if delete is not _delete_unless_used or _is_unused(row):
            yield [row.pk]

    def remove(found: list[Any]) -> int:
        # Brought back a moment ago, or gone.
        rows = type(row)._base_manager.select_for_update(of=("self",))
        locked = rows.filter(pk__in=found, removed_at__isnull=False).first()
        return int(locked is not None and delete(locked))

    return Due("removed", row.removed_at + REMOVED_FOR, programme, batches, remove)


def _is_unused(row: models.Model) -> bool:
    """Would nothing but its own parts go with it?"""
    collector = Collector(using="default", origin=row)
    try:
        collector.collect([row])
    except (ProtectedError, RestrictedError):
        return False
    parts = {model._meta.label for model in collector.data}
    parts |= {rows.model._meta.label for rows in collector.fast_deletes if rows.exists()}
    return parts <= OWN_PARTS


def _delete_unless_used(row: models.Model) -> bool:
    if _is_unused(row):
        row.delete()
        return True
    return False


def _was_joined(workshop: str) -> Exists:
    return Exists(Participant.objects.filter(workshop=OuterRef(workshop), rehearsal=False))


def _has_answers() -> Q:
    joined = Participant.objects.filter(workshop__programme=OuterRef("pk"), rehearsal=False)
    cast = Ballot.objects.filter(poll__version__instrument__bank=OuterRef("bank"))
    return Q(Exists(joined)) | Q(Exists(cast))


def _delete_workshop(workshop: Workshop) -> bool:
    polls = list(workshop.agenda.filter(poll__isnull=False).values_list("poll", flat=True))
    said = Q(cue__transcript__group__round__workshop=workshop)
    noted = Q(poll=None, voter__in=workshop.participants.values("voter"))
    Text.objects.filter(pk__in=list(Text.objects.filter(said | noted).values_list("pk", flat=True))).delete()
    workshop.delete()
    Poll.objects.filter(pk__in=polls).delete()
    return True


def _delete_programme(programme: Programme) -> bool:
    for workshop in programme.workshops.all():
        _delete_workshop(workshop)
    programme.delete()
    programme.bank.delete()
    return True
