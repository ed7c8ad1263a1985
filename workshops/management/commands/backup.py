"""Make a backup, and with --drill prove that it comes back."""

from __future__ import annotations

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from workshops.operations import backups


class Command(BaseCommand):
    help = "Write the database to FILE. The server may run meanwhile."

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--drill", action="store_true", help="restore it into a scratch database and count its rows"
        )

    def handle(self, *args, file: Path, drill: bool, **options):
        try:
            rows = backups.make(file)
            if drill:
                backups.drill(file, rows)
        except backups.BackupError as error:
            raise CommandError(str(error)) from error
        proof = " Restored into a scratch database: every table has its rows again." if drill else ""
        size = f"{sum(rows.values())} rows in {len(rows)} tables, {file.stat().st_size} bytes"
        self.stdout.write(f"{file}: {size}.{proof}")
