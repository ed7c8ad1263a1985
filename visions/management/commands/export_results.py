"""Pooled results of a programme as a file."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from visions import aggregates
from visions.exports import results_csv
from workshops.models import Programme


class Command(BaseCommand):
    help = "Write the pooled results of a programme: a row per instrument and option or measure."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key", help="key of the programme")
        parser.add_argument("--format", choices=["csv"], default="csv")
        parser.add_argument("--output", type=Path, help="file to write; without it, the screen")
        parser.add_argument(
            "--workshops",
            choices=list(aggregates.WHICH),
            default="all",
            help="all, real or synthetic workshops",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        programme = Programme.objects.filter(key=options["key"]).first()
        if programme is None:
            raise CommandError(f"There is no programme {options['key']!r}.")
        found = aggregates.findings(programme, options["workshops"])
        for asked in found.asked:
            if asked.refused:
                self.stderr.write(f"Left out, because it does not add up: {asked.refused}")
        if options["output"] is None:
            # Not `self.stdout`: that adds a line end of its own to every write.
            results_csv.write(found, sys.stdout)
        else:
            self._write_file(found, options["output"])

    def _write_file(self, found: aggregates.Findings, path: Path) -> None:
        try:
            with path.open("w", newline="", encoding="utf-8") as file:
                rows = results_csv.write(found, file)
        except OSError as why:
            raise CommandError(f"Cannot write {path}: {why.strerror}.") from why
        self.stdout.write(f"Wrote {rows} rows to {path}.")
