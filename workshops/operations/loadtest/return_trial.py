"""A run in which the server is killed and everybody comes back at once (F25)."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from . import figures, goals, servers
from .children import Child, Progress, child
from .servers import Kind

DOWN_SECONDS = 2.0  # a killed server stays away for so long, and for its start
BACK_SECONDS = 60.0  # who is not back by then counts as left out
AT_ONCE = 0.1  # of everybody: so many may try within one tenth of a second


def run(kind: Kind, phones: int, place: Path, room: Child, progress: Progress) -> dict[str, Any]:
    own_core, other_core = servers.cores()
    progress(f"starting {kind.label}")
    address = _prepared(place, room, phones)
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
        "scenario": "return", "server": kind.name, "label": kind.label, "phones": phones,
        "joined": joined, "left": left,
        "back": back["back"], "tries": back["tries"], "tries_at_once": back["tries_at_once"],
        "polls": back["polls"], "lost_again": back["lost_again"], "client": back["client"],
        "back_s": {share: value and round(value / 1000, 2) for share, value in back["back_ms"].items()},
        "ack_ms": voted["ack"], "refused": voted["refused"],
        "votes": {"sent": voted["sent"], "acked": voted["acked"]} | counted,
    }  # fmt: skip
    return judged(found, servers.errors(place, kind))


def judged(run: dict[str, Any], said: str = "") -> dict[str, Any]:
    phones = run["phones"]
    counts = {"Phones that joined": run["joined"], "Phones that came back": run["back"]}
    counts |= {figures.COUNTED[name]: number for name, number in run["votes"].items()}
    reasons = [
        *figures.about_the_client(run["client"]),
        *figures.about_answers(run),
        *(reason for words, number in counts.items() for reason in figures.differing(words, number, phones)),
        *figures.unwanted("Phones that kept the socket of a dead server", run["left"]),
        *figures.unwanted("Phones thrown out again", run["lost_again"]),
        *([f"The server reported an error: {said}"] if said else []),
    ]
    reached = [
        goals.judged_once("everybody is back, s", 10.0, run["back_s"]["p100"], phones),
        goals.judged_once(
            "share that tries in one tenth of a second", AT_ONCE, run["tries_at_once"] / phones, phones
        ),
    ]
    return {"valid": not reasons, "reasons": reasons, "goals": reached, **run}


def _prepared(place: Path, room: Child, phones: int) -> dict[str, Any]:
    """A workshop with its question on stage, and the files that pages name."""
    servers.manage(place, "collectstatic", "--no-input")
    address = room.ask("prepare", phones=phones)
    room.ask("launch")
    return address
