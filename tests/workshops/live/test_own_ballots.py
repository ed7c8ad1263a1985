"""A person's own paper reaches every screen of theirs, however it was cast. Found by histories with two tabs."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from polls.models import Ballot
from workshops.live import hub as hubs
from workshops.live import own_ballots
from workshops.live.connection import Connection
from workshops.screens import queries
from workshops.signals.topics import Audience

from ... import factories


@pytest.fixture
def asked(transactional_db):
    workshop = factories.workshop()
    poll = factories.launched(workshop)
    return workshop, poll, factories.participant(workshop)


class Screen(Connection):
    """A connection that keeps what it is told."""

    def __init__(self, audience, voter):
        super().__init__(audience, voter)
        self.told = []

    def send(self, payload):
        self.told.append(json.loads(payload))


@pytest.fixture
async def screen(asked):
    """A phone's connection that has said hello when it had no paper, and what it was told since."""
    hubs.use_loop(asyncio.get_running_loop())
    workshop, _poll, who = asked
    connection = Screen(Audience.PHONE, who.voter)
    connection.send_ballots([])
    connection.told.clear()
    hub = hubs.of(workshop.pk)
    hub.add(connection)
    yield connection
    hubs.leave(hub, connection)
    hubs.use_loop(None)


async def vote(who, poll, value, seq):
    return await sync_to_async(factories.vote)(who, poll, value, f"op{seq}", seq)


async def look(workshop):
    await own_ballots.bring_to(hubs.of(workshop.pk))


async def test_a_paper_that_was_cast_elsewhere_is_told_once(asked, screen):
    workshop, poll, who = asked
    receipt = await vote(who, poll, "yes", 1)
    await look(workshop)
    await look(workshop)
    own = {
        "poll": poll.pk,
        "seq": 1,
        "status": "cast",
        "fields": {"choice": ["yes"]},
        "marks": ["yes"],
        "said": receipt.said,
    }
    assert screen.told == [{"t": "mine", "papers": [own]}]


async def test_a_changed_answer_is_told_again(asked, screen):
    workshop, poll, who = asked
    for seq, value in enumerate(["yes", "no"], start=1):
        await vote(who, poll, value, seq)
        await look(workshop)
    assert [frame["papers"][0]["marks"] for frame in screen.told] == [["yes"], ["no"]]


async def test_who_has_been_acknowledged_is_not_told_again(asked, screen):
    workshop, poll, who = asked
    await vote(who, poll, "yes", 1)
    screen.mark_acked(poll.pk, 1)
    await look(workshop)
    assert screen.told == []


async def test_a_paper_cast_just_before_the_close_is_told_too(asked, screen):
    workshop, poll, who = asked
    await vote(who, poll, "yes", 1)
    await sync_to_async(factories.facilitation.close)(workshop.pk, None)
    await look(workshop)
    assert len(screen.told) == 1


async def test_what_was_cast_while_this_process_could_not_look_is_told_later(asked, screen, monkeypatch):
    workshop, poll, who = asked
    hub = hubs.of(workshop.pk)
    hub.papers_since = timezone.now() - timedelta(minutes=5)  # cut off since then
    await vote(who, poll, "yes", 1)
    await sync_to_async(Ballot.objects.update)(cast_at=timezone.now() - timedelta(minutes=4))
    await look(workshop)
    assert [frame["papers"][0]["seq"] for frame in screen.told] == [1]
    with monkeypatch.context() as broken:
        broken.setattr(queries, "cast_since", lambda *_asked: 1 / 0)
        before = hub.papers_since
        with pytest.raises(ZeroDivisionError):
            await look(workshop)
    assert hub.papers_since == before


async def test_nobody_is_told_the_paper_of_another(asked, screen):
    workshop, poll, _who = asked
    stranger = await sync_to_async(factories.participant)(workshop)
    await vote(stranger, poll, "yes", 1)
    await look(workshop)
    assert screen.told == []


async def test_a_screen_before_its_hello_is_left_alone(asked, screen):
    workshop, poll, who = asked
    early = Screen(Audience.PHONE, who.voter)
    hub = hubs.of(workshop.pk)
    hub.add(early)
    await vote(who, poll, "yes", 1)
    await look(workshop)
    assert early.told == []
    hubs.leave(hub, early)


async def test_looking_costs_one_read_while_nobody_is_behind(asked, screen, monkeypatch):
    workshop, poll, who = asked
    await vote(who, poll, "yes", 1)
    await look(workshop)
    reads, read = [], hubs.read

    async def counted(function, *args):
        reads.append(function.__name__)
        return await read(function, *args)

    monkeypatch.setattr(hubs, "read", counted)
    await look(workshop)
    assert reads == ["cast_since"]
