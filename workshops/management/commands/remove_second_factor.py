"""`manage.py remove_second_factor EMAIL --reason WORDS`: for somebody who lost their phone and their recovery codes."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from workshops.actions import accounts
from workshops.people.invitations import user_with_email


class Command(BaseCommand):
    help = "Take the second factor off an account and sign it out everywhere; its programmes' logs say why."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument(
            "--reason",
            required=True,
            help="how you know that it is them; stands in the log of their programmes",
        )

    def handle(self, *args: Any, email: str, reason: str, **options: Any) -> None:
        user = user_with_email(email)
        if user is None:
            raise CommandError(_("Nobody signs in with %s.") % email)
        if len(reason.strip()) < 10:
            raise CommandError(_("Write the reason in a few words: how do you know that it is them?"))
        words = (
            _("%s signs in with the password alone now, and is signed out everywhere.")
            if accounts.take_off_second_factor(user, reason.strip())
            else _("%s had no second factor, and is signed out everywhere.")
        )
        self.stdout.write(words % user.email)
