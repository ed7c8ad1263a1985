"""Reads for pages and pictures of one workshop."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any

from django.db.models import Count, Model, Q, QuerySet
from django.utils.translation import gettext as _

from polls import ballot_box, results
from polls.lifecycle import State
from polls.models import Ballot, Poll
from polls.prepared import Prepared

from . import breakouts
from .models import AgendaItem, BroughtText, Participant, Place, Prompt, Round, Workshop
from .seats import Seat

ROLE_INSTRUMENT = "role"  # the profile question that says who is in the room
SMALLEST_GROUP = 5  # smaller groups are joined together on a facilitator's screen


@dataclass(frozen=True, slots=True)
class Room:
    """How many are here with a phone, and how many of these a rehearsal has invented."""

    joined: int
    rehearsal: int


_STAGED = ("programme", "stage_item__poll__version__instrument", "stage_item__prompt__domain")


def _columns(model: type[Model], path: str = "", leave: Collection[str] = ()) -> list[str]:
    return [path + field.attname for field in model._meta.concrete_fields if field.attname not in leave]


# All that can move while a workshop runs. A frozen result is not read again and again: it comes with its close.
_MOVES = Prepared(
    lambda workshops: Workshop.objects.filter(pk__in=workshops).order_by().values_list(
        *_columns(Workshop),
        *_columns(AgendaItem, "stage_item__"),
        *_columns(Poll, "stage_item__poll__", leave=["result"]),
        *_columns(Prompt, "stage_item__prompt__", leave=["probes"]),
        "programme__title", "stage_item__poll__version__fingerprint", "stage_item__poll__version__instrument__name",
    ),
    int,
)  # fmt: skip
_standing: dict[int, tuple[tuple, Workshop]] = {}


def with_stage(workshop_id: int) -> Workshop:
    """A workshop with all that stands on its stage, for reading only. Raises `Workshop.DoesNotExist`.

    One small query where nothing has moved since the last time: between two gestures of a facilitator a picture is
    drawn hundreds of times.
    """
    moves = _MOVES.rows([workshop_id])
    known = _standing.get(workshop_id)
    if known and moves and known[0] == moves[0]:
        return known[1]
    workshop = Workshop.objects.select_related(*_STAGED).get(pk=workshop_id)
    if len(_standing) > 500:
        _standing.clear()
    if moves:  # if it moved as we read it, the next reader finds another row; `stage_rev` never comes back to a value
        _standing[workshop_id] = (moves[0], workshop)
    return workshop


def brought_texts(item: AgendaItem | None) -> set[str]:
    """What people wrote to this question and a facilitator brought to the vision, by `moderation.text_ref`."""
    brought = BroughtText.objects.filter(item=item, proposed_at__isnull=False)
    return set(brought.values_list("ref", flat=True))


_ROOM = Prepared(
    lambda workshops: (
        Participant.objects.filter(workshop__in=workshops, left_at__isnull=True)
        .values_list("rehearsal")
        .annotate(Count("id"))
        .order_by()
    ),
    int,
)


def room(workshop: Workshop) -> Room:
    """One query, counted by the database: it is asked for every picture of a vote."""
    people = dict(_ROOM.rows([workshop.pk]))
    return Room(joined=sum(people.values()), rehearsal=people.get(True, 0))


def _here(workshop: Workshop) -> QuerySet[Participant]:
    return Participant.objects.filter(workshop=workshop, left_at__isnull=True)


def _role_poll(workshop: Workshop) -> Poll | None:
    asked = Poll.objects.filter(
        agenda_item__workshop=workshop,
        agenda_item__profile=True,
        version__instrument__key=ROLE_INSTRUMENT,
    )
    return asked.select_related("version").first()


def roles(workshop: Workshop, joined: int) -> tuple[tuple[str, int], ...]:
    """Who is here by role, where groups are large enough; empty where nobody was asked. Two queries."""
    poll = _role_poll(workshop)
    if poll is None or not joined:
        return ()
    cast = poll.ballots.filter(status=Ballot.Status.CAST, voter__in=_here(workshop).values("voter"))
    chosen = results.counted_values(cast)
    people = {value: number for value, number in chosen if isinstance(value, str)}
    counted = [(option.label, people.get(option.key, 0)) for option in poll.question.options]
    unknown = joined - sum(number for _label, number in counted)
    return join_small([*counted, (_("Role not given"), unknown)])


def roles_of(workshop: Workshop) -> dict[str, str]:
    """Each voter's role as they gave it, to seat people; never shown."""
    poll = _role_poll(workshop)
    if poll is None:
        return {}
    cast = poll.ballots.filter(status=Ballot.Status.CAST).values_list("voter", "value")
    return {voter: value for voter, value in cast if isinstance(value, str)}


@dataclass(frozen=True, slots=True)
class Seated:
    """Somebody in a group, as a facilitator may see them: by a number, and a role that enough people share."""

    place: int
    label: str


def seated(workshop: Workshop, current: Round, group: int | None = None) -> dict[int, list[Seated]]:
    """Who sits in each group of a round, or in one (0: in none yet); six queries, whatever their number.

    A number stays with its person for the whole round, and stands on their phone: so both know who is moved.
    Roles that the console joins together with others, because few people have them, are not told apart here either.
    """
    taken = Place.objects.filter(round=current).order_by("pk").values_list("pk", "group", "voter")
    rows = [(n, place, sits_in or 0, voter) for n, (place, sits_in, voter) in enumerate(taken, start=1)]
    here = [row for row in rows if group in (None, row[2])]
    role = _large_roles(workshop) if here else {}
    found: dict[int, list[Seated]] = {}
    for number, place, sits_in, voter in here:
        found.setdefault(sits_in, []).append(Seated(place, _label(number, role.get(voter, ""))))
    return found


def _label(number: int, role: str) -> str:
    if role:
        return _("Person %(n)d, %(role)s") % {"n": number, "role": role}
    return _("Person %(n)d") % {"n": number}


def _large_roles(workshop: Workshop) -> dict[str, str]:
    """The label of each voter's role, where it is one that stands by itself on the console."""
    poll = _role_poll(workshop)
    if poll is None:
        return {}
    shown = {label for label, _people in roles(workshop, room(workshop).joined)}
    labels = {option.key: option.label for option in poll.question.options if option.label in shown}
    return {voter: labels[role] for voter, role in roles_of(workshop).items() if role in labels}


def had_groups(workshop: Workshop) -> bool:
    """Did groups talk about the prompt on stage already?"""
    return Round.objects.filter(
        workshop=workshop, item=workshop.stage_item_id, opened_at__isnull=False
    ).exists()


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


def has_open_profile(workshop_id: int) -> bool:
    """Are there questions about people's work that can still be answered?"""
    return bool(_OPEN_PROFILE.rows([workshop_id]))


_OPEN_PROFILE = Prepared(
    lambda workshops: (
        AgendaItem.objects.filter(workshop__in=workshops, profile=True, poll__state=State.OPEN)
        .order_by()
        .values_list("pk")
    ),
    int,
)


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


_IS_HERE = Prepared(
    lambda voters: Participant.objects.filter(voter__in=voters, left_at__isnull=True).values_list(
        "workshop_id"
    ),
    str,
)
_POLLS = Prepared(
    lambda workshops: (
        AgendaItem.objects.filter(workshop__in=workshops, poll__isnull=False).order_by().values_list("poll")
    ),
    int,
)


def arrival(seat: Seat) -> tuple[list[ballot_box.Receipt] | None, breakouts.Places]:
    """What somebody who comes in, or back, is told: their papers and their place; four small queries, mostly."""
    own = [] if seat.is_observer else papers(seat)
    return own, breakouts.places(seat.workshop_id, seat.voter or None)


def papers(seat: Seat) -> list[ballot_box.Receipt] | None:
    """What a voter has cast in their workshop; `None` if they have left or were never here."""
    if (seat.workshop_id,) not in _IS_HERE.rows([seat.voter]):
        return None
    polls = [poll for (poll,) in _POLLS.rows([seat.workshop_id])]
    return list(ballot_box.papers_of(seat.voter, polls).values())


def paper(receipt: ballot_box.Receipt) -> dict[str, Any]:
    """One's own paper as a phone keeps it."""
    return {
        "poll": receipt.poll, "seq": receipt.seq, "status": receipt.status,
        "value": receipt.value, "said": receipt.said,
    }  # fmt: skip


def cast_since(workshop_id: int, since: datetime) -> list[tuple[str, int, int]]:
    """`(voter, poll, seq)` of what was cast since then, on questions that are open or were so until then."""
    asked = Q(poll__state=State.OPEN) | Q(poll__closed_at__gte=since)
    cast = Ballot.objects.filter(asked, poll__agenda_item__workshop=workshop_id, cast_at__gte=since)
    return list(cast.values_list("voter", "poll_id", "seq"))


def has_paper(participant: Participant, poll_id: int) -> bool:
    return Ballot.objects.filter(poll=poll_id, voter=participant.voter).exists()


def poll_item(workshop: Workshop, poll_id: int) -> AgendaItem | None:
    """The agenda item that asks this poll in this workshop."""
    return workshop.agenda.filter(poll=poll_id).select_related("poll__version__instrument").first()
