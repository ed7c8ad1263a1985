"""`python -m tests.history`: runs with faults, a verdict in words, and the history where a promise was broken.

Ends with 0 where every promise held, 1 where one was broken, 3 where a service is not installed. Each stack is a
process of its own, because Django belongs to one database in a process.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

from ..services import NotInstalled
from . import programme, record, stacks

ROOT = Path(__file__).resolve().parents[2]
HELD, BROKEN, MISSING = 0, 1, 3


def main() -> int:
    chosen = arguments()
    if chosen.stack == "both":
        return max([_process_of_its_own(name) for name in stacks.STACKS])
    return one_run(chosen)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.history", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="how long people vote and things go wrong")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stack", choices=[*stacks.STACKS, "both"], default="both")
    parser.add_argument("--server", choices=["daphne", "uvicorn"], default="daphne")
    parser.add_argument("--voters", type=int, default=20)
    parser.add_argument("--faults", nargs="*", default=[], metavar="NAME", help="only these; `none` for none")
    parser.add_argument("--mutation", default="", help="build this fault into the product first")
    parser.add_argument("--until-broken", action="store_true", help="end as soon as a promise is seen broken")
    parser.add_argument("--look", type=float, default=1.0, help="seconds between two looks at the database")
    parser.add_argument("--every", type=float, default=0.8, help="seconds between two answers of a phone")
    parser.add_argument("--write", type=float, default=4.0, help="seconds between two things done in a group")
    parser.add_argument("--quiet-seconds", type=float, default=5.0, help="until every screen must be right")
    parser.add_argument("--template", type=Path, help="a migrated SQLite file to begin with")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="settings of the servers")
    parser.add_argument("--keep", action="store_true", help="keep the history also where every promise held")
    parser.add_argument("--json", action="store_true", help="the verdict as a line of JSON at the end")
    return parser.parse_args()


def _process_of_its_own(stack: str) -> int:
    given = [sys.executable, "-m", "tests.history", *sys.argv[1:], "--stack", stack]
    return subprocess.run(given, cwd=ROOT, check=False).returncode


def one_run(chosen: argparse.Namespace) -> int:
    plan = programme.Plan(
        seed=chosen.seed, seconds=chosen.seconds, stack=chosen.stack, server=chosen.server,
        voters=chosen.voters, every=chosen.every, write=chosen.write, look=chosen.look, quiet=chosen.quiet_seconds,
        faults=tuple(chosen.faults), mutation=chosen.mutation, until_broken=chosen.until_broken, template=chosen.template,
        environment=dict(pair.split("=", 1) for pair in chosen.set),
    )  # fmt: skip
    print(f"{plan.stack}, {plan.server}, seed {plan.seed}, {plan.seconds:.0f} s", flush=True)
    try:
        verdict = programme.run(plan, say=lambda words: print(words, flush=True))
    except NotInstalled as missing:
        print(f"  {missing}")
        return MISSING
    print(f"  {programme.summary(verdict.counts)}")
    print(f"  {json.dumps(dict(sorted(verdict.counts.items())))}")
    tell(plan, verdict, keep=chosen.keep)
    if chosen.json:
        print(json.dumps({"violations": verdict.violations, "counts": verdict.counts}))
    return BROKEN if verdict.violations else HELD


def tell(plan: programme.Plan, verdict: programme.Verdict, *, keep: bool) -> None:
    is_news = verdict.violations and plan.mutation in ("", "slow_disk")  # what was built in was to be found
    if is_news or keep:
        path = ROOT / "var" / "history" / f"{plan.stack}-{plan.seed}-{time.strftime('%Y%m%d-%H%M%S')}.jsonl"
        record.save(verdict.events, path)
        print(f"  The history is {path.relative_to(ROOT)}.")
    for sentence in verdict.violations:
        print(f"  - {sentence}")
    print(
        f"  BROKEN: {len(verdict.violations)}." if verdict.violations else "  Every promise held.", flush=True
    )


if __name__ == "__main__":
    sys.exit(main())
