"""The only door to objects: who are you, and may you?

404 before 403: somebody who does not belong to a programme does not learn that it exists.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import Http404

from .models import Membership, Programme, Role, Workshop

Person = User | AnonymousUser

RUNNERS = (Role.OWNER, Role.FACILITATOR)
READERS = (Role.OWNER, Role.RESEARCHER)
OWNERS = (Role.OWNER,)


def roles(user: Person, programme: Programme) -> frozenset[str]:
    """The roles of a signed-in person in a programme; empty for everybody else."""
    if not user.is_authenticated:
        return frozenset()
    return frozenset(Membership.objects.filter(programme=programme, user=user).values_list("role", flat=True))


def programme_for(user: Person, key: str, *allowed: str) -> Programme:
    """The programme, if this person has one of the allowed roles (any role when none is named)."""
    programme = Programme.objects.filter(key=key).select_related("bank").first()
    if programme is None:
        raise Http404
    _check(user, programme, allowed)
    return programme


def workshop_for(user: Person, code: str, *allowed: str) -> Workshop:
    """The workshop with this code, if this person has one of the allowed roles in its programme."""
    workshop = Workshop.objects.filter(code=code).select_related("programme", "stage_item").first()
    if workshop is None:
        raise Http404
    _check(user, workshop.programme, allowed)
    return workshop


def programme_for_lead(user: Person, key: str) -> Programme:
    """The programme, for whoever may read its flagged words."""
    programme = programme_for(user, key)
    if not is_lead(user, programme):
        raise PermissionDenied
    return programme


def is_lead(user: Person | None, programme: Programme) -> bool:
    """May this person read what is flagged for safeguarding? The named lead; the owners where none is named."""
    return user is not None and _is_lead(user, programme, roles(user, programme))


def _is_lead(user: Person, programme: Programme, mine: frozenset[str]) -> bool:
    lead = programme.safeguarding_lead_id
    if lead is not None and lead == user.pk:
        return bool(mine)
    # Somebody who has left the programme leads nothing in it.
    return Role.OWNER in mine and not (
        lead is not None and Membership.objects.filter(programme=programme, user=lead).exists()
    )


def programmes_of(user: Person) -> list[Programme]:
    """Every programme this person belongs to, by title."""
    if not user.is_authenticated:
        return []
    return list(Programme.objects.filter(memberships__user=user).distinct().order_by("title"))


def page_context(user: Person, programme: Programme) -> dict[str, Any]:
    """What `desk.html` needs to draw its menu: the programme and what this person may do in it."""
    mine = roles(user, programme)
    return {
        "programme": programme,
        "may_read": bool(mine & set(READERS)),
        "may_run": bool(mine & set(RUNNERS)),
        "may_invite": bool(mine & set(OWNERS)),
        "is_lead": _is_lead(user, programme, mine),
    }


def _check(user: Person, programme: Programme, allowed: tuple[str, ...]) -> None:
    mine = roles(user, programme)
    if not mine:
        raise Http404
    if allowed and not mine & set(allowed):
        raise PermissionDenied
