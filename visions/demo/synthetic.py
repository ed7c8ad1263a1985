"""Synthetic workshops, for demonstrations and tests, made through the real write path.

A table beside the programme (`programmes/<key>_synthetic.csv`) has the number of people per answer and workshop;
which of them answered so is drawn from a seeded random generator, so every run gives the same ballots. Columns:
`instrument, part, key` and one number per workshop (`w1`, `w2`, …). Parts:

joined     people in the workshop (no instrument)
one        that many gave exactly this answer: an option, a point, a number (or `none`), a text
many       that many chose this among others; `answered` is the number of people who answered at all
weight     weight of this option in random rankings; `answered` as above
passed     people who saw the question and passed
shown      people who saw the question and did not answer
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from polls import ballot_box, text_decisions
from polls.ballot_box import BallotSubmission, Refusal
from polls.types import Question
from workshops.actions.authoring.workshops import plan_workshop
from workshops.models import AgendaItem, Participant, Programme, Workshop

#: a Tuesday afternoon, and one workshop a week from then on
FIRST = datetime(2025, 3, 4, 16, 0, tzinfo=ZoneInfo("Europe/London"))
HEADINGS = ["instrument", "part", "key"]
ONE_VALUE: dict[str, Callable[[str], Any]] = {
    "scale": int,
    "number": lambda key: {"none": True} if key == "none" else int(key),
}


class SyntheticDataError(Exception):
    """The synthetic workshops cannot be made here; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class AnswerCounts:
    """Numbers of people per answer to one question in one workshop, by part of the table."""

    one: dict[str, int] = field(default_factory=dict)
    many: dict[str, int] = field(default_factory=dict)
    weight: dict[str, int] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)

    def number(self, part: str) -> int:
        return self.numbers.get(part, 0)


#: instrument key → its counts; the key "" has the number of people who joined
Plan = dict[str, AnswerCounts]


def path_for(programme: Programme) -> Path:
    return settings.BASE_DIR / "programmes" / f"{programme.key.replace('-', '_')}_synthetic.csv"


def read(path: Path) -> list[Plan]:
    """One plan per workshop. Raises `SyntheticDataError` naming the line."""
    if not path.exists():
        raise SyntheticDataError(f"{path.name} is not there: this programme has no invented workshops")
    with path.open(newline="", encoding="utf-8") as file:
        lines = list(csv.reader(file))
    plans: list[Plan] = [{} for _ in lines[0][len(HEADINGS) :]]
    for number, line in enumerate(lines[1:], 2):
        try:
            _add_line(plans, line)
        except (ValueError, AttributeError):
            raise SyntheticDataError(
                f"{path.name}, line {number}: expected a known part and a number per workshop"
            ) from None
    return plans


def _add_line(plans: list[Plan], line: list[str]) -> None:
    instrument, part, key, *numbers = line
    for plan, number in zip(plans, numbers, strict=True):
        counts = plan.setdefault(instrument, AnswerCounts())
        if part in ("one", "many", "weight"):
            getattr(counts, part)[key] = int(number)
        else:
            counts.numbers[part] = int(number)


# --- workshops ---------------------------------------------------------------------------------------


@transaction.atomic
def load(programme: Programme, progress: Callable[[str], None] = lambda _line: None) -> int:
    """Make the synthetic workshops of a programme, all or none; returns how many were made, 0 where they exist.

    Idempotent. Raises `SyntheticDataError`.
    """
    plans = read(path_for(programme))
    taken = programme.workshops.filter(number__lte=len(plans))
    if taken and all(workshop.synthetic for workshop in taken):
        return 0
    if taken:
        raise SyntheticDataError(
            f"workshop {taken[0].number} of this programme is a real one: nothing was changed"
        )
    agenda = programme.plans.first()
    if agenda is None:
        raise SyntheticDataError("this programme has no plan to make workshops from")
    for number, plan in enumerate(plans, 1):
        progress(f"Workshop {number} of {len(plans)} …")
        start = FIRST + timedelta(weeks=number - 1)
        workshop = plan_workshop(programme, agenda, number=number, starts_at=start, synthetic=True)
        _run(workshop, plan)
    return len(plans)


def _run(workshop: Workshop, plan: Plan) -> None:
    """Everybody joins, every question of the agenda is asked, the workshop ends."""
    joined = plan[""].number("joined")
    voters = _join(workshop, joined)
    clock = workshop.starts_at
    assert clock is not None
    for item in workshop.agenda.select_related("poll__version__instrument").order_by("position"):
        if item.poll is not None:
            counts = plan.get(item.poll.version.instrument.key, AnswerCounts())
            _ask(item, counts, voters, clock)
        clock += timedelta(minutes=item.minutes)
    workshop.status = Workshop.Status.ENDED
    workshop.started_at = workshop.began_at = workshop.starts_at
    workshop.ended_at = clock
    workshop.attended = workshop.expected = joined
    workshop.save()


def _join(workshop: Workshop, people: int) -> list[str]:
    chance = _chance(workshop, "joined")
    voters = [f"{chance.getrandbits(128):032x}" for _ in range(people)]
    if workshop.sheet is None or not workshop.sheet.items:
        raise SyntheticDataError("this programme has no information sheet that people could agree to")
    items = [item["key"] for item in workshop.sheet.items]
    joined = [
        Participant(
            workshop=workshop,
            voter=voter,
            sheet=workshop.sheet,
            consent=items,
            profiled_at=workshop.starts_at,
        )
        for voter in voters
    ]
    Participant.objects.bulk_create(joined)
    workshop.participants.update(joined_at=workshop.starts_at)
    return voters


def _ask(item: AgendaItem, counts: AnswerCounts, voters: list[str], at: datetime) -> None:
    """One poll from open to closed, as the live engine does it; then its timestamps are backdated."""
    poll = item.poll
    assert poll is not None
    chance = _chance(item.workshop, poll.question.key or poll.version.instrument.key)
    answers = list(answers_to(poll.question, counts, chance))
    present = chance.sample(voters, len(answers) + counts.number("shown"))
    ballot_box.open_poll(poll.pk)
    ballot_box.issue(poll.pk, present)
    submissions = [
        BallotSubmission(poll.pk, voter, answer) for voter, answer in zip(present, answers, strict=False)
    ]
    for outcome in ballot_box.cast(submissions):
        if isinstance(outcome, Refusal):
            raise SyntheticDataError(f"{poll.version.instrument.key}: {outcome.message}")
    # Invented people read one another's words, so that what they wrote can stand in the demo's summary.
    text_decisions.decide(list(poll.texts.values_list("pk", flat=True)), text_decisions.SHOWN)
    ballot_box.close_poll(poll.pk, joined=len(voters), attended=len(voters))
    _backdate(item, poll.pk, at)


def _backdate(item: AgendaItem, poll_id: int, at: datetime) -> None:
    """Move the timestamps of a poll and its agenda item to the day of the synthetic workshop. No count changes."""
    done = at + timedelta(minutes=max(item.minutes, 1))
    ballot_box.backdate(poll_id, opened_at=at, closed_at=done)
    item.launched_at, item.done_at = at, done
    item.save(update_fields=["launched_at", "done_at"])


def _chance(workshop: Workshop, purpose: str) -> Random:
    return Random(f"{workshop.programme.key}/{workshop.number}/{purpose}")


# --- answers -----------------------------------------------------------------------------------------


def answers_to(question: Question, counts: AnswerCounts, chance: Random) -> Iterator[Any]:
    """One raw ballot value per person who answered or passed, in an arbitrary order."""
    if counts.weight:
        yield from (_ranking(question, counts, chance) for _ in range(counts.number("answered")))
    elif counts.many:
        yield from _selections(question, counts, chance)
    else:
        as_value = ONE_VALUE.get(question.type, str)
        yield from (as_value(key) for key, people in counts.one.items() for _ in range(people))
    yield from (None for _ in range(counts.number("passed")))


def _ranking(question: Question, counts: AnswerCounts, chance: Random) -> list[str]:
    left, ranked = dict(counts.weight), []
    for _place in range(question.settings.get("top", len(left))):
        [key] = chance.choices(list(left), weights=list(left.values()))
        ranked.append(key)
        del left[key]
    return ranked


def _selections(question: Question, counts: AnswerCounts, chance: Random) -> list[list[str]]:
    """Sets of keys, one per person, so that every key is chosen by exactly its number of people.

    Each key goes to the people with fewest keys so far, random among equals, so that nobody ends with none, or with
    more keys than a ballot may hold.
    """
    alone = [[key] for key in question.settings.get("exclusive", []) for _ in range(counts.many.get(key, 0))]
    chosen: list[list[str]] = [[] for _ in range(counts.number("answered") - len(alone))]
    for key in sorted(counts.many, key=lambda key: -counts.many[key]):
        if key in question.settings.get("exclusive", []):
            continue
        fewest = sorted(chosen, key=lambda keys: (len(keys), chance.random()))
        for keys in fewest[: counts.many[key]]:
            keys.append(_as_typed(key, chance) if question.type == "words" else key)
    return chosen + alone


def _as_typed(word: str, chance: Random) -> str:
    """People write one word in several ways; the platform counts them as one."""
    return chance.choice([word, word, word, word.capitalize(), f"{word}."])
