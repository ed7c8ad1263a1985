"""Five synthetic workshops of a programme, labelled as such, with results that add up to the published ones."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from visions import synthetic
from workshops.models import Programme


class Command(BaseCommand):
    help = "Make the synthetic past workshops of a programme. Run again, it changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--programme", default="ideal-baby-room", help="key of the programme")

    def handle(self, *args: Any, **options: Any) -> None:
        programme = Programme.objects.filter(key=options["programme"]).first()
        if programme is None:
            raise CommandError(
                f"There is no programme {options['programme']!r}. Load it first: load_programme FILE"
            )
        try:
            made = synthetic.load(programme, progress=self.stdout.write)
        except synthetic.NotPossible as why:
            raise CommandError(f"Nothing was made: {why}.") from why
        if made:
            self.stdout.write(f"Made {made} synthetic workshops of “{programme}”.")
        else:
            self.stdout.write(
                f"The synthetic workshops of “{programme}” are here already. Nothing was changed."
            )
