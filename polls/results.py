"""The one read path: a poll's tally with its denominators, and several polls pooled.

A tally is a recount of ballots. When a poll closes, `ballot_box` freezes what `count` says at that moment
(`Poll.result`); from then on `read` answers from the frozen copy, so later cleaning or clearing never
changes what a room has seen without a decision of its own.

Rehearsal ballots are shown in the room when asked for, and never frozen, never pooled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from django.db.models import Count

from . import checks, measures
from .checks import Checks, Rule
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


def _papers(*by: str) -> dict[bool, Prepared]:
    """How many papers of a poll are alike in what is named, their status and whether results were seen before; the
    first with a rehearsal's papers, the second without.

    Grouped as the index `ballot_turnout` keeps them, so that counting a room is a walk along it.
    """

    def prepared(*rehearsal: bool) -> Prepared:
        return Prepared(
            lambda polls: (
                Ballot.objects.filter(poll__in=polls, rehearsal__in=rehearsal)
                .order_by()
                .values_list(*by, "status", "after_reveal")
                .annotate(papers=Count("*"))
            ),
            int,
        )

    return {True: prepared(False, True), False: prepared(False)}


_ALIKE, _ALIKE_IN_VALUE = _papers(), _papers("value")


def turnout(poll: Poll, *, rehearsal: bool = False) -> Counts:
    """How many papers there are, answers unread: what a screen needs that shows no result. One small query."""
    return _counts(_ALIKE[rehearsal].rows([poll.pk]), None, None)


def count(
    poll: Poll, *, joined: int | None = None, attended: int | None = None, rehearsal: bool = False
) -> Result:
    """Recount a poll's ballots; two small queries, whatever the number of ballots."""
    papers = _ALIKE_IN_VALUE[rehearsal].rows([poll.pk])
    counted = [(value, people) for value, status, _late, people in papers if status == Ballot.Status.CAST]
    question = poll.question
    return Result(
        question=question,
        tally=poll.poll_type.tally(counted, question),
        counts=_counts([alike for _value, *alike in papers], joined, attended),
        measures=_shares(poll, counted),
    )


def counted_values(ballots) -> list[tuple[Any, int]]:
    """`(value, how many)` for every distinct answer, passes left out."""
    cast = ballots.filter(status=Ballot.Status.CAST)
    return list(cast.values_list("value").annotate(Count("id")).order_by())


def _counts(papers: Iterable[Sequence[Any]], joined: int | None, attended: int | None) -> Counts:
    """From rows of `(status, after_reveal, papers)`."""
    of: Counter[str] = Counter()
    late = 0
    for status, after_reveal, people in papers:
        of[status] += people
        late += people if after_reveal else 0
    cast, passed = of[Ballot.Status.CAST], of[Ballot.Status.PASSED]
    return Counts(
        joined=joined,
        attended=attended,
        issued=of.total(),
        cast=cast + passed,
        passed=passed,
        after_reveal=late,
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


def _shares(
    poll: Poll, counted: list[tuple[Any, int]], of: Iterable[Measure] | None = None
) -> tuple[Share, ...]:
    return tuple(
        Share(m.key, m.label, *measures.count(m.kind, m.definition, counted, poll.question), m.number)
        for m in (latest_measures(poll.version.instrument_id) if of is None else of)
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
    if _lacks(frozen, measures):
        # A measure written or changed after the close is counted from the ballots, which are still there.
        counted = (
            counted_values(poll.ballots.filter(rehearsal=False)) if answers is None else answers[poll.pk]
        )
        shares = _shares(poll, counted, measures)
    return Result(poll.question, frozen["tally"], Counts.from_json(frozen["counts"]), shares, frozen=True)


def _lacks(frozen: dict[str, Any], measures: Iterable[Measure]) -> bool:
    known = {(share["key"], share["number"]) for share in frozen["measures"]}
    return any((measure.key, measure.number) not in known for measure in measures)


def _answers_to(polls: Iterable[int], *, rehearsal: bool = False) -> dict[int, list[tuple[Any, int]]]:
    """What people answered, a rehearsal's only if asked for; one query, or none without polls."""
    answers: dict[int, list[tuple[Any, int]]] = {pk: [] for pk in polls}
    if answers:
        cast = Ballot.objects.filter(poll__in=answers, status=Ballot.Status.CAST)
        if not rehearsal:
            cast = cast.filter(rehearsal=False)
        for pk, value, people in cast.values_list("poll", "value").annotate(Count("id")).order_by():
            answers[pk].append((value, people))
    return answers


def pool(
    polls: Iterable[Poll], *, measures: list[Measure] | None = None, about_texts: Decided | None = None
) -> Pooled:
    """Add up closed polls of one instrument. Raises `NotComparable`, also when there is nothing to add.

    People's words come as researchers may read them. `measures` are the instrument's and `about_texts` the decisions
    about these polls, where the caller has them already: then no query is made, or one if a measure is newer than the
    closes.
    """
    closed = [poll for poll in polls if poll.is_closed]
    about_texts = decided(closed) if about_texts is None else about_texts
    if closed and measures is None:
        measures = latest_measures(closed[0].version.instrument_id)
    frozen = [poll for poll in closed if poll.result is not None]
    anew = _answers_to(poll.pk for poll in frozen if _lacks(poll.result or {}, measures or []))
    results = [
        (poll, read(poll, measures=measures) if poll.result is None else _thaw(poll, measures, anew))
        for poll in closed
    ]
    parts = [(poll.pk, for_researchers(poll, result, about_texts)) for poll, result in results]
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


# --- people's own words ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Decided:
    """Decisions about people's words in several polls; where words were taken out, also the answers to count anew.

    Two that were made one may be one person's, so only the ballots know how many people stand behind them.
    """

    checks: Mapping[int, Checks] = field(default_factory=dict)
    answers: Mapping[int, list[tuple[Any, int]]] = field(default_factory=dict)

    def worded(self, pk: int, result: Result, rule: Rule) -> Result:
        """The result with its texts as the rule has them; its numbers stay whole."""
        kind, question = result.poll_type, result.question
        kept = {key: rule(key) for key, _text, _people in kind.texts(result.tally, question)}
        if all(instead is None for instead in kept.values()):
            return result
        if any(kept.values()):
            answers = ((kind.reword(value, rule, question), people) for value, people in self.answers[pk])
            tally = {**kind.tally(answers, question), "n": result.tally["n"]}
        else:
            left = frozenset(key for key, instead in kept.items() if instead is None)
            tally = kind.keep_texts(result.tally, left, question)
        return replace(result, tally=tally)


def decided(polls: Collection[Poll], *, rehearsal: bool = False) -> Decided:
    """What was decided about the texts of these polls; two queries at most, whatever their number."""
    found = checks.of([poll.pk for poll in polls if poll.poll_type.has_texts])
    answers = _answers_to((pk for pk, mine in found.items() if mine.redacted), rehearsal=rehearsal)
    return Decided(found, answers)


def for_the_room(
    poll: Poll, result: Result, decided: Decided, is_suspicious: Callable[[str], bool]
) -> Result:
    """The same result with only those words that may stand on the wall.

    What `is_suspicious` waits for a person also where the question shows words at once.
    """
    if not result.poll_type.has_texts:
        return result
    found = decided.checks.get(poll.pk, checks.NONE)
    texts = result.poll_type.texts(result.tally, result.question) if poll.shows_words_at_once else []
    unread = ((key, text) for key, text, _people in texts if found.state(key) == checks.PENDING)
    rule = found.for_the_room(frozenset(key for key, text in unread if not is_suspicious(text)))
    return decided.worded(poll.pk, result, rule)


def for_staff(poll: Poll, result: Result, decided: Decided) -> Result:
    """What was written, without what is flagged."""
    found = decided.checks.get(poll.pk)
    return decided.worded(poll.pk, result, found.for_staff) if found else result


def for_researchers(poll: Poll, result: Result, decided: Decided) -> Result:
    """What was written, with the words taken out that somebody took out, and without what is flagged."""
    found = decided.checks.get(poll.pk)
    return decided.worded(poll.pk, result, found.for_researchers) if found else result
