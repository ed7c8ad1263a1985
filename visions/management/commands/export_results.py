"""`manage.py export_results KEY`: export the pooled results of a programme as CSV."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from visions.exports import results_csv
from visions.results import aggregates
from workshops.actions.log import note
from workshops.management.commands.export_programme import programme_called


class Command(BaseCommand):
    help = "Write the pooled results of a programme: a row per question, series of its versions, and option."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key", help="key of the programme")
        parser.add_argument("--format", choices=["csv"], default="csv")
        parser.add_argument("--output", type=Path, help="file to write; without it, the screen")
        parser.add_argument(
            "--workshops",
            choices=list(aggregates.WORKSHOP_FILTERS),
            default="all",
            help="all, real or synthetic workshops",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        programme = programme_called(options["key"])
        note(programme, None, "exported", about=f"{programme.key}-results.csv")
        findings = aggregates.load_findings(programme, options["workshops"])
        if options["output"] is None:
            # Not `self.stdout`, which appends a line break to every write.
            results_csv.write(findings, sys.stdout)
        else:
            self._write_file(findings, options["output"])

    def _write_file(self, findings: aggregates.Findings, path: Path) -> None:
        try:
            with path.open("w", newline="", encoding="utf-8") as file:
                rows = results_csv.write(findings, file)
        except OSError as why:
            raise CommandError(f"Cannot write {path}: {why.strerror}.") from why
        self.stdout.write(f"Wrote {rows} rows to {path}.")
