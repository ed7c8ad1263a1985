"""Two server processes on one database and one Redis."""

from __future__ import annotations

from ... import factories, services
from ...browser.server import Server
from ...patience import until
from ...socket_screens import Screen, wall_on

#: Looking by itself is switched off for longer than a test waits, so what is seen came by Redis.
BY_REDIS_ALONE = {"LIVE_POLL_SECONDS": "3600"}


def hears_the_other(here: Server, there: Server, workshop, redis: services.Redis) -> None:
    """Wait until both processes listen to the layer: a new process subscribes with its first visitor."""
    with wall_on(here, workshop) as one, wall_on(there, workshop) as other:
        for screen in (one, other):
            screen.until(lambda s: "tally" in s.html)
    until(lambda: redis.listeners == 2)


def shows_question(screen: Screen) -> bool:
    return factories.YES_NO.text in screen.html.get("stage", "")
