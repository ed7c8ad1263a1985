"""Uvicorn: about a fifth of Daphne's CPU time per message."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable

import uvicorn
from django.conf import settings
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from ..raw.receive import RawReceiveProtocol
from . import BACKLOG, FRAME_LIMIT, drain

APPLICATION = "config.asgi:application"


class FirstByteTimeoutProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """Uvicorn waits for ever for a first request, and for the rest of its head (F27)."""

    def connection_made(self, transport) -> None:
        super().connection_made(transport)
        self._first_byte_timer = self.loop.call_later(settings.FIRST_BYTE_TIMEOUT, self._close_if_silent)

    def connection_lost(self, exc) -> None:
        self._first_byte_timer.cancel()  # or a crowd that was turned away is kept for as long
        super().connection_lost(exc)

    def _close_if_silent(self) -> None:
        is_ours = self.transport.get_protocol() is self  # and no websocket's by now
        if is_ours and self.cycle is None:
            self.transport.close()


def serve(host: str, port: int, ready: Callable[[], None] | None = None) -> None:
    class Server(uvicorn.Server):
        async def startup(self, sockets=None) -> None:
            await super().startup(sockets)
            if ready and self.started:
                ready()

        async def shutdown(self, sockets=None) -> None:  # Uvicorn's closes sockets whose votes wait (F09)
            await drain()
            await super().shutdown(sockets)

    # A client that sends invalid UTF-8 is closed with 1007; a traceback for each would let it fill the log.
    logging.getLogger("uvicorn.error").addFilter(lambda line: "Invalid UTF-8" not in line.getMessage())
    server = Server(
        uvicorn.Config(
            APPLICATION,
            host=host,
            port=port,
            backlog=BACKLOG,
            http=FirstByteTimeoutProtocol,
            ws=RawReceiveProtocol,
            ws_max_size=FRAME_LIMIT,
            ws_per_message_deflate=False,  # small frames gain little
            ws_ping_interval=None,  # screens speak by themselves, and who says nothing is ended (`LIVE_IDLE_SECONDS`)
            lifespan="off",
            log_config=None,  # ours: request lines carry addresses of participants
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=5,
        )
    )
    with contextlib.suppress(KeyboardInterrupt):  # raised again after the drain
        server.run()
