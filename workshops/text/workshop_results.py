"""What came out of one workshop, for those who ran it: its closed questions with their results, and its groups' notes.

As the room saw it, never pooled: counts of the whole room without a breakdown, no rehearsal's answers, and words as
decided. What nobody has decided about stands without what may name somebody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from polls import results
from polls.lifecycle import State
from polls.models import Poll
from polls.results import Result
from polls.types.statement import Statement

from ..models import AgendaItem, Group, Participant, Round, Workshop
from . import reports
from .decisions import for_observers
from .reports import Line, Notes


@dataclass(frozen=True, slots=True)
class Answered:
    """A question that was asked, with its result."""

    item: AgendaItem
    poll: Poll
    result: Result

    @property
    def question(self) -> str:
        return self.result.question.text

    @property
    def finding(self) -> str:
        """What came out in one sentence; empty where no answer stands out, or none was given."""
        return self.result.finding if self.result.tally["n"] else ""

    @property
    def is_about_a_sentence(self) -> bool:
        return self.result.question.type == Statement.name


@dataclass(frozen=True, slots=True)
class Said:
    """One group and its notes that were not hidden."""

    group: Group
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class GroupTime:
    round: Round
    #: the prompt that all of its groups share; empty where they differ
    question: str
    groups: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class WorkshopResults:
    """All that came out of a workshop so far."""

    workshop: Workshop
    #: who took part, a rehearsal's phones left out
    people: int
    answered: tuple[Answered, ...]
    notes: Notes

    @property
    def questions(self) -> list[Answered]:
        return [each for each in self.answered if not each.is_about_a_sentence]

    @property
    def sentences(self) -> list[Answered]:
        """What the room was asked to agree about."""
        return [each for each in self.answered if each.is_about_a_sentence]

    @property
    def group_times(self) -> list[GroupTime]:
        return [
            GroupTime(
                each.round,
                each.question,
                tuple(
                    Said(mine.group, tuple(line for line in mine.lines if not line.is_hidden))
                    for mine in each.groups
                ),
            )
            for each in self.notes.rounds
        ]

    @property
    def waiting(self) -> int:
        """Notes and texts about which nobody has decided."""
        notes = sum(line.is_pending for _round, _group, line in self.notes.lines)
        return notes + sum(words.is_pending for asked in self.notes.asked for words in asked.texts)

    @property
    def is_empty(self) -> bool:
        return not self.answered and not self.notes.count

    @property
    def title(self) -> str:
        names = {"title": self.workshop.title, "number": self.workshop.number}
        return _("%(title)s, workshop %(number)d: results") % names


def of(workshop: Workshop) -> WorkshopResults:
    """Eighteen queries at most, whatever there is."""
    people = Participant.objects.filter(workshop=workshop, rehearsal=False).count()
    items = _closed(workshop)
    return WorkshopResults(workshop, people, tuple(_answered(items)), reports.of(workshop))


def _closed(workshop: Workshop) -> list[AgendaItem]:
    """Questions of the stage that are closed, in the order of the agenda. One query."""
    asked = workshop.agenda.filter(profile=False, poll__state=State.CLOSED, poll__result__isnull=False)
    return list(asked.select_related("poll__version__instrument").order_by("position", "pk"))


def _answered(items: list[AgendaItem]) -> Iterator[Answered]:
    polls = [item.required_poll for item in items]
    moderation = results.moderation_of(polls)
    read = results.read_closed(polls)
    for item, poll in zip(items, polls, strict=True):
        yield Answered(item, poll, moderation.apply(poll.pk, read[poll.pk], for_observers))
