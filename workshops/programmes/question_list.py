"""The questions and prompts of a programme as lists show them: by domain, with versions, and whether answers add up.

The number of queries does not grow with questions, versions or workshops.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby

from django.db.models import Count, F, Q, QuerySet
from django.utils.translation import gettext as _

from polls import comparison
from polls.comparison import Revision, Series
from polls.models import ComparabilityMark, Instrument, InstrumentVersion
from polls.types import POLL_TYPES, Question

from ..models import AgendaItem, Domain, Programme, Prompt
from . import asked
from .in_words import how_answered


@dataclass(frozen=True, slots=True)
class Asked:
    """A version in the list of a question's versions, with the numbers of the workshops that asked it."""

    revision: Revision
    numbers: list[int]
    is_newest: bool

    @property
    def where(self) -> str:
        """ "workshops 1 to 3", "from workshop 4 on"."""
        if not self.numbers:
            return _("not asked yet")
        if self.is_newest and self.revision.joins != "first":
            return _("from workshop %(number)d on") % {"number": self.numbers[0]}
        return asked.workshops(self.numbers)


@dataclass(slots=True)
class QuestionRow:
    """A question of the bank; `series` are of its published versions, newest first."""

    instrument: Instrument
    versions: list[InstrumentVersion]
    domain: Domain | None
    quick: bool
    marks: list[ComparabilityMark] = field(default_factory=list)
    series: list[Series] = field(default_factory=list)
    #: by version: numbers of the workshops that asked it
    asked_in: dict[int, list[int]] = field(default_factory=dict)

    @property
    def newest(self) -> InstrumentVersion:
        return max((each for each in self.versions if not each.draft), key=lambda each: each.number)

    @property
    def draft(self) -> InstrumentVersion | None:
        return next((each for each in self.versions if each.draft), None)

    @property
    def question(self) -> Question:
        return self.newest.question

    @property
    def how(self) -> str:
        return how_answered(self.question)

    @property
    def workshops(self) -> int:
        return len({number for numbers in self.asked_in.values() for number in numbers})

    @property
    def group(self) -> str:
        """The heading that it stands under."""
        if self.domain:
            return self.domain.title
        return _("Asked on the spot") if self.quick else _("Closing and other questions")

    @property
    def adds_up(self) -> str:
        """ "none" (not asked), "read" (own words), "apart", "marked", "same"."""
        if not self.workshops:
            return "none"
        if self.question.type == "open_text":
            return "read"
        if len(self.series) > 1:
            return "apart"
        return "marked" if self.series[0].marks else "same"

    @property
    def verdict(self) -> str:
        """ "Added up, with a mark: option added"."""
        says = {
            "none": _("Not asked yet"),
            "read": _("Read, not added up"),
            "apart": _("Side by side: the meaning changed"),
            "same": _("Added up"),
        }
        if self.adds_up in says:
            return says[self.adds_up]
        kinds = dict.fromkeys(mark.get_kind_display().lower() for mark in self.series[0].marks)
        return _("Added up, with a mark: %(kinds)s") % {"kinds": ", ".join(kinds)}

    @property
    def history(self) -> list[Asked]:
        return [
            Asked(each, self.asked_in.get(each.version.pk, []), each.version == self.newest)
            for each in comparison.history(self.versions, self.marks)
        ]

    def says(self, word: str) -> bool:
        """Does the word stand in its text, its name or an option? `word` is casefolded."""
        newest = self.question
        words = [self.instrument.name, newest.text, *(option.label for option in newest.options)]
        return any(word in each.casefold() for each in words)


@dataclass(frozen=True, slots=True)
class Bank:
    """The questions of a programme that are not removed: those asked in workshops, and those about people."""

    questions: list[QuestionRow]
    about_people: list[QuestionRow]


def bank_of(programme: Programme) -> Bank:
    """Every question by domain, in the bank's order, without the workshops that asked it (`load_workshops`)."""
    instruments = list(programme.bank.instruments.filter(removed_at=None).prefetch_related("versions"))
    domains = {domain.pk: domain for domain in programme.domains.all()}
    places = {pk: place for place, pk in enumerate(domains)}
    through = Domain.instruments.through._default_manager.filter(domain__programme=programme)
    first: dict[int, int] = {}
    for instrument, domain in through.values_list("instrument", "domain"):
        first[instrument] = min(first.get(instrument, domain), domain, key=places.__getitem__)
    quick = set(_instruments(programme, quick=True))
    rows = [
        QuestionRow(each, list(each.versions.all()), domains.get(first.get(each.pk, 0)), each.pk in quick)
        for each in instruments
    ]
    _load_series(rows)
    last = len(places)
    rows.sort(
        key=lambda row: (places[row.domain.pk] if row.domain else last + row.quick, row.instrument.position)
    )
    people = _about_people(programme)
    return Bank(
        [row for row in rows if not _is_about_people(row, people)],
        [row for row in rows if _is_about_people(row, people)],
    )


def _instruments(programme: Programme, **only: bool) -> QuerySet[AgendaItem, int]:
    items = AgendaItem.objects.filter(workshop__programme=programme, poll__isnull=False, **only)
    return items.order_by().values_list("poll__version__instrument", flat=True).distinct()


def _about_people(programme: Programme) -> tuple[set[str], set[int]]:
    """Keys of the questions that plans ask at joining, and primary keys of those that workshops do."""
    plans = programme.plans.filter(removed_at=None).values_list("profile", flat=True)
    return {key for profile in plans for key in profile}, set(_instruments(programme, profile=True))


def _is_about_people(row: QuestionRow, people: tuple[set[str], set[int]]) -> bool:
    return row.instrument.key in people[0] or row.instrument.pk in people[1]


def _load_series(rows: Iterable[QuestionRow]) -> None:
    """One query for the marks of those whose meaning changed, none without any."""
    rows = list(rows)
    changed = [row for row in rows if len({each.meaning for each in row.versions if not each.draft}) > 1]
    by_later: dict[int, list[ComparabilityMark]] = {}
    if changed:
        for mark in comparison.marks_between([each.pk for row in changed for each in row.versions]):
            by_later.setdefault(mark.later_id, []).append(mark)
    for row in rows:
        row.marks = [mark for each in row.versions for mark in by_later.get(each.pk, ())]
        row.series = comparison.series_of(row.versions, row.marks)


def load_workshops(programme: Programme, rows: Collection[QuestionRow]) -> None:
    """Which workshops asked each of these, and in which version; one query."""
    by_version = asked.workshops_by_version(programme, [row.instrument.pk for row in rows])
    for row in rows:
        row.asked_in = {each.pk: by_version.get(each.pk, []) for each in row.versions}


def matching(
    rows: list[QuestionRow], *, words: str = "", kind: str = "", adds_up: str = ""
) -> list[QuestionRow]:
    """Those with every one of these words, answered in this way, whose answers add up ("added") or do not ("apart").

    For `adds_up` their workshops must be loaded.
    """
    wanted = words.casefold().split()
    verdicts = {"added": ("same", "marked"), "apart": ("apart",)}.get(adds_up)
    return [
        row
        for row in rows
        if all(row.says(word) for word in wanted)
        and kind in ("", row.question.type)
        and (verdicts is None or row.adds_up in verdicts)
    ]


def by_group(rows: Iterable[QuestionRow]) -> Iterator[tuple[str, list[QuestionRow]]]:
    """In the order given, under their headings."""
    for title, mine in groupby(rows, lambda row: row.group):
        yield title, list(mine)


def ways_to_answer() -> list[tuple[str, str]]:
    return [(name, str(kind.title)) for name, kind in POLL_TYPES.items()]


def prompts_of(programme: Programme, words: str = "") -> QuerySet[Prompt]:
    """Prompts that are not removed, with every one of these words, and `used`: how many workshops talked about them."""
    used = Count("agenda_items__workshop", filter=Q(agenda_items__launched_at__isnull=False), distinct=True)
    found = programme.prompts.filter(removed_at=None).select_related("domain").annotate(used=used)
    for word in words.split():
        found = found.filter(text__icontains=word)
    return found.order_by(F("domain__position").asc(nulls_last=True), "position", "pk")
