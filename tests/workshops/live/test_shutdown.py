"""A stop in the middle of a vote: what was acknowledged is stored, everybody is told, and comes back by themselves."""

from __future__ import annotations

import asyncio
import json
import signal

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from polls.models import Ballot

from ... import factories
from ...browser.server import start_server
from ...patience import PATIENCE, eventually
from ...socket_screens import cookie_of, phone_on

PHONES, VOTES_EACH = 20, 10


class Phone:
    """Sends its votes at once and keeps what it hears until the server closes the socket."""

    def __init__(self, url: str, workshop, who) -> None:
        self.url, self.workshop, self.cookie = url, workshop, cookie_of(who)
        self.voter = who.voter
        self.acked: list[str] = []
        self.busy: list[str] = []
        self.closed = 0

    async def run(self, polls: list[int], go: asyncio.Event, under_way: asyncio.Semaphore) -> None:
        address = f"{self.url.replace('http', 'ws')}/live/phone/{self.workshop.code}/"
        async with connect(
            address,
            origin=self.url,
            additional_headers={"Cookie": self.cookie},
            ping_interval=None,
            open_timeout=PATIENCE,
        ) as wire:
            under_way.release()
            await go.wait()
            sending = asyncio.ensure_future(self._send(wire, polls))
            try:
                while True:
                    self._hear(json.loads(await wire.recv()))
            except ConnectionClosed as end:
                self.closed = end.rcvd.code if end.rcvd else 0
            await asyncio.gather(sending, return_exceptions=True)

    async def _send(self, wire, polls: list[int]) -> None:
        """The first half at once, the second while the server is stopping."""
        for seq, poll in enumerate(polls, start=1):
            if seq > len(polls) // 2:
                await asyncio.sleep(0.05)
            await wire.send(
                json.dumps(
                    {"t": "vote", "op": f"op{seq}", "poll": poll, "seq": seq, "fields": {"choice": ["yes"]}}
                )
            )

    def _hear(self, frame: dict) -> None:
        if frame["t"] == "ack":
            self.acked.append(frame["op"])
        elif frame["t"] == "nack":
            assert frame["code"] == "busy", frame
            self.busy.append(frame["op"])


async def _crowd(server, workshop, people, polls) -> list[Phone]:
    phones = [Phone(server.url, workshop, who) for who in people]
    go, here = asyncio.Event(), asyncio.Semaphore(0)
    running = [asyncio.ensure_future(phone.run(polls, go, here)) for phone in phones]
    for _ in phones:
        await here.acquire()
    go.set()
    await eventually(lambda: any(phone.acked for phone in phones))
    server.process.send_signal(signal.SIGTERM)
    await asyncio.wait_for(asyncio.gather(*running), PATIENCE)
    return phones


@pytest.mark.parametrize("command", ["daphne", "uvicorn"])
def test_a_stop_with_two_hundred_votes_in_flight_loses_nothing_that_was_acknowledged(
    transactional_db, tmp_path, command
):
    workshop = factories.workshop(None, *[factories.YES_NO] * VOTES_EACH)
    people = [factories.participant(workshop) for _ in range(PHONES)]
    polls = [item.poll_id for item in workshop.agenda.all()]
    for poll in polls:
        open_beside_the_stage(poll)
    server = start_server(tmp_path, server=command)
    phones = asyncio.run(_crowd(server, workshop, people, polls))
    server.process.wait(PATIENCE)
    assert {phone.closed for phone in phones} == {1012}
    stored = set(Ballot.objects.filter(status="cast").values_list("voter", "op"))
    acked = {(phone.voter, op) for phone in phones for op in phone.acked}
    busy = sum(len(phone.busy) for phone in phones)
    print(f"{command}: {len(acked)} acked, {busy} busy, {len(stored)} stored")
    assert acked
    assert acked <= stored
    assert server.errors == ""
    # … and the same server, started again, takes the same operation once more with the same receipt.
    again = start_server(tmp_path, port=server.port, server=command)
    try:
        voter, op = sorted(acked)[0]
        who = next(person for person in people if person.voter == voter)
        with phone_on(again, workshop, who) as phone:
            seq = int(op.removeprefix("op"))
            phone.say(
                {"t": "vote", "op": op, "poll": polls[seq - 1], "seq": seq, "fields": {"choice": ["yes"]}}
            )
            phone.until(lambda screen: screen.heard and screen.heard[-1].get("op") == op)
            assert phone.heard[-1]["t"] == "ack"
    finally:
        again.stop()
    assert set(Ballot.objects.filter(status="cast").values_list("voter", "op")) == stored


def open_beside_the_stage(poll: int) -> None:
    """Several questions open at once, so that one phone can have many votes under way."""
    from polls import ballot_box

    ballot_box.open_poll(poll)
