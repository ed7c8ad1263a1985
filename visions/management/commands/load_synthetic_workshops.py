"""`manage.py load_synthetic_workshops`: five synthetic workshops whose pooled results equal the published ones."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from visions.demo import synthetic
from workshops.management.commands.export_programme import programme_called


class Command(BaseCommand):
    help = "Make the synthetic past workshops of a programme. Run again, it changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--programme", default="ideal-baby-room", help="key of the programme")

    def handle(self, *args: Any, **options: Any) -> None:
        programme = programme_called(options["programme"])
        try:
            made = synthetic.load(programme, progress=self.stdout.write)
        except synthetic.SyntheticDataError as why:
            raise CommandError(f"Nothing was made: {why}.") from why
        if made:
            self.stdout.write(f"Made {made} synthetic workshops of “{programme}”.")
        else:
            self.stdout.write(
                f"The synthetic workshops of “{programme}” are here already. Nothing was changed."
            )
