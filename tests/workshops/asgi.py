"""The project's own ASGI application, without a server: sockets that speak and hear, requests and their answers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import urllib.parse

from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.db import connection, connections

from config.asgi import application
from workshops.live import broker, engine, socket, write_batcher
from workshops.live import hub as hubs
from workshops.people.participant_cookie import ParticipantToken

from .. import factories
from ..patience import PATIENCE

ORIGIN = "http://localhost:8000"


def question_on_stage():
    """A workshop, the poll on its stage and somebody who takes part."""
    workshop = factories.workshop()
    return workshop, factories.launched(workshop), factories.participant(workshop)


class Screen:
    """One socket: opens, says, hears; `until` skips what it does not look for."""

    def __init__(self, path, *, cookie="", origin=ORIGIN, host=b"localhost:8000"):
        headers = [
            (b"host", host),
            *([(b"origin", origin.encode())] if origin is not None else []),
            *([(b"cookie", cookie.encode())] if cookie else []),
        ]
        self.wire = WebsocketCommunicator(application, path, headers=headers)

    async def open(self):
        self.accepted, _ = await self.wire.connect(timeout=PATIENCE)
        return self

    async def say(self, text):
        await self.wire.send_to(text_data=text if isinstance(text, str) else json.dumps(text))

    async def hear(self):
        return json.loads(await self.wire.receive_from(timeout=PATIENCE))

    async def until(self, *kinds):
        while True:
            frame = await self.hear()
            if frame["t"] in kinds:
                return frame

    async def ended(self):
        """The close code, after whatever was still said."""
        while True:
            message = await self.wire.receive_output(timeout=PATIENCE)
            if message["type"] == "websocket.close":
                return message["code"]

    async def leave(self):
        await self.wire.send_input({"type": "websocket.disconnect", "code": 1001})
        await self.wire.wait(timeout=PATIENCE)


@contextlib.asynccontextmanager
async def open_screens():
    """A way to open screens; afterwards every task and connection that they started is gone."""
    opened = []

    async def screen(path, **options):
        opened.append(await Screen(path, **options).open())
        return opened[-1]

    yield screen
    for one in opened:
        if not one.wire.future.done():
            await one.leave()
    await end_engine()


async def _cancel(tasks):
    """Until they are gone: the Redis client swallows a cancellation that comes while it connects."""
    for _ in range(20):
        waiting = [task for task in tasks if not task.done()]
        for task in waiting:
            task.cancel()
        if waiting:
            await asyncio.wait(waiting, timeout=0.3)


async def end_engine():
    await _cancel([*engine._tasks, *broker._sending])
    for made in write_batcher._batchers.values():
        await asyncio.get_running_loop().run_in_executor(made._writer, lambda: connection.close())
        made._task.cancel()
        made._writer.shutdown()
    write_batcher._batchers.clear()
    both = threading.Barrier(2, timeout=PATIENCE)

    def close():
        both.wait()
        connection.close()

    await asyncio.gather(hubs.read(close), hubs.read(close))
    await sync_to_async(connections.close_all)()
    hubs.use_loop(None)
    socket._known.clear()


def seat(who):
    return f"{settings.PARTICIPANT_COOKIE_NAME}={factories.token_of(who).as_cookie()}"


def observer(workshop):
    """The cookie of another one each time."""
    return f"{settings.PARTICIPANT_COOKIE_NAME}={ParticipantToken.for_observer(workshop.pk).as_cookie()}"


def path(workshop):
    return f"/live/phone/{workshop.code}/"


def vote(poll, value="yes", op="op1", seq=1):
    return {"t": "vote", "op": op, "poll": poll.pk, "seq": seq, "fields": {"choice": [value]}}


class Answer:
    """A response over the real ASGI application."""

    def __init__(self, start, body):
        self.status = start["status"]
        self.headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        self.text = body.decode()


async def ask(address, *, method="GET", cookie="", data=None, frame=None, peer="192.0.2.1", origin=ORIGIN):
    """One request through the project's own ASGI application; it says which page it comes from."""
    body, kind = b"", b"application/x-www-form-urlencoded"
    if method == "POST":
        body = urllib.parse.urlencode(data or {}, doseq=True).encode()
    if frame is not None:
        body, kind = json.dumps(frame).encode(), b"application/json"
    plain, _, query = address.partition("?")
    scope = {
        "type": "http", "http_version": "1.1", "method": method, "scheme": "http", "root_path": "",
        "path": urllib.parse.unquote(plain), "raw_path": plain.encode(), "query_string": query.encode(),
        "server": ("localhost", 8000), "client": (peer, 5000),
        "headers": [
            (b"host", b"localhost:8000"), (b"cookie", cookie.encode()), (b"content-type", kind),
            (b"origin", origin.encode()), (b"content-length", str(len(body)).encode()),
        ],
    }  # fmt: skip
    if method == "GET":
        scope["headers"] = [pair for pair in scope["headers"] if pair[0] != b"content-length"]
    wire = ApplicationCommunicator(application, scope)
    await wire.send_input({"type": "http.request", "body": body})
    start = await wire.receive_output(timeout=PATIENCE)
    answer = Answer(start, (await wire.receive_output(timeout=PATIENCE))["body"])
    await wire.wait(timeout=PATIENCE)
    return answer


async def post(address, data=None, cookie="cookies=on", **options):
    return await ask(address, method="POST", data=data, cookie=cookie, **options)


def is_strict(policy):
    return "default-src 'none'" in policy and "unsafe" not in policy
