"""Runs in which more come than a server can take at once: a crowd at the door (F24), everybody's return (F25).

What people who are in wait for, with and without the crowd, is measured in one run, so whatever else the machine does
meets both.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import doors, figures, goals, servers
from .children import Child, Progress, child
from .servers import Kind, Server

SETTLE_SECONDS = 1.0
WEIGH_SECONDS = 0.2
DOWN_SECONDS = 2.0  # a killed server stays away for so long, and for its start
BACK_SECONDS = 60.0  # who is not back by then counts as left out
MEMORY_MIB = 128.0  # by how much a server may grow while people wait at its door
AT_ONCE = 0.1  # of everybody: so many may try within one tenth of a second
DUE = {"200", "302", *map(str, doors.WAIT)}

ROWS: dict[str, dict[str, tuple[str, ...]]] = {
    "joins": {
        "people who come": ("come",),
        "within seconds": ("seconds",),
        "voters who are in": ("voters",),
        "came in meanwhile": ("came_in",),
        "told to wait": ("told_to_wait",),
        "vote ack p50 without the crowd, ms": ("vote_ack_alone_ms", "p50"),
        "vote ack p99 without the crowd, ms": ("vote_ack_alone_ms", "p99"),
        "vote ack p50 with the crowd, ms": ("vote_ack_ms", "p50"),
        "vote ack p99 with the crowd, ms": ("vote_ack_ms", "p99"),
        "vote ack p99, with ÷ without": ("vote_ack_ratio",),
        "memory before, MiB": ("memory_mib",),
        "memory grown at most, MiB": ("memory_grown_mib",),
        "client busy, share of a core": ("client", "busy"),
        "client late p99, ms": ("client", "lag_p99_ms"),
        "people in the database": ("people",),
    },
    "return": {
        "phones": ("phones",),
        "back": ("back",),
        "back p50, s after the server listens": ("back_s", "p50"),
        "back p99, s": ("back_s", "p99"),
        "back, the last, s": ("back_s", "p100"),
        "handshakes tried": ("tries",),
        "handshakes in the fullest tenth of a second": ("tries_at_once",),
        "thrown out again": ("lost_again",),
        "vote ack p99 afterwards, ms": ("ack_ms", "p99"),
        "votes acknowledged": ("votes", "acked"),
        "rows in the database": ("votes", "rows"),
        "votes in the result": ("votes", "tally"),
    },
}


@dataclass(frozen=True)
class Plan:
    """`people` come within `seconds`; or `people` come back."""

    people: int = 10_000
    seconds: float = 10.0
    voters: int = 100

    @property
    def is_possible(self) -> bool:
        return 1 <= self.people <= 20_000 and 1 <= self.voters <= 1000 and self.seconds > 0


# --- a crowd at the door ------------------------------------------------------------------------------------


def run_joins(kind: Kind, plan: Plan, place: Path, room: Child, progress: Progress) -> dict[str, Any]:
    own_core, other_core = servers.cores()
    progress(f"starting {kind.label}")
    address = _prepared(place, room, plan.voters)
    with (
        servers.running(kind, place, own_core) as server,
        child("newcomers", servers.environment(place), progress, other_core) as crowd,
    ):
        crowd.ask("crowd", url=server.url, code=address["code"], choices=address["choices"])
        joined = crowd.ask("come_in", voters=address["cookies"])["joined"]
        time.sleep(SETTLE_SECONDS)
        progress("voters vote, nobody comes")
        alone = crowd.ask("vote_alone", seconds=plan.seconds)
        before = server.memory_bytes() or 0
        with weighed(server) as most:
            spoken = crowd.ask("crowd_in", people=plan.people, seconds=plan.seconds, after=plan.seconds)
    found = {
        "scenario": "joins", "server": kind.name, "label": kind.label, "seconds": plan.seconds,
        "voters": plan.voters, "joined": joined,
        "come": spoken["come"], "came_in": spoken["came_in"], "answers": spoken["answers"],
        "told_to_wait": sum(spoken["answers"].get(str(status), 0) for status in doors.WAIT),
        "vote_ack_alone_ms": alone["vote_ack"], "vote_ack_ms": spoken["vote_ack"],
        "vote_ack_ratio": figures.ratio(spoken["vote_ack"]["p99"], alone["vote_ack"]["p99"]),
        "memory_mib": round(before / 2**20, 1),
        "memory_grown_mib": round((max(most, default=before) - before) / 2**20, 1),
        "client": spoken["client"], "refused": spoken["refused"],
        "connections_lost": spoken["connections_lost"],
        "people": room.ask("people")["people"] - plan.voters,
    }  # fmt: skip
    return judged_joins(found, servers.errors(place, kind))


def judged_joins(run: dict[str, Any], said: str = "") -> dict[str, Any]:
    """The run with the verdict on it, and which goals it meets."""
    odd = {words: number for words, number in run["answers"].items() if number and words not in DUE}
    reasons = [
        *figures.about_the_client(run["client"]),
        *figures.about_answers(run),
        *([f"Answers to newcomers that should not be: {odd}."] if odd else []),
        *_differ("Voters who are in", run["joined"], run["voters"]),
        *_differ("People in the database who came in", run["people"], run["came_in"]),
        *([f"Connections lost: {run['connections_lost']}."] if run["connections_lost"] else []),
        *([f"The server reported an error: {said}"] if said else []),
        *([] if run["told_to_wait"] else ["Nobody had to wait: this was no crowd."]),
    ]
    reached = [
        _goal("ack p99 of people who are in, ms", run["vote_ack_ms"]["p99"], _ack_limit(run), run["come"]),
        _goal("memory grown, MiB", run["memory_grown_mib"], MEMORY_MIB, run["come"]),
    ]
    return {"valid": not reasons, "reasons": reasons, "goals": reached, **run}


def _ack_limit(run: dict[str, Any]) -> float:
    """Milliseconds: the same goal as for so many who vote."""
    if run["come"] + run["voters"] < 5000:
        return 30.0
    return 40.0 if run["server"] == servers.UVICORN.name else 120.0


# --- everybody's return ---------------------------------------------------------------------------------------


def run_return(kind: Kind, plan: Plan, place: Path, room: Child, progress: Progress) -> dict[str, Any]:
    own_core, other_core = servers.cores()
    progress(f"starting {kind.label}")
    address = _prepared(place, room, plan.people)
    port = servers.free_port()
    with child("comeback", servers.environment(place), progress, other_core) as crowd:
        with servers.running(kind, place, own_core, port) as server:
            crowd.ask("crowd", url=server.url, code=address["code"], choices=address["choices"])
            joined = crowd.ask("come_in", cookies=address["cookies"])["joined"]
            progress("killing the server")
            os.kill(server.pid, signal.SIGKILL)
            left = crowd.ask("are_gone", seconds=10.0)["left"]
        time.sleep(DOWN_SECONDS)
        with servers.running(kind, place, own_core, port):
            crowd.ask("server_listens")
            progress("phones come back")
            back = crowd.ask("come_back", patience=BACK_SECONDS)
            voted = crowd.ask("vote", window=3.0, patience=BACK_SECONDS)
    counted = room.ask("count")
    found = {
        "scenario": "return", "server": kind.name, "label": kind.label, "phones": plan.people,
        "joined": joined, "left": left,
        "back": back["back"], "tries": back["tries"], "tries_at_once": back["tries_at_once"],
        "polls": back["polls"], "lost_again": back["lost_again"], "client": back["client"],
        "back_s": {share: value and round(value / 1000, 2) for share, value in back["back_ms"].items()},
        "ack_ms": voted["ack"], "refused": voted["refused"],
        "votes": {"sent": voted["sent"], "acked": voted["acked"]} | counted,
    }  # fmt: skip
    return judged_return(found, servers.errors(place, kind))


def judged_return(run: dict[str, Any], said: str = "") -> dict[str, Any]:
    phones = run["phones"]
    counts = {"Phones that joined": run["joined"], "Phones that came back": run["back"]}
    counts |= {figures.COUNTED[name]: number for name, number in run["votes"].items()}
    reasons = [
        *figures.about_the_client(run["client"]),
        *figures.about_answers(run),
        *(reason for words, number in counts.items() for reason in _differ(words, number, phones)),
        *([f"Phones that kept the socket of a dead server: {run['left']}."] if run["left"] else []),
        *([f"Phones thrown out again: {run['lost_again']}."] if run["lost_again"] else []),
        *([f"The server reported an error: {said}"] if said else []),
    ]
    reached = [
        _goal("everybody is back, s", run["back_s"]["p100"], 10.0, phones),
        _goal("share that tries in one tenth of a second", run["tries_at_once"] / phones, AT_ONCE, phones),
    ]
    return {"valid": not reasons, "reasons": reasons, "goals": reached, **run}


# --- both ---------------------------------------------------------------------------------------------------


def _prepared(place: Path, room: Child, phones: int) -> dict[str, Any]:
    """A workshop with its question on stage, and the files that pages name."""
    servers.manage(place, "collectstatic", "--no-input")
    address = room.ask("prepare", phones=phones)
    room.ask("launch")
    return address


def _differ(words: str, found: int, expected: int) -> list[str]:
    return [f"{words}: {found} of {expected}."] if found != expected else []


def _goal(words: str, value: float | None, most: float, people: int) -> dict[str, Any]:
    return goals.judged(words, most, goals.Measured(people, value, [] if value is None else [value]))


@contextmanager
def weighed(server: Server) -> Iterator[list[int]]:
    """What the server weighs, in bytes, all the while."""
    found: list[int] = []
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(WEIGH_SECONDS):
            found.append(server.memory_bytes() or 0)

    scales = threading.Thread(target=look, daemon=True)
    scales.start()
    try:
        yield found
    finally:
        ended.set()
        scales.join()
