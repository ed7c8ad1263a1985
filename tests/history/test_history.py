"""Histories of real servers with faults: every promise holds, and faults built into the product are found.

Each run is a process of its own (`python -m tests.history`), so that it has Django and a database to itself. What
the checker calls a broken promise is proved by hand-made histories in `tests/history/test_checker.py`; longer runs
are `make soak`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from .. import services
from . import groups
from .__main__ import BROKEN, HELD, MISSING

SECONDS_AT_MOST = 300  # a process, on a machine that is busy with much else
TRIES = 3  # seeds that a mutation may need: how things meet in time is the machine's own affair

Run = Callable[..., "Outcome"]


@dataclass(frozen=True)
class Outcome:
    status: int
    said: str
    violations: list[str]
    counts: dict[str, int]

    def number(self, words: str) -> int:
        return sum(n for what, n in self.counts.items() if what.startswith(words))


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("TEST_VAR_")}


@pytest.fixture
def run(empty_sqlite: Path) -> Run:
    """`run("sqlite", "--seed", 3)`: what one history came to."""

    def run(stack: str, *arguments: Any) -> Outcome:
        given = [
            "--stack",
            stack,
            "--json",
            "--template",
            empty_sqlite,
            "--every",
            0.4,
            "--write",
            1,
            *arguments,
        ]
        done = subprocess.run(
            [sys.executable, "-m", "tests.history", *map(str, given)],
            cwd=settings.BASE_DIR, env=_environment(), capture_output=True, text=True,
            timeout=SECONDS_AT_MOST, check=False,
        )  # fmt: skip
        if done.returncode == MISSING:
            services.skip(done.stdout)
        assert done.returncode in (HELD, BROKEN), done.stdout + done.stderr
        found = json.loads(done.stdout.splitlines()[-1])
        return Outcome(done.returncode, done.stdout, found["violations"], found["counts"])

    return run


def held(outcome: Outcome) -> None:
    """Every promise held, in a history in which something happened."""
    assert outcome.violations == [], outcome.said
    assert outcome.status == HELD
    assert outcome.number("vote ok") >= 10, outcome.said
    assert sum(outcome.number(f"{do} ok") for do in groups.DEEDS) >= 10, outcome.said
    assert outcome.number("audit ok") > 3, outcome.said


# --- the product as it is ----------------------------------------------------------------------------------------


@pytest.mark.outage
def test_one_process_on_sqlite_keeps_its_promises_through_faults(run):
    outcome = run("sqlite", "--seed", 21, "--seconds", 9)
    held(outcome)
    assert outcome.number("fault") >= 2, outcome.said


@pytest.mark.stack
@pytest.mark.slow
def test_two_processes_on_postgresql_and_redis_keep_their_promises_through_faults(run):
    outcome = run("postgres", "--seed", 22, "--seconds", 9, "--server", "uvicorn")
    held(outcome)
    assert outcome.number("fault") >= 2, outcome.said


# --- the product with a fault in it: found, and gone with the fault --------------------------------------------------

#: mutation → the faults and settings in which it shows, and words of the sentence that finds it
MUTATIONS: dict[str, tuple[list[Any], str]] = {
    "ack_before_commit": (["--faults", "kill", "--look", 0.1], "is not stored"),
    "two_ballots": (["--faults", "none"], "2 ballots"),
    # Looking by itself is switched off, so a screen that was told too early stays behind.
    "announce_before_commit": (["--faults", "none", "--set", "LIVE_POLL_SECONDS=60"], "shows"),
    "closed_takes_answers": (["--faults", "none"], "closed at"),
    "note_ack_before_commit": (["--faults", "kill", "--look", 0.1], "acknowledged"),
    "notes_twice": (["--faults", "hold_down", "resets"], "made 2"),
    "edits_overwrite": (["--faults", "none"], "had seen wording"),
    "pads_for_everybody": (["--faults", "none"], "which belong to group"),
    "last_arrival_wins": (["--faults", "reorder", "hold_up"], "what is stored is"),
}
#: what goes on beside the mutation, with or without it
WEATHER = {"announce_before_commit": "slow_disk"}
#: those whose product without them is looked at here; for the others the two runs above say it
REQUIRED = ("ack_before_commit", "two_ballots", "announce_before_commit")


@pytest.mark.slow
@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_fault_built_into_the_product_is_found_and_the_product_without_it_is_clean(run, mutation):
    arguments, words = MUTATIONS[mutation]
    weather = WEATHER.get(mutation, "")
    for seed in range(31, 31 + TRIES):
        plan = ["--seed", seed, "--voters", 12, "--quiet-seconds", 2, *arguments]
        found_within = [] if words == "shows" else ["--until-broken", "--seconds", 20]
        faulty = ["--seconds", 5, *found_within, "--mutation", f"{mutation},{weather}".strip(",")]
        broken = run("sqlite", *plan, *faulty)
        if any(words in sentence for sentence in broken.violations):
            break
    else:
        pytest.fail(f"{mutation} was not found; the last history said:\n{broken.said}")
    assert broken.status == BROKEN
    if mutation in REQUIRED:
        held(run("sqlite", *plan, "--seconds", 6, "--mutation", weather))
