"""A websocket door that a database without an answer does not break: the screen is sent away, to come back by itself.

Around everything that looks before it accepts, the session of a facilitator included. A screen that is in already
keeps its socket through the outage.
"""

from __future__ import annotations

import logging
from typing import Any

from django.db import Error

log = logging.getLogger(__name__)

LATER = 1013  # "try again later"


def or_later(door: Any) -> Any:
    """The ASGI application `door`; closes with 1013 where the database fails it before the handshake is answered.

    Afterwards no door asks the database in this coroutine; `send` is handed on as it is, for the direct lane.
    """

    async def guarded(scope, receive, send) -> None:
        try:
            await door(scope, receive, send)
        except Error as error:
            log.warning("a screen cannot come in: no answer from the database (%s)", type(error).__name__)
            await receive()
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": LATER})

    return guarded
