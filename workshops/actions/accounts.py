"""What happens to an account, and the log of it: signing in and out, tries that were refused, the second factor.

An account belongs to no programme: each programme in which its person has a role gets the row, so that its owners read
what concerns them. No addresses, no devices, and of what was typed nothing.
"""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest

from ..people import access, invitations, second_factor, sessions
from .log import note

#: seconds in which further refusals of one kind for one account make no further row
REFUSED_ONCE_IN = 600
CODES = Authenticator.Type.RECOVERY_CODES


@transaction.atomic
def tell(user: User, verb: str, *, by: User | None, about: str = "") -> None:
    """A row in the log of every programme in which this person has a role."""
    for programme in access.programmes_of(user):
        note(programme, by, verb, about=about)


def refused(verb: str, login: str) -> None:
    """Somebody was not let in to the account with this address, if there is one."""
    user = invitations.user_with_email(login)
    if user is not None and cache.add(f"accounts.refused:{verb}:{user.pk}", 1, REFUSED_ONCE_IN):
        tell(user, verb, by=None, about=user.email)


# --- sessions ---------------------------------------------------------------------------------------------------


@transaction.atomic
def sign_out_elsewhere(user: User, this_key: str | None, name: str = "") -> int:
    """End this person's session of that name, or all but the one with `this_key`; returns how many there were."""
    found = [one for one in sessions.of(user, this_key) if not one.is_this and name in ("", one.name)]
    for one in found:
        one.row.delete()  # its consoles end with it: `people.rights`
    if found:
        tell(user, "signed_out_elsewhere", by=user)
    return len(found)


@transaction.atomic
def take_off_second_factor(user: User, reason: str) -> bool:
    """For whoever has lost it, by an operator: sessions end as well, for a device may be in other hands.

    False where there was none.
    """
    had_one = second_factor.has_one(user)
    Authenticator.objects.filter(user=user).delete()
    for one in sessions.of(user):
        one.row.delete()
    if had_one:
        tell(user, "second_factor_taken_off", by=None, about=f"{user.email}: {reason}")
    return had_one


# --- what allauth tells -------------------------------------------------------------------------------------------


@receiver(account.user_logged_in, dispatch_uid="accounts.signed_in")
def _signed_in(user: User, **_said: Any) -> None:
    tell(user, "signed_in", by=user)


@receiver([account.password_changed, account.password_set], dispatch_uid="accounts.changed_passphrase")
def _changed_passphrase(user: User, **_said: Any) -> None:
    tell(user, "changed_passphrase", by=user)


@receiver(account.password_reset, dispatch_uid="accounts.reset_passphrase")
def _reset_passphrase(user: User, **_said: Any) -> None:
    tell(user, "reset_passphrase", by=user)


@receiver(mfa.authenticator_added, dispatch_uid="accounts.second_factor_added")
def _added(request: HttpRequest, user: User, authenticator: Authenticator, **_said: Any) -> None:
    """Whoever signed in elsewhere did it with the password alone, so that session ends."""
    if authenticator.type != CODES:
        tell(user, "second_factor_added", by=user)
        sign_out_elsewhere(user, request.session.session_key)


@receiver(mfa.authenticator_removed, dispatch_uid="accounts.second_factor_removed")
def _removed(user: User, authenticator: Authenticator, **_said: Any) -> None:
    if authenticator.type != CODES:
        tell(user, "second_factor_removed", by=user)


@receiver(mfa.authenticator_reset, dispatch_uid="accounts.made_codes")
def _made_codes(user: User, **_said: Any) -> None:
    tell(user, "made_codes", by=user)


@receiver(mfa.authenticator_used, dispatch_uid="accounts.used_code")
def _used(user: User, authenticator: Authenticator, **_said: Any) -> None:
    if authenticator.type == CODES:
        tell(user, "used_code", by=user)


@receiver(mfa.authentication_failed, dispatch_uid="accounts.wrong_code")
def _wrong_code(user: User, **_said: Any) -> None:
    refused("wrong_code", user.email)
