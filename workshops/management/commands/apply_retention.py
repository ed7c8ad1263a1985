"""`manage.py apply_retention [--dry-run]`: remove what is past its time, for a timer."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workshops.actions.retention import job


class Command(BaseCommand):
    help = "Remove what is past its time: sessions, invitations, wordings, answers whose period is over, and more."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        say = self.stdout.write if options["verbosity"] > 1 else lambda _step: None
        done = job.apply(say, dry_run=dry_run)
        lines = _sentences(done, dry_run)
        self.stdout.write("\n".join(lines) if lines else _("There is nothing to remove."))
        if done.not_told:
            words = ngettext(
                "%d mail could not be sent; it is tried again with the next run.",
                "%d mails could not be sent; they are tried again with the next run.",
                done.not_told,
            )
            raise CommandError(words % done.not_told)


def _sentences(done: job.Done, dry_run: bool) -> list[str]:
    words = _("%(where)s: would remove %(what)s.") if dry_run else _("%(where)s: removed %(what)s.")
    lines = [
        words % {"where": done.titles[pk] or _("On this server"), "what": job.named(numbers)}
        for pk, numbers in sorted(done.numbers.items())
        if +numbers
    ]
    lines += [
        _("%s began more than 30 days ago and was never ended: end it, or nothing of it is removed.") % each
        for each in done.never_ended
    ]
    if done.told:
        told = ngettext(
            "%(n)d person without a role is told that their account will be removed.",
            "%(n)d people without a role are told that their accounts will be removed.",
            done.told,
        )
        lines.append(told % {"n": done.told})
    return lines
