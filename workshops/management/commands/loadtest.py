"""Measure a server with thousands of phones that vote, with groups, or with a crowd (`operations.loadtest`)."""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from workshops.operations.loadtest import (
    compare,
    goals,
    groups_trial,
    joins_trial,
    report,
    return_trial,
    trial,
    visitors,
)
from workshops.operations.loadtest.children import Child, ChildFailed
from workshops.operations.loadtest.servers import KINDS

MOST_PHONES = 20_000
USUAL: dict[str, dict[str, Any]] = {
    "votes": {"phones": 1000},
    "groups": {"phones": 1000, "seconds": 20.0, "voters": 60},
    "joins": {"phones": 2000, "seconds": 10.0, "voters": 100},
    "return": {"phones": 2000},
}


class Command(BaseCommand):
    help = "Hold many phones by websocket, let everybody vote, and check that nothing was lost."

    def add_arguments(self, parser):
        parser.add_argument(
            "--scenario",
            choices=["votes", "groups", "joins", "return"],
            default="votes",
            help="groups: small groups type at once; joins: people go the whole way in, then a crowd of them while "
            "others vote; return: the server is killed, and everybody comes back at once",
        )
        parser.add_argument("--groups", type=int, default=100)
        parser.add_argument("--people", type=int, default=6, help="in each group")
        parser.add_argument(
            "--seconds", type=float, help="how long groups type (20), or within how many a crowd comes (10)"
        )
        parser.add_argument(
            "--every", type=float, default=10.0, help="seconds between two notes of one person"
        )
        parser.add_argument("--voters", type=int, help="who vote beside the groups (60) or the crowd (100)")
        parser.add_argument(
            "--phones",
            type=int,
            help="1000; of a crowd that joins or comes back 2000; joins: 0 takes the rate alone",
        )
        parser.add_argument(
            "--against",
            type=Path,
            metavar="DIR",
            help="joins: another checkout of this project, measured in turns: git worktree add DIR COMMIT",
        )
        parser.add_argument(
            "--window", type=float, default=3.0, help="seconds in which all vote; 0 is all at once"
        )
        parser.add_argument("--server", choices=sorted(KINDS), default="daphne", help="which server to start")
        parser.add_argument("--base-url", help="measure a server that runs already; needs --code")
        parser.add_argument(
            "--code", help="the workshop there; its facilitator launches a single-choice question"
        )
        parser.add_argument(
            "--i-own-this-server", action="store_true", help="allow a server on another machine"
        )
        parser.add_argument(
            "--compare", action="store_true", help="our server, a reference and the tutorial design, in turns"
        )
        parser.add_argument("--rounds", type=int, default=3, help="of --compare, and of the rate of joins")
        parser.add_argument("--specimen-phones", type=int, default=compare.SPECIMEN_PHONES)
        parser.add_argument("--json", type=Path, metavar="FILE", help="write everything as one JSON object")

    def handle(self, *args, phones: int | None, window: float, **options):
        options |= {name: options[name] if options[name] is not None else usual for name, usual in
                    USUAL[options["scenario"]].items() if name != "phones"}  # fmt: skip
        phones = USUAL[options["scenario"]]["phones"] if phones is None else phones
        refuse_what_cannot_be(phones, window, options)
        run = {"groups": self.talk, "joins": self.join, "return": self.come_back, "votes": self.measure}
        try:
            with tempfile.TemporaryDirectory(prefix="loadtest-") as place:
                result = run[options["scenario"]](Path(place), phones, window, options)
        except (ChildFailed, visitors.NotThere, RuntimeError) as error:
            raise CommandError(str(error)) from None
        self.progress("")
        self.stdout.write(report.table(result.get("medians") or {result["label"]: result}))
        if "ratios" in result:
            self.stdout.write("\n" + report.ratios(result["ratios"]))
        if options["json"]:
            options["json"].write_text(json.dumps(machine() | result, indent=1) + "\n")
        if "goals" in result:
            self.stdout.write("\n" + report.goals(result["goals"]))
        self.stdout.write("\n" + report.verdict(result))
        if not result["valid"]:
            raise SystemExit(1)

    def talk(self, place: Path, phones: int, window: float, options: dict) -> dict[str, Any]:
        plan = groups_trial.Plan(
            **{name: options[name] for name in ("groups", "people", "seconds", "every", "voters")}
        )
        if not plan.is_possible:
            raise CommandError(
                "--groups: 1 to 200, --people: 2 to 30, --voters: 0 or more; --seconds and --every: above 0."
            )
        with trial.prepared(place, self.progress, "groups_room") as room:
            return groups_trial.run(KINDS[options["server"]], plan, place, room, self.progress)

    def join(self, place: Path, phones: int, window: float, options: dict) -> dict[str, Any]:
        against = options["against"] and options["against"].absolute()
        plan = joins_trial.Plan(phones, options["seconds"], options["voters"], options["rounds"], against)
        if not plan.is_possible:
            raise CommandError("--voters: 1 to 1,000; --seconds: above 0.")
        return joins_trial.run(KINDS[options["server"]], plan, place, self.progress)

    def come_back(self, place: Path, phones: int, window: float, options: dict) -> dict[str, Any]:
        with trial.prepared(place, self.progress) as room:
            return return_trial.run(KINDS[options["server"]], phones, place, room, self.progress)

    def measure(self, place: Path, phones: int, window: float, options: dict) -> dict[str, Any]:
        if url := options["base_url"]:
            owned = options["i_own_this_server"]
            return visitors.run(url, options["code"], phones, window, self.progress, owned=owned)
        with trial.prepared(place, self.progress) as room:
            if options["compare"]:
                return self.compare(place, phones, window, options, room)
            return trial.run(KINDS[options["server"]], phones, window, place, room, self.progress)

    def compare(self, place: Path, phones: int, window: float, options: dict, room: Child) -> dict[str, Any]:
        def run(contender: compare.Contender, number: int) -> dict[str, Any]:
            def say(words: str) -> None:
                self.progress(f"round {number} of {options['rounds']}, {contender.name}: {words}")

            if contender.joins_only:
                return trial.run_joining(contender.kind, contender.phones, place, room, say)
            return trial.run(contender.kind, contender.phones, window, place, room, say)

        chosen = compare.contenders(phones, options["specimen_phones"])
        result = compare.compare(chosen, options["rounds"], run)
        return result | {
            "phones": phones, "window": window,
            "goals": goals.reached(result, phones, window), "decided_elsewhere": list(goals.ELSEWHERE),
        }  # fmt: skip

    def progress(self, words: str) -> None:
        """Progress: on a terminal a line that is overwritten, elsewhere a line each."""
        if sys.stderr.isatty():
            self.stderr.write(f"\r\033[K{words}", ending="")
            self.stderr.flush()
        elif words:
            self.stderr.write(words)


def refuse_what_cannot_be(phones: int, window: float, options: dict) -> None:
    """Validate all options before anything is started, so that no long run fails at its end. Raises `CommandError`."""
    least = 0 if options["scenario"] == "joins" else 1
    if not least <= phones <= MOST_PHONES or window < 0:
        raise CommandError(f"--phones: expected 1 to {MOST_PHONES:,}; --window: expected 0 or more seconds.")
    if (
        options["rounds"] < (options["scenario"] != "joins")
        or not 1 <= options["specimen_phones"] <= MOST_PHONES
    ):
        raise CommandError("--rounds and --specimen-phones: expected 1 or more.")
    if options["base_url"] and (options["compare"] or options["scenario"] != "votes"):
        raise CommandError(
            "--base-url measures votes on one server; --compare and the other scenarios start their own."
        )
    if (against := options["against"]) and not (against / "manage.py").is_file():
        raise CommandError(f"--against: {against} is no checkout of this project.")
    if options["json"] and not options["json"].absolute().parent.is_dir():
        raise CommandError(f"--json: there is no folder {options['json'].parent}.")


def machine() -> dict[str, Any]:
    return {
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "system": platform.system(),
    }
