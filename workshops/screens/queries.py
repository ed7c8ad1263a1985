"""Read queries for the pages and fragments of one workshop."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any

from django.db.models import Model, Q

from polls import ballot_box
from polls.lifecycle import State
from polls.models import Ballot, Poll
from polls.prepared import Prepared

from ..groups import Places, load_places
from ..models import AgendaItem, Participant, Prompt, Workshop
from ..people.participant_cookie import ParticipantToken

_STAGE_RELATIONS = (
    "programme",
    "stage_item__poll__version__instrument",
    "stage_item__prompt__domain",
    "stage_item__picture",
)


def _columns(model: type[Model], path: str = "", leave: Collection[str] = ()) -> list[str]:
    return [path + field.attname for field in model._meta.concrete_fields if field.attname not in leave]


# Every column that can change while a workshop runs: the cache key of `with_stage`. The frozen result is left out,
# because it only changes together with the poll's state.
_STAGE_ROW = Prepared(
    lambda workshops: Workshop.objects.filter(pk__in=workshops).order_by().values_list(
        *_columns(Workshop),
        *_columns(AgendaItem, "stage_item__"),
        *_columns(Poll, "stage_item__poll__", leave=["result"]),
        *_columns(Prompt, "stage_item__prompt__", leave=["probes"]),
        "stage_item__picture__alt", "programme__title",
        "stage_item__poll__version__fingerprint", "stage_item__poll__version__instrument__name",
    ),
    int,
)  # fmt: skip
STAGE_CACHE_SIZE = 500  # workshops
_stage_cache: dict[int, tuple[tuple, Workshop]] = {}


def with_stage(workshop_id: int) -> Workshop:
    """A workshop with the agenda item, poll and prompt on its stage, read-only. Raises `Workshop.DoesNotExist`.

    A cache that is validated by one small query: between two commands of a facilitator the stage does not change, and
    fragments are drawn hundreds of times.
    """
    rows = _STAGE_ROW.rows([workshop_id])
    cached = _stage_cache.get(workshop_id)
    if cached and rows and cached[0] == rows[0]:
        return cached[1]
    workshop = (
        Workshop.objects.select_related(*_STAGE_RELATIONS)
        .defer("stage_item__picture__data")
        .get(pk=workshop_id)
    )
    if len(_stage_cache) > STAGE_CACHE_SIZE:
        _stage_cache.clear()
    # a change between the two queries is found by the next reader: `stage_rev` never repeats a value
    if rows:
        _stage_cache[workshop_id] = (rows[0], workshop)
    return workshop


def stage_items(workshop: Workshop) -> list[AgendaItem]:
    """The agenda items that come on stage, in order: all but the profile."""
    return list(
        workshop.agenda.filter(profile=False)
        .select_related("poll__version__instrument", "prompt")
        .order_by("position", "id")
    )


def profile_items(workshop: Workshop) -> list[AgendaItem]:
    return list(workshop.agenda.filter(profile=True).select_related("poll__version__instrument"))


def has_open_profile(workshop_id: int) -> bool:
    """Does the profile have a question that can still be answered?"""
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
    """The first item not done yet after the one on stage or, without one, after the last done."""
    done = [item.position for item in items if item.done_at]
    position = current.position if current else max(done, default=-1)
    return next((item for item in items if item.position > position and not item.done_at), None)


def numbered_polls(items: list[AgendaItem]) -> dict[int, tuple[int, int]]:
    """Item id → `(number, total)` over the polls of the agenda: "Question 2 of 8"."""
    questions = [item.pk for item in items if item.kind == AgendaItem.Kind.POLL]
    return {pk: (number, len(questions)) for number, pk in enumerate(questions, start=1)}


@dataclass(frozen=True, slots=True)
class Pace:
    """The schedule against the clock, in whole minutes since the first step came on stage."""

    elapsed: int
    #: past the planned end of the step on stage, or of the whole workshop
    over: int
    #: every step with the minute at which the plan starts it
    steps: tuple[tuple[AgendaItem, int], ...]


def pace(workshop: Workshop, items: list[AgendaItem], now: datetime) -> Pace:
    """Planned against elapsed time. No query."""
    ends = list(accumulate((item.minutes for item in items), initial=0))
    steps = tuple(zip(items, ends, strict=False))
    until = workshop.ended_at or now
    elapsed = int((until - workshop.began_at).total_seconds() // 60) if workshop.began_at else 0
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


def state_on_connect(token: ParticipantToken) -> tuple[list[ballot_box.Receipt] | None, Places]:
    """The state sent to a phone that connects or reconnects: receipts of its own ballots (`None` if they have left),
    and places in groups. Mostly four small queries."""
    own = [] if token.is_observer else own_receipts(token)
    return own, load_places(token.workshop_id, token.voter or None)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What decides whether a participant is shown the same page as everybody who has just joined."""

    profiled: bool
    has_answered: bool  # the question on stage
    stage_rev: int  # of their workshop


_ARRIVED = Prepared(
    lambda voters: Participant.objects.filter(voter__in=voters, left_at__isnull=True).values_list(
        "workshop_id", "profiled_at", "workshop__stage_rev"
    ),
    str,
)


def newcomer(token: ParticipantToken, poll_id: int | None = None) -> Newcomer | None:
    """`None` for a participant who has left or never joined. Two small queries."""
    for workshop_id, profiled_at, stage_rev in _ARRIVED.rows([token.voter]):
        if workshop_id == token.workshop_id:
            has_answered = bool(poll_id and ballot_box.receipts_of(token.voter, [poll_id]))
            return Newcomer(profiled_at is not None, has_answered, stage_rev)
    return None


def own_receipts(token: ParticipantToken) -> list[ballot_box.Receipt] | None:
    """Receipts of the ballots that a voter has cast in their workshop; `None` if they have left or never joined."""
    if (token.workshop_id,) not in _IS_HERE.rows([token.voter]):
        return None
    polls = [poll for (poll,) in _POLLS.rows([token.workshop_id])]
    return list(ballot_box.receipts_of(token.voter, polls).values())


def receipt_json(receipt: ballot_box.Receipt) -> dict[str, Any]:
    """A receipt as the JSON that phones keep."""
    return {
        "poll": receipt.poll, "seq": receipt.seq, "status": receipt.status,
        "fields": receipt.fields, "marks": receipt.marks, "said": receipt.said,
    }  # fmt: skip


def cast_since(workshop_id: int, since: datetime) -> list[tuple[str, int, int]]:
    """`(voter, poll, seq)` of ballots cast since then, in polls that are open or were closed since then."""
    was_open = Q(poll__state=State.OPEN) | Q(poll__closed_at__gte=since)
    cast = Ballot.objects.filter(was_open, poll__agenda_item__workshop=workshop_id, cast_at__gte=since)
    return list(cast.values_list("voter", "poll_id", "seq"))


def has_ballot(token: ParticipantToken, poll_id: int) -> bool:
    return Ballot.objects.filter(poll=poll_id, voter=token.voter).exists()


def poll_item(workshop: Workshop, poll_id: int) -> AgendaItem | None:
    """The agenda item that asks this poll in this workshop."""
    return workshop.agenda.filter(poll=poll_id).select_related("poll__version__instrument").first()


def people_who_answered(workshop: Workshop) -> int:
    """How many people have answered a question at least. One query."""
    cast = Ballot.objects.filter(
        poll__agenda_item__workshop=workshop, poll__agenda_item__profile=False, rehearsal=False
    )
    return cast.exclude(status=Ballot.Status.ISSUED).values("voter").distinct().count()
