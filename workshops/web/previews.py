"""What a card will look like: a phone and the wall, drawn by the code that draws them in the room, from rows that are
never saved. The wall has made-up answers."""

from __future__ import annotations

import copy
import random
from functools import cache
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.utils import timezone

from polls import measures
from polls.lifecycle import State
from polls.models import InstrumentVersion, Measure, Poll, fingerprint
from polls.results import Counts, Result, Share
from polls.types import POLL_TYPES, Question

from ..models import AgendaItem, Programme, Workshop
from ..operations.fake_answers import invent
from ..people.roles import Headcount
from ..screens import queries
from ..screens.drawing import context, draw
from ..screens.scene import Scene
from ..signals.topics import Audience, Topic

ANSWERS, PEOPLE = 19, 24


def scene_of(
    programme: Programme, item: AgendaItem, question: Question | None = None, sums: tuple[Measure, ...] = ()
) -> Scene:
    """The room while this step is on stage: for phones the question is open, see `with_answers`.

    A step that is not saved belongs to a workshop that is none either.
    """
    workshop = (
        copy.copy(item.workshop)
        if item.pk
        else Workshop(programme=programme, title=programme.title, number=1)
    )
    workshop.status = Workshop.Status.RUNNING
    item = copy.copy(item)
    if question is not None:
        version = InstrumentVersion(definition=question.as_json())
        item.kind, item.poll = AgendaItem.Kind.POLL, Poll(pk=0, version=version, state=State.OPEN)
    scene = Scene(workshop, people=Headcount(PEOPLE, 0))
    scene.item = item
    scene.items = queries.stage_items(workshop) if item.pk else []
    scene.breakouts = None
    scene.talked = False
    if question is not None:
        scene.room_result = scene.result = made_up(question, sums)
    return scene


def made_up(question: Question, sums: tuple[Measure, ...] = ()) -> Result:
    """A result of 19 answers that nobody gave, always the same ones for one question."""
    rng = random.Random(fingerprint(question.as_json()))
    kind = POLL_TYPES[question.type]
    answers: list[tuple[Any, int]] = []
    while len(answers) < ANSWERS:
        value = kind.clean(invent(question, rng), question)
        if not kind.is_pass(value):
            answers.append((value, 1))
    shares = tuple(
        Share(
            each.key, each.label, *measures.count(each.kind, each.definition, answers, question), each.number
        )
        for each in sums
        if measures.fits(each.kind, each.definition, question)
    )
    counts = Counts(joined=PEOPLE, attended=PEOPLE, issued=PEOPLE, cast=ANSWERS)
    return Result(question, kind.tally(answers, question), counts, shares)


@cache
def colours(scheme: str) -> str:
    """The tokens of the style sheet as they are in one scheme, "light" or "dark", whatever the device prefers."""
    sheet = Path(str(finders.find("workshops/vision.css"))).read_text()
    tokens = sheet[sheet.index("@layer tokens {") : sheet.index("@layer reset {")]
    plain = "\n".join(line for line in tokens.splitlines() if '"' not in line)
    applies = "(min-width: 0)" if scheme == "dark" else "not all"
    return plain.replace("(prefers-color-scheme: dark)", applies).replace(
        "color-scheme: light dark", f"color-scheme: {scheme}"
    )


def phone(scene: Scene) -> dict[str, Any]:
    return {"stage": draw(scene, Topic.STAGE, Audience.PHONE), "workshop": scene.workshop}


def wall(scene: Scene) -> dict[str, Any]:
    """After the answers were shown, where it is a question."""
    if scene.poll is not None:
        scene.poll.state, scene.poll.revealed_at = State.CLOSED, timezone.now()
        scene.state, scene.is_revealed = "closed", True
    stage, tally = (draw(scene, topic, Audience.WALL) for topic in (Topic.STAGE, Topic.TALLY))
    return {**context(scene, Audience.WALL), "stage": stage, "tally": tally}
