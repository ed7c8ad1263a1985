"""One run against one server: join, launch, vote, count, judge."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import figures, servers
from .children import Child, Progress, child
from .servers import Kind, Server

PATIENCE = 30.0  # seconds after the window until a phone without the final number counts as left out
LAUNCH_SECONDS = 30.0
SETTLE_SECONDS = 0.5


@contextmanager
def prepared(place: Path, progress: Progress, module: str = "room") -> Iterator[Child]:
    """A fresh database in `place`, and the subprocess that creates workshops in it (`module`: `room` or a like one)."""
    progress("making a fresh database")
    servers.manage(place, "migrate")
    with child(module, servers.environment(place), progress) as room:
        yield room


def run(
    kind: Kind, phones: int, window: float, place: Path, room: Child, progress: Progress
) -> dict[str, Any]:
    """Measure one kind of server, started for this run alone; the result as JSON-ready values."""
    with _standing(kind, phones, place, room, progress) as (server, crowd, address):
        crowd.ask("open_wall", key=address["wall_key"])
        measured = measure(server, crowd, address["cookies"], window, launch=_launcher(kind, room))
    counted: dict[str, int | None] = room.ask("count") if kind.durable else {"rows": None, "tally": None}
    error = servers.errors(place, kind)
    return judged({"server": kind.name, "label": kind.label, "window": window, **measured}, counted, error)


def run_joining(kind: Kind, phones: int, place: Path, room: Child, progress: Progress) -> dict[str, Any]:
    """Measure only joining, for a design that could not cope with so many votes."""
    with _standing(kind, phones, place, room, progress) as (server, crowd, address):
        joined, grown = _joined(server, crowd, address["cookies"])
    votes = {"joined": joined["joined"]}
    measured = {"server": kind.name, "label": f"{kind.label}, joining", "phones": phones, "votes": votes}
    measured |= _joining(phones, joined, grown)
    reasons = figures.differing("Phones that joined", joined["joined"], phones)
    reasons += figures.about_joining(measured)
    return {"valid": not reasons, "reasons": reasons, **measured}


@contextmanager
def _standing(
    kind: Kind, phones: int, place: Path, room: Child, progress: Progress
) -> Iterator[tuple[Server, Child, dict[str, Any]]]:
    """A server of this kind with a workshop, and a load client with its address; each on a core of its own."""
    own_core, other_core = servers.cores()
    progress(f"starting {kind.label}")
    with servers.running(kind, place, own_core) as server:
        address = room.ask("prepare", phones=phones)
        with child("phones", servers.environment(place), progress, other_core) as crowd:
            crowd.ask("crowd", url=server.url, code=address["code"], choices=address["choices"])
            yield server, crowd, address


def _launcher(kind: Kind, room: Child) -> Callable[[], Any]:
    return (lambda: room.ask("launch")) if kind.staged or kind.durable else (lambda: None)


def measure(
    server: Server,
    crowd: Child,
    cookies: list[str],
    window: float,
    launch: Callable[[], Any],
    patience: float = LAUNCH_SECONDS,
) -> dict[str, Any]:
    """Join, launch, wait until every phone shows the question, vote; CPU time is of the voting alone."""
    joined, grown = _joined(server, crowd, cookies)
    crowd.progress("waiting until every phone shows the question")
    launch()
    crowd.ask("wait_for_ballot", seconds=patience)
    cpu = server.cpu_seconds()
    voted = crowd.ask("vote", window=window, patience=window + PATIENCE)
    return _table(len(cookies), joined, voted, _less(server.cpu_seconds(), cpu), grown)


def _joined(server: Server, crowd: Child, cookies: list[str]) -> tuple[dict[str, Any], float | None]:
    """The client's figures of joining, and the growth of the server's memory in bytes."""
    time.sleep(SETTLE_SECONDS)
    memory = server.memory_bytes()
    joined = crowd.ask("join", cookies=cookies)
    time.sleep(SETTLE_SECONDS)
    return joined, _less(server.memory_bytes(), memory)


def _joining(phones: int, joined: dict[str, Any], grown: float | None) -> dict[str, Any]:
    return {
        "joins_per_second": joined["joins_per_second"],
        "handshakes_per_second": joined["handshakes_per_second"],
        "client_busy_joining": joined["client_busy"],
        "memory_kib_per_connection": figures.ratio(grown and grown / 1024, phones, 1),
    }


def _less(now: float | None, before: float | None) -> Any:
    return None if now is None or before is None else now - before


def _table(phones: int, joined: dict, voted: dict, cpu: float | None, grown: float | None) -> dict[str, Any]:
    return {
        "phones": phones,
        **_joining(phones, joined, grown),
        "ack_ms": voted["ack"],
        "visible_on_wall_ms": voted["on_wall"],
        "visible_on_phones_ms": voted["on_phones"],
        "phones_without_final_picture": voted["without_final"],
        "seconds": voted["seconds"],
        "messages": voted["messages"],
        "messages_per_second": round(voted["messages"] / voted["seconds"], 1),
        "cpu_seconds": None if cpu is None else round(cpu, 2),
        "cpu_ms_per_1000_votes": figures.ratio(cpu and cpu * 1e6, voted["acked"], 1),
        "cpu_us_per_message": figures.ratio(cpu and cpu * 1e6, voted["messages"], 1),
        "client": voted["client"],
        "refused": voted["refused"],
        "connections_lost": voted["connections_lost"],
        "votes": {key: voted[key] for key in ("sent", "acked", "wall")} | {"joined": joined["joined"]},
    }


def judged(run: dict[str, Any], counted: dict[str, int | None], error: str = "") -> dict[str, Any]:
    """The run with the counts from the database, and its validity."""
    run["votes"] |= {"rows": counted["rows"], "tally": counted["tally"]}
    reasons = figures.reasons_against(run) + ([f"The server reported an error: {error}"] if error else [])
    return {"valid": not reasons, "reasons": reasons, **run}
