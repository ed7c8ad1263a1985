"""The one read path: a poll's tally with its denominators, and several polls pooled.

A tally is a recount of ballots. When a poll closes, `ballot_box` freezes the answer of `count` at that moment, an
immutable snapshot in `Poll.result`; from then on `read` answers from the snapshot, so that deleting or correcting
ballots later never silently changes a result that a room has seen.

Rehearsal ballots are shown in the room when asked for, and never frozen, never pooled.
"""

from __future__ import annotations

import operator
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import reduce
from typing import Any

from django.db.models import Count

from . import comparison, text_decisions
from .comparison import Series
from .measures import count as count_measure
from .measures import fits
from .models import Ballot, InstrumentVersion, Measure, Poll
from .prepared import Prepared
from .text_decisions import TextModeration
from .types import POLL_TYPES, Question
from .types.base import Tally, add


class NotComparable(Exception):
    """These polls cannot be added up; the message says why."""


@dataclass(frozen=True, slots=True)
class Counts:
    """The denominators of a result, in distinct people: `attended` (counted in the room), `joined` (with a phone),
    `issued` (shown the question), `cast` (answered, passes included), `valid` (the base of percentages).

    `attended` and `joined` come from the workshop and are `None` where nobody counted. `after_reveal` counts answers
    given or changed when their voter could already see results. See docs/researching.md § From attended to counted.
    """

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
    """A sum with an unknown term is unknown: no N is ever guessed."""
    return None if first is None or second is None else first + second


@dataclass(frozen=True, slots=True)
class Share:
    """A measure counted from ballots: numerator `hits`, denominator `valid`, both people; `number` is its version."""

    key: str
    label: str
    hits: int
    valid: int
    number: int = 1


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one poll, or of several pooled: a tally, its denominators and its measures."""

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

    `rehearsal=True` is the room's view while a rehearsal is on: a recount that includes rehearsal ballots.
    `measures` are the instrument's, for a caller that reads many polls and has loaded them already.
    """
    if poll.result is not None and not rehearsal:
        return _thaw(poll, measures)
    return count(poll, rehearsal=rehearsal)


def read_closed(polls: Collection[Poll]) -> dict[int, Result]:
    """The frozen results of closed polls by their ids, no rehearsal's answers among them. One query for the measures
    of all, and one more where a measure is newer than a close."""
    measures = _latest_measures(sorted({poll.version.instrument_id for poll in polls}))
    own = {poll.pk: measures[poll.version.instrument_id] for poll in polls}
    anew = _answers_to(poll.pk for poll in polls if _misses_a_measure(poll.result or {}, own[poll.pk]))
    return {poll.pk: _thaw(poll, own[poll.pk], anew) for poll in polls}


def _ballot_counts(*by: str) -> dict[bool, Prepared]:
    """Numbers of ballots, grouped by these columns, status and `after_reveal`; `True`: rehearsal ballots included.

    Grouped in the order of the index `ballot_turnout`, so that the database counts with an index-only scan.
    """

    def prepared(*rehearsal: bool) -> Prepared:
        return Prepared(
            lambda polls: (
                Ballot.objects.filter(poll__in=polls, rehearsal__in=rehearsal)
                .order_by()
                .values_list(*by, "status", "after_reveal")
                .annotate(ballots=Count("*"))
            ),
            int,
        )

    return {True: prepared(False, True), False: prepared(False)}


_TURNOUT, _TURNOUT_BY_VALUE = _ballot_counts(), _ballot_counts("value")


def turnout(poll: Poll, *, rehearsal: bool = False) -> Counts:
    """The denominators alone, without reading any answer, for screens that show no result. One small query."""
    return _counts(_TURNOUT[rehearsal].rows([poll.pk]), None, None)


def count(
    poll: Poll, *, joined: int | None = None, attended: int | None = None, rehearsal: bool = False
) -> Result:
    """Recount a poll's ballots; two small queries, whatever the number of ballots."""
    groups = _TURNOUT_BY_VALUE[rehearsal].rows([poll.pk])
    counted = [(value, people) for value, status, _late, people in groups if status == Ballot.Status.CAST]
    question = poll.question
    return Result(
        question=question,
        tally=poll.poll_type.tally(counted, question),
        counts=_counts([group for _value, *group in groups], joined, attended),
        measures=_shares(poll, counted),
    )


def counted_values(ballots) -> list[tuple[Any, int]]:
    """`(canonical value, ballots)` for every distinct answer, passes left out."""
    cast = ballots.filter(status=Ballot.Status.CAST)
    return list(cast.values_list("value").annotate(Count("id")).order_by())


def _counts(groups: Iterable[Sequence[Any]], joined: int | None, attended: int | None) -> Counts:
    """From rows of `(status, after_reveal, number of ballots)`."""
    by_status: Counter[str] = Counter()
    after_reveal = 0
    for status, saw_results, people in groups:
        by_status[status] += people
        after_reveal += people if saw_results else 0
    cast, passed = by_status[Ballot.Status.CAST], by_status[Ballot.Status.PASSED]
    return Counts(
        joined=joined,
        attended=attended,
        issued=by_status.total(),
        cast=cast + passed,
        passed=passed,
        after_reveal=after_reveal,
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
    return _latest_measures([instrument_id])[instrument_id]


def _latest_measures(instruments: Sequence[int]) -> dict[int, list[Measure]]:
    newest: defaultdict[int, dict[str, Measure]] = defaultdict(dict)
    for row in _MEASURES.rows(instruments):
        measure = Measure(*row)
        newest[measure.instrument_id][measure.key] = measure
    return {pk: sorted(newest[pk].values(), key=lambda measure: measure.pk) for pk in instruments}


def _shares(
    poll: Poll, counted: list[tuple[Any, int]], measures_of_it: Iterable[Measure] | None = None
) -> tuple[Share, ...]:
    return tuple(
        Share(m.key, m.label, *count_measure(m.kind, m.definition, counted, poll.question), m.number)
        for m in (latest_measures(poll.version.instrument_id) if measures_of_it is None else measures_of_it)
    )


def freeze(result: Result, at: str) -> dict[str, Any]:
    """A result as the JSON kept in `Poll.result`; `at` is an ISO 8601 time."""
    return {
        "tally": result.tally,
        "counts": result.counts.as_json(),
        "measures": [asdict(share) for share in result.measures],
        "frozen_at": at,
    }


Answers = Mapping[int, list[tuple[Any, int]]]  # by poll: each distinct answer, and how many gave it


def _thaw(poll: Poll, measures: list[Measure] | None, answers: Answers | None = None) -> Result:
    frozen: dict[str, Any] = poll.result or {}
    shares = tuple(Share(**share) for share in frozen["measures"])
    if measures is None:
        measures = latest_measures(poll.version.instrument_id)
    if _misses_a_measure(frozen, measures):
        # A measure written or changed after the close is counted from the ballots, which are still there.
        counted = (
            counted_values(poll.ballots.filter(rehearsal=False)) if answers is None else answers[poll.pk]
        )
        shares = _shares(poll, counted, measures)
    return Result(poll.question, frozen["tally"], Counts.from_json(frozen["counts"]), shares, frozen=True)


def _misses_a_measure(frozen: dict[str, Any], measures: Iterable[Measure]) -> bool:
    known = {(share["key"], share["number"]) for share in frozen["measures"]}
    return any((measure.key, measure.number) not in known for measure in measures)


def _answers_to(polls: Iterable[int]) -> dict[int, list[tuple[Any, int]]]:
    """What people answered, no rehearsal's; one query, or none without polls."""
    answers: dict[int, list[tuple[Any, int]]] = {pk: [] for pk in polls}
    if answers:
        cast = Ballot.objects.filter(poll__in=answers, status=Ballot.Status.CAST, rehearsal=False)
        for pk, value, people in cast.values_list("poll", "value").annotate(Count("id")).order_by():
            answers[pk].append((value, people))
    return answers


def pool(
    polls: Iterable[Poll],
    *,
    measures: list[Measure] | None = None,
    moderation: TextModeration | None = None,
    series: Series | None = None,
) -> Pooled:
    """Add up closed polls of one series of an instrument's versions (`comparison.series_of`).

    Raises `NotComparable`, also when there is nothing to add. The question is the newest version, with what only
    earlier ones offered; each thing offered, and each measure, has the people as its base who could choose it, or all
    of it. People's words come as researchers may read them. `measures` are the instrument's, `moderation` the decisions
    about these polls and `series` theirs, where the caller has them already: then no query is made, or one if a measure
    is newer than the closes.
    """
    closed = [poll for poll in polls if poll.is_closed]
    if not closed:
        raise NotComparable("no closed poll to add up")
    _check_comparable([poll.version for poll in closed], series)
    if moderation is None:
        moderation = moderation_of(closed, states=text_decisions.WITHHELD)
    if measures is None:
        measures = latest_measures(closed[0].version.instrument_id)
    frozen = [poll for poll in closed if poll.result is not None]
    anew = _answers_to(poll.pk for poll in frozen if _misses_a_measure(poll.result or {}, measures))
    results = [
        (poll, read(poll, measures=measures) if poll.result is None else _thaw(poll, measures, anew))
        for poll in closed
    ]
    versions = sorted({poll.version_id: poll.version for poll in closed}.values(), key=lambda v: v.number)
    countable = {version.pk: _countable(measures, version.question) for version in versions}
    parts = [
        (poll.pk, _with(for_researchers(poll, result, moderation), countable[poll.version_id]))
        for poll, result in results
    ]
    question = comparison.combined([version.question for version in versions])
    tallies = [part.tally for _pk, part in parts]
    if len({_offered(version.question) for version in versions}) > 1:
        tallies = [part.poll_type.with_bases(part.tally, part.question) for _pk, part in parts]
    counts = reduce(operator.add, (part.counts for _pk, part in parts))
    return Pooled(question, reduce(add, tallies), counts, _add_shares(parts), frozen=True, parts=tuple(parts))


def _check_comparable(versions: list[InstrumentVersion], series: Series | None) -> None:
    if series is None:
        series = comparison.newest_series(versions)
    one = len({version.instrument_id for version in versions}) == 1
    if not one or series is None or not {v.pk for v in versions} <= {v.pk for v in series.versions}:
        raise NotComparable(f"{versions[-1].instrument}: its versions do not ask the same")


def _countable(definitions: Iterable[Measure], question: Question) -> frozenset[str]:
    """Keys of the measures of which people who were asked this question could choose everything."""
    return frozenset(each.key for each in definitions if fits(each.kind, each.definition, question))


def _with(result: Result, countable: Collection[str]) -> Result:
    return replace(result, measures=tuple(share for share in result.measures if share.key in countable))


def _offered(question: Question) -> frozenset[str]:
    return frozenset(option.key for option in POLL_TYPES[question.type].offered(question))


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


# --- people's own words ------------------------------------------------------------------------------


def moderation_of(
    polls: Collection[Poll], *, rehearsal: bool = False, states: Collection[str] = text_decisions.STATES
) -> TextModeration:
    """What was decided about the texts of these polls, where their results show any (`text_decisions.load`)."""
    with_texts = [poll.pk for poll in polls if poll.poll_type.has_texts]
    return text_decisions.load(with_texts, rehearsal=rehearsal, states=states)


def for_the_room(
    poll: Poll, result: Result, moderation: TextModeration, is_suspicious: Callable[[str], bool]
) -> Result:
    """The same result with only those words that may stand on the wall.

    What `is_suspicious` waits for a person also where the question shows words at once.
    """
    if not result.poll_type.has_texts:
        return result

    def at_once(words: str) -> bool:
        return poll.shows_words_at_once and not is_suspicious(words)

    return moderation.apply(poll.pk, result, lambda text: text_decisions.for_the_room(text, at_once))


def for_staff(poll: Poll, result: Result, moderation: TextModeration) -> Result:
    """What was written, without what is flagged."""
    return _apply(poll, result, moderation, text_decisions.for_staff)


def for_researchers(poll: Poll, result: Result, moderation: TextModeration) -> Result:
    """What was written, with the words taken out that somebody took out, and without what is flagged."""
    return _apply(poll, result, moderation, text_decisions.for_researchers)


def _apply(poll: Poll, result: Result, moderation: TextModeration, rule: text_decisions.Rule) -> Result:
    return moderation.apply(poll.pk, result, rule) if poll.pk in moderation.alike else result
