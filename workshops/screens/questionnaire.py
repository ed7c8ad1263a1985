"""A questionnaire: its questions as one person goes through them, and how many people got how far.

Breakout prompts are for a room, so they are left out; a pause becomes a short text before the question that follows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count

from polls import ballot_box, results
from polls.ballot_box import Receipt
from polls.models import Ballot, Poll

from ..models import AgendaItem, Workshop
from ..people.participant_cookie import ParticipantToken
from ..people.roles import count_people
from . import queries
from .scene import Scene


@dataclass(frozen=True, slots=True)
class Step:
    """One question on its way; `number` counts from 1."""

    number: int
    item: AgendaItem
    #: pauses since the question before
    texts: tuple[AgendaItem, ...] = ()
    #: the stored answer
    receipt: Receipt | None = None
    #: a ballot was issued: it stood on this person's screen
    seen: bool = False

    @property
    def poll(self) -> Poll:
        return self.item.required_poll

    @property
    def is_answered(self) -> bool:
        return self.receipt is not None


@dataclass(frozen=True, slots=True)
class Way:
    """All questions in their order, with what one person has answered."""

    steps: tuple[Step, ...]
    #: pauses after the last question
    texts: tuple[AgendaItem, ...] = ()

    @property
    def total(self) -> int:
        return len(self.steps)

    @property
    def answered(self) -> int:
        return sum(step.is_answered for step in self.steps)

    @property
    def is_through(self) -> bool:
        """The last question was before their eyes: what has no answer was skipped."""
        return not self.steps or self.steps[-1].seen or self.steps[-1].is_answered

    def step(self, number: int) -> Step | None:
        return self.steps[number - 1] if 1 <= number <= self.total else None

    def place_of(self, poll_id: int) -> Step | None:
        return next((step for step in self.steps if step.poll.pk == poll_id), None)

    def next_open(self, number: int) -> Step | None:
        """The first question without an answer after this one; `None` where the way ends."""
        return next((step for step in self.steps[number:] if not step.is_answered), None)

    def resume(self) -> Step | None:
        """Where somebody goes on who comes back: the furthest question that they saw, if it has no answer, else the
        next one without; `None` where they have been through all of it."""
        furthest = max((step.number for step in self.steps if step.seen or step.is_answered), default=0)
        last = self.step(furthest)
        return last if last and not last.is_answered else self.next_open(furthest)


def way(
    items: Iterable[AgendaItem], receipts: Mapping[int, Receipt] | None = None, seen: Collection[int] = ()
) -> Way:
    """From an agenda in its order; `receipts` by poll, `seen` polls with a ballot."""
    steps, texts = list[Step](), list[AgendaItem]()
    for item in items:
        if item.kind == AgendaItem.Kind.PAUSE:
            texts.append(item)
        elif item.poll_id is not None:
            receipt = (receipts or {}).get(item.poll_id)
            steps.append(Step(len(steps) + 1, item, tuple(texts), receipt, item.poll_id in seen))
            texts = []
    return Way(tuple(steps), tuple(texts))


def asked_items(workshop: Workshop) -> list[AgendaItem]:
    """The agenda without questions that were added after it was opened, until these are asked as well."""
    items = queries.stage_items(workshop)
    return [item for item in items if workshop.is_planned or item.poll is None or not item.poll.is_draft]


def load(workshop: Workshop, token: ParticipantToken) -> Way:
    """Three queries, one for somebody who looks on."""
    items = asked_items(workshop)
    if token.is_observer:
        return way(items)
    polls = [item.poll_id for item in items if item.poll_id is not None]
    seen = set(Ballot.objects.filter(voter=token.voter, poll__in=polls).values_list("poll", flat=True))
    return way(items, ballot_box.receipts_of(token.voter, polls), seen)


def questions_and_minutes(workshop: Workshop) -> tuple[int, int]:
    """How many questions there are, and how long they take as planned. One query."""
    planned = list(
        workshop.agenda.filter(profile=False, poll__isnull=False).values_list("minutes", flat=True)
    )
    return len(planned), sum(planned)


# --- results, one by one ----------------------------------------------------------------------------------


@dataclass
class QuestionScene(Scene):
    """One question of a questionnaire as if it stood on stage."""

    asked: AgendaItem = field(kw_only=True)

    @property
    def item(self) -> AgendaItem:
        return self.asked

    @property
    def state(self) -> str:
        return "ballot" if self.poll and self.poll.is_open else "closed"

    @property
    def wall_state(self) -> str:
        return self.state


def result_scenes(workshop: Workshop) -> list[QuestionScene]:
    """The questions whose result the room may see, in their order."""
    items, people = queries.stage_items(workshop), count_people(workshop)
    shown = [item for item in items if item.poll and item.poll.is_closed and item.poll.is_revealed]
    moderation = results.moderation_of([item.required_poll for item in shown], rehearsal=False)
    scenes = [QuestionScene(workshop, people=people, asked=item) for item in shown]
    for scene in scenes:
        vars(scene).update(items=items, moderation=moderation)
    return scenes


# --- how many got how far ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """The turnout of one question, in people."""

    item: AgendaItem
    seen: int = 0
    answered: int = 0
    passed: int = 0


@dataclass(frozen=True, slots=True)
class Turnout:
    """Of a questionnaire, in people: `joined` agreed to take part, `began` answered a question, `finished` all."""

    joined: int
    began: int
    finished: int
    rows: tuple[Row, ...]


def turnout(workshop: Workshop) -> Turnout:
    """Four queries, whatever the number of questions and people; a rehearsal's are left out."""
    items = [item for item in asked_items(workshop) if item.poll_id is not None]
    ballots = Ballot.objects.filter(poll__in=[item.poll_id for item in items], rehearsal=False).order_by()
    by_poll: defaultdict[Any, Counter[str]] = defaultdict(Counter)
    for poll, status, people in ballots.values_list("poll", "status").annotate(Count("id")):
        by_poll[poll][status] += people
    cast = ballots.exclude(status=Ballot.Status.ISSUED).values_list("voter").annotate(n=Count("id"))
    answered = [n for _voter, n in cast]
    people = count_people(workshop)
    return Turnout(
        joined=people.joined - people.rehearsal,
        began=len(answered),
        finished=sum(n == len(items) for n in answered),
        rows=tuple(_row(item, by_poll[item.poll_id]) for item in items),
    )


def _row(item: AgendaItem, ballots: Counter[str]) -> Row:
    passed = ballots[Ballot.Status.PASSED]
    return Row(item, ballots.total(), ballots[Ballot.Status.CAST] + passed, passed)
