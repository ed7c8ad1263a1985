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
from websockets.sync.client import ClientConnection, connect

from .browser.server import Server
from .factories import seat_of

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

    def until(self, is_so, seconds: float = 5.0) -> float:
        start = time.monotonic()
        while not is_so(self):
            try:
                self.hear(start + seconds - time.monotonic())
            except TimeoutError:
                pytest.fail(
                    f"not so within {seconds} s; pictures: {self.html}, last heard: {self.heard[-1:]}"
                )
        return time.monotonic() - start

    @property
    def cast(self) -> int:
        """How many have answered, as the wall says it; -1 while it says nothing."""
        found = CAST.search(self.html.get("tally", ""))
        return int(found.group(1)) if found else -1

    def vote(self, poll: Any, value: Any = "yes", op: str = "op1", seq: int = 1) -> dict[str, Any]:
        """The answer to this vote; sent a second time, the answer to that."""
        before = len(self.heard)
        self.say({"t": "vote", "op": op, "poll": poll.pk, "seq": seq, "value": value})
        self.until(lambda screen: len(screen.heard) > before and screen.heard[-1].get("op") == op)
        return self.heard[-1]


@contextlib.contextmanager
def wall_on(server: Server, workshop) -> Iterator[Screen]:
    with connect(f"{server.socket_url}/live/wall/{workshop.wall_key}/", origin=server.url) as wire:
        yield Screen(wire)


@contextlib.contextmanager
def phone_on(server: Server, workshop, who) -> Iterator[Screen]:
    path = f"{server.socket_url}/live/phone/{workshop.code}/"
    with connect(path, origin=server.url, additional_headers={"Cookie": cookie_of(who)}) as wire:
        yield Screen(wire)


@contextlib.contextmanager
def console_on(server: Server, workshop, cookie: str) -> Iterator[Screen]:
    """The console of somebody who is signed in with this cookie."""
    path = f"{server.socket_url}/live/console/{workshop.code}/"
    with connect(path, origin=server.url, additional_headers={"Cookie": cookie}) as wire:
        yield Screen(wire)


def cookie_of(who) -> str:
    return f"{settings.SEAT_COOKIE_NAME}={seat_of(who).as_cookie()}"
