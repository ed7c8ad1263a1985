"""The load client of a crowd at the door: people who come in by the pages, while voters who are in go on voting.

`python -m workshops.loadtest.newcomers`, commands as for `phones`. A newcomer asks for the joining page, ticks
everything and sends it; told to wait, they do the same again when they were told to, as the page does by itself.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from . import doors, phones
from .phones import Watch, now
from .talkers import Talkers

ANSWER_SECONDS = 60.0


class Door(Talkers):
    """Voters in the room, and who comes."""

    def __init__(self, url: str, code: str, choices: list[str]) -> None:
        super().__init__(url, code, choices)
        self.answers: Counter[str] = Counter()
        self.come = self.came_in = self.inside = 0
        self.open_until = 0.0

    async def come_in(self, voters: list[str]) -> dict[str, Any]:
        """The voters, by websocket, until each shows the question."""
        await self._by_many(self._open_voter, iter(voters), "voters connected", len(voters))
        self.phones = [*self.voters]  # type: ignore[list-item]  # they are kept awake alike
        await self._by_many(self._greet, iter(self.phones), "voters greeted", len(voters))
        return {"joined": sum(voter.is_open and voter.greeted.done() for voter in self.voters)}

    async def crowd_in(self, people: int, seconds: float, after: float) -> dict[str, Any]:
        """So many people come within `seconds`, each at a moment of their own; votes go on until `after` seconds
        later. What is asked by then is answered, and nothing is asked after that."""
        self._begin()
        watch = Watch(self.loop)
        self.open_until = now() + seconds + after
        await asyncio.gather(self._arrive(people, seconds), self._cast_for(seconds + after))
        busy = watch.end()
        await self._until_answered(self.voters)
        await self.until(lambda: not self.inside, ANSWER_SECONDS)
        return self._measured(watch) | {
            "client": busy,
            "come": self.come,
            "came_in": self.came_in,
            "answers": dict(self.answers),
            "refused": self.refusals,
            "connections_lost": self.lost,
        }

    async def _arrive(self, people: int, seconds: float) -> None:
        begun, told = now(), 0.0
        async with asyncio.TaskGroup() as crowd:
            for moment in sorted(self.rng.uniform(0, seconds) for _ in range(people)):
                if (wait := begun + moment - now()) > 0:
                    await asyncio.sleep(wait)
                self.come += 1
                crowd.create_task(self._newcomer())
                if now() - told > 1.0:
                    told = now()
                    phones.say({"progress": f"{self.come} of {people} have come, {self.came_in} are in"})

    async def _newcomer(self) -> None:
        path = f"/w/{self.code}/consent/"
        if (page := await self._through(doors.request(self.address, path))) is None:
            return
        form = doors.request(self.address, path, page.cookie, doors.consent(page.body))
        if (answer := await self._through(form)) and answer.status == 302 and "seat=" in answer.cookie:
            self.came_in += 1

    async def _through(self, sent: bytes) -> doors.Answer | None:
        """Ask until something else than "wait" is said; `None` if that is not before the end."""
        while now() < self.open_until:
            answer = await self._ask(sent)
            if answer and answer.status not in doors.WAIT:
                return answer
            wait = answer.retry_after if answer else None
            await asyncio.sleep(
                min(self.rng.uniform(3, 8) if wait is None else wait, self.open_until - now())
            )
        return None

    async def _ask(self, sent: bytes) -> doors.Answer | None:
        self.inside += 1
        try:
            answer = await doors.ask(self.where, sent, ANSWER_SECONDS)
        except (OSError, TimeoutError) as error:
            self.answers[f"{type(error).__name__}: {error}"] += 1
            return None
        finally:
            self.inside -= 1
        is_silent = answer.status in doors.WAIT and not answer.retry_after
        self.answers[f"{answer.status}{' without Retry-After' if is_silent else ''}"] += 1
        return answer


if __name__ == "__main__":
    phones.main(Door)
