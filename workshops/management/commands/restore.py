"""Put a backup back."""

from __future__ import annotations

from pathlib import Path

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from workshops import backups


class Command(BaseCommand):
    help = "Put a backup into the database, check every table, then migrate. Stop the servers first."

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)
        parser.add_argument("--replace", action="store_true", help="overwrite a database that is not empty")

    def handle(self, *args, file: Path, replace: bool, **options):
        try:
            manifest = backups.restore(file, replace=replace)
        except backups.BackupError as error:
            raise CommandError(str(error)) from error
        rows = sum(table.rows for table in manifest.tables.values())
        self.stdout.write(
            f"Restored {rows} rows in {len(manifest.tables)} tables from {manifest.made_at}: all as saved."
        )
        call_command("migrate", verbosity=0)
