"""The card of a question, as it is read from the database: what it asks now, who answered, what it had once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from django.db.models import Count

from polls import bank, comparison, results
from polls.comparison import Revision, Series
from polls.lifecycle import State
from polls.models import Ballot, Instrument, InstrumentVersion, Measure, Poll
from polls.results import NotComparable, Share
from polls.types import Question
from polls.types.base import Option

from ..models import Domain, LogEntry, Programme


@dataclass
class CardState:
    """One question of a programme's bank. Reads are lazy and cached, as the card needs them."""

    programme: Programme
    instrument: Instrument
    versions: list[InstrumentVersion] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.versions = list(self.instrument.versions.order_by("number"))
        self.draft = next((version for version in self.versions if version.draft), None)
        self.published = [version for version in self.versions if not version.draft][-1]

    @property
    def question(self) -> Question:
        """What stands on the card: the draft where there is one."""
        return (self.draft or self.published).question

    @cached_property
    def asked(self) -> frozenset[int]:
        """Versions that people were asked, by primary key."""
        polls = Poll.objects.filter(version__in=self.versions, opened_at__isnull=False)
        return frozenset(polls.values_list("version_id", flat=True))

    @property
    def is_asked(self) -> bool:
        return self.published.pk in self.asked

    @cached_property
    def offered(self) -> frozenset[str]:
        """Keys of options that people were offered."""
        return frozenset(
            key for version in self.versions if version.pk in self.asked for key in _keys(version)
        )

    @cached_property
    def retired(self) -> tuple[Option, ...]:
        """Options that it had once and has no more."""
        once = {option.key: option for version in self.versions for option in version.question.options}
        once |= {key: Option(key, label) for key, label in self.instrument.retired}
        return tuple(option for key, option in once.items() if key not in self.question.keys)

    @cached_property
    def domains(self) -> frozenset[int]:
        through = Domain.instruments.through
        rows = through._default_manager.filter(instrument=self.instrument, domain__programme=self.programme)
        return frozenset(rows.values_list("domain_id", flat=True))

    # -- answers ----------------------------------------------------------------------------------------

    @cached_property
    def turnout(self) -> tuple[int, int]:
        """Answers so far, and in how many workshops; rehearsals do not count."""
        cast = Ballot.objects.filter(
            poll__version__in=self.versions, rehearsal=False, status=Ballot.Status.CAST
        )
        found = cast.aggregate(n=Count("pk"), workshops=Count("poll__agenda_item__workshop", distinct=True))
        return found["n"], found["workshops"]

    @property
    def answers(self) -> int:
        return self.turnout[0]

    @property
    def workshops(self) -> int:
        return self.turnout[1]

    @cached_property
    def measures(self) -> Mapping[str, Measure]:
        """Key → its newest version."""
        return bank.newest_measures(self.instrument)

    @cached_property
    def series(self) -> Series:
        """The versions whose answers are added up with those to the newest one."""
        marks = comparison.marks_between([version.pk for version in self.versions])
        return comparison.series_of(self.versions, marks)[0]

    @cached_property
    def figures(self) -> Mapping[str, Share]:
        """Measure's key → what people have said so far, over closed polls of the newest series."""
        closed = Poll.objects.filter(version__in=self.series.versions, state=State.CLOSED)
        try:
            return {share.key: share for share in results.pool(closed.select_related("version")).measures}
        except NotComparable:
            return {}

    # -- versions ---------------------------------------------------------------------------------------

    @cached_property
    def history(self) -> list[Revision]:
        """Every version, newest first, with what changed."""
        return comparison.history(
            self.versions, comparison.marks_between([version.pk for version in self.versions])
        )

    @property
    def changes(self) -> list[comparison.Change]:
        """What the draft has otherwise than what people were asked."""
        return comparison.changes(self.published.question, self.question)

    @property
    def means_the_same(self) -> bool:
        return comparison.asks_the_same(self.published.question, self.question)

    @property
    def kinds(self) -> list[str]:
        """What somebody may say that they changed: answers of another kind can never be added up."""
        if not comparison.can_be_added(self.published.question, self.question):
            return ["meaning"]
        return ["typo", *(["option"] if self.new_options else []), "meaning"]

    @property
    def new_options(self) -> list[str]:
        """Labels of options that the draft has and people were not offered."""
        return [
            option.label for option in self.question.options if option.key not in self.published.question.keys
        ]

    @property
    def suggested_kind(self) -> str:
        return comparison.suggested_mark(self.published.question, self.question)

    @property
    def number(self) -> int:
        return (self.draft or self.published).number

    def last_change_by_others(self, user_id: int) -> LogEntry | None:
        """The newest of their last entries in the log that touched this card."""
        mine = {("polls.instrument", self.instrument.pk)}
        others = self.programme.log.exclude(by=user_id).select_related("by")[:RECENT]
        return next(
            (
                entry
                for entry in others
                if any((change["model"], change["pk"]) in mine for change in entry.changes)
            ),
            None,
        )


#: entries of the log that are looked through for who has changed a card
RECENT = 50


def _keys(version: InstrumentVersion) -> tuple[str, ...]:
    return version.question.keys
