"""Make a backup, and with --drill prove that it comes back."""

from __future__ import annotations

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from workshops import backups


class Command(BaseCommand):
    help = "Write the database to FILE, with row counts and checksums. The server may run meanwhile."

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--drill", action="store_true", help="restore it into a scratch database and compare"
        )

    def handle(self, *args, file: Path, drill: bool, **options):
        try:
            manifest = backups.make(file)
            if drill:
                backups.drill(file)
        except backups.BackupError as error:
            raise CommandError(str(error)) from error
        rows = sum(table.rows for table in manifest.tables.values())
        proof = " Restored into a scratch database: every table is the same." if drill else ""
        self.stdout.write(
            f"{file}: {rows} rows in {len(manifest.tables)} tables, {file.stat().st_size} bytes.{proof}"
        )
