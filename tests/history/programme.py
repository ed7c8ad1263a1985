"""One seeded run: a workshop of people, gestures and faults, a quiet time, and the verdict.

The same seed makes everybody want the same and lets the same go wrong in the same order; how that meets in time
is the machine's own affair. A broken history is therefore kept whole.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from .. import network_faults
from . import checker, clients, groups, pictures, stacks
from .record import INFO, INVOKE, OK, Event, History

CALM_SECONDS = 45.0  # at most, until votes come, and until everybody has an answer once all is well
PROGRESS_SECONDS = 10.0


@dataclass(frozen=True)
class Plan:
    """`seconds` people vote, or until a promise is seen to be broken, where that is enough (`until_broken`).

    `faults`: names of `nemesis.Nemesis`; empty means all of the stack, `("none",)` none.

    `every` so many seconds a phone answers, `write`: does something in its small group, `press`: a facilitator a gesture.

    `quiet`: seconds between the last answer and the last look: longer than a hub waits until it looks by itself.
    `template`: a migrated SQLite file to begin with. `mutation`: names of `mutations`, by commas.
    """

    seed: int = 1
    seconds: float = 60.0
    stack: str = "sqlite"
    server: str = "daphne"
    voters: int = 20
    polls: int = 5
    groups: int = 3
    every: float = 0.8
    write: float = 4.0
    press: float = 1.5
    look: float = 1.0
    quiet: float = 5.0
    faults: tuple[str, ...] = ()
    mutation: str = ""
    until_broken: bool = False
    template: Path | None = None
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    violations: list[str]
    counts: dict[str, int]
    events: list[Event]


Say = Callable[[str], None]


def run(plan: Plan, say: Say = print) -> Verdict:
    """A process runs one plan only: Django is made that of its stack. Raises `services.NotInstalled`."""
    place = Path(tempfile.mkdtemp(prefix="vision-history-"))
    environment = dict(plan.environment)
    if plan.mutation:
        environment["HISTORY_MUTATION"] = plan.mutation
    stack = stacks.STACKS[plan.stack](place, plan.server, **environment)
    try:
        stack.start_services()
        stacks.use(stack)
        room, seats, staff = _make_room(plan, stack)
        for number in range(stack.processes):
            stack.start_server(number)
        history = History()
        asyncio.run(Programme(plan, stack, room, history, say).run(seats, staff))
        return Verdict(checker.check(history.events), history.counts(), history.events)
    finally:
        stack.close()
        shutil.rmtree(place, ignore_errors=True)


def _make_room(plan: Plan, stack: stacks.Stack) -> tuple[clients.Room, dict[str, str], list[str]]:
    """A workshop with its doors open; cookies by voter, and those of two facilitators."""
    from django.core.management import call_command
    from django.db import connection

    from polls.types import Question
    from polls.types.base import Option

    from .. import factories, socket_screens

    if plan.template and stack.name == "sqlite":
        shutil.copyfile(plan.template, stack.database_url.removeprefix("sqlite:///"))
    else:
        call_command("migrate", verbosity=0)
    if plan.mutation:
        from .mutations import drop_constraints

        drop_constraints(plan.mutation)
    options = tuple(Option(key, label) for key, label in pictures.CHOICES.items())
    asked = [pictures.QUESTION.format(number) for number in range(1, plan.polls + 1)]
    workshop = factories.workshop(None, *(Question("single_choice", text, options=options) for text in asked))
    items = list(workshop.agenda.order_by("position"))
    people = [factories.participant(workshop) for _ in range(plan.voters)]
    staff = [factories.signed_in(factories.staff(workshop.programme)).cookies for _ in range(2)]
    room = clients.Room(
        workshop.code, workshop.wall_key, [item.poll_id for item in items], [item.pk for item in items],
        _put_into_groups(workshop, plan.groups),
    )  # fmt: skip
    cookies = ["; ".join(f"{name}={morsel.value}" for name, morsel in jar.items()) for jar in staff]
    connection.close()
    return room, {person.voter: socket_screens.cookie_of(person) for person in people}, cookies


def _put_into_groups(workshop: Any, number: int) -> list[int]:
    """Groups at work on a prompt that is no step of the agenda, so that no launch ends their time; each has a scribe."""
    from workshops.actions import groups as group_actions
    from workshops.actions.groups import notes
    from workshops.models import Group

    from .. import factories

    asked = factories.prompt_item(workshop).prompt
    group_actions.make(workshop.pk, None, "random", groups=number)
    group_actions.give_prompts(workshop.pk, None, [asked.pk])
    group_actions.open_round(workshop.pk, None)
    made = Group.objects.filter(round__workshop=workshop)
    for group in made:
        scribe = group.places.order_by("pk")[0].voter
        notes.write([notes.Scribe(workshop.pk, scribe, f"scribe{group.pk}", group.pk, True)])
    return [group.pk for group in made]


class Programme:
    """Everybody in the room, until the verdict."""

    def __init__(
        self, plan: Plan, stack: stacks.Stack, room: clients.Room, history: History, say: Say
    ) -> None:
        self.plan, self.stack, self.room, self.history, self.say = plan, stack, room, history, say
        self.screens: list[clients.Client] = []
        self.phones: list[clients.Phone] = []
        self._looks = 0

    def _rng(self, who: str) -> random.Random:
        return random.Random(f"{self.plan.seed} {who}")

    async def run(self, seats: dict[str, str], staff: list[str]) -> None:
        async with contextlib.AsyncExitStack() as proxies:
            before = [
                await proxies.enter_async_context(
                    network_faults.Proxy("127.0.0.1", port, seed=self.plan.seed + number)
                )
                for number, port in enumerate(self.stack.ports)
            ]
            self.room.doors = [proxy.port for proxy in before]
            consoles = self._gather(seats, staff)
            present = [asyncio.ensure_future(screen.run()) for screen in self.screens]
            try:
                await self._busy_time(consoles, before)
                if not self._is_broken():
                    await self._quiet_time()
            finally:
                await _end(present)

    def _gather(self, seats: dict[str, str], staff: list[str]) -> list[clients.Console]:
        """One tab for every voter, two for each third one; a wall; two consoles."""
        for number, (voter, cookie) in enumerate(seats.items(), start=1):
            for tab in ("a", "b")[: 2 if number % 3 == 0 else 1]:
                name = f"phone{number}{tab}"
                phone = clients.Phone(
                    name,
                    voter,
                    self.room,
                    self.history,
                    self._rng(name),
                    cookie,
                    self.plan.every,
                    self.plan.write,
                )
                self.phones.append(phone)
        consoles = [
            clients.Console(name, self.room, self.history, self._rng(name), cookie, self.plan.press)
            for name, cookie in zip(["console1", "console2"], staff, strict=True)
        ]
        wall = clients.Wall("wall", self.room, self.history, self._rng("wall"))
        self.screens = [wall, *consoles, *self.phones]
        return consoles

    async def _busy_time(self, consoles: list[clients.Console], proxies: list[network_faults.Proxy]) -> None:
        from .nemesis import Nemesis

        nemesis = Nemesis(self.stack, proxies, self.history, self._rng("nemesis"), list(self.plan.faults))
        doing = [asyncio.ensure_future(phone.answer_now_and_then()) for phone in self.phones]
        doing += [asyncio.ensure_future(phone.desk.write_now_and_then()) for phone in self.phones]
        doing += [asyncio.ensure_future(console.press_now_and_then()) for console in consoles]
        doing += [asyncio.ensure_future(self._look_now_and_then()), asyncio.ensure_future(self._progress())]
        await self._until_votes_come()
        trouble = asyncio.ensure_future(nemesis.run(self.plan.seconds))
        over = asyncio.ensure_future(self._until_it_is_over(trouble))
        try:
            await asyncio.wait([over, *doing], return_when=asyncio.FIRST_COMPLETED)
            if not self._is_broken():
                await trouble  # whatever is wrong at the end becomes well again
        finally:
            await _end([over, trouble, *doing])

    async def _until_votes_come(self) -> None:
        """The first trouble meets a room at work, however slow this machine is just now."""
        loop = asyncio.get_running_loop()
        end = loop.time() + CALM_SECONDS
        while (
            loop.time() < end
            and sum(event.do == "vote" and event.kind == OK for event in self.history.events) < 10
        ):
            await asyncio.sleep(0.1)

    def _is_broken(self) -> bool:
        return self.plan.until_broken and bool(checker.check_so_far(self.history.events))

    async def _until_it_is_over(self, trouble: asyncio.Future[None]) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + self.plan.seconds
        while loop.time() < end and not self._is_broken() and not (trouble.done() and trouble.exception()):
            await asyncio.sleep(min(0.5, self.plan.seconds))

    async def _quiet_time(self) -> None:
        """Until nobody waits any more, and then as long as promised until every screen is right."""
        loop = asyncio.get_running_loop()
        end = loop.time() + CALM_SECONDS
        while loop.time() < end and any(phone.waiting or phone.wire is None for phone in self.phones):
            await asyncio.sleep(0.1)
        await asyncio.sleep(self.plan.quiet)
        await self._look()
        for screen in self.screens:
            screen.show()

    async def _look_now_and_then(self) -> None:
        while True:
            await self._look()
            await asyncio.sleep(self.plan.look)

    async def _look(self) -> None:
        self._looks += 1
        op = f"look{self._looks}"
        self.history.note("auditor", INVOKE, "audit", op=op)
        try:
            found = await asyncio.to_thread(self.stack.look)
        except (sqlite3.Error, psycopg.Error) as error:
            self.history.note("auditor", INFO, "audit", op=op, code=type(error).__name__)
        else:
            self.history.note("auditor", OK, "audit", op=op, more=found)

    async def _progress(self) -> None:
        begun = asyncio.get_running_loop().time()
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            passed = asyncio.get_running_loop().time() - begun
            self.say(f"  {passed:4.0f} s of {self.plan.seconds:.0f} s: {summary(self.history.counts())}")


async def _end(tasks: list[asyncio.Future[Any]]) -> None:
    """Cancel them; one that had failed by itself tells why."""
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome


def summary(counts: dict[str, int]) -> str:
    """The numbers of a history in one line."""

    def total(begins: str) -> int:
        return sum(number for words, number in counts.items() if words.startswith(begins))

    written = {how: sum(total(f"{do} {how}") for do in groups.DEEDS) for how in ("invoke", "ok")}
    group_actions = sum(total(f"{name} invoke") for name in ("launch", "close", "reopen"))
    return (
        f"{total('vote invoke')} votes sent, {total('vote ok')} acknowledged, {total('vote fail')} refused, "
        f"{total('vote info')} left open; {written['invoke']} in groups, {written['ok']} acknowledged; {group_actions} gestures; {total('fault') // 2} faults; "
        f"{total('audit ok')} looks"
    )
