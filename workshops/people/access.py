"""Access control: the only way from a request to a programme or workshop, by the roles of the signed-in user.

404 before 403: a user without any role in a programme does not learn that it exists. `SecondFactorMissing`, a kind of
`PermissionDenied`, where the programme asks for a second factor and the user has none.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from ..models import LogEntry, Membership, Programme, Role, Workshop
from . import second_factor

Person = User | AnonymousUser

RUNNERS = (Role.OWNER, Role.FACILITATOR)
READERS = (Role.OWNER, Role.RESEARCHER)
OWNERS = (Role.OWNER,)

#: a nomination of another safeguarding lead that nobody has answered takes effect after so long
LEAD_WAITS = timedelta(days=1)


def roles(user: Person, programme: Programme) -> frozenset[str]:
    """The roles of a user in a whole programme; empty for anonymous users, guests and users of other programmes."""
    if not user.is_authenticated:
        return frozenset()
    found = Membership.objects.filter(programme=programme, user=user, workshop=None)
    return frozenset(found.values_list("role", flat=True))


def roles_in(user: Person, workshop: Workshop) -> frozenset[str]:
    """The roles of a user in one workshop: those in its programme, and a guest's."""
    if not user.is_authenticated:
        return frozenset()
    found = Membership.objects.filter(programme=workshop.programme_id, user=user)
    return frozenset(found.filter(Q(workshop=None) | Q(workshop=workshop)).values_list("role", flat=True))


def programme_for(user: Person, key: str, *allowed: str) -> Programme:
    """The programme with this key. Raises `Http404` or `PermissionDenied` unless the user has one of the allowed roles
    (any role when none is named)."""
    programme = get_object_or_404(Programme.objects.select_related("bank"), key=key, removed_at=None)
    _check(user, programme, roles(user, programme), allowed)
    return programme


def workshop_for(user: Person, code: str, *allowed: str, guests: bool = True) -> Workshop:
    """The workshop with this code. Raises `Http404` or `PermissionDenied` as `programme_for` does.

    Its guests count as facilitators; without `guests`, they are denied.
    """
    found = Workshop.objects.select_related("programme", "stage_item")
    workshop = get_object_or_404(found, code=code, removed_at=None, programme__removed_at=None)
    _check(user, workshop.programme, roles_in(user, workshop), allowed)
    if not guests and roles(user, workshop.programme).isdisjoint(allowed or Role):
        raise PermissionDenied
    return workshop


def workshops_of(user: Person, programme: Programme) -> QuerySet[Workshop]:
    """The workshops of a programme that this user may see: all, or those where they are a guest; no removed ones."""
    found = programme.workshops.filter(removed_at=None)
    return found if roles(user, programme) else found.filter(guests__user=user.pk)


def log_entry_for(user: Person, key: str, pk: int) -> LogEntry:
    """An entry of a programme's log, for somebody who may take it back: their own, for those who may run what it is
    about; anybody's, for owners. Raises `Http404` or `PermissionDenied` as `programme_for` does."""
    found = LogEntry.objects.select_related("programme", "workshop")
    entry = get_object_or_404(found, pk=pk, programme__key=key)
    own_roles = roles_in(user, entry.workshop) if entry.workshop else roles(user, entry.programme)
    _check(user, entry.programme, own_roles, RUNNERS if entry.by_id == user.pk else OWNERS)
    return entry


def programme_for_lead(user: Person, key: str) -> Programme:
    """The programme, for its safeguarding lead. Raises `Http404` or `PermissionDenied`."""
    programme = programme_for(user, key)
    if not is_lead(user, programme):
        raise PermissionDenied
    return programme


def programme_for_lead_or_owner(user: Person, key: str) -> Programme:
    """The programme, for those who answer a nomination of a lead, as long as it waits: the lead who presses *Agree*
    twice is the lead no more, and is told so. Raises `Http404` or `PermissionDenied`."""
    programme = programme_for(user, key)
    own_roles = roles(user, programme)
    waits = programme.lead_named_at is not None and not nomination_is_due(programme)
    if waits and Role.OWNER not in own_roles and not _is_lead(user, programme, own_roles):
        raise PermissionDenied
    return programme


def nomination_is_due(programme: Programme) -> bool:
    """Has another lead been named so long ago that they are it now? True until `lead.settle` has written it down."""
    named_at = programme.lead_named_at
    return named_at is not None and timezone.now() - named_at >= LEAD_WAITS


def is_lead(user: Person | None, programme: Programme) -> bool:
    """May this user read texts flagged for safeguarding? The named lead; the owners where none is named.

    A lead who has lost their role reads nothing, and nobody takes over by that: see `actions.authoring.lead`.
    """
    return user is not None and _is_lead(user, programme, roles(user, programme))


def _is_lead(user: Person, programme: Programme, own_roles: frozenset[str]) -> bool:
    due = nomination_is_due(programme)
    lead = programme.lead_nominee_id if due else programme.safeguarding_lead_id
    return Role.OWNER in own_roles if lead is None else lead == user.pk and bool(own_roles)


def programmes_of(user: Person) -> list[Programme]:
    """Every programme in which this user has a role, or is a guest, by title."""
    if not user.is_authenticated:
        return []
    found = Programme.objects.filter(memberships__user=user, removed_at=None)
    return list(found.distinct().order_by("title"))


def readable_by(user: Person) -> list[Programme]:
    """Every programme whose questions this user may read: with a role in all of it, not as a guest of one workshop."""
    if not user.is_authenticated:
        return []
    found = Programme.objects.filter(memberships__user=user, memberships__workshop=None, removed_at=None)
    return list(found.distinct().order_by("title"))


def page_context(user: Person, programme: Programme, workshop: Workshop | None = None) -> dict[str, Any]:
    """Template context of `desk.html`'s menu: the programme and this user's permissions in it.

    On a page about a `workshop`, its guests may run it; `is_guest` hides the rest of the programme from them.
    """
    own_roles = roles(user, programme)
    is_guest = not own_roles
    here = roles_in(user, workshop) if workshop and is_guest else own_roles
    return {
        "programme": programme,
        "is_guest": is_guest,
        "may_read": bool(own_roles & set(READERS)),
        "may_run": bool(here & set(RUNNERS)),
        "may_invite": bool(own_roles & set(OWNERS)),
        "is_lead": _is_lead(user, programme, own_roles),
    }


def page(
    request: HttpRequest,
    programme: Programme,
    template: str,
    *,
    status: int = 200,
    workshop: Workshop | None = None,
    **context: Any,
) -> HttpResponse:
    """A page with that menu, perhaps about a workshop, which is in its context then."""
    may = page_context(request.user, programme, workshop)
    context |= {"workshop": workshop} if workshop else {}
    return render(request, template, may | context, status=status)


def _check(user: Person, programme: Programme, own_roles: frozenset[str], allowed: tuple[str, ...]) -> None:
    if not own_roles:
        raise Http404
    second_factor.check(user, programme, own_roles)
    if allowed and own_roles.isdisjoint(allowed):
        raise PermissionDenied
