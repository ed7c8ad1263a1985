"""Rehearsal phones: they join by the pages, stay by the websocket, answer what is launched, and go when cleared."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys

import pytest
from django.conf import settings

from polls.models import Ballot
from polls.types.base import Option, Question
from tests import factories as make
from tests.browser.server import _environment, start_server
from tests.patience import PATIENCE, eventually, until
from workshops.actions import facilitation
from workshops.models import Participant
from workshops.operations import rehearsal_phones

ROLE = Question("single_choice", "Your role?", options=(Option("a", "Educator"), Option("b", "Leader")))


@pytest.fixture
def room(transactional_db):
    room = make.workshop(started=False)
    make.poll_item(room, ROLE, profile=True, key="role")
    facilitation.start(room.pk, None)
    return room


@pytest.fixture
def server(room, tmp_path):
    server = start_server(tmp_path, LIVE_POLL_SECONDS="0.3")
    yield server
    server.stop()
    assert server.errors == ""


@pytest.mark.slow
def test_eight_phones_join_answer_and_every_acknowledged_paper_is_a_row(room, server):
    command = ["rehearse", room.code, "--phones", "8", "--pace", "20", "--seed", "3", "--quiet"]
    run = subprocess.Popen(
        [sys.executable, "manage.py", *command, "--base-url", server.url],
        cwd=settings.BASE_DIR, env=_environment(), stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        until(lambda: Participant.objects.filter(rehearsal=True).count() == 8)
        poll = make.launched(room)
        until(lambda: poll.ballots.exclude(status="issued").count() >= 5)
        facilitation.end(room.pk, None)
        said = json.loads(run.communicate(timeout=PATIENCE)[0])
    finally:
        run.kill()
    cast = Ballot.objects.filter(revision__gt=0)
    assert (said["joined"], said["failed"], said["reconnects"]) == (8, 0, 0)
    assert said["ballots"] == cast.count()
    assert said["answers"] == sum(cast.values_list("revision", flat=True))
    assert list(cast.values_list("rehearsal", flat=True).distinct()) == [True]
    poll.refresh_from_db()
    assert poll.result["counts"]["cast"] == 0  # nothing of it is frozen


async def test_a_phone_speaks_in_quiet_times_whatever_it_hears(monkeypatch):
    """Found by an hour's run: phones that only pinged in silence were taken for gone while others were heard."""
    monkeypatch.setattr(rehearsal_phones, "PING_SECONDS", 0.01)
    said = []

    class Socket:
        async def send(self, text):
            said.append(json.loads(text)["t"])

    crowd = type("Crowd", (), {"pace": 1.0})()
    phone = rehearsal_phones.SimulatedPhone(crowd, 0, random.Random(1))
    phone.socket = Socket()
    speaking = asyncio.ensure_future(phone._keep_speaking())
    await eventually(lambda: len(said) >= 3)
    speaking.cancel()
    assert set(said) == {"ping"}
