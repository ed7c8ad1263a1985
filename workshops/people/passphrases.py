"""What a passphrase may not be made of: repetition, a row of keys, words that everybody can guess for this account."""

from __future__ import annotations

import re

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

#: letters and digits that must be left when the guessable parts are taken out
LEFT = 6
ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "abcdefghijklmnopqrstuvwxyz", "01234567890123456789")
GUESSABLE = (
    "workshops", "workshop", "vision", "password", "passphrase", "letmein", "welcome", "secret", "nursery",
)  # fmt: skip


class GuessableValidator:
    """For `AUTH_PASSWORD_VALIDATORS`; the common passwords themselves are Django's own list."""

    def validate(self, password: str, user: User | None = None) -> None:
        plain = re.sub(r"[\W_]+", "", password.casefold())
        if _repeats(plain) or len(set(plain)) < 5:
            raise ValidationError(_("This repeats itself. Three or four different words work well."))
        own = re.split(r"\W+", user.email.casefold()) if user is not None else []
        for part in sorted({*own, *GUESSABLE, *_runs(plain)}, key=len, reverse=True):
            if len(part) > 2:
                plain = plain.replace(part, " ")
        if len(plain.replace(" ", "")) < LEFT:
            raise ValidationError(
                _("This is easy to guess: it is made of common words, of your email, or of keys in a row.")
            )

    def get_help_text(self) -> str:
        return _("Three or four words in a row work well; not your email, and nothing that repeats itself.")


def _repeats(plain: str) -> bool:
    """Is it one part, twice or more often?"""
    return bool(plain) and plain in (plain + plain)[1:-1]


def _runs(plain: str) -> set[str]:
    """The parts of four and more that are keys in a row, forwards or backwards."""
    found = set()
    for row in (*ROWS, *(row[::-1] for row in ROWS)):
        for start in range(len(plain)):
            end = start + 4
            while end <= len(plain) and plain[start:end] in row:
                found.add(plain[start:end])
                end += 1
    return found
