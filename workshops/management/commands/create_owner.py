"""`manage.py create_owner [EMAIL] [--programme KEY ...]`: the first owner, who then invites everybody else."""

from __future__ import annotations

import sys
from getpass import getpass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from workshops.accounts import create_person, join, person_with
from workshops.models import Programme, Role

from .export_programme import programme_called


class Command(BaseCommand):
    help = "Create an owner of one or more programmes (of every programme when none is named)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", nargs="?", help="asked for when it is left out")
        parser.add_argument(
            "--programme", metavar="KEY", action="append", default=[], help="may be given many times"
        )
        parser.add_argument(
            "--password-stdin", action="store_true", help="read the password from standard input"
        )

    def handle(
        self, *args: Any, email: str | None, programme: list[str], password_stdin: bool, **options: Any
    ) -> None:
        programmes = _programmes(programme)
        email = _checked_email(email or _asked_email())
        person = person_with(email)
        # Asked before the transaction: nobody's votes wait while a person types.
        password = "" if person else _password(password_stdin)
        try:
            with transaction.atomic():
                owner = person or create_person(email, password)
                for one in programmes:
                    join(one, owner, Role.OWNER)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        if person:
            self.stdout.write(_("%s had an account already; the password stays as it was.") % email)
        titles = ", ".join(one.title for one in programmes)
        self.stdout.write(_("%(email)s owns: %(titles)s.") % {"email": email, "titles": titles})


def _programmes(keys: list[str]) -> list[Programme]:
    if keys:
        return [programme_called(key) for key in dict.fromkeys(keys)]
    programmes = list(Programme.objects.order_by("title"))
    if not programmes:
        raise CommandError(_("There is no programme yet. Load one first: manage.py load_programme FILE"))
    return programmes


def _checked_email(email: str) -> str:
    try:
        validate_email(email)
    except ValidationError:
        raise CommandError(_("“%s” is not an email address. It looks like name@place.org.") % email) from None
    return email.strip().lower()


def _asked_email() -> str:
    if not sys.stdin.isatty():
        raise CommandError(_("Name the owner: manage.py create_owner name@place.org"))
    return input(_("Email: "))


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return _asked_password()


def _asked_password() -> str:
    if not sys.stdin.isatty():
        raise CommandError(_("There is no terminal to ask for a password; give it with --password-stdin."))
    first = getpass(_("Password (at least 12 letters): "))
    if first != getpass(_("The same password again: ")):
        raise CommandError(_("The two passwords are not the same. Nothing was created."))
    return first
