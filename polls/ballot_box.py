"""The one write path: polls open and close here, ballots are issued and cast here, and nowhere else.

`cast` takes a batch, because the live engine writes what arrived while the last commit ran in one
transaction (group commit). Every ballot gets its own outcome; one bad ballot never harms another.

Invariants, for every caller (docs/architecture.md § Promises, P2 to P4):
* one ballot per poll and voter, kept by the database (a unique constraint and an upsert);
* a ballot counts only if the writing transaction sees its poll open; server time, never a phone's clock;
* of two answers of one voter the one with the higher `seq` stays, whatever order they arrive in (an optimistic lock);
* the same operation (`op`, an idempotency key) sent again gets the same receipt and has no second effect.

Every writer locks the polls it touches, in the order of their numbers (`lock_polls`), before it looks at ballots:
writers wait for each other and never in a circle (no deadlock). SQLite has one writer at a time and needs no locks.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from . import results, texts
from .journal import Journal
from .lifecycle import Reveal, State, next_state
from .models import Ballot, Poll, RevealMoment, Text, question_with
from .prepared import Prepared, Upsert
from .types import POLL_TYPES, InvalidBallot, Question
from .types.base import Filled, OwnWords


@dataclass(frozen=True, slots=True)
class BallotSubmission:
    """A ballot on its way into the box. `value`: what a form holds (`Filled`), or raw, `None` a pass.

    `seq` `None` means: after the last.
    """

    poll: int
    voter: str
    value: Any
    op: str = ""
    seq: int | None = None
    rehearsal: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """The ballot is stored; `said` is the stored answer in words, `revision` how often this voter has answered.

    `fields` are those of a form that holds it, `marks` the keys of its lines in a result.
    """

    poll: int
    op: str
    revision: int
    seq: int
    status: str
    value: Any
    said: str
    fields: dict[str, list[str]]
    marks: list[str]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The ballot is not stored. `code`: closed, stale, invalid, forbidden, consent or busy."""

    poll: int
    op: str
    code: str
    message: str
    field: str = ""


Outcome = Receipt | Refusal


@dataclass(frozen=True, slots=True)
class LockedPoll:
    """The columns of a poll that a writer of ballots needs, read under the row lock."""

    poll: int
    state: str
    reveal: str
    closes_at: datetime | None
    question: Question

    @property
    def poll_type(self):
        return POLL_TYPES[self.question.type]

    def accepts_ballots(self, at: datetime) -> bool:
        return self.state == State.OPEN and not (self.closes_at and self.closes_at <= at)


LockedPolls = dict[int, LockedPoll]

# A weaker lock than `FOR UPDATE`: nobody changes a poll's number, so rows that refer to it need not wait.
_under_lock = Poll.objects.select_for_update(of=("self",), no_key=True).order_by("pk")
_LOCK_POLLS = Prepared(
    lambda polls: _under_lock.filter(pk__in=polls).values_list(
        "pk", "state", "reveal", "closes_at", "version__fingerprint"
    ),
    int,
)


def lock_polls(poll_ids: Collection[int]) -> LockedPolls:
    """Lock these polls for the running transaction; those that exist, by number."""
    return {
        poll: LockedPoll(poll, state, reveal, closes_at, question_with(fingerprint))
        for poll, state, reveal, closes_at, fingerprint in _LOCK_POLLS.rows(list(poll_ids))
    }


# --- state transitions ------------------------------------------------------------------------------


def _locked(poll_id: int) -> Poll:
    return _under_lock.select_related("version").get(pk=poll_id)


@transaction.atomic
def open_poll(poll_id: int) -> Poll:
    """Accept ballots from now on; reopening drops the frozen result. Raises `InvalidTransition`."""
    poll = _locked(poll_id)
    poll.state = next_state(poll.state, "reopen" if poll.is_closed else "open")
    poll.opened_at = poll.opened_at or timezone.now()
    poll.closed_at = poll.closes_at = poll.result = None
    poll.save(update_fields=["state", "opened_at", "closed_at", "closes_at", "result"])
    _show(poll, poll.reveal == Reveal.LIVE, "policy")
    return poll


@transaction.atomic
def close_poll(poll_id: int, *, joined: int | None = None, attended: int | None = None) -> Poll:
    """Accept nothing more and freeze the result with its denominators. Raises `InvalidTransition`."""
    poll = _locked(poll_id)
    _close(poll, joined, attended)
    if poll.reveal != Reveal.NEVER:
        _show(poll, True, "policy")
    return poll


def _close(poll: Poll, joined: int | None, attended: int | None) -> None:
    poll.state = next_state(poll.state, "close")
    poll.closed_at = timezone.now()
    result = results.count(poll, joined=joined, attended=attended)
    poll.result = results.freeze(result, poll.closed_at.isoformat())
    poll.save(update_fields=["state", "closed_at", "result"])


@transaction.atomic
def take_back(
    poll_id: int,
    *,
    state: str,
    closes_at: datetime | None,
    revealed: bool,
    joined: int | None = None,
    attended: int | None = None,
) -> Poll:
    """Undo what was just done to a poll: as it was before, but every ballot and every reveal stays on record.

    A poll that was opened is a draft again if nobody has answered; else it is closed, with its answers counted and
    shown to nobody. One that was closed is open again, with its deadline unless that has passed.
    """
    poll = _locked(poll_id)
    if poll.is_open and state != State.OPEN:
        if state == State.DRAFT and not poll.ballots.exclude(status=Ballot.Status.ISSUED).exists():
            return reset_poll(poll_id)
        _close(poll, joined, attended)
    elif poll.is_closed and state == State.OPEN:
        poll.state = next_state(poll.state, "reopen")
        poll.closed_at = poll.result = None
        poll.closes_at = closes_at if closes_at and closes_at > timezone.now() else None
        poll.save(update_fields=["state", "closed_at", "closes_at", "result"])
    _show(poll, revealed, "person")
    return poll


@transaction.atomic
def close_in(poll_id: int, seconds: float | None) -> Poll:
    """Set, or with `None` remove, the deadline of an open poll, in seconds from now. Raises `InvalidTransition`."""
    poll = _locked(poll_id)
    next_state(poll.state, "close")
    poll.closes_at = None if seconds is None else timezone.now() + timedelta(seconds=seconds)
    poll.save(update_fields=["closes_at"])
    return poll


@transaction.atomic
def open_until(poll_id: int, closes_at: datetime) -> Poll:
    """Open a poll that people answer at different times: it takes ballots until `closes_at`, and shows nothing before.

    Raises `InvalidTransition`.
    """
    poll = _locked(poll_id)
    if poll.reveal != Reveal.NEVER:
        poll.reveal = Reveal.AFTER_CLOSE
        poll.save(update_fields=["reveal"])
    poll = open_poll(poll_id)
    poll.closes_at = closes_at
    poll.save(update_fields=["closes_at"])
    return poll


def move_deadlines(journal: Journal, poll_ids: Collection[int], closes_at: datetime) -> None:
    """Set the deadline of these open polls, within the caller's transaction."""
    for poll in _under_lock.filter(pk__in=poll_ids, state=State.OPEN):
        journal.update(poll, closes_at=closes_at)


@transaction.atomic
def show_result(poll_id: int, shown: bool) -> Poll:
    """Show the result to the people who vote, or hide it; every change is recorded."""
    poll = _locked(poll_id)
    _show(poll, shown, "person")
    return poll


@transaction.atomic
def show_words_at_once(poll_id: int, on: bool) -> Poll:
    """Show people's texts to the room before a moderator has read them, or not; overrides the question's setting."""
    poll = _locked(poll_id)
    poll.words_at_once = on
    poll.save(update_fields=["words_at_once"])
    return poll


@transaction.atomic
def delete_rehearsal_ballots(poll_ids: Collection[int]) -> None:
    """Delete the ballots that a rehearsal sent, with their texts; ballots of people stay."""
    Ballot.objects.filter(poll__in=poll_ids, rehearsal=True).delete()
    Text.objects.filter(poll__in=poll_ids, rehearsal=True).delete()


@transaction.atomic
def backdate(poll_id: int, *, opened_at: datetime, closed_at: datetime) -> None:
    """Move a closed poll of an invented workshop to its day: the moments of the poll, its result, its ballots
    and their texts."""
    poll = _locked(poll_id)
    poll.opened_at, poll.closed_at = opened_at, closed_at
    poll.result = {**(poll.result or {}), "frozen_at": closed_at.isoformat()}
    poll.revealed_at = closed_at if poll.is_revealed else None
    poll.save()
    poll.reveal_moments.update(at=closed_at)
    poll.ballots.update(issued_at=opened_at)
    cast_at = opened_at + timedelta(seconds=20)
    poll.ballots.exclude(status=Ballot.Status.ISSUED).update(cast_at=cast_at)
    poll.texts.update(at=cast_at)


@transaction.atomic
def reset_poll(poll_id: int) -> Poll:
    """Back to draft, as if never asked; only for a poll that nobody has answered (after a rehearsal was cleared)."""
    poll = _locked(poll_id)
    poll.state = next_state(poll.state, "reset")
    poll.ballots.filter(status=Ballot.Status.ISSUED).delete()
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


# --- ballots --------------------------------------------------------------------------------------------


@transaction.atomic(savepoint=False)
def issue(
    poll_id: int,
    voters: Collection[str],
    *,
    rehearsals: Collection[str] = (),
    locked: LockedPolls | None = None,
) -> int:
    """Issue ballots of an open poll; a voter who has one keeps it. Returns how many voters were asked.

    `locked` is the answer of `lock_polls`, from a caller that has locked the polls already in this transaction.
    """
    poll = (lock_polls([poll_id]) if locked is None else locked).get(poll_id)
    if poll is None or poll.state != State.OPEN:
        return 0
    now = timezone.now()
    _ISSUE.write([_Row(poll_id, v, issued_at=now, rehearsal=v in rehearsals) for v in voters])
    return len(voters)


def cast(submissions: Iterable[BallotSubmission], *, locked: LockedPolls | None = None) -> list[Outcome]:
    """Store answers in one transaction (write batching); one outcome per submission, in the order given.

    When this returns, everything a `Receipt` speaks of is committed, or part of the caller's transaction.
    `locked` is the answer of `lock_polls`, from a caller that has locked the polls already in this transaction.
    """
    submissions = list(submissions)
    if not submissions:
        return []
    with transaction.atomic(savepoint=False):
        box = _Box(
            submissions,
            lock_polls({submission.poll for submission in submissions}) if locked is None else locked,
        )
        outcomes = [box.put(submission) for submission in submissions]
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
    # Not read from stored rows: nothing needs them, and timestamps take longer to parse than all the rest.
    issued_at: datetime | None = None
    cast_at: datetime | None = None


_READ = [field for field in _Row.__dataclass_fields__ if not field.endswith("_at")]
_STORED = Prepared(
    lambda polls, voters: Ballot.objects.filter(poll__in=polls, voter__in=voters).values_list(*_READ),
    int,
    str,
)
# Polls whose result voters could see at some time, even if it is hidden again.
_EVER_REVEALED = Prepared(
    lambda polls: (
        RevealMoment.objects.filter(poll__in=polls, shown=True).values_list("poll_id").order_by().distinct()
    ),
    int,
)
_ISSUE = Upsert(Ballot, unique=["poll", "voter"], update=[])
# One upsert for new and stored ballots alike: the unique poll and voter decide, not the row's primary key.
_CAST = Upsert(
    Ballot,
    unique=["poll", "voter"],
    update=["value", "status", "op", "seq", "revision", "cast_at", "after_reveal"],
)


class _Box:
    """A unit of work: the ballots that a batch touches, loaded once, changed in memory, written once."""

    def __init__(self, submissions: list[BallotSubmission], polls: LockedPolls) -> None:
        self.polls = polls
        self.now: datetime = timezone.now()  # the moment of the write, after any wait for the lock
        asked = list(polls)
        # The upsert never updates `issued_at`, but its INSERT needs a value for the column.
        self.rows = {}
        for row in (_Row(*known) for known in _STORED.rows(asked, list({p.voter for p in submissions}))):
            row.issued_at = self.now
            self.rows[row.poll_id, row.voter] = row
        self.seen_before = {poll for (poll,) in _EVER_REVEALED.rows(asked)}
        self.changed: dict[tuple[int, str], _Row] = {}
        #: what was stored before, of those that had been cast
        self.former: dict[tuple[int, str], Any] = {}
        self.late: Counter[int] = Counter()

    def put(self, submission: BallotSubmission) -> Outcome:
        poll = self.polls.get(submission.poll)
        if poll is None:
            return Refusal(
                submission.poll, submission.op, "forbidden", _("This question is not part of your workshop.")
            )
        row = self.rows.get((submission.poll, submission.voter))
        if row and submission.op and row.op == submission.op:
            return _receipt(poll.question, row)  # a retry: same receipt, no second effect
        if not poll.accepts_ballots(self.now):
            self.late[submission.poll] += poll.state != State.DRAFT
            return Refusal(submission.poll, submission.op, "closed", _("Closed before your answer arrived."))
        if row and row.revision and (refusal := self._refuse_change(poll, row, submission)):
            return refusal
        try:
            value = poll.poll_type.clean(_raw(poll, submission.value), poll.question)
        except InvalidBallot as invalid:
            return Refusal(submission.poll, submission.op, "invalid", str(invalid.message), invalid.field)
        row = self._fill(poll, row or self._new(submission), submission, value)
        return _receipt(poll.question, row)

    def _refuse_change(self, poll: LockedPoll, row: _Row, submission: BallotSubmission) -> Refusal | None:
        if submission.seq is not None and submission.seq <= row.seq:
            return Refusal(
                submission.poll, submission.op, "stale", _("A newer answer of yours is already saved.")
            )
        if poll.question.settings.get("change") is False:
            message = _("An answer to this question cannot be changed.")
            return Refusal(submission.poll, submission.op, "invalid", message)
        return None

    def _new(self, submission: BallotSubmission) -> _Row:
        row = _Row(submission.poll, submission.voter, issued_at=self.now, rehearsal=submission.rehearsal)
        self.rows[submission.poll, submission.voter] = row
        return row

    def _fill(self, poll: LockedPoll, row: _Row, submission: BallotSubmission, value: Any) -> _Row:
        which = poll.poll, submission.voter
        if row.revision and which not in self.changed:
            self.former[which] = row.value
        saw_own_result = poll.reveal == Reveal.AFTER_VOTE and row.revision > 0
        row.value = value
        status = Ballot.Status.PASSED if poll.poll_type.is_pass(value) else Ballot.Status.CAST
        row.status = status.value
        row.op = submission.op
        row.seq = row.seq + 1 if submission.seq is None else submission.seq
        row.revision += 1
        row.cast_at = self.now
        row.after_reveal = poll.poll in self.seen_before or saw_own_result
        self.changed[which] = row
        return row

    def write(self) -> None:
        if self.changed:
            _CAST.write(list(self.changed.values()))
            _write_texts(self.polls, self.changed.values(), self.former)
        for poll, refused in self.late.items():
            Poll.objects.filter(pk=poll).update(late=F("late") + refused)


def _raw(poll: LockedPoll, value: Any) -> Any:
    return poll.poll_type.from_form(value, poll.question) if isinstance(value, Filled) else value


# --- people's own words ------------------------------------------------------------------------------------


@dataclass(slots=True)
class _TextRow:
    """A text's row as a batch writes it, named as the model's columns: a model instance costs five times as much."""

    poll_id: int
    voter: str
    field: str
    words: str
    key: str
    at: datetime | None
    rehearsal: bool
    revision: int
    former_id: int | None
    standing: str = Text.Standing.CURRENT.value
    op: str = ""
    decision_id: int | None = None


_TEXTS = Upsert(Text, unique=["poll", "voter", "field", "revision"], update=[])


def _write_texts(polls: LockedPolls, rows: Iterable[_Row], former: Mapping[tuple[int, str], Any]) -> None:
    """Write the texts of these answers; changed words are the next revision of their field.

    One bulk insert for the batch, none for answers without words; former texts are read only where some exist.
    """
    coming: list[tuple[_Row, Sequence[OwnWords]]] = []
    for row in rows:
        poll = polls[row.poll_id]
        texts_of, question = poll.poll_type.texts_of, poll.question
        words = texts_of(row.value, question)
        before = former.get((row.poll_id, row.voter))
        if words if before is None else [*words] != [*texts_of(before, question)]:
            coming.append((row, words))
    if not coming:
        return
    known = _texts_of([row for row, _words in coming if row.revision > 1])
    written: list[_TextRow] = []
    replaced: list[int] = []
    for row, words in coming:
        mine = known.get((row.poll_id, row.voter), {})
        current = [text for text in mine.values() if text.standing == Text.Standing.CURRENT]
        stay, new = set[str](), list[OwnWords]()
        for own in words:  # words that moved to another field are not a new revision
            same = (text.field for text in current if text.words == own.words and text.field not in stay)
            if field := next(same, ""):
                stay.add(field)
            else:
                new.append(own)
        replaced += [text.pk for text in current if text.field not in stay]
        free = (own.field for own in words if own.field not in stay)
        written += [_text(row, own, field, mine.get(field)) for own, field in zip(new, free, strict=False)]
    texts.replace(replaced)
    _TEXTS.write(written)


def _texts_of(rows: Collection[_Row]) -> dict[tuple[int, str], dict[str, Text]]:
    """By poll and voter: the newest text of every field."""
    known: defaultdict[tuple[int, str], dict[str, Text]] = defaultdict(dict)
    found = Text.objects.filter(poll__in={row.poll_id for row in rows}, voter__in={row.voter for row in rows})
    for text in found.order_by("revision") if rows else ():
        known[text.poll_id or 0, text.voter][text.field] = text
    return known


def _text(row: _Row, own: OwnWords, field: str, former: Text | None) -> _TextRow:
    revision, replaces = (former.revision + 1, former.pk) if former else (1, None)
    return _TextRow(
        row.poll_id, row.voter, field, own.words, own.key, row.cast_at, row.rehearsal, revision, replaces
    )


def _receipt(question: Question, row: _Row) -> Receipt:
    kind, value = POLL_TYPES[question.type], row.value
    said, fields, marks = kind.say(value, question), kind.to_form(value, question), kind.marks(value)
    return Receipt(row.poll_id, row.op, row.revision, row.seq, row.status, value, said, fields, marks)


_CAST_BY_VOTER = Prepared(
    lambda voters, polls: Ballot.objects.filter(voter__in=voters, poll__in=polls, revision__gt=0).values_list(
        "poll__version__fingerprint", *_READ
    ),
    str,
    int,
)


def receipts_of(voter: str, poll_ids: Sequence[int]) -> dict[int, Receipt]:
    """Receipts of the ballots that this voter has cast in these polls, by poll."""
    rows = (
        (question_with(fingerprint), _Row(*row))
        for fingerprint, *row in _CAST_BY_VOTER.rows([voter], poll_ids)
    )
    return {row.poll_id: _receipt(question, row) for question, row in rows}
