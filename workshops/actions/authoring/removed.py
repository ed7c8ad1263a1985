"""What was removed waits for thirty days: it is brought back, or deleted for good where nobody has answered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models import Exists, OuterRef, ProtectedError, Q, RestrictedError
from django.utils import timezone

from polls.models import Ballot, Instrument, Poll

from ...models import Participant, Plan, Programme, Prompt, Workshop
from ..log import REMOVED_FOR, logged

#: what goes with a row that is deleted for good (model labels); a row of any other model keeps it
OWN_PARTS = frozenset({
    "polls.Instrument", "polls.InstrumentVersion", "polls.Measure", "polls.ComparabilityMark",
    "workshops.Domain_instruments", "workshops.Prompt", "workshops.Plan",
})  # fmt: skip


def restore(programme: Programme, row: models.Model, by: User) -> None:
    """Bring an instrument, a prompt, a plan or a workshop back; one that is back already is left so."""
    with logged(programme, by, "restored", about=str(row)) as journal:
        found = type(row)._base_manager.select_for_update().get(pk=row.pk)
        journal.update(found, removed_at=None)


def purge(now: datetime | None = None) -> Iterator[str]:
    """Delete for good what was removed more than thirty days ago and has no answers; says of each what it was.

    One transaction a row, so that a long list holds no lock.
    """
    until = (now or timezone.now()) - REMOVED_FOR
    for workshop in Workshop.objects.filter(removed_at__lt=until).exclude(_was_joined("pk")).order_by("pk"):
        _delete_workshop(workshop)
        yield f"workshop {workshop.code}: {workshop}"
    for model, name in ((Plan, "plan"), (Prompt, "prompt"), (Instrument, "question")):
        for row in model._base_manager.filter(removed_at__lt=until).order_by("pk"):
            if _delete_unless_used(row):
                yield f"{name} {row.key}: {row}"
    removed = Programme.objects.filter(removed_at__lt=until)
    for programme in removed.exclude(_has_answers()).order_by("pk"):
        _delete_programme(programme)
        yield f"programme {programme.key}: {programme}"


def _delete_unless_used(row: models.Model) -> bool:
    try:
        with transaction.atomic():
            _count, deleted = row.delete()
            if deleted.keys() - OWN_PARTS:
                raise ProtectedError("", set())
    except (ProtectedError, RestrictedError):
        return False
    return True


def _was_joined(workshop: str) -> Exists:
    return Exists(Participant.objects.filter(workshop=OuterRef(workshop), rehearsal=False))


def _has_answers() -> Q:
    joined = Participant.objects.filter(workshop__programme=OuterRef("pk"), rehearsal=False)
    cast = Ballot.objects.filter(poll__version__instrument__bank=OuterRef("bank"))
    return Q(Exists(joined)) | Q(Exists(cast))


@transaction.atomic
def _delete_workshop(workshop: Workshop) -> None:
    polls = list(workshop.agenda.filter(poll__isnull=False).values_list("poll", flat=True))
    workshop.delete()
    Poll.objects.filter(pk__in=polls).delete()


@transaction.atomic
def _delete_programme(programme: Programme) -> None:
    for workshop in programme.workshops.all():
        _delete_workshop(workshop)
    programme.delete()
    programme.bank.delete()
