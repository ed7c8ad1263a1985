"""Taking a rehearsal back: its phones, their ballots, and the steps that only it has taken."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import User
from django.db.models import Exists, Min, OuterRef, QuerySet

from polls import ballot_box
from polls.models import Ballot, Poll

from ..models import AgendaItem, Participant, Workshop
from .stage import clear_timer, stage_transaction


def clear_rehearsal(workshop_id: int, by: User | None) -> int:
    """Take away rehearsal phones and all they sent. What it alone was asked is as if never asked.

    Returns how many phones were cleared.
    """
    with stage_transaction(workshop_id, by, "clear_rehearsal") as workshop:
        rehearsed = list(_rehearsed(workshop))
        polls = Poll.objects.filter(agenda_item__workshop=workshop)
        ballot_box.delete_rehearsal_ballots(list(polls.values_list("pk", flat=True)))
        cleared, _per_model = Participant.objects.filter(workshop=workshop, rehearsal=True).delete()
        _reset_unanswered(workshop, rehearsed)
        asked = workshop.agenda.filter(profile=False, poll__isnull=False).exclude(poll__state="draft")
        if (
            rehearsed and not asked.exists()
        ):  # nothing of the plan was real: its prompts and pauses were not either
            _reset_unanswered(workshop, workshop.agenda.filter(profile=False, poll__isnull=True))
        if workshop.stage_item is None:
            clear_timer(workshop)
        if not workshop.agenda.filter(launched_at__isnull=False).exists():
            workshop.began_at = None
    return cleared


def _rehearsed(workshop: Workshop) -> QuerySet[AgendaItem]:
    """Questions that invented phones were asked and real people were not: no phone of theirs has shown it, and nobody
    real had come before it was done."""
    ballots = Ballot.objects.filter(poll=OuterRef("poll"))
    items = workshop.agenda.filter(
        Exists(ballots.filter(rehearsal=True)), ~Exists(ballots.filter(rehearsal=False)), profile=False
    )
    came = workshop.participants.filter(rehearsal=False).aggregate(first=Min("joined_at"))["first"]
    return items.filter(done_at__lt=came) if came else items


def _reset_unanswered(workshop: Workshop, items: Iterable[AgendaItem]) -> None:
    """These steps were never taken; ballots of their polls that were issued but not cast go too."""
    for item in items:
        if item.pk == workshop.stage_item_id:
            workshop.stage_item = None
        if item.poll_id:
            ballot_box.reset_poll(item.poll_id)
        item.launched_at = item.done_at = None
        item.save(update_fields=["launched_at", "done_at"])
