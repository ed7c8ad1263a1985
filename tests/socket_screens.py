"""Screens over a real network connection: for tests with real server processes."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from workshops.people.participant_cookie import ParticipantToken

from .browser.server import Server
from .factories import token_of
from .patience import PATIENCE

CAST = re.compile(r'class="wall-count"><b>(\d+)</b>')


class Screen:
    """One open websocket. `until` hears until something is so and says how many seconds that took."""

    def __init__(self, wire: ClientConnection) -> None:
        self.wire = wire
        self.html: dict[str, str] = {}  # the newest picture of each topic
        self.heard: list[dict[str, Any]] = []
        self.say({"t": "hello", "seen": {}})

    def say(self, frame: dict[str, Any]) -> None:
        self.wire.send(json.dumps(frame))

    def hear(self, seconds: float) -> dict[str, Any]:
        frame = json.loads(self.wire.recv(timeout=max(0.001, seconds)))
        self.heard.append(frame)
        if frame["t"] == "screen":
            self.html[frame["topic"]] = frame["html"]
        return frame

    def until(self, is_so) -> float:
        start = time.monotonic()
        while not is_so(self):
            try:
                self.hear(start + PATIENCE - time.monotonic())
            except TimeoutError:
                pytest.fail(
                    f"not so within {PATIENCE:g} s; pictures: {self.html}, last heard: {self.heard[-1:]}"
                )
        return time.monotonic() - start

    def ended(self) -> int:
        """The close code, after whatever was still said."""
        try:
            while True:
                self.hear(PATIENCE)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 0

    @property
    def cast(self) -> int:
        """How many have answered, as the wall says it; -1 while it says nothing."""
        found = CAST.search(self.html.get("tally", ""))
        return int(found.group(1)) if found else -1

    def vote(
        self, poll: Any, value: str = "yes", op: str = "op1", seq: int = 1, field: str = "choice"
    ) -> dict[str, Any]:
        """The answer to this vote; sent a second time, the answer to that."""
        before = len(self.heard)
        self.say({"t": "vote", "op": op, "poll": poll.pk, "seq": seq, "fields": {field: [value]}})
        self.until(lambda screen: len(screen.heard) > before and screen.heard[-1].get("op") == op)
        return self.heard[-1]


@contextlib.contextmanager
def wall_on(server: Server, workshop) -> Iterator[Screen]:
    with connect(
        f"{server.socket_url}/live/wall/{workshop.wall_key}/",
        origin=server.url,
        open_timeout=PATIENCE,
        ping_interval=None,
    ) as wire:
        yield Screen(wire)


@contextlib.contextmanager
def phone_on(server: Server, workshop, who) -> Iterator[Screen]:
    with _screen_on(server, f"phone/{workshop.code}", cookie_of(who)) as screen:
        yield screen


@contextlib.contextmanager
def observer_on(server: Server, workshop) -> Iterator[Screen]:
    """Somebody else each time who listens without being counted."""
    token = ParticipantToken.for_observer(workshop.pk).as_cookie()
    cookie = f"{settings.PARTICIPANT_COOKIE_NAME}={token}"
    with _screen_on(server, f"phone/{workshop.code}", cookie) as screen:
        yield screen


@contextlib.contextmanager
def console_on(server: Server, workshop, cookie: str) -> Iterator[Screen]:
    """The console of somebody who is signed in with this cookie."""
    with _screen_on(server, f"console/{workshop.code}", cookie) as screen:
        yield screen


@contextlib.contextmanager
def _screen_on(server: Server, address: str, cookie: str) -> Iterator[Screen]:
    with connect(
        f"{server.socket_url}/live/{address}/",
        origin=server.url,
        additional_headers={"Cookie": cookie},
        open_timeout=PATIENCE,
        ping_interval=None,
    ) as wire:
        yield Screen(wire)


def cookie_of(who) -> str:
    return f"{settings.PARTICIPANT_COOKIE_NAME}={token_of(who).as_cookie()}"
