"""`manage.py load_demo_summary`: write and publish a vision summary of the five synthetic workshops."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from visions.demo import summary as demo_summary
from visions.summary import composing
from workshops.management.commands.export_programme import programme_called


class Command(BaseCommand):
    help = "Write and publish the demonstration’s vision summary. Run again, it changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--programme", default="ideal-baby-room", help="key of the programme")

    def handle(self, *args: Any, **options: Any) -> None:
        programme = programme_called(options["programme"])
        try:
            snapshot = demo_summary.write(programme)
        except composing.NoSuchFigure as missing:
            raise CommandError(
                f"Nothing was written: there is no figure {missing} yet. First: load_synthetic_workshops"
            ) from missing
        if snapshot:
            self.stdout.write(
                f"Published “{snapshot.summary}”, version {snapshot.number}: /vision/{snapshot.summary.key}/"
            )
        else:
            self.stdout.write(f"“{programme}” has a summary already. Nothing was changed.")
