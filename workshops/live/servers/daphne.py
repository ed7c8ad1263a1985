"""Daphne: close codes that phones know, draining before a stop, and bodies that touch no disk."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from io import BytesIO

from channels.routing import get_default_application
from daphne import http_protocol
from daphne.server import Server
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from django.conf import settings
from twisted.internet.defer import Deferred

from . import BACKLOG, FRAME_LIMIT, LONGEST_BODY, drain


class AnyCloseCodeProtocol(WebSocketProtocol):
    """Autobahn allows applications the close codes 1000 and 3000 to 4999 only; by 1009, 1012 and 1013 a phone knows
    whether it may come back."""

    def serverClose(self, code=None):
        self.sendCloseFrame(code=code or 1000)


class MemoryRequest(http_protocol.WebRequest):
    """Twisted spools a body of more than 100 kB to a file, and a transcript has names in it until they are taken out.
    Here it stays in memory, and more than any page takes is not read."""

    def gotLength(self, length):
        self.content = BytesIO()

    def handleContentChunk(self, data):
        if self.content.tell() + len(data) <= LONGEST_BODY:
            return super().handleContentChunk(data)
        self.channel.transport.write(b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\n\r\n")
        return self.channel.forceAbortClient()


class DrainingServer(Server):
    """Daphne cancels every socket's coroutine at once when it stops, and with them votes that were taken (F09)."""

    def kill_all_applications(self):
        drained = Deferred.fromFuture(asyncio.ensure_future(drain()))
        return drained.addBoth(lambda _outcome: super(DrainingServer, self).kill_all_applications())


def serve(host: str, port: int, ready: Callable[[], None] | None = None) -> None:
    def is_ready() -> None:
        # For every connection from now on; Twisted's own is a minute, in which silent ones are kept (F27).
        server.http_factory.timeOut = settings.FIRST_BYTE_TIMEOUT
        if ready:
            ready()

    WebSocketFactory.protocol = AnyCloseCodeProtocol
    http_protocol.WebRequest = MemoryRequest  # HTTPFactory gives it to every connection
    server = DrainingServer(
        get_default_application(),
        endpoints=[f"tcp:port={port}:interface={host}:backlog={BACKLOG}"],
        websocket_max_message_size=FRAME_LIMIT,
        websocket_max_frame_size=FRAME_LIMIT,
        websocket_handshake_timeout=10,
        ping_interval=math.inf,  # screens speak by themselves, and who says nothing is ended (`LIVE_IDLE_SECONDS`)
        ready_callable=is_ready,
        server_name="vision-workshops",
    )
    server.run()
