"""Put a backup back."""

from __future__ import annotations

from pathlib import Path

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from workshops.operations import backups


class Command(BaseCommand):
    help = "Put a backup into the database, then migrate. Stop the servers first."

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)
        parser.add_argument("--replace", action="store_true", help="overwrite a database that is not empty")

    def handle(self, *args, file: Path, replace: bool, **options):
        try:
            backups.refuse_while_others_are_connected()
            rows = backups.restore(file, replace=replace)
        except backups.BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Restored {sum(rows.values())} rows in {len(rows)} tables.")
        call_command("migrate", verbosity=0)
