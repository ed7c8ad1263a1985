"""Whose open screens have lost their right: looked up for all screens of a workshop at once.

A socket is let in once and stays open for hours. What takes a right away (signing out, another password, another role,
a participant who leaves, a workshop that is removed, a new address of the wall) is announced after its commit, and the
hub of each process looks here; it looks every few seconds besides, since an announcement may be lost, and bulk updates
announce nothing. The receivers below stand on the rows themselves, so that no way of ending a session or a role can
forget them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db.models import Q
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from ..models import Membership, Participant, Workshop
from ..signals import announce
from ..signals.topics import NO_WORKSHOP, staff
from . import second_factor
from .access import RUNNERS


class StaffToken(NamedTuple):
    """By what a member of staff opened a screen."""

    user_id: int
    session_key: str


@dataclass(frozen=True, slots=True)
class Lost:
    """Whose screens are to end."""

    everybody: bool = False
    staff: Collection[StaffToken] = field(default_factory=set)
    voters: Collection[str] = field(default_factory=set)
    #: all who listen
    observers: bool = False
    #: keys of walls' addresses
    walls: Collection[str] = field(default_factory=set)

    def includes(self, staff: StaffToken | None, voter: str, wall_key: str) -> bool:
        return staff in self.staff or voter in self.voters or wall_key in self.walls


def lost(
    workshop_id: int, consoles: Collection[StaffToken], *, walls: Collection[str] = (), phones: bool
) -> Lost:
    """Which of these consoles and walls, and of a workshop's phones, have no right to be open. Four queries at most;
    two more where the programme asks for a second factor."""
    here = Workshop.objects.filter(pk=workshop_id, removed_at=None, programme__removed_at=None)
    needed = ("observers", "wall_key", "programme__second_factor")
    workshop = here.select_related("programme").only(*needed).first()
    if workshop is None:
        return Lost(everybody=True)
    left = Participant.objects.filter(workshop=workshop_id, left_at__isnull=False)
    voters = set(left.values_list("voter", flat=True)) if phones else set()
    staff = _lost_by_staff(workshop, consoles)
    gone = set(walls) - {workshop.wall_key}
    return Lost(staff=staff, voters=voters, observers=not workshop.observers, walls=gone)


def may_listen(workshop_id: int) -> bool:
    """May people be in this workshop without being counted?"""
    return Workshop.objects.filter(pk=workshop_id, observers=True).exists()


def _lost_by_staff(workshop: Workshop, consoles: Collection[StaffToken]) -> set[StaffToken]:
    if not consoles:
        return set()
    runs = Membership.objects.filter(
        Q(workshop=None) | Q(workshop=workshop), programme=workshop.programme_id, role__in=RUNNERS,
        user__in={one.user_id for one in consoles}, user__is_active=True,
    )  # fmt: skip
    users = {member.user_id: member.user for member in runs.select_related("user")}
    if workshop.programme.second_factor:
        needed = set(runs.filter(role__in=second_factor.NEED_IT).values_list("user_id", flat=True))
        for user_id in needed - second_factor.with_one(needed):
            del users[user_id]
    store = import_module(settings.SESSION_ENGINE).SessionStore
    live = store.get_model_class().objects.filter(
        session_key__in={one.session_key for one in consoles}, expire_date__gt=timezone.now()
    )
    sessions = {session.session_key: session.get_decoded() for session in live}
    return {
        one for one in consoles if not is_signed_in(users.get(one.user_id), sessions.get(one.session_key))
    }


def is_signed_in(user: User | None, session: dict[str, Any] | None) -> bool:
    """As Django finds it for a request: the session is this user's, and of their present password."""
    if user is None or session is None or session.get(SESSION_KEY) != str(user.pk):
        return False
    said = session.get(HASH_SESSION_KEY, "")
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(said, each) for each in hashes)


# --- telling that somebody may have lost a right ---------------------------------------------------------------


def look_again(user_id: int) -> None:
    """Have every hub look at this user's screens after the commit."""
    announce.changed(NO_WORKSHOP, staff(user_id))


@receiver([post_save, post_delete], sender=Membership, dispatch_uid="rights.membership")
def _role_changed(instance: Membership, **_said: Any) -> None:
    look_again(instance.user_id)


@receiver(post_save, sender=User, dispatch_uid="rights.user")
def _password_changed(instance: User, created: bool, update_fields: Any = None, **_said: Any) -> None:
    if not created and (update_fields is None or {"password", "is_active"} & set(update_fields)):
        look_again(instance.pk)


@receiver(post_delete, sender=Session, dispatch_uid="rights.session")
def _session_ended(instance: Session, **_said: Any) -> None:
    if user_id := instance.get_decoded().get(SESSION_KEY):
        look_again(int(user_id))
