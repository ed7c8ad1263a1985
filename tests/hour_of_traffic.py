"""An hour of one phone, in bytes: the first programme's own agenda, lived minute by minute.

The clock is moved, nobody waits: people come during the welcome, a facilitator walks through the agenda at its
planned minutes, everybody answers at a time of their own, and the hub's own looks come round every three
seconds as they do in a server. After each moment the phone is given what the hub would send it: every picture
that differs from the last one. Each vote has a moment to itself, so each costs its own picture, which is the
most that a window can cost. Frames are counted with their websocket headers; TLS and TCP are not.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import time_machine
from django.conf import settings
from django.utils import timezone

from polls.models import Poll
from polls.types import POLL_TYPES
from workshops import commands, screens
from workshops.actions import facilitation, moderation, participation
from workshops.live.hub import encode, revision_of
from workshops.live.raw.send import Frame
from workshops.models import AgendaItem, Participant, Workshop
from workshops.operations import fake_answers
from workshops.screens import queries
from workshops.signals.topics import SHOWN, Audience

PING_SECONDS = 25  # as live.js does
MASK = 4  # bytes that a frame from a browser carries more than one from a server
CHANGED_MINDS = 0.08  # share of people who answer twice, as the rehearsal's phones do


@dataclass
class Bill:
    """What one phone sends and receives, by kind: bytes and frames."""

    received: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    frames: Counter[str] = field(default_factory=Counter)
    dearest_vote: int = 0  # bytes of the longest frame of a vote, or of its answer

    @property
    def total(self) -> int:
        return self.received.total() + self.sent.total()

    def hear(self, kind: str, frame: dict) -> int:
        size = len(Frame(encode(frame)).wire)
        self.received[kind] += size
        self.frames[kind] += 1
        return size

    def say(self, kind: str, frame: dict) -> int:
        size = len(Frame(encode(frame)).wire) + MASK
        self.sent[kind] += size
        return size


class Hour:
    """One workshop with `people` in it, the first of whom holds the phone that is billed."""

    def __init__(self, workshop: Workshop, people: int, seed: int = 1) -> None:
        self.workshop, self.people, self.rng = workshop, people, random.Random(seed)
        self.bill = Bill()
        self.seen: dict[str, str] = {}
        self.crowd: list[Participant] = []

    def live(self) -> Bill:
        begin = timezone.now()
        with time_machine.travel(begin, tick=False) as clock:
            for second, do in self._moments(begin):
                clock.move_to(begin + timedelta(seconds=second))
                do()
                if self.crowd:
                    self.look()
        return self.bill

    def look(self) -> None:
        """What the hub would send this phone now."""
        scene = screens.Scene.load(self.workshop.pk)
        for topic in SHOWN[Audience.PHONE]:
            # a plain string: the encoder takes no subclass
            html = str.__str__(screens.draw(scene, topic, Audience.PHONE))
            if self.seen.get(topic) != (revision := revision_of(html)):
                self.seen[topic] = revision
                frame = {"t": "screen", "topic": topic, "rev": revision, "html": html}
                self.bill.hear(f"pictures of the {topic}", frame)

    # -- what happens when ------------------------------------------------------------------------------

    def _moments(self, begin: datetime) -> Iterator[tuple[float, Callable[[], object]]]:
        """Everything of the hour in its order, as seconds since the doors opened."""
        hour = list(self._plan())
        end = max(second for second, _do in hour)
        hour += [(second, lambda: None) for second in _every(settings.LIVE_POLL_SECONDS, end)]
        hour += [(second, self._ping) for second in _every(PING_SECONDS, end)]
        yield from sorted(hour, key=lambda moment: moment[0])

    def _plan(self) -> Iterator[tuple[float, Callable[[], object]]]:
        yield 0, lambda: facilitation.start(self.workshop.pk, None)
        items = queries.stage_items(self.workshop)
        arriving = items[0].minutes * 60
        for number in range(self.people):
            yield 1 + arriving * number / self.people, self._arrive
        # The joining screen stays for the time of the welcome: that is the dearest way to hold it.
        second = 0.0
        for item in items:
            length = item.minutes * 60
            yield max(second, arriving if item is items[0] else 0), self._launches(item)
            if item.poll_id:
                yield from self._answers(item, second, length)
            second += length
        yield second, lambda: facilitation.end(self.workshop.pk, None)

    def _launches(self, item: AgendaItem) -> Callable[[], None]:
        def launch() -> None:
            facilitation.launch(self.workshop.pk, None, item.pk)
            if item.poll_id:
                self.bill.say("my answers", {"t": "shown", "poll": item.poll_id})
                papers = [
                    participation.QuestionSeen(self.workshop.pk, who.voter, item.poll_id)
                    for who in self.crowd
                ]
                participation.write(papers)

        return launch

    def _answers(self, item: AgendaItem, start: float, length: float) -> Iterator:
        """All of them, spread over the question; a countdown; words are checked half way and after the close."""
        for number in range(self.people):
            at = start + 5 + (length - 35) * number / self.people
            yield at, self._votes(item, number, 1)
            if self.rng.random() < CHANGED_MINDS:
                yield at + 8, self._votes(item, number, 2)
        yield start + length / 2, lambda: self._show_words(item, at_once=True)
        yield start + length - 25, lambda: facilitation.close_in(self.workshop.pk, None, 20)
        yield start + length - 5, lambda: facilitation.close(self.workshop.pk, None)
        yield start + length - 3, lambda: self._show_words(item)

    # -- people -------------------------------------------------------------------------------------------

    def _arrive(self) -> None:
        items = self.workshop.sheet.items if self.workshop.sheet else []
        who = participation.join(self.workshop, [item["key"] for item in items])
        participation.write([participation.Profiled(who.workshop_id, who.voter)])
        self.crowd.append(who)
        if len(self.crowd) == 1:
            self.bill.say(
                "my answers", {"t": "hello", "seen": dict.fromkeys(SHOWN[Audience.PHONE], "0" * 12)}
            )
            self.bill.hear("my answers", {"t": "hello", "now": round(timezone.now().timestamp() * 1000)})
            self.bill.hear("my answers", {"t": "mine", "papers": []})

    def _votes(self, item: AgendaItem, number: int, seq: int) -> Callable[[], None]:
        def vote() -> None:
            who, question = self.crowd[number], Poll.objects.get(pk=item.poll_id).question
            value, op = (
                fake_answers.invent(question, self.rng),
                f"{number:08}-0000-4000-8000-{item.pk:08}{seq:04}",
            )
            outcome = participation.write(
                [participation.Vote(self.workshop.pk, who.voter, item.poll_id, value, op, seq)]
            )[0]
            if number == 0:
                fields = POLL_TYPES[question.type].to_form(outcome.value, question)
                frame = {"t": "vote", "op": op, "poll": item.poll_id, "seq": seq, "fields": fields}
                there = self.bill.say("my answers", frame)
                back = self.bill.hear("my answers", commands.reply(outcome))
                self.bill.dearest_vote = max(self.bill.dearest_vote, there, back)

        return vote

    def _show_words(self, item: AgendaItem, *, at_once: bool = False) -> None:
        """The facilitator lets them through: what is there in one go, or each with a press of its own, but for words
        that stand on the wall already."""
        texts = screens.Scene.load(self.workshop.pk).texts
        known = {text.text.casefold() for text in texts if not text.waits}
        waiting = [text for text in texts if text.waits]
        again = [text.ref for text in waiting if at_once or text.text.casefold() in known]
        alone = [[text.ref] for text in waiting if text.ref not in again]
        for refs in filter(None, [again, *alone]):
            moderation.check_texts(self.workshop.pk, None, refs, True)
            self.look()

    def _ping(self) -> None:
        self.bill.say("pings", {"t": "ping"})
        self.bill.hear("pings", {"t": "pong"})


def _every(step: float, end: float) -> Iterator[float]:
    second = step
    while second < end:
        yield second
        second += step
