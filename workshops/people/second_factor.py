"""The second factor of an account: allauth's, with our drawing and encryption, and who must have one.

A programme may say that its owners and researchers need one (`Programme.second_factor`); `access` asks here before any
of its pages opens. What is stored is encrypted with `SECRET_KEY`, so that a backup alone gives nobody a second factor.
"""

from __future__ import annotations

import secrets
from base64 import b32encode, urlsafe_b64encode
from collections.abc import Collection
from typing import Any, ClassVar

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..models import Programme, Role

#: the roles that read what people answered and wrote, over all workshops
NEED_IT = frozenset({Role.OWNER, Role.RESEARCHER})
SALT = "workshops.people.second_factor"


class SecondFactorMissing(PermissionDenied):
    """This programme asks for a second factor, and this person has none yet."""

    def __init__(self, programme: Programme) -> None:
        super().__init__()
        self.programme = programme


class SecondFactorAdapter(DefaultMFAAdapter):
    """allauth's second factor in our words."""

    error_messages: ClassVar[dict[str, Any]] = DefaultMFAAdapter.error_messages | {
        "incorrect_code": gettext_lazy(
            "This code is not right, or its half minute is over. Type the one that your app shows now."
        ),
    }

    def build_totp_svg(self, url: str) -> str:
        """None: the page draws it itself, as every QR code."""
        return ""

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        found = Authenticator.objects.filter(user=user, type=type).count()
        return _("Passkey %d") % (found + 1)

    def encrypt(self, text: str) -> str:
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return _cipher().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:  # of another SECRET_KEY: a secret that nobody knows, so that no code is right
            return b32encode(secrets.token_bytes(20)).decode()


def _cipher() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = (salted_hmac(SALT, "", secret=key, algorithm="sha256").digest() for key in keys)
    return MultiFernet([Fernet(urlsafe_b64encode(digest)) for digest in digests])


def has_one(user: User | AnonymousUser) -> bool:
    """Is this account asked for a second step when it signs in?"""
    return user.pk in with_one([user.pk])


def with_one(user_ids: Collection[int | None]) -> set[int]:
    """Those of these accounts that have a second factor; codes on paper alone are none. One query."""
    found = Authenticator.objects.filter(user_id__in=[pk for pk in user_ids if pk])
    return set(found.exclude(type=Authenticator.Type.RECOVERY_CODES).values_list("user_id", flat=True))


def check(user: User | AnonymousUser, programme: Programme, roles: Collection[str]) -> None:
    """Raises `SecondFactorMissing` where the programme asks these roles for one. A query only where it does."""
    if programme.second_factor and not NEED_IT.isdisjoint(roles) and not has_one(user):
        raise SecondFactorMissing(programme)
