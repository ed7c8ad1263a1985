"""What machines ask a server process: is it alive, may it be sent people, how is it doing.

`/healthz`  the process answers. No database: a database that is down must not make anybody restart us.
`/readyz`   the database answers, has our tables and room to write, and the process is not about to stop: 200, else
            503. Redis that cannot be reached is said and is no reason to refuse people: hubs look by themselves.
`/metrics`  Prometheus text, for whoever shows METRICS_TOKEN; without a token set there is no such page.

In front of Django, so that a probe costs neither a session nor a thread hop and needs no allowed host name.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import shutil
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ..signals.topics import Audience
from . import hub, metrics, write_batcher

log = logging.getLogger(__name__)
LOOK_SECONDS = 2.0  # what does not answer within it counts as unreachable
LEAST_ROOM = 20 * 2**20  # bytes free; with less, votes are about to be answered "busy"
FRESH_SECONDS = 1.0  # however often it is asked, we look no more often than this

PLAIN, JSON = b"text/plain; charset=utf-8", b"application/json"
Answer = tuple[int, bytes, bytes]  # status, content type, body


def attach(application):
    """The ASGI application, with these three addresses before it."""

    async def with_health(scope, receive, send):
        if scope["type"] == "http" and (page := PAGES.get(scope["path"])):
            return await _send(send, await page(scope), scope["method"])
        return await application(scope, receive, send)

    return with_health


async def _send(send: Callable, answer: Answer, method: str) -> None:
    status, kind, body = answer
    if method not in ("GET", "HEAD"):
        status, kind, body = 405, PLAIN, b"GET only\n"
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})


async def _alive(scope: dict[str, Any]) -> Answer:
    return 200, PLAIN, b"alive\n"


# --- ready ----------------------------------------------------------------------------------------------


async def _ready(scope: dict[str, Any]) -> Answer:
    state = await _state.look()
    return (200 if state["ready"] else 503), JSON, msgspec.json.encode(state) + b"\n"


class _State:
    """What was seen last, looked at anew when it is old. Many who ask at once share one look."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ready")
        self._looking: asyncio.Future | None = None
        self._seen: dict[str, str] = {}
        self._seen_at = float("-inf")
        self.has_tables = False  # once seen, always there: only the first looks cost more than SELECT 1

    async def look(self) -> dict[str, Any]:
        """`{"ready", "process", "database", "layer"}`, each word one of few; never an address, never a reason."""
        if time.monotonic() - self._seen_at > FRESH_SECONDS:
            if self._looking is None or self._looking.done() or self._looking.get_loop() is not _loop():
                self._looking = asyncio.ensure_future(self._look())
            await asyncio.shield(self._looking)
        process = "serving" if write_batcher.is_taking() else "stopping"
        is_ready = process == "serving" and self._seen["database"] == "ok"
        return {"ready": is_ready, "process": process, **self._seen}

    async def _look(self) -> None:
        database, layer = await asyncio.gather(_within(self._database()), _within(_layer()))
        self._seen = {"database": database or "unreachable", "layer": layer or "degraded"}
        self._seen_at = time.monotonic()

    async def _database(self) -> str:
        return await _loop().run_in_executor(self._thread, self._ask_database)

    def _ask_database(self) -> str:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            self.has_tables = self.has_tables or _is_migrated()
            if not self.has_tables:
                return "migrations missing"
            return "ok" if _has_room() else "disk full"
        finally:
            connection.close()


def _has_room() -> bool:
    """Is there room beside an SQLite file for what is written next? A server says so by itself, elsewhere."""
    if connection.vendor != "sqlite" or ":memory:" in str(connection.settings_dict["NAME"]):
        return True
    return shutil.disk_usage(Path(connection.settings_dict["NAME"]).parent).free >= LEAST_ROOM


def _is_migrated() -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


async def _layer() -> str:
    if not settings.REDIS_URL:
        return "in memory"
    from redis.asyncio import Redis

    client: Redis = Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1)
    try:
        await client.ping()
    finally:
        await client.aclose()
    return "ok"


async def _within(looking: Awaitable[str]) -> str:
    """The word, or nothing where it took too long or failed."""
    try:
        return await asyncio.wait_for(looking, LOOK_SECONDS)
    except Exception as error:
        log.warning("readiness: %s", type(error).__name__)
        return ""


def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


_state = _State()


# --- metrics ----------------------------------------------------------------------------------------------


class _Here(Collector):
    """Who is connected and what waits, read off when asked."""

    def collect(self) -> Iterable[GaugeMetricFamily]:
        sockets = GaugeMetricFamily("vision_sockets", "Open websockets.", labels=["audience"])
        here = Counter(connection.audience for connection in hub.everyone())
        for audience in Audience:
            sockets.add_metric([audience.value], here[audience])
        yield sockets
        yield GaugeMetricFamily("vision_hubs", "Workshops with a screen on this process.", value=hub.count())
        yield GaugeMetricFamily(
            "vision_queue_length", "Votes taken and not written yet.", value=write_batcher.waiting()
        )


metrics.REGISTRY.register(_Here())


async def _metrics(scope: dict[str, Any]) -> Answer:
    if not settings.METRICS_TOKEN:
        return 404, PLAIN, b"Set METRICS_TOKEN to have this page.\n"
    shown = dict(scope["headers"]).get(b"authorization", b"")
    if not secrets.compare_digest(shown, b"Bearer " + settings.METRICS_TOKEN.encode()):
        return 403, PLAIN, b"This page needs the token in METRICS_TOKEN.\n"
    return 200, b"text/plain; version=0.0.4; charset=utf-8", generate_latest(metrics.REGISTRY)


PAGES: dict[str, Callable[[dict[str, Any]], Awaitable[Answer]]] = {
    "/healthz": _alive,
    "/readyz": _ready,
    "/metrics": _metrics,
}
