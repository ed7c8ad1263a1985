"""Announcing a change: never in the way of what was stored, and nothing left behind where it fails."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from django.db import transaction

from workshops.live import broker
from workshops.signals import announce
from workshops.signals.topics import Topic

from ... import factories
from ...patience import eventually


@pytest.mark.django_db(transaction=True)
def test_an_answer_is_acknowledged_although_its_announcement_fails(monkeypatch):
    workshop = factories.workshop()
    poll, who = factories.launched(workshop), factories.participant(workshop)

    def fail(*_args):
        raise RuntimeError("the loop has just ended")

    monkeypatch.setattr(announce, "announce", fail)
    assert factories.vote(who, poll, "yes").value == "yes"
    assert poll.ballots.get().value == "yes"


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_is_not_announced(monkeypatch):
    heard = []
    monkeypatch.setattr(announce, "announce", lambda *args: heard.append(args))
    with contextlib.suppress(ZeroDivisionError), transaction.atomic():
        announce.changed(1, Topic.STAGE)
        raise ZeroDivisionError
    assert heard == []


class Deaf:
    """A channel layer that makes channels and joins no group, as Redis does while it is restarting."""

    def __init__(self):
        self.channels, self.tries = [], 0

    async def new_channel(self):
        self.tries += 1
        self.channels.append(f"channel {self.tries}")
        return self.channels[-1]

    async def group_add(self, group, channel):
        raise ConnectionError

    async def flush(self):
        self.channels.clear()


async def test_listening_to_a_layer_that_is_down_goes_on_and_leaves_no_queue_behind(monkeypatch):
    layer = Deaf()
    monkeypatch.setattr(broker, "get_channel_layer", lambda: layer)
    monkeypatch.setattr(broker, "AGAIN_SECONDS", 0.001)
    listening = asyncio.ensure_future(broker.listen(lambda _workshop, _names: None))
    await eventually(lambda: layer.tries >= 20)
    assert len(layer.channels) <= 1
    listening.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await listening


async def test_an_outage_of_the_layer_is_one_line_however_many_announcements_it_takes(monkeypatch, caplog):
    class Down:
        async def group_send(self, group, message):
            if self.is_down:
                raise ConnectionError

    layer = Down()
    monkeypatch.setattr(broker, "get_channel_layer", lambda: layer)
    monkeypatch.setattr(broker, "_is_away", False)
    for layer.is_down in (True, True, True, False, True, True):
        await broker._send(1, ["tally"])
    assert [record.getMessage() for record in caplog.records] == [
        "other processes are not told at once (ConnectionError); they poll"
    ] * 2
