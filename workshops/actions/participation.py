"""Actions of participants: join, see a question, answer it, leave.

`write` takes a batch: the write batcher calls it with everything that arrived while the last commit ran (group commit).
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
from polls.ballot_box import BallotSubmission, Outcome, Refusal
from polls.prepared import Prepared

from ..models import AgendaItem, InformationSheet, Participant, Workshop, new_key
from ..signals import announce
from ..signals.topics import RIGHTS, Topic


@dataclass(frozen=True, slots=True)
class Vote:
    """An answer on its way; `value` as in `BallotSubmission`."""

    workshop_id: int
    voter: str
    poll: int
    value: Any
    op: str = ""
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class QuestionSeen:
    """A phone has this question on its screen: a ballot is to be issued."""

    workshop_id: int
    voter: str
    poll: int


@dataclass(frozen=True, slots=True)
class Join:
    """A person joins, having agreed to every required consent item (`joining`)."""

    workshop_id: int
    voter: str
    sheet_id: int | None
    consent: tuple[str, ...]  # keys of what they ticked
    rehearsal: bool = False


@dataclass(frozen=True, slots=True)
class Profiled:
    """The few questions at joining are answered or skipped; they are not asked again."""

    workshop_id: int
    voter: str


@dataclass(frozen=True, slots=True)
class JoinAccepted:
    """The person has joined, or has finished the profile."""

    code: str = "joined"


class ConsentMissing(Exception):
    """Something that has to be agreed to was not ticked; `missing` holds its keys, and is empty where there is nothing
    to agree to, which nobody can join."""

    def __init__(self, missing: list[str]) -> None:
        super().__init__("consent missing")
        self.missing = missing


def required_consent(items: Iterable[dict[str, Any]]) -> list[str]:
    """The keys of the consent items of a sheet that everybody has to agree to."""
    return [item["key"] for item in items if item["required"]]


def joining(workshop: Workshop, ticked: Iterable[str], *, voter: str = "", rehearsal: bool = False) -> Join:
    """The `Join` to be written for a person. Raises `ConsentMissing`.

    The same `voter` twice is one person: a double tap must not add to who joined.
    """
    items = workshop.sheet.items if workshop.sheet else []
    ticked, required = list(ticked), required_consent(items)
    if not rehearsal and not required:
        raise ConsentMissing([])
    if missing := [key for key in required if key not in ticked]:
        raise ConsentMissing(missing)
    known = [item["key"] for item in items if item["key"] in ticked]
    return Join(workshop.pk, voter or new_key(), workshop.sheet_id, tuple(known), rehearsal)


def join(
    workshop: Workshop, ticked: Iterable[str], *, voter: str = "", rehearsal: bool = False
) -> Participant:
    """A person takes part, at once. Raises `ConsentMissing`."""
    item = joining(workshop, ticked, voter=voter, rehearsal=rehearsal)
    write([item])
    return workshop.participants.get(voter=item.voter)  # it knows its workshop


def leave(participant: Participant) -> None:
    """The person leaves; their answers stay counted."""
    Participant.objects.filter(pk=participant.pk, left_at__isnull=True).update(left_at=timezone.now())
    announce.changed(participant.workshop_id, Topic.ROOM, Topic.TALLY, RIGHTS)


def write(items: Sequence[Vote | QuestionSeen | Join | Profiled]) -> list[Outcome | JoinAccepted | None]:
    """Write a batch in one transaction; one outcome per item, in order (`None` for a ballot issued).

    Who has not agreed to what their sheet requires is refused, and not let in.
    """
    joins = [item for item in items if isinstance(item, Join)]
    others = [item for item in items if isinstance(item, Vote | QuestionSeen)]
    with transaction.atomic():
        # Polls before people, as everywhere; and who is here is asked under that lock.
        locked = ballot_box.lock_polls({item.poll for item in others})
        refused = _without_consent(joins)
        _let_in([item for item in joins if item not in refused])
        _finish_profiles([item for item in items if isinstance(item, Profiled)])
        written = iter(_answer(others, locked))
    return [
        next(written)
        if isinstance(item, Vote | QuestionSeen)
        else _no_consent()
        if item in refused
        else JoinAccepted()
        for item in items
    ]


def _no_consent() -> Refusal:
    return Refusal(0, "", "consent", _("Agree to the information sheet first."))


_CONSENT_ITEMS = Prepared(
    lambda sheets: InformationSheet.objects.filter(pk__in=sheets).order_by().values_list("pk", "items"), int
)


def _without_consent(joins: Sequence[Join]) -> set[Join]:
    """Those of people, not of rehearsal phones, who have not ticked all that their sheet requires."""
    people = [item for item in joins if not item.rehearsal]
    if not people:
        return set()
    rows = _CONSENT_ITEMS.rows(list({item.sheet_id for item in people if item.sheet_id}))
    required = {sheet: set(required_consent(items)) for sheet, items in rows}
    return {
        item
        for item in people
        if not (wanted := required.get(item.sheet_id)) or not wanted <= {*item.consent}
    }


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
        announce.changed(workshop_id, Topic.ROOM, Topic.TALLY)


def _finish_profiles(done: Sequence[Profiled]) -> None:
    if not done:
        return
    voters = [item.voter for item in done]
    Participant.objects.filter(voter__in=voters, profiled_at__isnull=True).update(profiled_at=timezone.now())
    for workshop_id in {item.workshop_id for item in done}:
        announce.changed(workshop_id, Topic.ROOM)


def _answer(items: Sequence[Vote | QuestionSeen], locked: ballot_box.LockedPolls) -> list[Outcome | None]:
    if not items:
        return []
    room = _Room(items)
    outcomes: list[Outcome | None] = [room.refuse(item) for item in items]
    accepted = [number for number, outcome in enumerate(outcomes) if outcome is None]
    _issue([item for n in accepted if isinstance(item := items[n], QuestionSeen)], room, locked)
    votes = {n: vote for n in accepted if isinstance(vote := items[n], Vote)}
    papers = [room.paper(vote) for vote in votes.values()]
    for number, outcome in zip(votes, ballot_box.cast(papers, locked=locked), strict=True):
        outcomes[number] = outcome
    for workshop_id, topics in room.touched.items():
        announce.changed(workshop_id, *topics)
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

    def __init__(self, items: Sequence[Vote | QuestionSeen]) -> None:
        here = _HERE.rows(list({item.voter for item in items}))
        self.people = {voter: (workshop, rehearsal) for voter, workshop, rehearsal in here}
        asked = _ASKED.rows(list({item.poll for item in items}))
        self.polls = {poll: (workshop, profile) for poll, workshop, profile in asked}
        self.touched: dict[int, set[Topic]] = defaultdict(set)

    def refuse(self, item: Vote | QuestionSeen) -> Refusal | None:
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

    def paper(self, vote: Vote) -> BallotSubmission:
        rehearsal = self.is_rehearsal(vote.voter)
        return BallotSubmission(vote.poll, vote.voter, vote.value, vote.op, vote.seq, rehearsal)


def _issue(shown: Iterable[QuestionSeen], room: _Room, locked: ballot_box.LockedPolls) -> None:
    by_poll: dict[int, set[str]] = defaultdict(set)
    for item in shown:
        by_poll[item.poll].add(item.voter)
    for poll, voters in by_poll.items():
        rehearsals = {voter for voter in voters if room.is_rehearsal(voter)}
        ballot_box.issue(poll, voters, rehearsals=rehearsals, locked=locked)
