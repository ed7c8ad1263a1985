"""Subgroup breakdowns (cross-tabulation): a pooled line by an answer of the profile, such as role or kind of setting.

Counted from ballots, because a frozen result has no voter keys. A voter key ties the answers of one person together
and identifies nobody. Small cells are suppressed (`disclosure`) before anything leaves this module.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from polls import comparison, measures, text_decisions
from polls.models import Ballot, Instrument, InstrumentVersion, Measure, Poll
from polls.types import POLL_TYPES, Question
from polls.types.base import percent
from workshops.models import AgendaItem

from . import disclosure
from .aggregates import PERCENT_FROM, InstrumentResult, ResultLine, offers

Counted = list[tuple[Any, int]]
NOT_STATED = "~not-stated"


@dataclass(frozen=True, slots=True)
class Subgroup:
    """One row: `hits` of `valid` people with this answer in the profile; both `None` where suppressed."""

    label: str
    hits: int | None
    valid: int | None

    @property
    def is_hidden(self) -> bool:
        return self.valid is None

    @property
    def percent(self) -> int | None:
        """A whole percentage; `None` where suppressed, or with a denominator below `PERCENT_FROM`."""
        if self.hits is None or self.valid is None or self.valid < PERCENT_FROM:
            return None
        return percent(self.hits, self.valid)


@dataclass(frozen=True, slots=True)
class Breakdown:
    """A line by the answers to one profile question (`by`), in its authored order."""

    by: Instrument
    subgroups: tuple[Subgroup, ...]

    @property
    def hides(self) -> bool:
        return any(group.is_hidden for group in self.subgroups)


def by_profile(
    result: InstrumentResult, line: ResultLine, minimum: int = disclosure.ON_A_STAFF_SCREEN
) -> Breakdown | None:
    """The line by the first single-choice question of the profile; `None` where there is none, or the line is of it.

    `minimum` is the smallest base, in people, of a row that is not suppressed.
    """
    profile, former = _profile_polls(result)
    if not profile or profile[0].version.instrument_id == result.instrument.pk:
        return None
    profile_answers = dict(_cast(profile).values_list("voter", "value"))
    asked = [pk for pk, part in result.pooled.parts if offers(part, line)]
    if former:  # people there were asked something else about themselves
        elsewhere = Poll.objects.filter(agenda_item__workshop__agenda__poll__in=former)
        asked = list(Poll.objects.filter(pk__in=asked).exclude(pk__in=elsewhere).values_list("pk", flat=True))
    groups = _grouped(profile_answers, asked, result.question)
    question = comparison.combined([version.question for version in _versions(profile)])
    measure = _measure(result, line)
    counted = {key: _count(line, measure, mine, result.question) for key, mine in groups.items()}
    suppressed = disclosure.hidden({key: valid for key, (_hits, valid) in counted.items()}, minimum)
    rows = [
        Subgroup(label, None, None) if key in suppressed else Subgroup(label, *counted[key])
        for key, label in _labels(question)
        if counted.get(key, (0, 0))[1]
    ]
    return Breakdown(profile[0].version.instrument, tuple(rows)) if rows else None


def _profile_polls(result: InstrumentResult) -> tuple[list[Poll], list[Poll]]:
    """The polls of the profile's first single-choice question in the workshops of this result: of its newest series
    there, and of others. One query, three where its meaning changed."""
    items = (
        AgendaItem.objects.filter(
            workshop__in=[m.pk for m in result.meetings], profile=True, poll__isnull=False
        )
        .select_related("poll__version__instrument")
        .order_by("poll__version__instrument__position", "workshop__number")
    )
    polls = [item.poll for item in items if item.poll and item.poll.question.type == "single_choice"]
    first = [poll for poll in polls if poll.version.instrument_id == polls[0].version.instrument_id]
    newest = comparison.newest_series([poll.version for poll in first])
    mine = {version.pk for version in newest.versions} if newest else set()
    former = [poll for poll in first if poll.version_id not in mine]
    return [poll for poll in first if poll.version_id in mine], former


def _versions(polls: Iterable[Poll]) -> list[InstrumentVersion]:
    """The versions that they asked, oldest first."""
    return sorted({poll.version_id: poll.version for poll in polls}.values(), key=lambda v: v.number)


def _cast(polls: Iterable[Any]) -> Any:
    return Ballot.objects.filter(poll__in=polls, status=Ballot.Status.CAST, rehearsal=False)


def _grouped(profile_answers: dict[str, Any], polls: list[int], question: Question) -> dict[str, Counted]:
    """Answers by their voter's answer to the profile question; one query, and one for the moderation of texts."""
    groups: dict[str, Counted] = {}
    kind = POLL_TYPES[question.type]
    withheld = text_decisions.withheld(polls if kind.has_texts else [])
    for poll, voter, value in _cast(polls).values_list("poll", "voter", "value"):
        if instead := withheld.get((poll, voter)):
            words = [instead.get(own.words, own.words) for own in kind.texts_of(value, question)]
            value = kind.answer_with([each for each in words if each])
        subgroup = profile_answers.get(voter, NOT_STATED)
        groups.setdefault(subgroup if isinstance(subgroup, str) else "other", []).append((value, 1))
    return groups


def _labels(question: Question) -> list[tuple[str, str]]:
    labels = [(option.key, option.label) for option in question.options]
    if "other" not in question.keys:
        labels.append(("other", _("Other")))
    return [*labels, (NOT_STATED, _("Not stated"))]


def _measure(result: InstrumentResult, line: ResultLine) -> Measure | None:
    if line.kind != "measure":
        return None
    return result.instrument.measures.filter(key=line.key).order_by("number").last()


def _count(
    line: ResultLine, measure: Measure | None, counted: Counted, question: Question
) -> tuple[int, int]:
    """`(hits, valid)` of the line among these answers."""
    if measure:
        return measures.count(measure.kind, measure.definition, counted, question)
    poll_type = POLL_TYPES[question.type]
    tally = poll_type.tally(counted, question)
    for figure in poll_type.figures(tally, question):
        if figure.key == line.key:
            return figure.hits, figure.valid
    return 0, tally["n"]
