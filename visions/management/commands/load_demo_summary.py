"""The first vision summary for the five synthetic workshops."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from visions import demo_summary, publishing
from workshops.models import Programme


class Command(BaseCommand):
    help = "Write and publish the demonstration’s vision summary. Run again, it changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--programme", default="ideal-baby-room", help="key of the programme")

    def handle(self, *args: Any, **options: Any) -> None:
        programme = Programme.objects.filter(key=options["programme"]).first()
        if programme is None:
            raise CommandError(
                f"There is no programme {options['programme']!r}. Load it first: load_programme FILE"
            )
        try:
            snapshot = demo_summary.write(programme)
        except publishing.NoSuchFigure as missing:
            raise CommandError(
                f"Nothing was written: there is no figure {missing} yet. First: load_synthetic_workshops"
            ) from missing
        if snapshot:
            self.stdout.write(
                f"Published “{snapshot.summary}”, version {snapshot.number}: /vision/{snapshot.summary.key}/"
            )
        else:
            self.stdout.write(f"“{programme}” has a summary already. Nothing was changed.")
