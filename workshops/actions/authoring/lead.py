"""The safeguarding lead: who reads what is flagged. Another one is named by an owner, and takes over with a witness.

A nomination waits until the present lead or a *second* owner agrees, or for a day; so nobody makes themselves lead,
reads, and puts it back unseen. Where no lead is named, the owners are the present readers: a second one agrees, and a
sole owner names a lead at once, because nothing is taken from anybody. So does a lead who is an owner and hands over.

* "Leave it to the owners" is a nomination too, of nobody.
* A lead whose role is taken away reads nothing from that moment, and the owners take over as by a nomination: later.
* A second owner counts once they have been an owner for a day; else an owner would invite a second self.
* A nomination that is due counts by itself (`access.is_lead`); `settle` writes it down on the next page that shows it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from ...models import Membership, Programme, Role
from ...people import access
from ..log import note

logger = logging.getLogger(__name__)


class NominationWaits(Exception):
    """Somebody else is named already."""


class NothingToAnswer(Exception):
    """The nomination was answered, taken back or replaced since the page was drawn."""


class MayNotAgree(Exception):
    """Neither the present lead nor another owner, of at least a day."""


class LeadNotTold(Exception):
    """The mail server did not accept the mail to the present lead."""


@dataclass(frozen=True, slots=True)
class Nomination:
    """As pages show it to one user."""

    #: empty: the owners
    nominee: str
    by: str
    due_at: datetime
    is_own: bool
    may_agree: bool
    #: an owner who would count as the second one tomorrow
    is_too_new: bool
    #: the form's: an answer is for this nomination and no other
    stamp: str


def nomination(programme: Programme, user: User) -> Nomination | None:
    named_at = programme.lead_named_at
    if named_at is None:
        return None
    may, is_second = _may_agree(programme, user), _is_second_owner(programme, user)
    return Nomination(
        nominee=programme.lead_nominee.email if programme.lead_nominee else "",
        by=programme.lead_named_by.email if programme.lead_named_by else "",
        due_at=named_at + access.LEAD_WAITS,
        is_own=programme.lead_named_by == user,
        may_agree=may,
        is_too_new=is_second and not may,
        stamp=_stamp(programme),
    )


def is_at_once(programme: Programme, user: User) -> bool:
    """Would a lead whom this owner names be it at once?"""
    return programme.lead_named_at is None and _takes_nothing_from_anybody(programme, user)


def settle(programme: Programme) -> None:
    """Write down a nomination that has become due. `programme` is as it is in the database then."""
    if access.nomination_is_due(programme):
        with _locked(programme):
            pass


def name(programme: Programme, person: User | None, by: User, *, link: str) -> bool:
    """Name the one who reads what is flagged; nobody: the owners. Is it so at once?

    Naming the same again changes nothing. `link`: where the present lead answers.
    Raises `NominationWaits`, and `LeadNotTold`: then nobody is named.
    """
    with _locked(programme) as found:
        if found.lead_named_at is not None:
            if found.lead_nominee == person:
                return False
            raise NominationWaits
        if found.safeguarding_lead == person:
            return True
        _nominate(found, person, by)
        if _takes_nothing_from_anybody(found, by):
            _take_effect(found)
            return True
    try:
        _tell(found, _present_readers(found, by), link)
    except OSError as error:  # SMTPException is one too
        refuse(programme, by, _stamp(found))
        raise LeadNotTold from error
    return False


def agree(programme: Programme, by: User, stamp: str) -> None:
    """It takes effect. Raises `NothingToAnswer`, `MayNotAgree`."""
    with _locked(programme) as found:
        _check(found, stamp)
        if not _may_agree(found, by):
            raise MayNotAgree
        note(found, by, "lead_agreed", about=_named(found))
        _take_effect(found)


def refuse(programme: Programme, by: User, stamp: str) -> None:
    """The present lead refuses, or an owner takes it back; all stays as it is. Raises `NothingToAnswer`."""
    with _locked(programme) as found:
        _check(found, stamp)
        _drop(found, by, "lead_taken_back" if found.lead_named_by == by else "lead_refused")


def lost_role(gone: Membership, by: User) -> None:
    """What follows for safeguarding where somebody has just lost a role, within the caller's transaction.

    Their nomination, and a nomination of them, lapses. If they were the lead, the owners are named in their place; the
    lead who goes by their own hand has agreed to that.
    """
    programme, user = gone.programme, gone.user
    _settle(programme)
    own_roles = access.roles(user, programme)
    named_theirs = programme.lead_named_by == user and Role.OWNER not in own_roles
    if programme.lead_nominee and (named_theirs or (programme.lead_nominee == user and not own_roles)):
        _drop(programme, by, "lead_taken_back")
    if programme.safeguarding_lead != user or own_roles:
        return
    if by == user:
        _clear(programme)
        _take_effect(programme)
    elif programme.lead_named_at is None:
        _nominate(programme, None, by)
        transaction.on_commit(lambda: _tell_who_left(programme, user))


# --- rules ---------------------------------------------------------------------------------------------------


def _takes_nothing_from_anybody(programme: Programme, by: User) -> bool:
    if programme.safeguarding_lead:
        return programme.safeguarding_lead == by
    return not programme.memberships.filter(role=Role.OWNER).exclude(user=by).exists()


def _may_agree(programme: Programme, user: User) -> bool:
    if programme.safeguarding_lead == user and access.roles(user, programme):
        return True
    long_ago = timezone.now() - access.LEAD_WAITS
    return _is_second_owner(programme, user, joined_at__lte=long_ago)


def _is_second_owner(programme: Programme, user: User, **more: datetime) -> bool:
    owner = programme.memberships.filter(role=Role.OWNER, user=user, **more)
    return programme.lead_named_by != user and owner.exists()


def _check(programme: Programme, stamp: str) -> None:
    if _stamp(programme) != stamp or not stamp:
        raise NothingToAnswer


def _stamp(programme: Programme) -> str:
    return programme.lead_named_at.isoformat() if programme.lead_named_at else ""


# --- writing -------------------------------------------------------------------------------------------------


@contextmanager
def _locked(programme: Programme) -> Iterator[Programme]:
    """The row as it is now, with what is due written down; the caller's `programme` is as it is afterwards."""
    with transaction.atomic():
        found = Programme.objects.select_for_update(no_key=True).get(pk=programme.pk)
        _settle(found)
        yield found
    programme.refresh_from_db(fields=LEAD_FIELDS)


LEAD_FIELDS = ["safeguarding_lead", "lead_nominee", "lead_named_by", "lead_named_at"]


def _settle(programme: Programme) -> None:
    if access.nomination_is_due(programme):
        _take_effect(programme)


def _nominate(programme: Programme, person: User | None, by: User) -> None:
    programme.lead_nominee, programme.lead_named_by = person, by
    programme.lead_named_at = timezone.now()
    programme.save(update_fields=LEAD_FIELDS)
    note(programme, by, "lead_named", about=_named(programme))


def _take_effect(programme: Programme) -> None:
    note(programme, None, "lead_took_effect", about=_named(programme))
    programme.safeguarding_lead = programme.lead_nominee
    _clear(programme)


def _drop(programme: Programme, by: User, verb: str) -> None:
    note(programme, by, verb, about=_named(programme))
    _clear(programme)


def _clear(programme: Programme) -> None:
    programme.lead_nominee = programme.lead_named_by = programme.lead_named_at = None
    programme.save(update_fields=LEAD_FIELDS)


def _named(programme: Programme) -> str:
    return programme.lead_nominee.email if programme.lead_nominee else _("all owners")


# --- telling -------------------------------------------------------------------------------------------------


def _present_readers(programme: Programme, by: User) -> list[str]:
    if programme.safeguarding_lead:
        return [programme.safeguarding_lead.email]
    owners = programme.memberships.filter(role=Role.OWNER).exclude(user=by)
    return list(owners.order_by("user__email").values_list("user__email", flat=True))


def _tell_who_left(programme: Programme, user: User) -> None:
    """Taking a role away must not fail because the mail server does; the log has it either way."""
    try:
        _tell(programme, [user.email])
    except OSError:
        logger.warning("A safeguarding lead who was removed could not be told by mail.")


def _tell(programme: Programme, readers: list[str], link: str = "") -> None:
    assert programme.lead_named_at
    context = {
        "programme": programme,
        "due_at": timezone.localtime(programme.lead_named_at + access.LEAD_WAITS),
        "link": link,
    }
    message = render_to_string("workshops/lead_mail.txt", context)
    title = programme.title.replace("\n", " ")
    for email in readers:
        send_mail(_("Safeguarding of %s") % title, message, from_email=None, recipient_list=[email])
