"""The one read path: a poll's tally with its denominators, and several polls pooled.

A tally is a recount of ballots. When a poll closes, `ballot_box` freezes what `count` says at that moment
(`Poll.result`); from then on `read` answers from the frozen copy, so later cleaning or clearing never
changes what a room has seen without a decision of its own.

Rehearsal ballots are shown in the room when asked for, and never frozen, never pooled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from django.db.models import Count, QuerySet

from . import measures
from .models import Ballot, Measure, Poll
from .prepared import Prepared
from .types import POLL_TYPES, Question
from .types.base import Tally, add


class NotComparable(Exception):
    """These polls cannot be added up; the message says why."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Distinct people, from the room to the base. `attended` and `joined` come from the workshop, and are
    `None` where nobody counted. Source: the project's method notes on denominators."""

    attended: int | None = None
    joined: int | None = None
    issued: int = 0
    cast: int = 0
    passed: int = 0
    excluded: int = 0
    withdrawn: int = 0
    after_reveal: int = 0

    @property
    def valid(self) -> int:
        """The base of every percentage: cast − passed − excluded − withdrawn."""
        return self.cast - self.passed - self.excluded - self.withdrawn

    def __add__(self, other: Counts) -> Counts:
        sums: dict[str, Any] = {
            f.name: _sum(getattr(self, f.name), getattr(other, f.name)) for f in fields(Counts)
        }
        return Counts(**sums)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "valid": self.valid}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Counts:
        return cls(**{f.name: data.get(f.name, f.default) for f in fields(cls)})


def _sum(first: int | None, second: int | None) -> int | None:
    """A sum of unknown and known is unknown: nobody guesses an N."""
    return None if first is None or second is None else first + second


@dataclass(frozen=True, slots=True)
class Share:
    """A measure counted from ballots: `hits` of `valid` people; `number` is the measure's version."""

    key: str
    label: str
    hits: int
    valid: int
    number: int = 1


@dataclass(frozen=True, slots=True)
class Result:
    """What one poll, or several pooled, came to."""

    question: Question
    tally: Tally
    counts: Counts
    measures: tuple[Share, ...] = ()
    frozen: bool = False

    @property
    def poll_type(self):
        return POLL_TYPES[self.question.type]

    @property
    def figures(self):
        return self.poll_type.figures(self.tally, self.question)

    @property
    def picture(self) -> dict[str, Any]:
        return self.poll_type.picture(self.tally, self.question)

    @property
    def finding(self) -> str:
        return self.poll_type.finding(self.tally, self.question)

    @property
    def table(self):
        return self.poll_type.table(self.tally, self.question)


@dataclass(frozen=True, slots=True)
class Pooled(Result):
    """Several askings of one instrument added up; `parts` are the single results in the order given."""

    parts: tuple[tuple[int, Result], ...] = field(default=())


def read(poll: Poll, *, rehearsal: bool = False, measures: list[Measure] | None = None) -> Result:
    """The result of a poll: frozen if it is closed, recounted otherwise.

    `rehearsal=True` is the room's view while a rehearsal is on: it counts rehearsal ballots too, afresh.
    `measures` are the instrument's, for a reader of many polls who has them already.
    """
    if poll.result is not None and not rehearsal:
        return _thaw(poll, measures)
    return count(poll, rehearsal=rehearsal)


def _kinds(polls: list[int]) -> QuerySet:
    ballots = Ballot.objects.filter(poll__in=polls)
    return ballots.values_list("status", "after_reveal", "value").annotate(Count("id")).order_by()


_ALL_KINDS = Prepared(_kinds, int)
_KINDS = Prepared(lambda polls: _kinds(polls).filter(rehearsal=False), int)


def count(
    poll: Poll, *, joined: int | None = None, attended: int | None = None, rehearsal: bool = False
) -> Result:
    """Recount a poll's ballots; two small queries, whatever the number of ballots."""
    kinds = (_ALL_KINDS if rehearsal else _KINDS).rows([poll.pk])
    counted = _values(kinds)
    question = poll.question
    return Result(
        question=question,
        tally=poll.poll_type.tally(counted, question),
        counts=_counts(kinds, joined, attended),
        measures=_shares(poll, counted),
    )


def counted_values(ballots) -> list[tuple[Any, int]]:
    """`(value, how many)` for every distinct answer, passes left out."""
    cast = ballots.filter(status=Ballot.Status.CAST)
    return list(cast.values_list("value").annotate(Count("id")).order_by())


Kind = tuple[str, bool, Any, int]  # status, after a reveal, value, how many ballots


def _values(kinds: list[Kind]) -> list[tuple[Any, int]]:
    return [(value, people) for status, _late, value, people in kinds if status == Ballot.Status.CAST]


def _counts(kinds: list[Kind], joined: int | None, attended: int | None) -> Counts:
    def people(holds: Callable[[str, bool], bool]) -> int:
        return sum(number for status, late, _value, number in kinds if holds(status, late))

    return Counts(
        joined=joined,
        attended=attended,
        issued=people(lambda status, late: True),
        cast=people(lambda status, late: status != Ballot.Status.ISSUED),
        passed=people(lambda status, late: status == Ballot.Status.PASSED),
        after_reveal=people(lambda status, late: late),
    )


_MEASURES = Prepared(
    lambda instruments: (
        Measure.objects.filter(instrument__in=instruments)
        .order_by("number")
        .values_list(*(field.attname for field in Measure._meta.concrete_fields))
    ),
    int,
)


def latest_measures(instrument_id: int) -> list[Measure]:
    """The newest version of every measure of an instrument, in authored order."""
    newest: dict[str, Measure] = {}
    for row in _MEASURES.rows([instrument_id]):
        measure = Measure(*row)
        newest[measure.key] = measure
    return sorted(newest.values(), key=lambda measure: measure.pk)


def _shares(poll: Poll, counted: list[tuple[Any, int]]) -> tuple[Share, ...]:
    return tuple(
        Share(m.key, m.label, *measures.count(m.kind, m.definition, counted, poll.question), m.number)
        for m in latest_measures(poll.version.instrument_id)
    )


def freeze(result: Result, at: str) -> dict[str, Any]:
    """A result as the JSON kept in `Poll.result`; `at` is an ISO 8601 time."""
    return {
        "tally": result.tally,
        "counts": result.counts.as_json(),
        "measures": [asdict(share) for share in result.measures],
        "frozen_at": at,
    }


def _thaw(poll: Poll, measures: list[Measure] | None) -> Result:
    frozen: dict[str, Any] = poll.result or {}
    shares = tuple(Share(**share) for share in frozen["measures"])
    known = {(share.key, share.number) for share in shares}
    if measures is None:
        measures = latest_measures(poll.version.instrument_id)
    if any((m.key, m.number) not in known for m in measures):
        # A measure written or changed after the close is counted from the ballots, which are still there.
        shares = _shares(poll, counted_values(poll.ballots.filter(rehearsal=False)))
    return Result(poll.question, frozen["tally"], Counts.from_json(frozen["counts"]), shares, frozen=True)


def pool(polls: Iterable[Poll], *, measures: list[Measure] | None = None) -> Pooled:
    """Add up closed polls of one instrument. Raises `NotComparable`, also when there is nothing to add.

    `measures` are the instrument's, where the caller has them already: then no query is made.
    """
    parts = [(poll.pk, read(poll, measures=measures)) for poll in polls if poll.is_closed]
    if not parts:
        raise NotComparable("no closed poll to add up")
    newest = parts[-1][1].question
    for _pk, part in parts:
        _check_comparable(part.question, newest)
    tally, counts = parts[0][1].tally, parts[0][1].counts
    for _pk, part in parts[1:]:
        tally, counts = add(tally, part.tally), counts + part.counts
    return Pooled(newest, tally, counts, _add_shares(parts), frozen=True, parts=tuple(parts))


def _check_comparable(question: Question, newest: Question) -> None:
    if question.type != newest.type:
        raise NotComparable(
            f"{question.key}: a {question.type} question does not add up with a {newest.type} one"
        )
    measured_on = POLL_TYPES[question.type].measured_on
    if question.keys != newest.keys or measured_on(question) != measured_on(newest):
        raise NotComparable(f"{question.key}: its versions offer different answers")


def _add_shares(parts: list[tuple[int, Result]]) -> tuple[Share, ...]:
    totals: dict[str, Share] = {}
    for _pk, part in parts:
        for share in part.measures:
            old = totals.get(share.key)
            hits, valid = (old.hits, old.valid) if old else (0, 0)
            totals[share.key] = Share(
                share.key, share.label, hits + share.hits, valid + share.valid, share.number
            )
    return tuple(totals.values())


def shown_texts(poll: Poll) -> frozenset[str]:
    """Keys of people's own words that somebody has let onto the wall."""
    return frozenset(poll.text_checks.filter(shown=True).values_list("key", flat=True))


def for_the_room(poll: Poll, result: Result) -> Result:
    """The same result with only those words that somebody has checked; its numbers stay whole."""
    if not result.poll_type.has_texts or result.question.settings.get("check") is False:
        return result
    tally = result.poll_type.keep_texts(result.tally, shown_texts(poll), result.question)
    return Result(result.question, tally, result.counts, result.measures, result.frozen)
