"""The people of a programme: roles and invitations. At least one owner, always.

None of this is undone from the log: who was just made a facilitator must not take that back. It is changed here again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.contrib.auth.models import User
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from ...models import Invitation, Membership, Programme, Role, Workshop
from ...people import invitations
from ...people.invitations import InvitationGone
from ..log import note
from . import lead

MAIL_WORKS_FOR = timedelta(days=14)
LINK_WORKS_FOR = timedelta(days=7)


class LastOwner(Exception):
    """A programme without an owner cannot be."""


class MailNotSent(Exception):
    """The mail server did not accept the mail."""


# --- roles ---------------------------------------------------------------------------------------------------


def change_role(membership: Membership, role: str, by: User, *, workshop: Workshop | None = None) -> None:
    """Give somebody this role instead; a guest's with a `workshop`. Raises `LastOwner`.

    A membership that is gone, or has this role, is left as it is.
    """
    with _locked(membership) as found:
        if found is None or (found.role, found.workshop_id) == (role, workshop and workshop.pk):
            return
        if found.role == Role.OWNER and role != Role.OWNER:
            _check_other_owner(found.programme)
        found.delete()
        _take_back_theirs(found, by)
        invitations.add_member(found.programme, found.user, role, workshop)
        note(found.programme, by, f"made_{_kind(role, workshop)}", about=found.user.email, workshop=workshop)
        lead.lost_role(found, by)


def remove_role(membership: Membership, by: User) -> None:
    """Take a role away. Raises `LastOwner`. A membership that is gone is left so."""
    with _locked(membership) as found:
        if found is None:
            return
        if found.role == Role.OWNER:
            _check_other_owner(found.programme)
        found.delete()
        _take_back_theirs(found, by)
        note(found.programme, by, "left", about=found.user.email, workshop=found.workshop)
        lead.lost_role(found, by)


@contextmanager
def _locked(membership: Membership) -> Iterator[Membership | None]:
    """The row as it is now, while no other owner changes a role of this programme."""
    with transaction.atomic():
        Programme.objects.select_for_update(no_key=True).get(pk=membership.programme_id)
        found = Membership.objects.filter(pk=membership.pk)
        yield found.select_related("programme", "user", "workshop").first()


def _take_back_theirs(gone: Membership, by: User) -> None:
    """No link of somebody who has lost a role leads back to it."""
    for invitation in gone.programme.invitations.filter(invited_by=gone.user, accepted_at=None):
        take_back(invitation, by)


def _check_other_owner(programme: Programme) -> None:
    if programme.memberships.filter(role=Role.OWNER).count() < 2:
        raise LastOwner


# --- invitations ---------------------------------------------------------------------------------------------


def invite(
    programme: Programme,
    by: User,
    role: str,
    *,
    once: str,
    link_of: Callable[[str], str],
    email: str = "",
    workshop: Workshop | None = None,
) -> Invitation:
    """Invite to a role, or a guest to a `workshop`: the link goes by mail; without an `email` it is to be copied.

    `once` is the form's idempotency key: a form that is sent twice makes one invitation (and one mail). `link_of` makes
    an address of a secret. A newer mail for the same address and role replaces the older.
    Raises `MailNotSent`, and then there is no invitation: nobody has its link.
    """
    secret = invitations.secret_of(programme, by, once)
    email = email.strip().lower()
    with transaction.atomic():
        Programme.objects.select_for_update(no_key=True).get(pk=programme.pk)
        made = Invitation.objects.filter(secret_hash=invitations.hashed(secret)).first()
        if made is not None:
            return made
        if email:
            older = programme.invitations.filter(email=email, role=role, workshop=workshop)
            older.filter(accepted_at=None).delete()
        made = programme.invitations.create(
            email=email, role=role, workshop=workshop, secret_hash=invitations.hashed(secret), invited_by=by,
            expires_at=timezone.now() + (MAIL_WORKS_FOR if email else LINK_WORKS_FOR),
        )  # fmt: skip
        note(programme, by, f"invited_{_kind(role, workshop)}", workshop=workshop)
    if email:
        try:
            # After the commit, so that the link works as soon as the mail arrives.
            _send(made, link_of(secret))
        except OSError as error:  # SMTPException is one too
            take_back(made, by)
            raise MailNotSent from error
    return made


def take_back(invitation: Invitation, by: User) -> None:
    """The link works no more."""
    with transaction.atomic():
        if Invitation.objects.filter(pk=invitation.pk).delete()[0]:
            note(invitation.programme, by, "invitation_taken_back", workshop=invitation.workshop)


@transaction.atomic
def accept(invitation: Invitation, person: User) -> Membership:
    """Use the invitation, once. Raises `InvitationGone`, also for the slower of two concurrent requests."""
    if not invitations.valid().filter(pk=invitation.pk).update(accepted_at=timezone.now()):
        raise InvitationGone
    member = invitations.add_member(invitation.programme, person, invitation.role, invitation.workshop)
    verb = f"joined_{_kind(invitation.role, invitation.workshop)}"
    note(invitation.programme, person, verb, workshop=invitation.workshop)
    return member


@transaction.atomic
def accept_with_new_account(invitation: Invitation, email: str, password: str) -> User:
    """A new account for the invited address, or for one's own where a link named none.

    Raises `InvitationGone`, `ValidationError`.
    """
    # Only a mail that arrived shows whose address it is.
    person = invitations.create_user(invitation.email or email, password, verified=bool(invitation.email))
    accept(invitation, person)
    return person


def _send(invitation: Invitation, link: str) -> None:
    context = {
        "invitation": invitation,
        "programme": invitation.programme,
        "link": link,
        "days": MAIL_WORKS_FOR.days,
    }
    send_mail(
        subject=_("You are invited to %s") % " ".join(invitation.programme.title.split()),
        message=render_to_string("workshops/invitation_mail.txt", context),
        from_email=None,
        recipient_list=[invitation.email],
    )


def _kind(role: str, workshop: Workshop | None) -> str:
    return "guest" if workshop else str(role)
