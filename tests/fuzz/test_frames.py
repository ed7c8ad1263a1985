"""Odd frames on every kind of socket: each is answered or refused, and the screen lives on."""

from __future__ import annotations

import asyncio
import json

import hypothesis
import pytest
from hypothesis import strategies as st

from workshops.live import rate_limit

from ..workshops.asgi import Screen, end_engine
from .frames import frames
from .odd import beside_threads, examples
from .world import World

pytestmark = [pytest.mark.django_db(transaction=True), beside_threads]
SCREENS = ("participant", "observer", "wall", "console")  # a questionnaire has no socket
TOO_BIG = 1009


class Room:
    """One screen of each kind, opened again where a frame was too big."""

    def __init__(self, world: World) -> None:
        self.world, self.screens = world, dict[str, Screen]()

    async def say(self, who: str, frame: str) -> None:
        """The frame, then a ping: whatever is said meanwhile, the pong comes."""
        screen = self.screens.get(who) or await self._opened(who)
        await screen.wire.send_input({"type": "websocket.receive", "text": frame})
        await screen.say('{"t":"ping"}')
        while True:
            message = await screen.wire.receive_output(timeout=60)
            if message["type"] == "websocket.close":
                assert message["code"] == TOO_BIG
                del self.screens[who]
                return
            if json.loads(message["text"])["t"] == "pong":
                return

    async def _opened(self, who: str) -> Screen:
        running = self.world.running
        path = {
            "wall": f"/live/wall/{running.wall_key}/",
            "console": f"/live/console/{running.code}/",
        }.get(who, f"/live/phone/{running.code}/")
        cookies = self.world.cookies.get({"console": "owner"}.get(who, who), {})
        cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
        self.screens[who] = await Screen(path, cookie=cookie).open()
        assert self.screens[who].accepted
        return self.screens[who]

    async def leave(self) -> None:
        for screen in self.screens.values():
            await screen.leave()
        await end_engine()


@pytest.mark.usefixtures("quiet_clock")
def test_no_frame_breaks_a_screen(world, mishaps, monkeypatch):
    monkeypatch.setattr(rate_limit, "AT_ONCE", 1e9)
    monkeypatch.setattr(rate_limit, "PER_SECOND", 1e9)
    numbers = [*world.polls, *world.notes, world.group.pk, 1, 10**6]
    with asyncio.Runner() as runner:
        room = Room(world)

        @examples(150)
        @hypothesis.given(st.sampled_from(SCREENS), frames(numbers))
        def is_taken(who: str, frame: str) -> None:
            runner.run(room.say(who, frame))
            mishaps()

        try:
            is_taken()
            runner.run(room.say("participant", '{"t":"hello"}'))
        finally:
            runner.run(room.leave())
    mishaps()
