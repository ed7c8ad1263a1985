"""Pages of staff and readers are Django's own, which gives each request a thread: here their number is limited.

People who are signed in wait for one another only. Visitors share a few slots, so that a crowd at the sign-in page
stops nobody who runs a workshop, and no vote; a cookie that only looks like a session is a visitor's. Nobody holds a
slot while they send or read slowly.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from io import BytesIO
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.db import Error
from django.http import parse_cookie

from workshops.live import socket

from .queue import AdmissionQueue
from .retry_later_page import STAFF

AT_ONCE = 8  # pages, and threads, of people who are signed in
SIGNED_IN_PATIENCE = 60.0  # seconds
#: between two pages of visitors: a page takes about a third of it, so they leave most of a processor to those who work
VISITOR_PAUSE = 0.01  # seconds
# of people who are signed in: pictures and transcripts, over slow lines
UPLOAD_LIMIT, UPLOAD_SECONDS = settings.FILE_UPLOAD_MAX_MEMORY_SIZE + 2**20, 120.0
REMEMBERED_SECONDS, REMEMBERED = 60.0, 1000  # sessions that were found to be somebody's


class StaffQueues:
    def __init__(self) -> None:
        few = max(1, settings.PARTICIPANT_THREADS // 2)
        self.signed_in = AdmissionQueue(
            STAFF, AT_ONCE, settings.PARTICIPANT_QUEUE, SIGNED_IN_PATIENCE, first=True
        )
        self.anonymous = AdmissionQueue(STAFF, few, settings.PARTICIPANT_QUEUE)
        self._signed_in_until: dict[str, float] = {}

    async def of(self, scope: dict[str, Any]) -> AdmissionQueue:
        """The queue in which this request waits."""
        try:
            if scope["path"].startswith("/wall/"):  # its address is a secret of the room
                key = scope["path"].removeprefix("/wall/").rstrip("/")
                return self.signed_in if await socket.workshop_id(wall_key=key) else self.anonymous
            return self.signed_in if await self._is_signed_in(scope) else self.anonymous
        except Error:  # the database: Django says so, in words
            return self.anonymous

    async def _is_signed_in(self, scope: dict[str, Any]) -> bool:
        raw = dict(scope["headers"]).get(b"cookie", b"").decode("latin-1")
        if not (key := parse_cookie(raw).get(settings.SESSION_COOKIE_NAME)):
            return False
        now = time.monotonic()
        if self._signed_in_until.get(key, 0.0) > now:
            return True
        if not await socket.read_at_the_door(_has_user, key):
            return False
        if len(self._signed_in_until) >= REMEMBERED:
            self._signed_in_until.clear()
        self._signed_in_until[key] = now + REMEMBERED_SECONDS
        return True


def _has_user(session_key: str) -> bool:
    return SESSION_KEY in import_module(settings.SESSION_ENGINE).SessionStore(session_key)


async def answered(
    application: Any, scope: dict[str, Any], body: BytesIO, receive: Callable
) -> list[dict[str, Any]]:
    """What the application sends, once all of it is there."""
    first = [{"type": "http.request", "body": body.getvalue(), "more_body": False}]
    said: list[dict[str, Any]] = []

    async def receive_again() -> dict[str, Any]:
        return first.pop() if first else await receive()

    async def keep(message: dict[str, Any]) -> None:
        said.append(message)

    await application(scope, receive_again, keep)
    return said
