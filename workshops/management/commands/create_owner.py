"""`manage.py create_owner [EMAIL] [--programme KEY ...]`: create the first owner, who then invites other staff."""

from __future__ import annotations

import sys
from getpass import getpass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from workshops.actions.log import note
from workshops.models import Programme, Role
from workshops.people.invitations import add_member, create_user, user_with_email

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
        email = _validated_email(email or _prompt_for_email())
        existing = user_with_email(email)
        # Prompt before the transaction: on SQLite it holds the write lock, and votes would wait for a typing user.
        password = "" if existing else _password(password_stdin)
        try:
            with transaction.atomic():
                owner = existing or create_user(email, password)
                for each in programmes:
                    if not each.memberships.filter(user=owner, role=Role.OWNER).exists():
                        add_member(each, owner, Role.OWNER)
                        note(each, None, "made_owner", about=email)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        if existing:
            self.stdout.write(_("%s had an account already; the password stays as it was.") % email)
        titles = ", ".join(each.title for each in programmes)
        self.stdout.write(_("%(email)s owns: %(titles)s.") % {"email": email, "titles": titles})


def _programmes(keys: list[str]) -> list[Programme]:
    if keys:
        return [programme_called(key) for key in dict.fromkeys(keys)]
    programmes = list(Programme.objects.order_by("title"))
    if not programmes:
        raise CommandError(_("There is no programme yet. Load one first: manage.py load_programme FILE"))
    return programmes


def _validated_email(email: str) -> str:
    try:
        validate_email(email)
    except ValidationError:
        raise CommandError(_("“%s” is not an email address. It looks like name@place.org.") % email) from None
    return email.strip().lower()


def _prompt_for_email() -> str:
    if not sys.stdin.isatty():
        raise CommandError(_("Name the owner: manage.py create_owner name@place.org"))
    return input(_("Email: "))


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise CommandError(_("There is no terminal to ask for a password; give it with --password-stdin."))
    first = getpass(_("Password (at least 12 letters): "))
    if first != getpass(_("The same password again: ")):
        raise CommandError(_("The two passwords are not the same. Nothing was created."))
    return first
