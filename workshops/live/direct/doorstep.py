"""The doorstep: while no newcomer can be let in, a first look is answered before the HTTP server has read it.

A thousand people a second who are told to come again cost more than a process has, if each becomes a request of the
server, of ASGI and of Django: then those who are in wait for their acknowledgements, and connections that nobody
takes in are reset. Here it is one match and one write.

Below the server, as pictures go out (`lines`), and guarded like them: only a whole first look at a page that
newcomers know, without a seat, as the first that a connection says. Everything else, whoever is in, every form that
was filled in, and all of it with LIVE_DIRECT=false, the server reads. That is the plain twin.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

from django.conf import settings

LOOK_LIMIT = 4096  # bytes; a browser's request has some hundred
LOOK = re.compile(rb"GET (/(?:w/[0-9A-Za-z]{1,12}/(?:consent/)?)?) HTTP/1\.1\r\n")
LANGUAGE = re.compile(rb"\r\naccept-language:[ \t]*([^\r\n]*)", re.IGNORECASE)
SECURE = re.compile(rb"\r\nx-forwarded-proto:[ \t]*https[ \t]*\r\n", re.IGNORECASE)

#: path, Accept-Language, whether by https: a whole answer, or `None` for somebody who may come in
TurnAway = Callable[[str, str, bool], bytes | None]

_doors: dict[asyncio.AbstractEventLoop, TurnAway] = {}


def keep(turn_away: TurnAway) -> None:
    """Who decides in this loop whether somebody is sent away, and with what."""
    _doors.clear()
    _doors[asyncio.get_running_loop()] = turn_away


def answer(data: bytes) -> bytes | None:
    """What is written to a connection that says this first, before it is closed; `None`: the server reads it."""
    look = LOOK.match(data)
    if not look or len(data) > LOOK_LIMIT or data.find(b"\r\n\r\n") != len(data) - 4:
        return None
    if not settings.LIVE_DIRECT or settings.SEAT_COOKIE_NAME.encode() + b"=" in data:
        return None
    if not (turn_away := _doors.get(asyncio.get_running_loop())):
        return None
    language = LANGUAGE.search(data)
    languages = language[1].decode("latin-1").strip() if language else ""
    return turn_away(look[1].decode(), languages, settings.HTTPS and bool(SECURE.search(data)))


def before(protocol: Any, write_and_close: Callable[[bytes], None]) -> None:
    """Have the doorstep look at what a connection says first; whatever else it says is read by `protocol` itself."""

    def received(data: bytes) -> None:
        del protocol.dataReceived  # the class's own again; and nothing that holds itself stays behind
        if page := answer(data):
            return write_and_close(page)
        return protocol.dataReceived(data)

    protocol.dataReceived = received
