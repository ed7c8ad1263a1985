"""`manage.py load_programme FILE`: create or update a programme from its file."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from workshops.actions.authoring.programme_file import load
from workshops.programmes.file.checks import ProgrammeFileError


class Command(BaseCommand):
    help = "Create or update a programme from its file (TOML). Loading the same file again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="for example programmes/ideal_baby_room.toml")
        parser.add_argument(
            "--whole",
            action="store_true",
            help="make everything as the file says, also what was made or changed in the browser since",
        )

    def handle(self, *args: Any, file: Path, whole: bool, **options: Any) -> None:
        try:
            loaded = load(read(file), str(file), self.show_progress, whole=whole)
        except ProgrammeFileError as error:
            raise CommandError(_("%s Nothing was changed.") % _sentence(str(error))) from None
        title = loaded.programme.title
        if loaded.is_unchanged:
            self.stdout.write(_("“%s” is already as the file says. Nothing changed.") % title)
        else:
            self.stdout.write(_("“%s” is loaded:") % title)
        for change in loaded.changes:
            self.stdout.write(f"  {change}")
        self.say(_("Removed, and to be brought back within 30 days:"), loaded.removed)
        self.say(_("Left out, to be uploaded in the browser:"), loaded.left_out)
        self.say(_("Made or changed in the browser, so it stays (--whole takes the file’s):"), loaded.kept)

    def say(self, heading: str, rows: list[str]) -> None:
        if rows:
            self.stdout.write(heading)
        for row in rows:
            self.stdout.write(f"  {row}")

    def show_progress(self, done: int, questions: int) -> None:
        self.stderr.write(_("%(done)d of %(questions)d questions") % {"done": done, "questions": questions})


def read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise CommandError(_("%s: expected a text file in UTF-8.") % file) from None


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?")) else f"{text}."
