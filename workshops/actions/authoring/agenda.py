"""The agenda of one workshop: steps are added, moved, copied, changed and removed, before and while it runs.

What was on stage stays as it is: people have seen it. What comes after it can be changed until the end. Positions
are sparse: a step is moved by its own row alone, so that taking back one change leaves the others as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from polls import bank
from polls.journal import Journal
from polls.models import Instrument, InstrumentVersion, Poll
from polls.types import Question

from ...models import AgendaItem, Prompt, Workshop
from ...programmes.planning import TITLE_LENGTH, name_of
from ..log import check_rev, logged
from ..stage import lock_workshop
from . import questions
from .workshops import CannotChange

#: minutes of a step that nobody has given any
QUESTION_MINUTES, PAUSE_MINUTES, GROUP_MINUTES = 2, 5, 10
MOST_STEPS = 100
#: between the positions of neighbours, so that a step is moved by its own row alone
GAP = 1024


class NotThere(Exception):
    """The step is gone; somebody else has removed it."""


# --- adding -------------------------------------------------------------------------------------------------------


def add_questions(
    workshop: Workshop,
    by: User | None,
    asked: Sequence[tuple[Question, int | None]],
    *,
    after: int | None = None,
    profile: bool = False,
) -> list[AgendaItem]:
    """New questions, into the programme's bank and onto the agenda; each with its minutes, `None` for as usual.

    `after` is the step that they follow; without one they come before a closing pause, else last.
    """
    about = asked[0][0].text if len(asked) == 1 else _count(len(asked))
    with _changing(workshop, by, "added_step", about) as (journal, agenda):
        made = [
            (questions.add_question(workshop.programme, by, question, journal=journal), minutes)
            for question, minutes in asked
        ]
        items = [_ask(journal, instrument.latest, minutes, profile) for instrument, minutes in made]
        return agenda.insert(journal, items, after)


def _count(number: int) -> str:
    return ngettext("%d question", "%d questions", number) % number


def add_known(
    workshop: Workshop,
    by: User | None,
    known: Instrument | Prompt,
    *,
    after: int | None = None,
    profile: bool = False,
) -> AgendaItem:
    """A question or a prompt of a bank; one of another programme comes as a copy that says where it is from.

    Raises `CannotChange` for a question that this agenda asks already.
    """
    about = known.latest.question.text if isinstance(known, Instrument) else known.text
    with _changing(workshop, by, "added_step", about) as (journal, agenda):
        if isinstance(known, Prompt):
            if known.programme_id != workshop.programme_id:
                known = questions.copy_prompt(workshop.programme, by, known, journal=journal)
            items = [_talk(known)]
        else:
            if known.bank_id != workshop.programme.bank_id:
                known = questions.copy_question(workshop.programme, by, known, journal=journal)
            elif agenda.asks(known):
                raise CannotChange(_("This question is on the agenda already."))
            items = [_ask(journal, known.latest, None, profile)]
        return agenda.insert(journal, items, after)[0]


def add_pause(
    workshop: Workshop, by: User | None, title: str, *, minutes: int | None = None, after: int | None = None
) -> AgendaItem:
    """Something for all together: a welcome, a talk, tea."""
    with _changing(workshop, by, "added_step", title) as (journal, agenda):
        item = AgendaItem(
            kind=AgendaItem.Kind.PAUSE,
            title=title[:TITLE_LENGTH],
            minutes=PAUSE_MINUTES if minutes is None else minutes,
        )
        return agenda.insert(journal, [item], after)[0]


def add_talk(
    workshop: Workshop, by: User | None, text: str, *, minutes: int | None = None, after: int | None = None
) -> AgendaItem:
    """A new prompt to talk about in small groups."""
    with _changing(workshop, by, "added_step", text) as (journal, agenda):
        minutes = GROUP_MINUTES if minutes is None else minutes
        prompt = questions.add_prompt(workshop.programme, by, text, minutes=minutes, journal=journal)
        return agenda.insert(journal, [_talk(prompt)], after)[0]


def copy_step(workshop: Workshop, by: User | None, item: int) -> AgendaItem:
    """The same step once more, after it. Its question is a question of its own: asked twice in one workshop, it would
    count its people twice."""
    with _changing(workshop, by, "copied_step", item=item) as (journal, agenda):
        source = agenda.step(item)
        copied = AgendaItem(
            kind=source.kind, title=source.title, minutes=source.minutes, notes=source.notes,
            picture_id=source.picture_id, prompt=source.prompt, profile=source.profile,
            text_id=source.text_id,
        )  # fmt: skip
        if source.poll:
            question = source.poll.question
            instrument = questions.add_question(workshop.programme, by, question, journal=journal)
            copied.poll = journal.create(Poll(version=instrument.latest, reveal=source.poll.reveal))
        elif source.prompt:
            text, probes = source.prompt.text, tuple(source.prompt.probes)
            copied.prompt = questions.add_prompt(
                workshop.programme, by, text, probes=probes, minutes=source.prompt.minutes, journal=journal
            )
        return agenda.insert(journal, [copied], source.pk)[0]


def _ask(journal: Journal, version: InstrumentVersion, minutes: int | None, profile: bool) -> AgendaItem:
    (poll,) = bank.draft_polls([version], hidden=[0] if profile else [])
    journal.created([poll])
    usual = 0 if profile else QUESTION_MINUTES
    return AgendaItem(
        kind=AgendaItem.Kind.POLL,
        title=name_of(version),
        minutes=usual if minutes is None else minutes,
        poll=poll,
        profile=profile,
    )


def _talk(prompt: Prompt) -> AgendaItem:
    return AgendaItem(
        kind=AgendaItem.Kind.PROMPT, title=prompt.text[:TITLE_LENGTH], minutes=prompt.minutes, prompt=prompt
    )


# --- changing -----------------------------------------------------------------------------------------------------


def move_step(workshop: Workshop, by: User | None, item: int, to: int, rev: int | None = None) -> None:
    """Put a step at this place (from 0) among those of its kind: profile questions, or steps on stage.

    Raises `log.Stale` where the agenda is no longer the one of revision `rev`.
    """
    with _changing(workshop, by, "moved_step", item=item, rev=rev) as (journal, agenda):
        moved = agenda.open_step(item)
        if not agenda.has_room():
            agenda.spread()
        kin = [row for row in agenda.rows if row.profile == moved.profile]
        now = kin.index(moved)
        kin.remove(moved)
        agenda.rows.remove(moved)
        to = max(min(to, len(kin)), agenda.first_open(kin))
        if to != now:
            about_people = 0 if moved.profile else len(agenda.rows) - len(kin)
            (position,) = agenda.make_room(about_people + to, 1)
            journal.update(moved, position=position)


def change_step(
    workshop: Workshop, by: User | None, item: int, rev: int | None = None, **values: Any
) -> AgendaItem:
    """Set `minutes`, `title` or `notes` of a step. `rev` is that of the step's card. Raises `log.Stale`."""
    with _changing(workshop, by, "changed_step", item=item) as (journal, agenda):
        step = agenda.open_step(item)
        check_rev(step.rev, rev)
        if any(getattr(step, name) != value for name, value in values.items()):
            journal.update(step, rev=step.rev + 1, **values)
        return step


def change_type(workshop: Workshop, by: User | None, item: int, question: Question) -> AgendaItem:
    """Let a question that nobody was asked yet be answered in another way; `question` is all of it, of the new type."""
    with _changing(workshop, by, "changed_step", item=item) as (journal, agenda):
        step = agenda.open_step(item)
        version = step.required_poll.version
        if version.instrument.versions.exclude(pk=version.pk).exists() or version.is_asked:
            raise CannotChange(_("People were asked this question before. Change it at its own page."))
        bank.save_definition(journal, version.instrument, question)
        return step


def remove_step(workshop: Workshop, by: User | None, item: int) -> None:
    """Take a step off the agenda; its question or prompt stays in the bank."""
    with _changing(workshop, by, "removed_step", item=item) as (journal, agenda):
        step = agenda.open_step(item)
        poll = step.poll
        journal.delete(step)
        if poll is not None:
            journal.delete(poll)


# --- what these are made of -----------------------------------------------------------------------------------------


class _Agenda:
    """The steps of a locked workshop in order: profile questions, then what comes on stage."""

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop
        rows = workshop.agenda.select_related("poll__version__instrument", "prompt")
        self.rows = sorted(rows, key=lambda row: not row.profile)

    def step(self, pk: int) -> AgendaItem:
        found = next((row for row in self.rows if row.pk == pk), None)
        if found is None:
            raise NotThere
        return found

    def open_step(self, pk: int) -> AgendaItem:
        """A step that nobody has seen yet. Raises `CannotChange`."""
        step = self.step(pk)
        if not is_open(self.workshop, step):
            raise CannotChange(
                _("“%(step)s” was on people's screens already, so it stays as it is.") % {"step": step.title}
            )
        return step

    def asks(self, instrument: Instrument) -> bool:
        return any(row.poll and row.poll.version.instrument_id == instrument.pk for row in self.rows)

    def first_open(self, rows: Sequence[AgendaItem]) -> int:
        """The first place among these rows after all that people have seen."""
        return first_open(self.workshop, rows)

    def insert(self, journal: Journal, items: list[AgendaItem], after: int | None) -> list[AgendaItem]:
        if len(self.rows) + len(items) > MOST_STEPS:
            raise CannotChange(_("An agenda can have up to %d steps.") % MOST_STEPS)
        profile = items[0].profile
        if profile and not self.workshop.is_planned:
            raise CannotChange(_("People are joining already, so the questions about them stay as they are."))
        if self.workshop.is_questionnaire and not self.workshop.is_planned:
            raise CannotChange(_("People are answering already, so the questions stay as they are."))
        positions = self.make_room(self._place(profile, after), len(items))
        for item, position in zip(items, positions, strict=True):
            item.workshop, item.position = self.workshop, position
            journal.create(item)
            # It may be moved, and can still be taken back.
            journal.changes[-1]["after"].pop("position")
        return items

    def _place(self, profile: bool, after: int | None) -> int:
        about_people = sum(row.profile for row in self.rows)
        stage = self.rows[about_people:]
        follows = next((place for place, row in enumerate(self.rows) if row.pk == after), None)
        if profile:
            return about_people if follows is None else min(follows + 1, about_people)
        if follows is not None:
            place = follows + 1
        else:
            place = len(self.rows) - (len(stage) > 1 and closes(self.workshop, stage[-1]))
        return max(place, about_people + self.first_open(stage))

    def make_room(self, place: int, steps: int) -> list[int]:
        """Positions for so many steps before the row that is now at this place."""
        low = self.rows[place - 1].position if place else 0
        high = self.rows[place].position if place < len(self.rows) else low + GAP * (steps + 1)
        apart = (high - low) // (steps + 1)
        if apart < 1:
            self.spread()
            return self.make_room(place, steps)
        return [low + apart * number for number in range(1, steps + 1)]

    def has_room(self) -> bool:
        positions = [0, *(row.position for row in self.rows)]
        return all(b - a > 1 for a, b in pairwise(positions))

    def spread(self) -> None:
        """Put all rows wide apart. What was moved before cannot be taken back from then on."""
        for number, row in enumerate(self.rows, 1):
            row.position = GAP * number
        AgendaItem.objects.bulk_update(self.rows, ["position"])


def is_open(workshop: Workshop, step: AgendaItem) -> bool:
    """May this step still be moved, changed and removed? Nobody has seen it yet, and the workshop goes on."""
    if workshop.has_ended:
        return False
    if step.profile or workshop.is_questionnaire:
        return workshop.is_planned
    return step.launched_at is None and step.pk != workshop.stage_item_id


def first_open(workshop: Workshop, steps: Sequence[AgendaItem]) -> int:
    """The first place among these steps after all that people have seen."""
    return max((place + 1 for place, step in enumerate(steps) if not is_open(workshop, step)), default=0)


def closes(workshop: Workshop, last: AgendaItem) -> bool:
    """Is the last step a goodbye, so that what is added comes before it?"""
    return last.kind == AgendaItem.Kind.PAUSE and is_open(workshop, last)


@contextmanager
def _changing(
    workshop: Workshop,
    by: User | None,
    verb: str,
    about: str = "",
    *,
    item: int | None = None,
    rev: int | None = None,
) -> Iterator[tuple[Journal, _Agenda]]:
    """One change of the agenda, with its workshop locked. Raises `CannotChange`, `NotThere` and `log.Stale`."""
    path = reverse("prepare", args=[workshop.code])
    if item is not None:
        step = workshop.agenda.filter(pk=item).first()
        if step is None:
            raise NotThere
        about = step.title
    with logged(workshop.programme, by, verb, about=about, workshop=workshop, path=path) as journal:
        locked = lock_workshop(workshop.pk)
        if locked.has_ended:
            raise CannotChange(_("This workshop has ended, so its agenda stays as it was."))
        check_rev(locked.rev, rev)
        yield journal, _Agenda(locked)
        if journal.changes:
            journal.update(locked, rev=locked.rev + 1)
