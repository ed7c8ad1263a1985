"""Serve the project: Daphne, tuned for many sockets, with a calm stop."""

from __future__ import annotations

import resource

from django.core.management.base import BaseCommand

FRAME_LIMIT = 16 * 1024  # bytes; the phone's protocol asks for half of that
WANTED_FILES = 65_536


class Command(BaseCommand):
    help = "Serve pages and websockets with Daphne. For a room of people this one process is enough."

    def add_arguments(self, parser):
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 lets other devices in")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args, host: str, port: int, **options):
        self.serve(host, port)

    def serve(self, host: str, port: int, ready=None) -> None:
        from channels.routing import get_default_application
        from daphne.server import Server
        from twisted.internet import reactor

        raise_file_limit(self.stderr.write)
        reactor.addSystemEventTrigger("before", "shutdown", say_goodbye)  # type: ignore[arg-type]
        Server(
            get_default_application(),
            endpoints=[f"tcp:port={port}:interface={host}"],
            websocket_max_message_size=FRAME_LIMIT,
            websocket_max_frame_size=FRAME_LIMIT,
            websocket_handshake_timeout=10,
            ready_callable=ready,
            server_name="vision-workshops",
        ).run()


def raise_file_limit(say) -> None:
    """Every socket is a file: ask for as many as the system allows, and say when that is few."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = WANTED_FILES if hard == resource.RLIM_INFINITY else min(WANTED_FILES, hard)
    if soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if most < 4096:
        say(f"Only {most} files may be open at once, so about {max(0, most - 100)} phones can be here.")


def say_goodbye():
    """Write what waits, then tell every screen that we restart (1012): they come back by themselves."""
    import asyncio

    from twisted.internet.defer import Deferred

    from workshops.live import hub, intake

    async def goodbye() -> None:
        await intake.finish()
        for connection in hub.everyone():
            connection.close(1012)
        await asyncio.sleep(0.3)

    return Deferred.fromFuture(asyncio.ensure_future(goodbye()))
