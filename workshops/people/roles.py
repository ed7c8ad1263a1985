"""Head counts of participants, in total and by role, with small-cell suppression: small groups are merged."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from polls import results
from polls.models import Ballot, Poll
from polls.prepared import Prepared

from ..models import Participant, Workshop

ROLE_INSTRUMENT = "role"  # key of the profile question about a participant's role
SMALLEST_GROUP = 5  # people; smaller groups are merged on a facilitator's screen


@dataclass(frozen=True, slots=True)
class Headcount:
    """Participants who have joined and not left; `rehearsal` of them were made by a rehearsal."""

    joined: int
    rehearsal: int


_HEADCOUNT = Prepared(
    lambda workshops: (
        Participant.objects.filter(workshop__in=workshops, left_at__isnull=True)
        .values_list("rehearsal")
        .annotate(Count("id"))
        .order_by()
    ),
    int,
)


def count_people(workshop: Workshop) -> Headcount:
    """One prepared query, counted by the database: it runs for every fragment that is drawn during a vote."""
    people = dict(_HEADCOUNT.rows([workshop.pk]))
    return Headcount(joined=sum(people.values()), rehearsal=people.get(True, 0))


def _present(workshop: Workshop) -> QuerySet[Participant]:
    return Participant.objects.filter(workshop=workshop, left_at__isnull=True)


def _role_poll(workshop: Workshop) -> Poll | None:
    polls = Poll.objects.filter(
        agenda_item__workshop=workshop,
        agenda_item__profile=True,
        version__instrument__key=ROLE_INSTRUMENT,
    )
    return polls.select_related("version").first()


def role_counts(workshop: Workshop, joined: int) -> tuple[tuple[str, int], ...]:
    """`(label, participants)` by role after merging small groups; empty without a question about roles. Two queries."""
    poll = _role_poll(workshop)
    if poll is None or not joined:
        return ()
    cast = poll.ballots.filter(status=Ballot.Status.CAST, voter__in=_present(workshop).values("voter"))
    chosen = results.counted_values(cast)
    people = {value: number for value, number in chosen if isinstance(value, str)}
    counted = [(option.label, people.get(option.key, 0)) for option in poll.question.options]
    unknown = joined - sum(number for _label, number in counted)
    return merge_small([*counted, (_("Role not given"), unknown)])


def roles_of(workshop: Workshop) -> dict[str, str]:
    """Voter key → key of the role they chose, for the allocation to groups; never shown."""
    poll = _role_poll(workshop)
    if poll is None:
        return {}
    cast = poll.ballots.filter(status=Ballot.Status.CAST).values_list("voter", "value")
    return {voter: value for voter, value in cast if isinstance(value, str)}


def large_roles(workshop: Workshop) -> dict[str, str]:
    """Voter key → label of their role, where the console shows that role unmerged."""
    poll = _role_poll(workshop)
    if poll is None:
        return {}
    shown = {label for label, _people in role_counts(workshop, count_people(workshop).joined)}
    labels = {option.key: option.label for option in poll.question.options if option.label in shown}
    return {voter: labels[role] for voter, role in roles_of(workshop).items() if role in labels}


def merge_small(groups: list[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    """Small-cell suppression of `(label, people)` groups: those under `SMALLEST_GROUP` are merged into one.

    The total is public, so the merged group must not be small either, or it could be found by subtraction: while it
    is, the next smallest group is merged too (secondary suppression).
    """
    present = sorted((group for group in groups if group[1]), key=lambda group: group[1])
    small = [group for group in present if group[1] < SMALLEST_GROUP]
    large = [group for group in present if group[1] >= SMALLEST_GROUP]
    while small and large and sum(people for _label, people in small) < SMALLEST_GROUP:
        small.append(large.pop(0))
    kept = tuple(group for group in groups if group in large)
    if not small:
        return kept
    merged = sum(people for _label, people in small)
    return (*kept, (_("Other roles together") if kept else _("All roles together"), merged))
