"""Serve the project with Daphne or Uvicorn, tuned for many sockets, with a calm stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import resource

from django.conf import settings
from django.core.management.base import BaseCommand

APPLICATION = "config.asgi:application"
# bytes; Daphne holds its own pictures to it as well, so it is above the 64 KiB that a console may be sent.
# What phones may send is a quarter of the usual limit and checked at our own door (`live.socket`).
FRAME_LIMIT = 96 * 1024
WANTED_FILES = 65_536
BACKLOG = 2048  # handshakes that may wait: a hall of phones comes back in one second
NEWCOMERS = 2  # connections taken in between two looks at those who are in; the others wait in the backlog
FINISH_SECONDS, GOODBYE_SECONDS = 3.0, 0.3


class Command(BaseCommand):
    help = "Serve pages and websockets from one process. For a room of people it is enough."

    def add_arguments(self, parser):
        parser.add_argument(
            "--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 lets other devices in"
        )
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--server", choices=["daphne", "uvicorn"], default="daphne")

    def handle(self, *args, host: str, port: int, server: str, **options):
        self.serve(host, port, server=server)

    def serve(self, host: str, port: int, ready=None, server: str = "daphne") -> None:
        raise_file_limit(self.stderr.write)
        (serve_with_uvicorn if server == "uvicorn" else serve_with_daphne)(host, port, ready)


def serve_with_daphne(host: str, port: int, ready=None) -> None:
    from channels.routing import get_default_application
    from daphne.server import Server
    from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
    from twisted.internet.defer import Deferred
    from twisted.internet.tcp import Port

    from workshops.live.direct import doorstep

    class FrankProtocol(WebSocketProtocol):
        def serverClose(self, code=None):
            """Autobahn lets applications say 1000 and 3000 to 4999 only; phones need to know 1009, 1012 and 1013."""
            self.sendCloseFrame(code=code or 1000)

    class CalmPort(Port):
        """Twisted takes in more and more newcomers at a time; meanwhile nobody who is in is heard."""

        numberAccepts = property(lambda self: NEWCOMERS, lambda self, wanted: None)

    class CalmServer(Server):
        def listen_success(self, port):
            super().listen_success(port)
            if type(port) is Port:
                port.__class__ = CalmPort

        def kill_all_applications(self):
            """Daphne ends every socket's coroutine at once: not before all that was taken is written and answered."""
            goodbye = Deferred.fromFuture(asyncio.ensure_future(say_goodbye()))
            return goodbye.addBoth(lambda _outcome: super(CalmServer, self).kill_all_applications())

    def build_protocol(address):
        """Daphne's, with the doorstep before it."""
        protocol = type(server.http_factory).buildProtocol(server.http_factory, address)

        def write_and_close(page: bytes) -> None:
            protocol._channel.write(page)
            protocol._channel.loseConnection()

        if hasattr(protocol, "_channel"):  # as in the Twisted that this was written for
            doorstep.before(protocol, write_and_close)
        return protocol

    def is_ready() -> None:
        server.http_factory.buildProtocol = build_protocol
        server.http_factory.timeOut = (
            settings.SILENT_SECONDS  # for every connection from now on; Twisted's own is a minute
        )
        if ready:
            ready()

    WebSocketFactory.protocol = FrankProtocol
    server = CalmServer(
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


def serve_with_uvicorn(host: str, port: int, ready=None) -> None:
    """About a fifth of Daphne's work per message. No deflate: small texts gain little and cost memory."""
    import uvicorn
    from uvicorn.protocols.http.auto import AutoHTTPProtocol

    from workshops.live.direct import doorstep
    from workshops.live.direct.hearing import HearingProtocol

    class ImpatientProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
        """Uvicorn waits for ever for a first request, and for the rest of its head. Ours does not, and has the doorstep
        before it."""

        has_spoken = False

        def connection_made(self, transport) -> None:
            super().connection_made(transport)
            self._patience = self.loop.call_later(settings.SILENT_SECONDS, self._close_if_silent)

        def connection_lost(self, exc) -> None:
            self._patience.cancel()  # or a crowd that was turned away is kept for as long
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            is_first, self.has_spoken = not self.has_spoken, True
            if is_first and (page := doorstep.answer(data)):
                self.transport.write(page)
                return self.transport.close()
            return super().data_received(data)

        def _close_if_silent(self) -> None:
            is_ours = self.transport.get_protocol() is self  # and no websocket's by now
            if is_ours and self.cycle is None:
                self.transport.close()

    class Server(uvicorn.Server):
        async def startup(self, sockets=None) -> None:
            await super().startup(sockets)
            if ready and self.started:
                ready()

        async def shutdown(self, sockets=None) -> None:
            await say_goodbye()
            await super().shutdown(sockets)

    # A phone can send what is no text as often as it likes: it is told 1007, and a traceback each would fill the log.
    logging.getLogger("uvicorn.error").addFilter(lambda line: "Invalid UTF-8" not in line.getMessage())
    Server(
        uvicorn.Config(
            APPLICATION,
            host=host,
            port=port,
            backlog=BACKLOG,
            http=ImpatientProtocol,
            ws=HearingProtocol,
            ws_max_size=FRAME_LIMIT,
            ws_per_message_deflate=False,
            ws_ping_interval=None,  # screens speak by themselves, and who says nothing is ended (`LIVE_IDLE_SECONDS`)
            lifespan="off",
            log_config=None,  # ours: request lines carry addresses of participants
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=5,
        )
    ).run()


def raise_file_limit(say) -> None:
    """Every socket is a file: ask for as many as the system allows, and say when that is few."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = WANTED_FILES if hard == resource.RLIM_INFINITY else min(WANTED_FILES, hard)
    if soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if most < 4096:
        say(f"Only {most} files may be open at once, so about {max(0, most - 100)} phones can be here.")


async def say_goodbye() -> None:
    """Write and answer what waits, then tell every screen that we restart (1012): they come back by themselves."""
    from workshops.live import hub, intake

    with contextlib.suppress(
        TimeoutError
    ):  # a database that takes nothing: phones keep what was not answered
        await asyncio.wait_for(intake.finish(), FINISH_SECONDS)
    await asyncio.sleep(GOODBYE_SECONDS)  # answers go out
    for connection in hub.everyone():
        connection.close(1012)
    await asyncio.sleep(GOODBYE_SECONDS)
