"""`manage.py export_programme KEY [--output FILE]`: write a programme as the file it can be loaded from."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from workshops.actions.log import note
from workshops.models import Programme
from workshops.programmes.file.io import export


class Command(BaseCommand):
    help = "Write a programme as a file (TOML) that loads to the same programme again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key", help="for example ideal-baby-room")
        parser.add_argument("--output", type=Path, help="a file; without it the text goes to the terminal")

    def handle(self, *args: Any, key: str, output: Path | None, **options: Any) -> None:
        programme = programme_called(key)
        note(programme, None, "exported", about=f"{programme.key}.toml")
        text = export(programme)
        if output is None:
            self.stdout.write(text, ending="")
            return
        try:
            output.write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{output}: {error.strerror}.") from None
        self.stderr.write(_("Written to %s.") % output)


def programme_called(key: str) -> Programme:
    """The programme with this key. Raises `CommandError` with the keys that exist."""
    programme = Programme.objects.filter(key=key).select_related("bank").first()
    if programme is None:
        keys = ", ".join(Programme.objects.order_by("key").values_list("key", flat=True))
        raise CommandError(
            _("There is no programme “%(key)s”. There is: %(there)s.") % {"key": key, "there": keys}
            if keys
            else _("There is no programme yet. Load one first: manage.py load_programme FILE")
        )
    return programme
