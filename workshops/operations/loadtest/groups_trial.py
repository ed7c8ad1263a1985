"""One run of groups that type at once: join, vote alone, vote while everybody types, count, judge.

Voters' acknowledgement times with and without typing are measured in one run, so that background load on the machine
affects both alike.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import figures, goals, notes, servers
from .children import Child, Progress, child
from .servers import Kind, Server

PATIENCE = 15.0  # seconds until an incomplete pad counts as stale
SETTLE_SECONDS = 1.0

GOALS = {
    "ack p99 of a note, ms": ("ack_ms", 60.0),
    "visible to the group p99, ms": ("visible_ms", 1000.0),
}


@dataclass(frozen=True)
class Plan:
    """The load: everybody writes a note `every` so many seconds, for `seconds`."""

    groups: int = 100
    people: int = 6
    seconds: float = 20.0
    every: float = 10.0
    voters: int = 60

    @property
    def is_possible(self) -> bool:
        return (
            1 <= self.groups <= 200
            and 2 <= self.people <= 30
            and 0 <= self.voters <= 5000
            and self.seconds > 0
            and self.every > 0
        )

    @property
    def most(self) -> int:
        """The maximum of notes per person, so that no pad reaches its limit."""
        from ...actions.groups.notes import NOTES_LIMIT

        return NOTES_LIMIT // self.people


def run(kind: Kind, plan: Plan, place: Path, room: Child, progress: Progress) -> dict[str, Any]:
    """Measure one kind of server, started for this run alone; the result as JSON-ready values."""
    own_core, other_core = servers.cores()
    progress("making groups")
    address = room.ask("prepare", groups=plan.groups, people=plan.people, voters=plan.voters)
    progress(f"starting {kind.label}")
    with (
        servers.running(kind, place, own_core) as server,
        child("typists", servers.environment(place), progress, other_core) as crowd,
    ):
        crowd.ask("crowd", url=server.url, code=address["code"], choices=address["choices"])
        measured = _measure(server, crowd, address, plan)
    error = servers.errors(place, kind)
    table = {"scenario": "groups", "server": kind.name, "label": kind.label, **measured}
    return judged(table, room.ask("notes"), error)


def _measure(server: Server, crowd: Child, address: dict[str, Any], plan: Plan) -> dict[str, Any]:
    joined = crowd.ask(
        "come_in",
        members=address["cookies"],
        voters=address["voters"],
        desk=address["desk"],
        wall=address["wall_key"],
    )
    time.sleep(SETTLE_SECONDS)
    crowd.progress("voters vote, nobody writes")
    before = server.cpu_seconds() or 0.0
    alone = crowd.ask("vote_alone", seconds=plan.seconds)
    between = server.cpu_seconds() or 0.0
    spoken = crowd.ask("talk", seconds=plan.seconds, every=plan.every, most=plan.most, patience=PATIENCE)
    return _table(plan, joined, alone, spoken, between - before, (server.cpu_seconds() or 0.0) - between)


def _table(
    plan: Plan, joined: dict, alone: dict, spoken: dict, cpu_alone: float, cpu: float
) -> dict[str, Any]:
    seconds, acked = spoken["seconds"], len(spoken["acked"])
    added = cpu - cpu_alone / alone["seconds"] * seconds
    return {
        "groups": joined["groups"],
        "people": plan.people,
        "voters": plan.voters,
        "phones": plan.groups * plan.people + plan.voters,
        "joined": joined["joined"],
        "seconds": seconds,
        "notes_per_second": round(acked / seconds, 1),
        "others": spoken["writes"] - acked,
        "ack_ms": spoken["ack"],
        "visible_ms": spoken["visible"],
        "overview_ms": spoken["overview"],
        "vote_ack_alone_ms": alone["vote_ack"],
        "vote_ack_ms": spoken["vote_ack"],
        "vote_ack_ratio": figures.ratio(spoken["vote_ack"]["p99"], alone["vote_ack"]["p99"]),
        "pads_per_second": round(spoken["pads"] / seconds, 1),
        "messages_per_second": round(spoken["messages"] / seconds, 1),
        "cpu_share": round(cpu / seconds, 3),
        "cpu_ms_per_note": figures.ratio(added * 1000, acked),
        "cpu_us_per_message": figures.ratio(cpu * 1e6, spoken["messages"], 1),
        "client": spoken["client"],
        "refused": spoken["refused"],
        "connections_lost": spoken["connections_lost"],
        "votes": alone["votes"] + spoken["votes"],
        "acked": spoken["acked"],
        "notes": {"acked": acked}
        | {key: spoken[key] for key in ("sent", "agreed", "pads_behind", "seen_elsewhere", "seen_twice")},
    }


def judged(run: dict[str, Any], stored: dict[str, Any], error: str = "") -> dict[str, Any]:
    """The run with the counts from the database, its validity, and the goals it meets."""
    rows = [(group, text) for group, text in stored["notes"]]
    run["notes"] |= notes.fates(run.pop("acked"), rows) | {"agreements": stored["agreements"]}
    reasons = [
        *figures.about_the_client(run["client"]),
        *figures.about_answers(run),
        *figures.differing("Phones that joined", run["joined"], run["phones"]),
        *figures.differing("Ballots in the database", stored["votes"], run["voters"]),
        *figures.unwanted("Connections lost", run["connections_lost"]),
        *notes.reasons_against(run),
        *([f"The server reported an error: {error}"] if error else []),
    ]
    reached = [
        goals.judged_once(words, most, run[key]["p99"], run["phones"]) for words, (key, most) in GOALS.items()
    ]
    return {"valid": not reasons, "reasons": reasons, "goals": reached, **run}
