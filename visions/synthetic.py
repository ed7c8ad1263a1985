"""Invented workshops, for demonstrations and tests, made through the real write path.

A table beside the programme (`programmes/<key>_synthetic.csv`) says how many people of each workshop did
what; who of them did it is drawn from a seeded generator, so every run gives the same ballots. Columns:
`instrument, part, key` and one number per workshop (`w1`, `w2`, …). Parts:

joined     people in the workshop (no instrument)
one        that many gave exactly this answer: an option, a point, a number (or `none`), a text
many       that many chose this among others; `answered` says how many people answered at all
weight     how much people like to rank this; `answered` as above
passed     saw the question and passed
shown      saw the question and did not answer
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

from polls import ballot_box
from polls.ballot_box import Paper, Refusal
from polls.models import Ballot, Poll, RevealMoment
from polls.types import Question
from workshops.models import AgendaItem, Participant, Programme, Workshop
from workshops.planning import plan_workshop

#: a Tuesday afternoon, and one workshop a week from then on
FIRST = datetime(2025, 3, 4, 16, 0, tzinfo=ZoneInfo("Europe/London"))
HEADINGS = ["instrument", "part", "key"]
ONE_VALUE: dict[str, Callable[[str], Any]] = {
    "scale": int,
    "number": lambda key: {"none": True} if key == "none" else int(key),
}


class NotPossible(Exception):
    """The invented workshops cannot be made here; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the people of one workshop did with one question."""

    one: dict[str, int] = field(default_factory=dict)
    many: dict[str, int] = field(default_factory=dict)
    weight: dict[str, int] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)

    def number(self, part: str) -> int:
        return self.numbers.get(part, 0)


#: instrument key → its sheet; under "" stands how many joined
Plan = dict[str, Sheet]


def path_for(programme: Programme) -> Path:
    return settings.BASE_DIR / "programmes" / f"{programme.key.replace('-', '_')}_synthetic.csv"


def read(path: Path) -> list[Plan]:
    """One plan per workshop. Raises `NotPossible` naming the line."""
    if not path.exists():
        raise NotPossible(f"{path.name} is not there: this programme has no invented workshops")
    with path.open(newline="", encoding="utf-8") as file:
        lines = list(csv.reader(file))
    plans: list[Plan] = [{} for _ in lines[0][len(HEADINGS) :]]
    for place, line in enumerate(lines[1:], 2):
        try:
            _take(plans, line)
        except (ValueError, AttributeError):
            raise NotPossible(
                f"{path.name}, line {place}: expected a known part and a number per workshop"
            ) from None
    return plans


def _take(plans: list[Plan], line: list[str]) -> None:
    instrument, part, key, *numbers = line
    for plan, number in zip(plans, numbers, strict=True):
        sheet = plan.setdefault(instrument, Sheet())
        if part in ("one", "many", "weight"):
            getattr(sheet, part)[key] = int(number)
        else:
            sheet.numbers[part] = int(number)


# --- workshops ---------------------------------------------------------------------------------------


@transaction.atomic
def load(programme: Programme, progress: Callable[[str], None] = lambda _line: None) -> int:
    """Make the invented workshops of a programme, all of them or none; returns how many were made.

    0 where they are there already. Raises `NotPossible`.
    """
    plans = read(path_for(programme))
    taken = programme.workshops.filter(number__lte=len(plans))
    if taken and all(workshop.synthetic for workshop in taken):
        return 0
    if taken:
        raise NotPossible(f"workshop {taken[0].number} of this programme is a real one: nothing was changed")
    agenda = programme.plans.first()
    if agenda is None:
        raise NotPossible("this programme has no plan to make workshops from")
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
            sheet = plan.get(item.poll.version.instrument.key, Sheet())
            _ask(item, sheet, voters, clock)
        clock += timedelta(minutes=item.minutes)
    workshop.status = Workshop.Status.ENDED
    workshop.started_at, workshop.ended_at = workshop.starts_at, clock
    workshop.attended = workshop.expected = joined
    workshop.save()


def _join(workshop: Workshop, people: int) -> list[str]:
    chance = _chance(workshop, "joined")
    voters = [f"{chance.getrandbits(128):032x}" for _ in range(people)]
    items = [item["key"] for item in workshop.sheet.items] if workshop.sheet else []
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


def _ask(item: AgendaItem, sheet: Sheet, voters: list[str], at: datetime) -> None:
    """One question from open to closed, as the live engine does it; then its times are moved to that day."""
    poll = item.poll
    assert poll is not None
    chance = _chance(item.workshop, poll.question.key or poll.version.instrument.key)
    answers = list(answers_to(poll.question, sheet, chance))
    present = chance.sample(voters, len(answers) + sheet.number("shown"))
    ballot_box.open_poll(poll.pk)
    ballot_box.issue(poll.pk, present)
    papers = [Paper(poll.pk, voter, answer) for voter, answer in zip(present, answers, strict=False)]
    for outcome in ballot_box.cast(papers):
        if isinstance(outcome, Refusal):
            raise NotPossible(f"{poll.version.instrument.key}: {outcome.message}")
    ballot_box.close_poll(poll.pk, joined=len(voters), attended=len(voters))
    _move_to(item, poll.pk, at)


def _move_to(item: AgendaItem, poll_id: int, at: datetime) -> None:
    """The moments of a poll, on the day of the invented workshop. No count changes."""
    done = at + timedelta(minutes=max(item.minutes, 1))
    poll = Poll.objects.get(pk=poll_id)
    poll.opened_at, poll.closed_at = at, done
    poll.result = {**(poll.result or {}), "frozen_at": done.isoformat()}
    poll.revealed_at = done if poll.is_revealed else None
    poll.save()
    RevealMoment.objects.filter(poll=poll).update(at=done)
    poll.ballots.update(issued_at=at)
    poll.ballots.exclude(status=Ballot.Status.ISSUED).update(cast_at=at + timedelta(seconds=20))
    item.launched_at, item.done_at = at, done
    item.save(update_fields=["launched_at", "done_at"])


def _chance(workshop: Workshop, what: str) -> Random:
    return Random(f"{workshop.programme.key}/{workshop.number}/{what}")


# --- answers -----------------------------------------------------------------------------------------


def answers_to(question: Question, sheet: Sheet, chance: Random) -> Iterator[Any]:
    """One value per person who answered or passed, in no order that means anything."""
    if sheet.weight:
        yield from (_ranking(question, sheet, chance) for _ in range(sheet.number("answered")))
    elif sheet.many:
        yield from _selections(question, sheet, chance)
    else:
        as_value = ONE_VALUE.get(question.type, str)
        yield from (as_value(key) for key, people in sheet.one.items() for _ in range(people))
    yield from (None for _ in range(sheet.number("passed")))


def _ranking(question: Question, sheet: Sheet, chance: Random) -> list[str]:
    left, ranked = dict(sheet.weight), []
    for _place in range(question.settings.get("top", len(left))):
        [key] = chance.choices(list(left), weights=list(left.values()))
        ranked.append(key)
        del left[key]
    return ranked


def _selections(question: Question, sheet: Sheet, chance: Random) -> list[list[str]]:
    """Sets of keys, one per person, so that every key is chosen by exactly as many people as asked for.

    Whoever has fewest so far takes the next key, chance among equals: so nobody ends with none, and nobody
    with more than a ballot may hold.
    """
    alone = [[key] for key in question.settings.get("exclusive", []) for _ in range(sheet.many.get(key, 0))]
    chosen: list[list[str]] = [[] for _ in range(sheet.number("answered") - len(alone))]
    for key in sorted(sheet.many, key=lambda key: -sheet.many[key]):
        if key in question.settings.get("exclusive", []):
            continue
        fewest = sorted(chosen, key=lambda keys: (len(keys), chance.random()))
        for keys in fewest[: sheet.many[key]]:
            keys.append(_as_typed(key, chance) if question.type == "words" else key)
    return chosen + alone


def _as_typed(word: str, chance: Random) -> str:
    """People write one word in several ways; the platform counts them as one."""
    return chance.choice([word, word, word, word.capitalize(), f"{word}."])
