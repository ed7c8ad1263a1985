"""The load client of people who join: each goes the whole way, while voters who are in go on voting.

`python -m workshops.operations.loadtest.joiners`, commands as for `phones`. The whole way of one person, as a browser
goes it with its script: the welcome, the information sheet, consent with everything ticked, the profile skipped, the
stage, and a socket that has shown what the page had not. Told to wait, they do the same again when they were told to,
as the page does by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections import Counter
from typing import Any

from . import figures, frames, phones
from .browser import REDIRECT, WAIT, Answer, Browser, forms, link_to
from .phones import HANDSHAKE_SECONDS, Watch, now
from .talkers import Talkers, Voter

TOPICS = {"stage", "tally", "room", "clock"}
_SEEN = re.compile(r'<script id="seen"[^>]*>([^<]*)</script>')
_POLL = re.compile(r'data-state="ballot" data-poll="(\d+)"')
_CHOICE = re.compile(r'name="choice" value="([^"~][^"]*)"')


class NoWay(Exception):
    """The way in ended somewhere else than on the stage."""


class Joiner(Voter):
    """Somebody on the stage: in once a socket has brought what is theirs, and every picture that the page had not."""

    def __init__(self, crowd: phones.Crowd, request: bytes) -> None:
        super().__init__(crowd, request)
        self.missing, self.has_own = set(TOPICS), False
        self.arrived = crowd.loop.create_future()

    def arrive(self, page: str) -> None:
        found = _SEEN.search(page)
        seen = json.loads(found[1]) if found else {}
        self.missing -= set(seen)
        self.say(json.dumps({"t": "hello", "seen": seen}).encode())
        if poll := _POLL.search(page):
            self.ballot = int(poll[1])
            self.crowd.choices = self.crowd.choices or _CHOICE.findall(page)
            self.say(json.dumps({"t": "shown", "poll": self.ballot}).encode())

    def read(self, payload: bytes) -> None:
        super().read(payload)
        if payload.startswith(frames.MINE):
            self.has_own = True
        elif payload.startswith(b'{"t":"screen"'):
            self.missing.discard(payload[22 : payload.index(b'"', 22)].decode())
        if self.has_own and not self.missing and not self.arrived.done():
            self.arrived.set_result(None)


class Joining(Talkers):
    """Who comes in, and who votes meanwhile."""

    def __init__(self, url: str, code: str, choices: list[str]) -> None:
        super().__init__(url, code, choices)
        self.answers: Counter[str] = Counter()
        self.requests = 0
        self.waits: list[float] = []  # how long each was on the way, in seconds
        self.stages: dict[str, list[float]] = {}  # how long each kind of step took, waits left out
        self.inside: list[Joiner] = []
        self.gave_up: Counter[str] = Counter()

    # -- one person ---------------------------------------------------------------------------------------

    async def come_in(self, until: float) -> Joiner | None:
        """The whole way; `None` where it was not done by then."""
        browser, begun = Browser(self.where, self.address), now()
        try:
            async with asyncio.timeout(max(0.0, until - now())):
                joiner = await self._way(browser)
        except (NoWay, OSError, TimeoutError) as error:
            self.gave_up[f"{type(error).__name__}: {error}"] += 1
            return None
        finally:
            browser.close()
        self.waits.append(now() - begun)
        self.inside.append(joiner)
        return joiner

    async def _way(self, browser: Browser) -> Joiner:
        welcome = await self._through(browser, "welcome", f"/w/{self.code}/")
        path = link_to(welcome.body, "/consent/")
        if path is None:
            raise NoWay("no link to the information sheet")
        page = await self._through(browser, "sheet", path)
        page, path = await self._sent(browser, "consent", page, path, [])
        if "data-live=" not in page.body:
            page, path = await self._sent(browser, "profile", page, path, [("skip", "1")])
        if "data-live=" not in page.body:
            raise NoWay(f"not on the stage: {page.status} {path}")
        begun = now()
        joiner = await self.connect(Joiner, f"/live/phone/{self.code}/", browser.cookie)
        joiner.arrive(page.body)
        await asyncio.wait([joiner.arrived, joiner.closed], return_when=asyncio.FIRST_COMPLETED)
        if not joiner.arrived.done():
            raise NoWay("the socket was closed before it had shown everything")
        self._took("socket", begun)
        return joiner

    async def _sent(
        self, browser: Browser, step: str, page: Answer, path: str, more: list[tuple[str, str]]
    ) -> tuple[Answer, str]:
        """The page that answers this page's form, wherever it leads, and its address."""
        form = next((form for form in forms(page.body) if form.method == "post"), None)
        if form is None:
            raise NoWay(f"no form on the page of {step}")
        fields = [*form.fields, *more, *([("straight", "1")] if form.is_inline else [])]
        answer = await self._through(browser, step, form.action or path, fields)
        while answer.status in REDIRECT:
            path = answer.headers["location"]
            answer = await self._through(browser, f"after {step}", path)
        return answer, path

    async def _through(
        self, browser: Browser, step: str, path: str, form: list[tuple[str, str]] | None = None
    ) -> Answer:
        """Ask until something else than "wait" is said."""
        while True:
            begun = now()
            self.requests += 1
            try:
                answer = await browser.ask(path, form)
            except OSError as error:
                browser.close()
                self.answers[type(error).__name__] += 1
                await asyncio.sleep(self.rng.uniform(1, 3))
                continue
            is_silent = answer.status in WAIT and not answer.retry_after
            self.answers[f"{answer.status}{' without Retry-After' if is_silent else ''}"] += 1
            if answer.status not in WAIT:
                self._took(step, begun)
                return answer
            await asyncio.sleep(answer.retry_after or self.rng.uniform(3, 8))

    def _took(self, step: str, begun: float) -> None:
        self.stages.setdefault(step, []).append(now() - begun)

    # -- what it is asked to do -----------------------------------------------------------------------------

    async def let_in_voters(self, people: int) -> dict[str, Any]:
        """People who are in before anything is measured, and who vote from now on."""
        until = now() + 10 * HANDSHAKE_SECONDS
        # A few at a time: on a server that lets in few, a crowd would be sent away.
        gate = asyncio.Semaphore(4)

        async def one() -> None:
            async with gate:
                if joiner := await self.come_in(until):
                    self.voters.append(joiner)

        await asyncio.gather(*(one() for _ in range(people)))
        self.phones = [*self.inside]  # type: ignore[list-item]  # they are kept awake alike
        return {"joined": len(self.voters), "gave_up": dict(self.gave_up)}

    async def let_in(self, seconds: float, at_once: int) -> dict[str, Any]:
        """For so long, so many at a time come in one after another: how many a second this server lets in."""
        self._start()
        before, requests, begun = len(self.inside), self.requests, now()
        watch = Watch(self.loop)

        async def one_after_the_other() -> None:
            while now() - begun < seconds:
                await self.come_in(now() + HANDSHAKE_SECONDS)

        await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))
        took, came_in = now() - begun, len(self.inside) - before
        self.phones = [*self.inside]  # type: ignore[list-item]
        return {
            "came_in": came_in, "seconds": round(took, 3), "people_per_second": round(came_in / took, 2),
            "requests_per_person": figures.ratio(self.requests - requests, came_in),
            **self._way_in(), "client": watch.end(),
        }  # fmt: skip

    async def crowd_in(self, people: int, seconds: float, patience: float) -> dict[str, Any]:
        """So many people come within `seconds`, each at a moment of their own, and are waited for; votes go on until
        the last is in."""
        self._start()
        self._begin()
        before, watch, begun = len(self.inside), Watch(self.loop), now()
        voting = asyncio.ensure_future(self._cast_for(seconds + patience))
        async with asyncio.TaskGroup() as crowd:
            for moment in sorted(self.rng.uniform(0, seconds) for _ in range(people)):
                if (wait := begun + moment - now()) > 0:
                    await asyncio.sleep(wait)
                crowd.create_task(self.come_in(begun + seconds + patience))
        took = now() - begun
        votes = self._measured(watch)
        voting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await voting
        await self._until_answered(self.voters)
        return votes | {
            "come": people, "came_in": len(self.inside) - before, "everybody_in_s": round(took, 2),
            **self._way_in(), "refused": self.refusals, "connections_lost": self.lost,
        }  # fmt: skip

    def _start(self) -> None:
        self.answers, self.gave_up, self.waits, self.stages = Counter(), Counter(), [], {}

    def _way_in(self) -> dict[str, Any]:
        return {
            "way_ms": figures.spread(self.waits, 50, 99, 100),
            "steps_ms": {step: figures.spread(took, 50, 99) for step, took in self.stages.items()},
            "answers": dict(self.answers), "gave_up": dict(self.gave_up),
        }  # fmt: skip


if __name__ == "__main__":
    phones.main(Joining)
