"""`manage.py purge_removed [--dry-run]`: delete for good what was removed more than thirty days ago, for a timer."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workshops.actions.authoring.removed import purge


class Command(BaseCommand):
    help = "Delete for good what was removed more than thirty days ago, where nobody has answered."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would be deleted")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        if dry_run:
            with transaction.atomic():
                found = list(purge())
                transaction.set_rollback(True)
        else:
            found = list(purge())
        for line in found:
            self.stdout.write(line)
        many = {"n": len(found)}
        if dry_run:
            words = ngettext("%(n)d thing would be deleted.", "%(n)d things would be deleted.", len(found))
        else:
            words = ngettext("%(n)d thing is deleted.", "%(n)d things are deleted.", len(found))
        self.stdout.write(words % many if found else _("There is nothing to delete."))
