"""Pads: everybody who looks has the newest picture of their group, and what is announced all the while delays nobody."""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest

from workshops.groups import Places
from workshops.live import group_pads, writer_priority
from workshops.signals.topics import pad

from ...patience import PATIENCE, eventually


class Screen:
    """Looks at one group's pad and remembers what it was shown."""

    def __init__(self) -> None:
        self.group, self.shown = 0, []
        self.came = asyncio.Event()

    def set_fragment(self, _topic, frame) -> None:
        self.shown.append(frame.text)
        self.came.set()

    async def sees(self, words: str) -> None:
        async with asyncio.timeout(PATIENCE):
            while not (self.shown and words in self.shown[-1]):
                self.came.clear()
                await self.came.wait()


@pytest.fixture
def quick(settings, monkeypatch):
    settings.LIVE_POLL_SECONDS = 0.2
    monkeypatch.setattr(group_pads, "WINDOW_SECONDS", 0.02)
    monkeypatch.setattr(group_pads, "load_places", lambda _workshop: Places())


@contextlib.asynccontextmanager
async def board(words: dict[int, str]):
    """A board with a screen before each group's pad, and the numbers of the groups of each drawing."""
    drawn = []

    def draw(_workshop, groups):
        drawn.append(list(groups))
        return {group: words[group] for group in groups}

    made = group_pads.Pads(7, draw)
    screens = {group: Screen() for group in words}
    for group, screen in screens.items():
        made.join(screen, group)
    try:
        yield made, screens, drawn
    finally:
        made.stop()


async def announce_for_ever(made: group_pads.Pads, group: int) -> None:
    while True:
        made.invalidate([pad(group)])
        await asyncio.sleep(0.005)


async def test_a_lost_announcement_is_made_good_though_another_group_is_announced_all_the_while(quick):
    words = {1: "calm", 2: "calm"}
    async with board(words) as (made, screens, _drawn):
        await screens[2].sees("calm")
        busy = asyncio.ensure_future(announce_for_ever(made, 1))
        words[2] = "light"  # nobody is told
        try:
            await screens[2].sees("light")
        finally:
            busy.cancel()


async def test_many_pads_are_looked_at_a_few_at_a_time(quick):
    words = dict.fromkeys(range(1, 41), "calm")
    async with board(words) as (_made, screens, drawn):
        for screen in screens.values():
            await screen.sees("calm")
        first = len(drawn)
        for group in words:
            words[group] = "light"
        for screen in screens.values():
            await screen.sees("light")
        assert max(len(groups) for groups in drawn[first:]) <= 4  # a tenth: ten windows fit between two looks


async def test_a_pad_that_has_not_changed_is_not_sent_again(quick):
    async with board({1: "calm"}) as (_made, screens, drawn):
        await screens[1].sees("calm")
        await eventually(lambda: len(drawn) >= 4)
        assert len(screens[1].shown) == 1


async def test_an_observer_who_is_told_their_place_anew_stays_where_they_are(settings, monkeypatch):
    """Their own looking counts too: without care two even groups would hand them to and fro."""
    settings.LIVE_POLL_SECONDS = 0.05
    monkeypatch.setattr(group_pads, "WINDOW_SECONDS", 0.01)
    looks = []

    def places(_workshop):
        looks.append(1)
        return Places(round=1, sizes={11: 3, 12: 3})

    monkeypatch.setattr(group_pads, "load_places", places)
    observers = [Observer(), Observer()]
    made = group_pads.Pads(7, lambda _workshop, groups: dict.fromkeys(groups, "calm"), lambda: observers)
    try:
        for screen in observers:
            made.tell_place(screen, places(7).of("", made.watching, screen.group))
        assert [screen.group for screen in observers] == [11, 12]
        await eventually(lambda: len(looks) >= 8)
        assert [screen.told for screen in observers] == [[11], [12]]
    finally:
        made.stop()


class Observer(Screen):
    """Somebody without a voter key, and every group they were told."""

    voter, place, greeted = "", None, True

    def __init__(self) -> None:
        super().__init__()
        self.told: list[int] = []

    def send(self, payload: bytes) -> None:
        self.told.append(json.loads(payload)["group"])


def test_who_draws_many_pictures_lets_votes_be_written_first_and_never_for_long(monkeypatch):
    rests = []
    monkeypatch.setattr(writer_priority.time, "sleep", rests.append)
    writer_priority.yield_to_writer_sync()
    assert rests == []
    with writer_priority.writing():
        writer_priority.yield_to_writer_sync()
    assert sum(rests) == pytest.approx(writer_priority.MOMENTS * writer_priority.MOMENT)
    writing = writer_priority.writing()
    monkeypatch.setattr(writer_priority.time, "sleep", lambda _moment: writing.__exit__())
    with contextlib.nullcontext(writing.__enter__()):
        writer_priority.yield_to_writer_sync()  # the batch is written: back to work at once
    assert writer_priority._writing == 0
