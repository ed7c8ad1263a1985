"""What people with a phone do: join, see a question, answer it, leave.

`write` is what the intake calls with everything that arrived while the last commit ran.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from polls import ballot_box
from polls.ballot_box import Outcome, Paper, Refusal
from polls.prepared import Prepared

from .. import seats
from ..live import notify
from ..live.topics import Topic
from ..models import AgendaItem, InformationSheet, Participant, Workshop, new_key


@dataclass(frozen=True, slots=True)
class Vote:
    """An answer on its way: raw value, `None` a pass."""

    workshop_id: int
    voter: str
    poll: int
    value: Any
    op: str = ""
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A phone has this question on its screen: a ballot paper is to be issued."""

    workshop_id: int
    voter: str
    poll: int


@dataclass(frozen=True, slots=True)
class Join:
    """Somebody takes part, having agreed to what has to be agreed (`joining`)."""

    workshop_id: int
    voter: str
    sheet_id: int | None
    consent: tuple[str, ...]  # keys of what they ticked
    rehearsal: bool = False


@dataclass(frozen=True, slots=True)
class Joined:
    """They take part."""

    code: str = "joined"


class ConsentMissing(Exception):
    """Something that has to be agreed to was not ticked; `missing` holds the texts."""

    def __init__(self, missing: list[str]) -> None:
        super().__init__("consent missing")
        self.missing = missing


def missing_consent(sheet: InformationSheet | None, ticked: Iterable[str]) -> list[str]:
    """The keys of required consent items that were not ticked."""
    ticked = set(ticked)
    return [
        item["key"]
        for item in (sheet.items if sheet else [])
        if item["required"] and item["key"] not in ticked
    ]


def joining(workshop: Workshop, ticked: Iterable[str], *, once: str = "", rehearsal: bool = False) -> Join:
    """What is to be written for a person who takes part. Raises `ConsentMissing`.

    The same form sent twice (`once` is its number) is one person: a double tap must not add to who joined.
    """
    sheet = workshop.sheet
    ticked = list(ticked)
    if missing := missing_consent(sheet, ticked):
        raise ConsentMissing(missing)
    known = [item["key"] for item in (sheet.items if sheet else []) if item["key"] in ticked]
    voter = seats.voter_of_form(workshop.pk, once) if once else new_key()
    return Join(workshop.pk, voter, workshop.sheet_id, tuple(known), rehearsal)


def join(
    workshop: Workshop, ticked: Iterable[str], *, once: str = "", rehearsal: bool = False
) -> Participant:
    """A person takes part, at once. Raises `ConsentMissing`."""
    item = joining(workshop, ticked, once=once, rehearsal=rehearsal)
    write([item])
    return workshop.participants.get(voter=item.voter)  # it knows its workshop


def finish_profile(participant: Participant) -> None:
    """The few questions at joining are answered or skipped; they are not asked again."""
    Participant.objects.filter(pk=participant.pk, profiled_at__isnull=True).update(profiled_at=timezone.now())
    notify.changed(participant.workshop_id, Topic.ROOM)


def leave(participant: Participant) -> None:
    """The person goes; what they answered stays counted."""
    Participant.objects.filter(pk=participant.pk, left_at__isnull=True).update(left_at=timezone.now())
    notify.changed(participant.workshop_id, Topic.ROOM, Topic.TALLY)


def write(items: Sequence[Vote | Shown | Join]) -> list[Outcome | Joined | None]:
    """Write a batch in one transaction; one outcome per item, in order (`None` for a paper issued)."""
    joins = [item for item in items if isinstance(item, Join)]
    others = [item for item in items if not isinstance(item, Join)]
    with transaction.atomic():
        # Polls before people, as everywhere; and who is here is asked under that lock.
        held = ballot_box.hold({item.poll for item in others})
        _let_in(joins)
        written = iter(_answer(others, held))
    return [Joined() if isinstance(item, Join) else next(written) for item in items]


def _let_in(joins: Sequence[Join]) -> None:
    if not joins:
        return
    people = {
        item.voter: Participant(
            workshop_id=item.workshop_id,
            voter=item.voter,
            sheet_id=item.sheet_id,
            consent=list(item.consent),
            rehearsal=item.rehearsal,
        )
        for item in sorted(joins, key=lambda item: item.voter)
    }
    Participant.objects.bulk_create(
        people.values(),
        update_conflicts=True,
        unique_fields=["voter"],
        update_fields=["sheet", "consent", "rehearsal", "left_at"],
    )
    for workshop_id in {item.workshop_id for item in joins}:
        notify.changed(workshop_id, Topic.ROOM, Topic.TALLY)


def _answer(items: Sequence[Vote | Shown], held: ballot_box.Held) -> list[Outcome | None]:
    if not items:
        return []
    room = _Room(items)
    outcomes: list[Outcome | None] = [room.refuse(item) for item in items]
    accepted = [number for number, outcome in enumerate(outcomes) if outcome is None]
    _issue([item for n in accepted if isinstance(item := items[n], Shown)], room, held)
    votes = {n: vote for n in accepted if isinstance(vote := items[n], Vote)}
    papers = [room.paper(vote) for vote in votes.values()]
    for number, outcome in zip(votes, ballot_box.cast(papers, held=held), strict=True):
        outcomes[number] = outcome
    for workshop_id, topics in room.touched.items():
        notify.changed(workshop_id, *topics)
    return outcomes


_HERE = Prepared(
    lambda voters: Participant.objects.filter(voter__in=voters, left_at__isnull=True).values_list(
        "voter", "workshop_id", "rehearsal"
    ),
    str,
)
_ASKED = Prepared(
    lambda polls: (
        AgendaItem.objects.filter(poll__in=polls).order_by().values_list("poll_id", "workshop_id", "profile")
    ),
    int,
)


class _Room:
    """Whose votes these are and which polls they may go to: two queries a batch."""

    def __init__(self, items: Sequence[Vote | Shown]) -> None:
        here = _HERE.rows(list({item.voter for item in items}))
        self.people = {voter: (workshop, rehearsal) for voter, workshop, rehearsal in here}
        asked = _ASKED.rows(list({item.poll for item in items}))
        self.polls = {poll: (workshop, profile) for poll, workshop, profile in asked}
        self.touched: dict[int, set[Topic]] = defaultdict(set)

    def refuse(self, item: Vote | Shown) -> Refusal | None:
        op = getattr(item, "op", "")
        if self.people.get(item.voter, (None,))[0] != item.workshop_id:
            return Refusal(item.poll, op, "consent", _("You have left this workshop. Join again to answer."))
        workshop_id, profile = self.polls.get(item.poll, (None, False))
        if workshop_id != item.workshop_id:
            # The same words for another workshop's poll as for one that does not exist.
            return Refusal(item.poll, op, "forbidden", _("This question is not part of your workshop."))
        self.touched[item.workshop_id] |= {Topic.TALLY, Topic.QUEUE, *([Topic.ROOM] if profile else [])}
        return None

    def is_rehearsal(self, voter: str) -> bool:
        return self.people[voter][1]

    def paper(self, vote: Vote) -> Paper:
        rehearsal = self.is_rehearsal(vote.voter)
        return Paper(vote.poll, vote.voter, vote.value, vote.op, vote.seq, rehearsal)


def _issue(shown: Iterable[Shown], room: _Room, held: ballot_box.Held) -> None:
    by_poll: dict[int, set[str]] = defaultdict(set)
    for item in shown:
        by_poll[item.poll].add(item.voter)
    for poll, voters in by_poll.items():
        rehearsals = {voter for voter in voters if room.is_rehearsal(voter)}
        ballot_box.issue(poll, voters, rehearsals=rehearsals, held=held)
