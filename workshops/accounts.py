"""Who gets an account: nobody by themselves; owners invite.

An invitation is a link with a secret. The secret is in the mail and nowhere else: we store its hash, it
works once, for the address it was sent to, and for two weeks.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core.internal.ratelimit import truncate_ip
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .models import Invitation, Membership, Programme, Role

INVITATION_DAYS = 14


class InvitedOnlyAdapter(DefaultAccountAdapter):
    """allauth, with the front door closed."""

    error_messages: ClassVar[dict[str, Any]] = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": gettext_lazy(
            "This email and this password do not belong together. Try again, or get a new password."
        ),
        "too_many_login_attempts": gettext_lazy("Too many tries. Wait five minutes and try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """A name for where tries come from, to slow guessing down: a keyed hash, so no address reaches the cache."""
        return salted_hmac(
            "workshops.accounts.tries", truncate_ip(super().get_client_ip(request))
        ).hexdigest()


class LastOwner(Exception):
    """Every programme has an owner; this is the last one."""


class MailNotSent(Exception):
    """The mail server did not take the mail."""


class InvitationGone(Exception):
    """Used, withdrawn or too old; or never made."""


# --- accounts ---------------------------------------------------------------------------------------


def person_with(email: str) -> User | None:
    """The account that signs in with this address, in whatever case it is typed."""
    return get_user_model().objects.filter(email__iexact=email.strip()).first()


@transaction.atomic
def create_person(email: str, password: str) -> User:
    """A new account. Raises Django's `ValidationError` where the password is too easy."""
    email = email.strip().lower()
    # The user name is never shown or asked for; a random one keeps names of people out of it.
    person = User(username=secrets.token_hex(16), email=email)
    validate_password(password, person)
    person.set_password(password)
    person.save()
    EmailAddress.objects.create(user=person, email=email, verified=True, primary=True)
    return person


# --- members ----------------------------------------------------------------------------------------


def join(programme: Programme, person: User, role: str) -> Membership:
    return Membership.objects.get_or_create(programme=programme, user=person, role=role)[0]


@transaction.atomic
def remove(membership: Membership) -> None:
    """Take a role away. Raises `LastOwner`."""
    # The lock makes two owners who remove each other at once take turns.
    programme = Programme.objects.select_for_update().get(pk=membership.programme_id)
    if membership.role == Role.OWNER and programme.memberships.filter(role=Role.OWNER).count() < 2:
        raise LastOwner
    membership.delete()


# --- invitations ------------------------------------------------------------------------------------


def pending(programme: Programme) -> QuerySet[Invitation]:
    """Invitations that still work, newest first."""
    return _alive().filter(programme=programme).order_by("-created_at", "-pk")


def invite(programme: Programme, email: str, role: str, by: User, request: HttpRequest) -> Invitation:
    """Ask somebody in. A newer invitation replaces an older one.

    Raises `MailNotSent`, and then there is no invitation: nobody has its link.
    """
    secret = secrets.token_urlsafe(32)  # 256 bits
    invitation = _new_invitation(programme, email.strip().lower(), role, by, secret)
    try:
        # After the commit, so that the link works as soon as the mail is there.
        _send(invitation, address(reverse("invitation", args=[secret]), request))
    except OSError as error:  # SMTPException is one too
        invitation.delete()
        raise MailNotSent from error
    return invitation


@transaction.atomic
def _new_invitation(programme: Programme, email: str, role: str, by: User, secret: str) -> Invitation:
    programme.invitations.filter(email=email, role=role, accepted_at=None).delete()
    return programme.invitations.create(
        email=email,
        role=role,
        secret_hash=_hashed(secret),
        invited_by=by,
        expires_at=timezone.now() + timedelta(days=INVITATION_DAYS),
    )


def invitation_for(secret: str) -> Invitation:
    """The invitation with this secret. Raises `InvitationGone`."""
    found = _alive().filter(secret_hash=_hashed(secret)).select_related("programme", "invited_by").first()
    if found is None:
        raise InvitationGone
    return found


@transaction.atomic
def accept(invitation: Invitation, person: User) -> Membership:
    """Use the invitation up. Raises `InvitationGone` when somebody was faster."""
    if not _alive().filter(pk=invitation.pk).update(accepted_at=timezone.now()):
        raise InvitationGone
    return join(invitation.programme, person, invitation.role)


@transaction.atomic
def accept_with_new_account(invitation: Invitation, password: str) -> User:
    """A new account for the invited address. Raises `InvitationGone`, `ValidationError`."""
    person = create_person(invitation.email, password)
    accept(invitation, person)
    return person


def address(path: str, request: HttpRequest) -> str:
    """The whole address of a page, as people outside would type it."""
    return settings.PUBLIC_URL + path if settings.PUBLIC_URL else request.build_absolute_uri(path)


def _alive() -> QuerySet[Invitation]:
    return Invitation.objects.filter(accepted_at=None, expires_at__gt=timezone.now())


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _send(invitation: Invitation, link: str) -> None:
    context = {
        "invitation": invitation,
        "programme": invitation.programme,
        "link": link,
        "days": INVITATION_DAYS,
    }
    send_mail(
        subject=_("You are invited to %s") % invitation.programme.title.replace("\n", " "),
        message=render_to_string("workshops/invitation_mail.txt", context),
        from_email=None,
        recipient_list=[invitation.email],
    )
