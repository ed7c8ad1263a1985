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

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from . import results
from .lifecycle import Reveal, State, after
from .models import Ballot, Poll, RevealMoment, question_with
from .prepared import Prepared, Upsert
from .types import POLL_TYPES, InvalidBallot, Question


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


@dataclass(frozen=True, slots=True)
class Asking:
    """A poll as its writer finds it under the lock."""

    poll: int
    state: str
    reveal: str
    closes_at: datetime | None
    question: Question

    @property
    def poll_type(self):
        return POLL_TYPES[self.question.type]

    def takes_papers(self, at: datetime) -> bool:
        return self.state == State.OPEN and not (self.closes_at and self.closes_at <= at)


Held = dict[int, Asking]

# A weaker lock than `FOR UPDATE`: nobody changes a poll's number, so rows that refer to it need not wait.
_under_lock = Poll.objects.select_for_update(of=("self",), no_key=True).order_by("pk")
_HOLD = Prepared(
    lambda polls: _under_lock.filter(pk__in=polls).values_list(
        "pk", "state", "reveal", "closes_at", "version__fingerprint"
    ),
    int,
)


def hold(poll_ids: Collection[int]) -> Held:
    """Lock these polls for the running transaction; those that exist, by number."""
    return {
        poll: Asking(poll, state, reveal, closes_at, question_with(fingerprint))
        for poll, state, reveal, closes_at, fingerprint in _HOLD.rows(list(poll_ids))
    }


# --- gestures on a poll ------------------------------------------------------------------------------


def _locked(poll_id: int) -> Poll:
    return _under_lock.select_related("version").get(pk=poll_id)


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
def show_words_at_once(poll_id: int, on: bool) -> Poll:
    """Let people's texts stand before the room without a check, or not, whatever the question says."""
    poll = _locked(poll_id)
    poll.words_at_once = on
    poll.save(update_fields=["words_at_once"])
    return poll


@transaction.atomic
def reset_poll(poll_id: int) -> Poll:
    """Back to draft, as if never asked; only for a poll without ballots (after a rehearsal was cleared)."""
    poll = _locked(poll_id)
    poll.state = after(poll.state, "reset")
    if poll.ballots.exists():
        raise ValueError("a poll with ballots cannot be reset")
    poll.opened_at = poll.closed_at = poll.closes_at = poll.revealed_at = poll.result = poll.words_at_once = (
        None
    )
    poll.late = 0
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
    if poll is None or poll.state != State.OPEN:
        return 0
    now = timezone.now()
    _ISSUE.write([_Row(poll_id, v, issued_at=now, rehearsal=v in rehearsals) for v in voters])
    return len(voters)


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


@dataclass(slots=True)
class _Row:
    """A ballot's row as a batch handles it; the same names as the model's columns."""

    poll_id: int
    voter: str
    status: str = Ballot.Status.ISSUED.value
    value: Any = None
    seq: int = 0
    op: str = ""
    revision: int = 0
    after_reveal: bool = False
    rehearsal: bool = False
    # Not read of a paper that is there: nobody asks for them, and moments take longer to read than all the rest.
    issued_at: datetime | None = None
    cast_at: datetime | None = None


_READ = [field for field in _Row.__dataclass_fields__ if not field.endswith("_at")]
_KNOWN = Prepared(
    lambda polls, voters: Ballot.objects.filter(poll__in=polls, voter__in=voters).values_list(*_READ),
    int,
    str,
)
# Polls whose result voters have been able to see at any time, even if it is hidden again.
_EVER_REVEALED = Prepared(
    lambda polls: (
        RevealMoment.objects.filter(poll__in=polls, shown=True).values_list("poll_id").order_by().distinct()
    ),
    int,
)
_ISSUE = Upsert(Ballot, unique=["poll", "voter"], update=[])
# One upsert for new and known papers alike: the unique voter decides, not the row's number.
_CAST = Upsert(
    Ballot,
    unique=["poll", "voter"],
    update=["value", "status", "op", "seq", "revision", "cast_at", "after_reveal"],
)


class _Box:
    """The ballots that a batch touches, loaded once, changed in memory, written once."""

    def __init__(self, papers: list[Paper], polls: Held) -> None:
        self.polls = polls
        self.now: datetime = timezone.now()  # the moment of the write, after any wait for the lock
        asked = list(polls)
        # When a paper was issued stays as it is; a row to be written needs a moment nevertheless.
        self.rows = {}
        for row in (_Row(*known) for known in _KNOWN.rows(asked, list({p.voter for p in papers}))):
            row.issued_at = self.now
            self.rows[row.poll_id, row.voter] = row
        self.seen_before = {poll for (poll,) in _EVER_REVEALED.rows(asked)}
        self.changed: dict[tuple[int, str], _Row] = {}
        self.late: Counter[int] = Counter()

    def put(self, paper: Paper) -> Outcome:
        poll = self.polls.get(paper.poll)
        if poll is None:
            return Refusal(
                paper.poll, paper.op, "forbidden", _("This question is not part of your workshop.")
            )
        row = self.rows.get((paper.poll, paper.voter))
        if row and paper.op and row.op == paper.op:
            return _receipt(poll.question, row)  # a retry: same receipt, no second effect
        if not poll.takes_papers(self.now):
            self.late[paper.poll] += poll.state != State.DRAFT
            return Refusal(paper.poll, paper.op, "closed", _("Closed before your answer arrived."))
        if row and row.revision and (refusal := self._refuse_change(poll, row, paper)):
            return refusal
        try:
            value = poll.poll_type.clean(paper.value, poll.question)
        except InvalidBallot as invalid:
            return Refusal(paper.poll, paper.op, "invalid", str(invalid.message), invalid.field)
        row = self._fill(poll, row or self._new(paper), paper, value)
        return _receipt(poll.question, row)

    def _refuse_change(self, poll: Asking, row: _Row, paper: Paper) -> Refusal | None:
        if paper.seq is not None and paper.seq <= row.seq:
            return Refusal(paper.poll, paper.op, "stale", _("A newer answer of yours is already saved."))
        if poll.question.settings.get("change") is False:
            message = _("An answer to this question cannot be changed.")
            return Refusal(paper.poll, paper.op, "invalid", message)
        return None

    def _new(self, paper: Paper) -> _Row:
        row = _Row(paper.poll, paper.voter, issued_at=self.now, rehearsal=paper.rehearsal)
        self.rows[paper.poll, paper.voter] = row
        return row

    def _fill(self, poll: Asking, row: _Row, paper: Paper, value: Any) -> _Row:
        saw_own_result = poll.reveal == Reveal.AFTER_VOTE and row.revision > 0
        row.value = value
        status = Ballot.Status.PASSED if poll.poll_type.is_pass(value) else Ballot.Status.CAST
        row.status = status.value
        row.op = paper.op
        row.seq = row.seq + 1 if paper.seq is None else paper.seq
        row.revision += 1
        row.cast_at = self.now
        row.after_reveal = poll.poll in self.seen_before or saw_own_result
        self.changed[poll.poll, paper.voter] = row
        return row

    def write(self) -> None:
        if self.changed:
            _CAST.write(list(self.changed.values()))
        for poll, papers in self.late.items():
            Poll.objects.filter(pk=poll).update(late=F("late") + papers)


def _receipt(question: Question, row: _Row) -> Receipt:
    said = POLL_TYPES[question.type].say(row.value, question)
    return Receipt(row.poll_id, row.op, row.revision, row.seq, row.status, row.value, said)


_PAPERS = Prepared(
    lambda voters, polls: Ballot.objects.filter(voter__in=voters, poll__in=polls, revision__gt=0).values_list(
        "poll__version__fingerprint", *_READ
    ),
    str,
    int,
)


def papers_of(voter: str, poll_ids: Sequence[int]) -> dict[int, Receipt]:
    """What one voter has cast among these polls: their own papers and nobody else's."""
    rows = ((question_with(fingerprint), _Row(*row)) for fingerprint, *row in _PAPERS.rows([voter], poll_ids))
    return {row.poll_id: _receipt(question, row) for question, row in rows}
