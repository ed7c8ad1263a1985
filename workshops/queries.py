"""Reads for pages and pictures of one workshop."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from polls import ballot_box, results
from polls.models import Ballot, Poll

from .models import AgendaItem, Participant, Workshop
from .seats import Seat

ROLE_INSTRUMENT = "role"  # the profile question that says who is in the room
SMALLEST_GROUP = 5  # smaller groups are joined together on a facilitator's screen


@dataclass(frozen=True, slots=True)
class Room:
    """How many are here with a phone, and how many of these a rehearsal has invented."""

    joined: int
    rehearsal: int


def room(workshop: Workshop) -> Room:
    """One query, counted by the database: it is asked for every picture of a vote."""
    return Room(
        **_here(workshop).aggregate(joined=Count("id"), rehearsal=Count("id", filter=Q(rehearsal=True)))
    )


def _here(workshop: Workshop) -> QuerySet[Participant]:
    return Participant.objects.filter(workshop=workshop, left_at__isnull=True)


def roles(workshop: Workshop, joined: int) -> tuple[tuple[str, int], ...]:
    """Who is here by role, where groups are large enough; empty where nobody was asked. Two queries."""
    poll = (
        Poll.objects.filter(
            agenda_item__workshop=workshop,
            agenda_item__profile=True,
            version__instrument__key=ROLE_INSTRUMENT,
        )
        .select_related("version")
        .first()
    )
    if poll is None or not joined:
        return ()
    cast = poll.ballots.filter(status=Ballot.Status.CAST, voter__in=_here(workshop).values("voter"))
    chosen = results.counted_values(cast)
    people = {value: number for value, number in chosen if isinstance(value, str)}
    counted = [(option.label, people.get(option.key, 0)) for option in poll.question.options]
    unknown = joined - sum(number for _label, number in counted)
    return join_small([*counted, (_("Role not given"), unknown)])


def join_small(groups: list[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    """Groups of at least five as they are, the others as one that has at least five too.

    The total is public, so what is left over must not be small either: while it is, it takes the next
    smallest group in.
    """
    present = sorted((group for group in groups if group[1]), key=lambda group: group[1])
    small = [group for group in present if group[1] < SMALLEST_GROUP]
    large = [group for group in present if group[1] >= SMALLEST_GROUP]
    while small and large and sum(people for _label, people in small) < SMALLEST_GROUP:
        small.append(large.pop(0))
    kept = tuple(group for group in groups if group in large)
    if not small:
        return kept
    together = sum(people for _label, people in small)
    return (*kept, (_("Other roles together") if kept else _("All roles together"), together))


def stage_items(workshop: Workshop) -> list[AgendaItem]:
    """The agenda as it is walked through: everything but the profile."""
    return list(
        workshop.agenda.filter(profile=False)
        .select_related("poll__version__instrument", "prompt")
        .order_by("position", "id")
    )


def profile_items(workshop: Workshop) -> list[AgendaItem]:
    return list(workshop.agenda.filter(profile=True).select_related("poll__version__instrument"))


def next_item(items: list[AgendaItem], current: AgendaItem | None) -> AgendaItem | None:
    """The first step after the one on stage, or after the last that was done, that has not been done."""
    done = [item.position for item in items if item.done_at]
    place = current.position if current else max(done, default=-1)
    return next((item for item in items if item.position > place and not item.done_at), None)


def numbered_polls(items: list[AgendaItem]) -> dict[int, tuple[int, int]]:
    """`{item id: (place, of)}` over the questions of the plan: "Question 2 of 8"."""
    questions = [item.pk for item in items if item.kind == AgendaItem.Kind.POLL]
    return {pk: (place, len(questions)) for place, pk in enumerate(questions, start=1)}


@dataclass(frozen=True, slots=True)
class Pace:
    """The plan against the hour, in whole minutes since the doors opened."""

    elapsed: int
    #: past the planned end of the step on stage, or of the whole workshop
    over: int
    #: every step with the minute at which the plan starts it
    steps: tuple[tuple[AgendaItem, int], ...]


def pace(workshop: Workshop, items: list[AgendaItem], now: datetime) -> Pace:
    """Where the plan would be, and where we are. No query."""
    ends = list(accumulate((item.minutes for item in items), initial=0))
    steps = tuple(zip(items, ends, strict=False))
    until = workshop.ended_at or now
    elapsed = int((until - workshop.started_at).total_seconds() // 60) if workshop.started_at else 0
    due = [start + item.minutes for item, start in steps if item.pk == workshop.stage_item_id]
    return Pace(elapsed, max(0, elapsed - min([*due, workshop.minutes])), steps)


def papers(seat: Seat) -> list[ballot_box.Receipt] | None:
    """What a voter has cast in their workshop; `None` if they have left or were never here."""
    here = Participant.objects.filter(workshop_id=seat.workshop_id, voter=seat.voter, left_at__isnull=True)
    if not here.exists():
        return None
    asked = AgendaItem.objects.filter(workshop_id=seat.workshop_id, poll__isnull=False)
    return list(ballot_box.papers_of(seat.voter, asked.values_list("poll", flat=True)).values())


def has_paper(participant: Participant, poll_id: int) -> bool:
    return Ballot.objects.filter(poll=poll_id, voter=participant.voter).exists()


def poll_item(workshop: Workshop, poll_id: int) -> AgendaItem | None:
    """The agenda item that asks this poll in this workshop."""
    return workshop.agenda.filter(poll=poll_id).select_related("poll__version__instrument").first()
