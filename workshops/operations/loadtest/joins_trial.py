"""How many people a second a server lets in, and what a crowd at its door costs people who vote.

The rate is measured for this checkout and, with `--against DIR`, for another one (`git worktree add DIR COMMIT`), in
turns, so whatever else the machine does meets both. Everything is asked from outside, by HTTP and websocket; the
other checkout only has to start its server and make a workshop (`opening`). The crowd is measured with this checkout:
votes are timed without it and with it in one run.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from . import figures, goals, servers
from .children import Child, Progress, child
from .servers import Kind, Server

SETTLE_SECONDS = 1.0
RATE_SECONDS = 10.0
AT_ONCE = 16  # people on their way while the rate is measured
MOST_SECONDS = 40.0  # everybody is in
PATIENCE = 120.0
TIMES_AS_MANY, ACK_RATIO = 8.0, 2.0
DUE = {"200", "302", "303", "429", "503"}
WAITING = ("429", "503")


@dataclass(frozen=True)
class Plan:
    """`people` come within `seconds` while `voters` vote; the rate is taken so often, `against` another checkout."""

    people: int = 2000
    seconds: float = 10.0
    voters: int = 100
    rounds: int = 1
    against: Path | None = None
    rate_seconds: float = RATE_SECONDS

    @property
    def is_possible(self) -> bool:
        return 0 <= self.people <= 20_000 and 1 <= self.voters <= 1000 and self.seconds > 0


def run(kind: Kind, plan: Plan, place: Path, progress: Progress) -> dict[str, Any]:
    own: list[dict[str, Any]] = []
    other: list[dict[str, Any]] = []
    for number in range(plan.rounds):
        for checkout, rates in [(settings.BASE_DIR, own), (plan.against, other)]:
            if checkout:
                with standing(kind, checkout, place / f"{len(own)}-{len(other)}", progress) as site:
                    progress(f"round {number + 1} of {plan.rounds}: people come in, {checkout}")
                    rates.append(_rate(site, plan))
    found: dict[str, Any] = {"scenario": "joins", "server": kind.name, "label": kind.label, "rounds": own}
    found |= {"seconds": plan.seconds, "voters": plan.voters}
    if own:
        found |= {"rate": figures.medians(own)}
    if own and other:
        found |= {"other_rounds": other, "other_rate": figures.medians(other)}
        pace = [found[name]["people_per_second"] for name in ("rate", "other_rate")]
        found["times_as_many"] = figures.ratio(*pace)
    said = ""
    if plan.people:
        with standing(kind, settings.BASE_DIR, place / "crowd", progress) as site:
            found |= _crowd(site, plan, progress)
            said = servers.errors(site.place, kind)
    return judged(found, said)


# --- a server of some checkout ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Site:
    server: Server
    place: Path
    client: Child


@contextmanager
def standing(kind: Kind, checkout: Path, place: Path, progress: Progress) -> Iterator[Site]:
    """That checkout's server with a workshop that is running, and a client that knows where it is."""
    place.mkdir(parents=True, exist_ok=True)
    progress(f"starting {kind.label} in {checkout}")
    code = opened(checkout, place)
    own_core, other_core = servers.cores()
    with (
        servers.running(kind, place, own_core, checkout=checkout) as server,
        child("joiners", servers.environment(place), progress, other_core) as client,
    ):
        client.ask("crowd", url=server.url, code=code, choices=[])
        yield Site(server, place, client)


def opened(checkout: Path, place: Path) -> str:
    """The code of a workshop that has begun, in a fresh database."""
    for command in (["migrate"], ["collectstatic", "--no-input"], ["load_programme", PROGRAMME]):
        servers.manage(place, *command, checkout=checkout)
    text = Path(__file__).with_name("opening.py").read_text()
    said = subprocess.run(
        [servers.PYTHON, "manage.py", "shell", "-c", text],
        cwd=checkout, env=servers.environment(place), check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    return said.rpartition("code=")[2].strip()


PROGRAMME = "programmes/ideal_baby_room.toml"


# --- what is measured -------------------------------------------------------------------------------------


def _rate(site: Site, plan: Plan) -> dict[str, Any]:
    site.client.ask("let_in_voters", people=AT_ONCE)  # whatever a server does once, it has done
    time.sleep(SETTLE_SECONDS)
    before = site.server.cpu_seconds()
    rate = site.client.ask("let_in", seconds=plan.rate_seconds, at_once=AT_ONCE)
    after = site.server.cpu_seconds()
    used = after - before if after is not None and before is not None else None
    return rate | {"cpu_ms_per_person": figures.ratio(used and used * 1000, rate["came_in"], 1)}


def _crowd(site: Site, plan: Plan, progress: Progress) -> dict[str, Any]:
    progress(f"{plan.voters} voters come in")
    joined = site.client.ask("let_in_voters", people=plan.voters)
    time.sleep(SETTLE_SECONDS)
    progress("voters vote, nobody comes")
    alone = site.client.ask("vote_alone", seconds=plan.seconds)
    progress(f"{plan.people} people come within {plan.seconds:g} seconds")
    crowd = site.client.ask("crowd_in", people=plan.people, seconds=plan.seconds, patience=PATIENCE)
    return {
        "joined": joined["joined"], "alone": alone, "crowd": crowd,
        "told_to_wait": sum(crowd["answers"].get(status, 0) for status in WAITING),
        "ack_ratio": figures.ratio(crowd["vote_ack"]["p99"], alone["vote_ack"]["p99"]),
    }  # fmt: skip


# --- and judged -------------------------------------------------------------------------------------------


def judged(run: dict[str, Any], said: str = "") -> dict[str, Any]:
    """The run with the verdict on it, and which goals it meets."""
    reasons = [*([f"The server reported an error: {said}"] if said else [])]
    for part in [*run["rounds"], *run.get("other_rounds", []), *([run["crowd"]] if "crowd" in run else [])]:
        reasons += [*figures.about_the_client(part["client"]), *_about_answers(part)]
    reached = []
    if "times_as_many" in run:
        words = "people a second ÷ the other checkout"
        reached.append(goals.judged_once(words, TIMES_AS_MANY, run["times_as_many"], at_least=True))
    if "crowd" in run:
        crowd = run["crowd"]
        reasons += [
            *figures.differing("Voters who are in", run["joined"], run["voters"]),
            *figures.differing("People who came in", crowd["came_in"], crowd["come"]),
            *figures.about_answers(crowd),
            *figures.unwanted("Connections lost", crowd["connections_lost"]),
        ]
        reached += [
            goals.judged_once("everybody is in, s", MOST_SECONDS, crowd["everybody_in_s"]),
            goals.judged_once("vote ack p99, with the crowd ÷ without", ACK_RATIO, run["ack_ratio"]),
        ]
    return {"valid": not reasons, "reasons": reasons, "goals": reached, **run}


def _about_answers(part: dict[str, Any]) -> list[str]:
    odd = {words: number for words, number in part["answers"].items() if words not in DUE}
    return [
        *figures.unwanted("Answers to people who join that should not be", odd),
        *figures.unwanted("People who did not come in", part["gave_up"]),
    ]
