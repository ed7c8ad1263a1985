"""The one write path: polls open and close here, papers are issued and cast here, and nowhere else.

`cast` takes a batch, because the live engine writes what arrived while the last commit ran in one
transaction. Every paper gets its own outcome; one bad paper never harms another.

What holds, whoever calls (see the project's promises):
* one ballot per poll and voter, kept by the database;
* a paper counts only if the writing transaction sees its poll open; server time, never a phone's clock;
* of two answers of one voter the one with the higher `seq` stays, whatever order they arrive in;
* the same operation sent again gets the same receipt and has no second effect.

Every writer locks the polls it touches, in the order of their numbers (`hold`), before it looks at ballots:
writers wait for each other and never in a circle. SQLite has one writer at a time and needs no locks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from . import results
from .lifecycle import Reveal, after
from .models import Ballot, Poll, RevealMoment
from .types import InvalidBallot


@dataclass(frozen=True, slots=True)
class Paper:
    """A ballot on its way into the box. `value` is raw, `None` a pass; `seq` `None` means: after the last."""

    poll: int
    voter: str
    value: Any
    op: str = ""
    seq: int | None = None
    rehearsal: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """The paper is in the box; `said` is the stored answer in words."""

    poll: int
    op: str
    revision: int
    seq: int
    status: str
    value: Any
    said: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """The paper is not in the box. `code`: closed, stale, invalid, forbidden, consent or busy."""

    poll: int
    op: str
    code: str
    message: str
    field: str = ""


Outcome = Receipt | Refusal
Held = dict[int, Poll]


# --- gestures on a poll ------------------------------------------------------------------------------


def hold(poll_ids: Collection[int]) -> Held:
    """Lock these polls for the running transaction; those that exist, by number.

    A weaker lock than `FOR UPDATE`: nobody changes a poll's number, so rows that refer to it need not wait.
    """
    polls = Poll.objects.select_for_update(of=("self",), no_key=True).select_related("version")
    return {poll.pk: poll for poll in polls.filter(pk__in=poll_ids).order_by("pk")}


def _locked(poll_id: int) -> Poll:
    try:
        return hold([poll_id])[poll_id]
    except KeyError:
        raise Poll.DoesNotExist from None


@transaction.atomic
def open_poll(poll_id: int) -> Poll:
    """Accept ballots from now on; also for a closed poll, whose frozen result is dropped. Raises `NotPossible`."""
    poll = _locked(poll_id)
    poll.state = after(poll.state, "reopen" if poll.is_closed else "open")
    poll.opened_at = poll.opened_at or timezone.now()
    poll.closed_at = poll.closes_at = poll.result = None
    poll.save(update_fields=["state", "opened_at", "closed_at", "closes_at", "result"])
    _show(poll, poll.reveal == Reveal.LIVE, "policy")
    return poll


@transaction.atomic
def close_poll(poll_id: int, *, joined: int | None = None, attended: int | None = None) -> Poll:
    """Accept nothing more and freeze the result with its denominators. Raises `NotPossible`."""
    poll = _locked(poll_id)
    poll.state = after(poll.state, "close")
    poll.closed_at = timezone.now()
    result = results.count(poll, joined=joined, attended=attended)
    poll.result = results.freeze(result, poll.closed_at.isoformat())
    poll.save(update_fields=["state", "closed_at", "result"])
    if poll.reveal != Reveal.NEVER:
        _show(poll, True, "policy")
    return poll


@transaction.atomic
def close_in(poll_id: int, seconds: float | None) -> Poll:
    """Set the moment from which an open poll accepts nothing more; `None` takes it back."""
    poll = _locked(poll_id)
    after(poll.state, "close")
    poll.closes_at = None if seconds is None else timezone.now() + timedelta(seconds=seconds)
    poll.save(update_fields=["closes_at"])
    return poll


@transaction.atomic
def show_result(poll_id: int, shown: bool) -> Poll:
    """Show the result to the people who vote, or hide it; every change is recorded."""
    poll = _locked(poll_id)
    _show(poll, shown, "person")
    return poll


@transaction.atomic
def reset_poll(poll_id: int) -> Poll:
    """Back to draft, as if never asked; only for a poll without ballots (after a rehearsal was cleared)."""
    poll = _locked(poll_id)
    poll.state = after(poll.state, "reset")
    if poll.ballots.exists():
        raise ValueError("a poll with ballots cannot be reset")
    poll.opened_at = poll.closed_at = poll.closes_at = poll.revealed_at = poll.result = None
    poll.save()
    poll.reveal_moments.all().delete()
    return poll


def _show(poll: Poll, shown: bool, why: str) -> None:
    if shown == poll.is_revealed:
        return
    now = timezone.now()
    poll.revealed_at = now if shown else None
    poll.save(update_fields=["revealed_at"])
    RevealMoment.objects.create(poll=poll, at=now, shown=shown, why=why)


# --- papers --------------------------------------------------------------------------------------------


@transaction.atomic(savepoint=False)
def issue(
    poll_id: int, voters: Collection[str], *, rehearsals: Collection[str] = (), held: Held | None = None
) -> int:
    """Hand out papers of an open poll; a voter who has one keeps it. Returns how many voters were asked.

    `held` is what `hold` gave a caller who has locked the polls already, in this transaction.
    """
    poll = (hold([poll_id]) if held is None else held).get(poll_id)
    if poll is None or not poll.is_open:
        return 0
    now = timezone.now()
    papers = [Ballot(poll=poll, voter=v, issued_at=now, rehearsal=v in rehearsals) for v in voters]
    Ballot.objects.bulk_create(papers, ignore_conflicts=True)
    return len(papers)


def cast(papers: Iterable[Paper], *, held: Held | None = None) -> list[Outcome]:
    """Put papers into the box in one transaction; one outcome per paper, in the order given.

    When this returns, everything a `Receipt` speaks of is committed, or part of the caller's transaction.
    `held` is what `hold` gave a caller who has locked the polls already, in this transaction.
    """
    papers = list(papers)
    if not papers:
        return []
    with transaction.atomic(savepoint=False):
        box = _Box(papers, hold({paper.poll for paper in papers}) if held is None else held)
        outcomes = [box.put(paper) for paper in papers]
        box.write()
    return outcomes


class _Box:
    """The ballots that a batch touches, loaded once, changed in memory, written once."""

    def __init__(self, papers: list[Paper], polls: Held) -> None:
        self.polls = polls
        self.now: datetime = timezone.now()  # the moment of the write, after any wait for the lock
        known = Ballot.objects.filter(poll__in=self.polls, voter__in={p.voter for p in papers})
        self.ballots = {(ballot.poll_id, ballot.voter): ballot for ballot in known}
        self.seen_before = _ever_revealed(self.polls)
        self.changed: dict[tuple[int, str], Ballot] = {}

    def put(self, paper: Paper) -> Outcome:
        poll = self.polls.get(paper.poll)
        if poll is None:
            return Refusal(
                paper.poll, paper.op, "forbidden", _("This question is not part of your workshop.")
            )
        ballot = self.ballots.get((paper.poll, paper.voter))
        if ballot and paper.op and ballot.op == paper.op:
            return _receipt(poll, ballot)  # a retry: same receipt, no second effect
        if not poll.is_open or (poll.closes_at and poll.closes_at <= self.now):
            return Refusal(paper.poll, paper.op, "closed", _("Closed before your answer arrived."))
        if ballot and ballot.revision and (refusal := self._refuse_change(poll, ballot, paper)):
            return refusal
        try:
            value = poll.poll_type.clean(paper.value, poll.question)
        except InvalidBallot as invalid:
            return Refusal(paper.poll, paper.op, "invalid", str(invalid.message), invalid.field)
        ballot = self._fill(poll, ballot or self._new(paper), paper, value)
        return _receipt(poll, ballot)

    def _refuse_change(self, poll: Poll, ballot: Ballot, paper: Paper) -> Refusal | None:
        if paper.seq is not None and paper.seq <= ballot.seq:
            return Refusal(paper.poll, paper.op, "stale", _("A newer answer of yours is already saved."))
        if poll.question.settings.get("change") is False:
            message = _("An answer to this question cannot be changed.")
            return Refusal(paper.poll, paper.op, "invalid", message)
        return None

    def _new(self, paper: Paper) -> Ballot:
        ballot = Ballot(poll_id=paper.poll, voter=paper.voter, issued_at=self.now, rehearsal=paper.rehearsal)
        self.ballots[paper.poll, paper.voter] = ballot
        return ballot

    def _fill(self, poll: Poll, ballot: Ballot, paper: Paper, value: Any) -> Ballot:
        saw_own_result = poll.reveal == Reveal.AFTER_VOTE and ballot.revision > 0
        ballot.value = value
        ballot.status = Ballot.Status.PASSED if poll.poll_type.is_pass(value) else Ballot.Status.CAST
        ballot.op = paper.op
        ballot.seq = ballot.seq + 1 if paper.seq is None else paper.seq
        ballot.revision += 1
        ballot.cast_at = self.now
        ballot.after_reveal = poll.pk in self.seen_before or saw_own_result
        self.changed[poll.pk, paper.voter] = ballot
        return ballot

    def write(self) -> None:
        """One upsert for new and known papers alike: the unique voter decides, not the row's number."""
        for ballot in self.changed.values():
            ballot.pk = None
        Ballot.objects.bulk_create(
            self.changed.values(),
            update_conflicts=True,
            unique_fields=["poll", "voter"],
            update_fields=CAST_FIELDS,
        )


CAST_FIELDS = ["value", "status", "op", "seq", "revision", "cast_at", "after_reveal"]


def _ever_revealed(polls: Collection[int]) -> set[int]:
    """Polls whose result voters have been able to see at any time, even if it is hidden again."""
    moments = RevealMoment.objects.filter(poll__in=polls, shown=True)
    return set(moments.values_list("poll_id", flat=True))


def _receipt(poll: Poll, ballot: Ballot) -> Receipt:
    said = poll.poll_type.say(ballot.value, poll.question)
    return Receipt(poll.pk, ballot.op, ballot.revision, ballot.seq, ballot.status, ballot.value, said)


def papers_of(voter: str, poll_ids: Collection[int]) -> dict[int, Receipt]:
    """What one voter has cast among these polls: their own papers and nobody else's."""
    ballots = Ballot.objects.filter(voter=voter, poll__in=poll_ids, revision__gt=0).select_related(
        "poll__version"
    )
    return {ballot.poll_id: _receipt(ballot.poll, ballot) for ballot in ballots}
