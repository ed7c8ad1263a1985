"""A pooled line by what people said about themselves at joining: by role, by kind of setting.

Counted from ballots, because a frozen result no longer knows who answered. A voter key ties a person's
answers together and says nothing else. Small groups are hidden before anything leaves this module.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from polls import checks, measures
from polls.models import Ballot, Instrument, Measure, Poll
from polls.types import POLL_TYPES, Question
from polls.types.base import percent
from workshops.models import AgendaItem

from . import disclosure
from .aggregates import PERCENT_FROM, Asked, Line

Counted = list[tuple[Any, int]]
NOT_STATED = "~not-stated"


@dataclass(frozen=True, slots=True)
class Group:
    """One row: `hits` of `valid` people who said this about themselves; both `None` where hidden."""

    label: str
    hits: int | None
    valid: int | None

    @property
    def is_hidden(self) -> bool:
        return self.valid is None

    @property
    def percent(self) -> int | None:
        """A whole percentage, from so many answers on that one may be printed."""
        if self.hits is None or self.valid is None or self.valid < PERCENT_FROM:
            return None
        return percent(self.hits, self.valid)


@dataclass(frozen=True, slots=True)
class Breakdown:
    """A line by the answers to one profile question, in its authored order."""

    by: Instrument
    groups: tuple[Group, ...]

    @property
    def hides(self) -> bool:
        return any(group.is_hidden for group in self.groups)


def by_profile(asked: Asked, line: Line, minimum: int = disclosure.ON_A_STAFF_SCREEN) -> Breakdown | None:
    """The line by the first single choice of the profile; `None` where there is none, or it is itself that."""
    profile = _profile_polls(asked)
    if asked.pooled is None or not profile or profile[0].version.instrument_id == asked.instrument.pk:
        return None
    who = dict(_cast(profile).values_list("voter", "value"))
    groups = _grouped(who, [pk for pk, _part in asked.pooled.parts], asked.question)
    question = profile[-1].question
    measure = _measure(asked, line)
    counted = {key: _count(line, measure, mine, asked.question) for key, mine in groups.items()}
    away = disclosure.hidden({key: valid for key, (_hits, valid) in counted.items()}, minimum)
    rows = [
        Group(label, None, None) if key in away else Group(label, *counted[key])
        for key, label in _labels(question)
        if counted.get(key, (0, 0))[1]
    ]
    return Breakdown(profile[0].version.instrument, tuple(rows)) if rows else None


def _profile_polls(asked: Asked) -> list[Poll]:
    """The polls of the first single choice of the profile in the workshops of this question; one query."""
    items = (
        AgendaItem.objects.filter(
            workshop__in=[m.pk for m in asked.meetings], profile=True, poll__isnull=False
        )
        .select_related("poll__version__instrument")
        .order_by("poll__version__instrument__position", "workshop__number")
    )
    polls = [item.poll for item in items if item.poll and item.poll.question.type == "single_choice"]
    return [poll for poll in polls if poll.version.instrument_id == polls[0].version.instrument_id]


def _cast(polls: Iterable[Any]) -> Any:
    return Ballot.objects.filter(poll__in=polls, status=Ballot.Status.CAST, rehearsal=False)


def _grouped(who: dict[str, Any], polls: list[int], question: Question) -> dict[str, Counted]:
    """Answers by what their voters said about themselves; one query, and one for decisions about their words."""
    groups: dict[str, Counted] = {}
    decided = checks.of(polls if POLL_TYPES[question.type].has_texts else [])
    for poll, voter, value in _cast(polls).values_list("poll", "voter", "value"):
        if poll in decided:
            value = POLL_TYPES[question.type].reword(value, decided[poll].for_researchers, question)
        said = who.get(voter, NOT_STATED)
        groups.setdefault(said if isinstance(said, str) else "other", []).append((value, 1))
    return groups


def _labels(question: Question) -> list[tuple[str, str]]:
    labels = [(option.key, option.label) for option in question.options]
    if "other" not in question.keys:
        labels.append(("other", _("Other")))
    return [*labels, (NOT_STATED, _("Not stated"))]


def _measure(asked: Asked, line: Line) -> Measure | None:
    if line.kind != "measure":
        return None
    return asked.instrument.measures.filter(key=line.key).order_by("number").last()


def _count(line: Line, measure: Measure | None, counted: Counted, question: Question) -> tuple[int, int]:
    """`(hits, valid)` of the line among these answers."""
    if measure:
        return measures.count(measure.kind, measure.definition, counted, question)
    poll_type = POLL_TYPES[question.type]
    tally = poll_type.tally(counted, question)
    for figure in poll_type.figures(tally, question):
        if figure.key == line.key:
            return figure.hits, figure.valid
    return 0, tally["n"]
