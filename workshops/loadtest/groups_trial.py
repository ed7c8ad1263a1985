"""One run of small groups that type at once: come in, vote alone, vote while everybody types, count, judge.

What voters wait for their acknowledgement with and without all the typing is measured in one run, so whatever else
the machine does meets both.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import figures, goals, notes, servers
from .children import Child, Progress, child
from .servers import Kind, Server

PATIENCE = 15.0  # seconds until a pad that lacks something counts as left behind
SETTLE_SECONDS = 1.0

ROWS: dict[str, tuple[str, ...]] = {
    "groups": ("groups",),
    "people in each": ("people",),
    "voters beside": ("voters",),
    "notes a second": ("notes_per_second",),
    "changes and agreements": ("others",),
    "ack p50, ms": ("ack_ms", "p50"),
    "ack p95, ms": ("ack_ms", "p95"),
    "ack p99, ms": ("ack_ms", "p99"),
    "visible to the group p50, ms": ("visible_ms", "p50"),
    "visible to the group p99, ms": ("visible_ms", "p99"),
    "console overview p50, ms": ("overview_ms", "p50"),
    "console overview p99, ms": ("overview_ms", "p99"),
    "vote ack p99 without typing, ms": ("vote_ack_alone_ms", "p99"),
    "vote ack p99 with typing, ms": ("vote_ack_ms", "p99"),
    "vote ack p99, with ÷ without": ("vote_ack_ratio",),
    "pads delivered a second": ("pads_per_second",),
    "messages delivered a second": ("messages_per_second",),
    "server CPU, share of a core": ("cpu_share",),
    "server CPU that typing adds, ms per note": ("cpu_ms_per_note",),
    "server CPU, µs per message": ("cpu_us_per_message",),
    "client busy, share of a core": ("client", "busy"),
    "client late p99, ms": ("client", "lag_p99_ms"),
    "notes sent": ("notes", "sent"),
    "notes acknowledged": ("notes", "acked"),
    "notes in the database": ("notes", "rows"),
    "members whose pad lacks something": ("notes", "pads_behind"),
    "votes acknowledged": ("votes",),
}
GOALS = {
    "ack p99 of a note, ms": ("ack_ms", 60.0),
    "visible to the group p99, ms": ("visible_ms", 1000.0),
}


@dataclass(frozen=True)
class Plan:
    """`seconds` of typing, a note of everybody `every` so many seconds."""

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
        """Notes of one person, so that a pad does not fill up."""
        from ..actions.groupwork import NOTES_LIMIT

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
        found = _measure(server, crowd, address, plan)
    said = servers.errors(place, kind)
    table = {"scenario": "groups", "server": kind.name, "label": kind.label, **found}
    return judged(table, room.ask("notes"), said)


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


def judged(run: dict[str, Any], stored: dict[str, Any], said: str = "") -> dict[str, Any]:
    """The run with what is in the database, the verdict on it, and which goals it meets."""
    rows = [(group, text) for group, text in stored["notes"]]
    run["notes"] |= notes.fates(run.pop("acked"), rows) | {"agreements": stored["agreements"]}
    reasons = [
        *figures.about_the_client(run["client"]),
        *figures.about_answers(run),
        *_about_people(run, stored["votes"]),
        *notes.reasons_against(run),
        *([f"The server reported an error: {said}"] if said else []),
    ]
    return {"valid": not reasons, "reasons": reasons, "goals": _goals(run), **run}


def _about_people(run: dict[str, Any], voted: int) -> list[str]:
    """Everybody is there and stays, and every voter has one ballot."""
    expected = {
        "Phones that joined": (run["joined"], run["phones"]),
        "Ballots in the database": (voted, run["voters"]),
    }
    wrong = [f"{words}: {found} of {of}." for words, (found, of) in expected.items() if found != of]
    return wrong + ([f"Connections lost: {run['connections_lost']}."] if run["connections_lost"] else [])


def _goals(run: dict[str, Any]) -> list[dict[str, Any]]:
    """Which of the project's goals this run reached; on a busy machine none has to be."""
    found = {words: (run[key]["p99"], most) for words, (key, most) in GOALS.items()}
    return [
        goals.judged(words, most, goals.Measured(run["phones"], value, [value]))
        for words, (value, most) in found.items()
    ]
