"""What nobody needs once it is over: sessions, invitations, transcripts not kept, former wordings, rehearsals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef, Q, QuerySet

from polls import forgetting
from polls.models import Ballot, Text

from ...models import (
    AgendaItem,
    Agreement,
    Group,
    Invitation,
    Participant,
    Place,
    Programme,
    TextMark,
    Transcript,
    Workshop,
)
from .. import transcripts
from ..log import REMOVED_FOR
from .due import Due, batches_of

#: former wordings stay so long after their workshop, in case somebody asks what stood there
WORDINGS_FOR = REMOVED_FOR
#: a question of an agenda quotes a text
ASKED = Exists(AgendaItem.objects.filter(text=OuterRef("pk")))


def sessions(programme: Programme | None, now: datetime) -> Iterator[Due]:
    """Django deletes none by itself. Counters of tries to sign in are in the cache, and end there."""
    over = Session.objects.filter(expire_date__lt=now)
    if programme is None and over.exists():
        yield Due("sessions", now, None, partial(batches_of, over), partial(_delete, over))


def invitations(programme: Programme | None, now: datetime) -> Iterator[Due]:
    """Accepted or expired ones, with the address that they went to; the log keeps that there was one."""
    found = _of(Invitation.objects.all(), programme, "programme").select_related("programme")
    for each in found.order_by("pk"):
        over = Invitation.objects.filter(Q(accepted_at__isnull=False) | Q(expires_at__lte=now), pk=each.pk)
        when = each.accepted_at or each.expires_at
        yield Due("invitations", when, each.programme, partial(_one, each), partial(_delete, over))


def unkept_transcripts(programme: Programme | None, now: datetime) -> Iterator[Due]:
    unkept = Transcript.objects.filter(kept_at=None).select_related("group__round__workshop__programme")
    for each in _of(unkept, programme, "group__round__workshop__programme").order_by("pk"):
        yield Due(
            "transcripts", each.added_at + transcripts.WAITS, each.group.round.workshop.programme,
            partial(_one, each), partial(_destroy, Transcript.objects.filter(kept_at=None)),
        )  # fmt: skip


def _of(rows: QuerySet[Any], programme: Programme | None, path: str) -> QuerySet[Any]:
    return rows if programme is None else rows.filter(**{path: programme})


def _one(row: Any) -> Iterator[list[Any]]:
    yield [row.pk]


def _delete(rows: QuerySet[Any], found: list[Any]) -> int:
    return rows.filter(pk__in=found).delete()[0]


def _destroy(rows: QuerySet[Transcript], found: list[int]) -> int:
    removed = list(rows.filter(pk__in=found).select_for_update())
    for transcript in removed:
        transcripts.destroy(transcript)
    return len(removed)


# --- former wordings --------------------------------------------------------------------------------------------


def ended(programme: Programme | None) -> QuerySet[Workshop]:
    over = Workshop.objects.filter(status=Workshop.Status.ENDED, ended_at__isnull=False)
    return _of(over, programme, "programme").select_related("programme").order_by("pk")


def ended_at(workshop: Workshop) -> datetime:
    assert workshop.ended_at
    return workshop.ended_at


def former_wordings(programme: Programme | None, now: datetime) -> Iterator[Due]:
    """Revisions that were changed or lost an edit conflict, and notes that their authors took back, unless a decision,
    a quote, a mark or a question refers to them."""
    answers = _of(_former(), programme, "poll__agenda_item__workshop__programme")
    workshops = set(answers.values_list("poll__agenda_item__workshop", flat=True).distinct())
    writers = Participant.objects.filter(voter__in=_former().filter(poll=None).values("voter"))
    workshops |= set(
        _of(writers, programme, "workshop__programme").values_list("workshop", flat=True).distinct()
    )
    for workshop in ended(programme).filter(pk__in=workshops - {None}):
        yield Due(
            "wordings", ended_at(workshop) + WORDINGS_FOR, workshop.programme,
            partial(batches_of, _former().filter(_written_in(workshop))), _remove_wordings,
        )  # fmt: skip


def _former() -> QuerySet[Text]:
    over = ~Q(standing=Text.Standing.CURRENT) | Q(contribution__taken_back_at__isnull=False)
    here = Exists(TextMark.objects.filter(text=OuterRef("pk")))
    return Text.objects.filter(over).exclude(here | ASKED | forgetting.QUOTED | forgetting.DECIDED)


def _written_in(workshop: Workshop) -> Q:
    here = Participant.objects.filter(workshop=workshop).values("voter")
    return Q(poll__agenda_item__workshop=workshop) | Q(poll=None, voter__in=here)


def _remove_wordings(found: list[int]) -> int:
    return forgetting.remove_wordings(_former().filter(pk__in=found))


# --- rehearsals ---------------------------------------------------------------------------------------------------


def rehearsals(programme: Programme | None, now: datetime) -> Iterator[Due]:
    """Phones that rehearsed, with all they sent, once the workshop is over."""
    rehearsed = Participant.objects.filter(rehearsal=True)
    for workshop in ended(programme).filter(pk__in=rehearsed.values("workshop")):
        mine = rehearsed.filter(workshop=workshop)
        yield Due(
            "rehearsals", ended_at(workshop), workshop.programme, partial(batches_of, mine),
            partial(_remove_rehearsed, workshop),
        )  # fmt: skip


def _remove_rehearsed(workshop: Workshop, found: list[int]) -> int:
    phones = Participant.objects.filter(pk__in=found, rehearsal=True)
    voters = list(phones.values_list("voter", flat=True))
    polls = workshop.agenda.filter(poll__isnull=False).values("poll")
    sent = Text.objects.filter(Q(poll__in=polls) | Q(poll=None), voter__in=voters, rehearsal=True)
    forgetting.remove_wordings(sent.exclude(forgetting.QUOTED))
    Ballot.objects.filter(voter__in=voters, rehearsal=True).delete()
    Agreement.objects.filter(contribution__group__round__workshop=workshop, voter__in=voters).delete()
    Place.objects.filter(voter__in=voters).delete()
    Group.objects.filter(round__workshop=workshop, scribe__in=voters).update(scribe="")
    return phones.delete()[0]
