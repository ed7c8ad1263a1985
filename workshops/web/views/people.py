"""Who belongs to a programme: members and their roles, invitations, guests of one workshop, the page behind a link."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db.models import Max
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ...actions.authoring import lead, team
from ...models import Invitation, Membership, Programme, Role, Workshop
from ...people import access, invitations, second_factor
from ..forms.people import GUEST, InviteForm, NewAccountForm, NewPasswordForm, to_come
from ..readable_input import read_number
from ..unlisted import unlisted
from .errors import page

#: who did something longer ago is "not here lately"
LATELY = timedelta(days=60)
ORDER = {Role.OWNER: 0, Role.FACILITATOR: 1, Role.RESEARCHER: 2}


@dataclass(frozen=True)
class Row:
    """A member as the page shows them."""

    member: Membership
    is_you: bool
    is_only_owner: bool
    sees: str
    seen: str


# --- the people of a programme ------------------------------------------------------------------------------


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def people(request: HttpRequest, key: str) -> HttpResponse:
    programme = access.programme_for(request.user, key, *access.OWNERS)
    lead.settle(programme)
    asked = request.GET.get("workshop", "")
    first = next((one for one in to_come(programme) if asked and one.code == asked), None)
    initial = {"role": GUEST, "at": first.pk} if first else {}
    form = InviteForm(programme, _typed(request), initial=initial)
    there = reverse("people", args=[key])
    if request.method == "POST" and form.is_valid() and (done := _invited(request, programme, form, there)):
        return done
    status = 422 if form.errors else 200
    members = _members(programme, request.user)
    leads = [row.member.user for row in members if not row.member.workshop_id]
    return access.page(
        request, programme, "workshops/people.html", section="people", form=form, members=members, status=status,
        people=list(dict.fromkeys(leads)), pending=invitations.pending(programme), link=_link(request, programme),
        workshops=form.workshops, nomination=lead.nomination(programme, request.user),
        lead_at_once=lead.is_at_once(programme, request.user),
        nobody_reads=programme.safeguarding_lead not in (None, *leads),
    )  # fmt: skip


def _members(programme: Programme, you: Any) -> list[Row]:
    """Owners first, guests last. Three queries."""
    found = list(programme.memberships.select_related("user", "workshop").order_by("user__email"))
    found.sort(key=lambda one: (one.workshop_id is not None, ORDER[Role(one.role)]))
    owners = sum(one.role == Role.OWNER for one in found)
    now = timezone.localtime()
    newest = programme.log.filter(at__gt=now - LATELY).values("by").annotate(Max("at")).order_by()
    acted = dict(newest.values_list("by", "at__max"))
    return [
        Row(
            member=one,
            is_you=one.user_id == you.pk,
            is_only_owner=one.role == Role.OWNER and owners == 1,
            sees=_sees(one),
            seen=last_seen([one.user.last_login, acted.get(one.user_id)], now),
        )
        for one in found
    ]


def _sees(member: Membership) -> str:
    if member.workshop:
        return _("Workshop %d only") % member.workshop.number
    return {
        Role.OWNER: _("Everything"),
        Role.FACILITATOR: _("All workshops"),
        Role.RESEARCHER: _("Results and notes"),
    }[Role(member.role)]


def last_seen(moments: list[datetime | None], now: datetime) -> str:
    """ "Here today", "Here 2 days ago"; by signing in or doing something."""
    known = [timezone.localtime(moment) for moment in moments if moment]
    if not known:
        return _("Not here yet")
    days = (now.date() - max(known).date()).days
    if days < 1:
        return _("Here today")
    if days == 1:
        return _("Here yesterday")
    return ngettext("Here %d day ago", "Here %d days ago", days) % days


@login_required
@require_POST
def change_role(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """`role` is a role, or guest:ID for a guest of that workshop."""
    programme = access.programme_for(request.user, key, *access.OWNERS)
    member = get_object_or_404(programme.memberships.select_related("user"), pk=pk)
    role, workshop = _chosen_role(programme, request.POST.get("role", ""))
    try:
        team.change_role(member, role, request.user, workshop=workshop)
    except team.LastOwner:
        messages.warning(request, _("A programme needs an owner. Make somebody else an owner first."))
        return redirect("people", key=key)
    words = _("%(email)s is %(role)s now.")
    messages.success(request, words % {"email": member.user.email, "role": _an(role, workshop)})
    own = member.user == request.user
    return redirect("home") if own and role != Role.OWNER else redirect("people", key=key)


def _chosen_role(programme: Programme, chosen: str) -> tuple[str, Workshop | None]:
    kind, _colon, number = chosen.partition(":")
    if kind == GUEST and read_number(number):
        found = programme.workshops.filter(removed_at=None)
        return Role.FACILITATOR, get_object_or_404(found, pk=read_number(number))
    if chosen not in Role.values:
        raise Http404
    return chosen, None


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """Ask first, then take the role away."""
    programme = access.programme_for(request.user, key, *access.OWNERS)
    found = programme.memberships.select_related("user", "workshop")
    if request.method != "POST":
        return access.page(
            request, programme, "workshops/people_remove.html", section="people",
            member=get_object_or_404(found, pk=pk),
        )  # fmt: skip
    if (member := found.filter(pk=pk).first()) is None:  # the button was pressed twice
        return _gone_already(request, key, pk)
    try:
        team.remove_role(member, request.user)
    except team.LastOwner:
        messages.warning(request, _("A programme needs an owner. Make somebody else an owner first."))
        return redirect("people", key=key)
    messages.success(request, _is_no_longer(member))
    return redirect("home") if member.user == request.user else redirect("people", key=key)


def _gone_already(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    if Membership.objects.filter(pk=pk).exists():  # in another programme
        raise Http404
    messages.success(request, _("This person is off the list already."))
    return redirect("people", key=key)


def _is_no_longer(member: Membership) -> str:
    words = _("%(email)s is no longer %(role)s here.")
    return words % {"email": member.user.email, "role": _an(member.role, member.workshop)}


@login_required
@require_POST
def revoke(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    programme = access.programme_for(request.user, key, *access.OWNERS)
    _take_back(request, get_object_or_404(programme.invitations, pk=pk, accepted_at=None))
    return redirect("people", key=key)


def _take_back(request: HttpRequest, invitation: Invitation) -> None:
    team.take_back(invitation, request.user)
    words = (
        _("The invitation to %s no longer works.") % invitation.email
        if invitation.email
        else _("The link no longer works.")
    )
    messages.success(request, words)


# --- inviting ------------------------------------------------------------------------------------------------


def _typed(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


def _invited(request: HttpRequest, programme: Programme, form: InviteForm, there: str) -> HttpResponse | None:
    """Invite, then on to the page at `there` with the link; `None` where the mail does not leave: that is said at the
    address, which stays typed."""
    said = form.cleaned_data
    try:
        made = team.invite(
            programme, request.user, said["role"], once=said["once"], email=said["email"],
            workshop=form.workshop or said.get("workshop"), link_of=lambda secret: _address(secret, request),
        )  # fmt: skip
    except team.MailNotSent:
        form.add_error("email", _("The mail could not be sent. Nobody was invited; try again in a moment."))
        return None
    if made.email:
        messages.success(request, _("An invitation is on its way to %s.") % made.email)
        return redirect(there)
    return redirect(f"{there}?link={said['once']}#link")


def _address(secret: str, request: HttpRequest) -> str:
    return invitations.absolute_url(reverse("invitation", args=[secret]), request)


def _link(request: HttpRequest, programme: Programme) -> dict[str, Any] | None:
    """The link that was just made, for the one who made it and as long as it works."""
    if not (once := request.GET.get("link", "")):
        return None
    secret = invitations.secret_of(programme, request.user, once)
    found = invitations.pending(programme).filter(secret_hash=invitations.hashed(secret)).first()
    return {"invitation": found, "address": _address(secret, request)} if found else None


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def guests(request: HttpRequest, code: str) -> HttpResponse:
    """Who runs a workshop invites guests to it: they see this one and no other. They themselves invite nobody."""
    workshop = access.workshop_for(request.user, code, *access.RUNNERS, guests=False)
    programme, there = workshop.programme, reverse("invite", args=[code])
    wanted = request.POST.get("do", "")
    if wanted:
        return _change_guests(request, workshop, wanted)
    form = InviteForm(programme, _typed(request), workshop=workshop)
    if request.method == "POST" and form.is_valid() and (done := _invited(request, programme, form, there)):
        return done
    return access.page(
        request, programme, "workshops/guests.html", section="workshops", workshop=workshop, form=form,
        guests=list(workshop.guests.select_related("user").order_by("user__email")),
        pending=invitations.pending(programme).filter(workshop=workshop), link=_link(request, programme),
        status=422 if form.errors else 200,
    )  # fmt: skip


def _change_guests(request: HttpRequest, workshop: Workshop, wanted: str) -> HttpResponse:
    number = read_number(request.POST.get("pk", ""))
    if wanted == "take_back":
        _take_back(request, get_object_or_404(workshop.invitations, pk=number, accepted_at=None))
    elif wanted == "remove":
        member = get_object_or_404(workshop.guests.select_related("user", "workshop"), pk=number)
        team.remove_role(member, request.user)
        messages.success(request, _is_no_longer(member))
    else:
        raise Http404
    return redirect("invite", code=workshop.code)


def _an(role: str, workshop: Workshop | None = None) -> str:
    if workshop:
        return _("a guest of workshop %d") % workshop.number
    return {
        Role.OWNER: _("an owner"),
        Role.FACILITATOR: _("a facilitator"),
        Role.RESEARCHER: _("a researcher"),
    }[Role(role)]


# --- the page behind the link ---------------------------------------------------------------------


@unlisted
@never_cache
@sensitive_post_parameters("password1", "password2")
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """Three kinds of visitors: signed in, has an account, is new here."""
    try:
        invited = invitations.invitation_for(secret)
        if request.user.is_authenticated:
            return _for_signed_in(request, invited)
        if invited.email and invitations.user_with_email(invited.email):
            return _show(request, invited, state="sign_in")
        return _for_new(request, invited)
    except invitations.InvitationGone:
        return _gone(request)


def _for_signed_in(request: HttpRequest, invited: Invitation) -> HttpResponse:
    assert request.user.is_authenticated
    if invited.email and request.user.email.lower() != invited.email:
        return _show(request, invited, state="somebody_else", status=403 if request.method == "POST" else 200)
    own = request.user.memberships.filter(programme=invited.programme, role=invited.role)
    if own.filter(workshop=invited.workshop).exists():
        return _show(request, invited, state="already")  # a look at one's own link does not use it up
    if request.method != "POST":
        return _show(request, invited, state="join")
    team.accept(invited, request.user)
    return _welcome(request, invited)


def _for_new(request: HttpRequest, invited: Invitation) -> HttpResponse:
    typed = _typed(request)
    form = NewPasswordForm(invited.email, typed) if invited.email else NewAccountForm("", typed)
    if request.method != "POST" or not form.is_valid():
        return _show(request, invited, state="new", form=form)
    said = form.cleaned_data
    person = team.accept_with_new_account(invited, said.get("email", ""), said["password1"])
    login(request, person, backend="django.contrib.auth.backends.ModelBackend")
    return _welcome(request, invited)


def _welcome(request: HttpRequest, invited: Invitation) -> HttpResponse:
    words = _("Welcome. You are %(role)s of %(programme)s now.")
    role = _an(invited.role, invited.workshop)
    messages.success(request, words % {"role": role, "programme": invited.programme.title})
    return redirect("prepare", code=invited.workshop.code) if invited.workshop else redirect("home")


def _show(request: HttpRequest, invited: Invitation, status: int = 200, **context: object) -> HttpResponse:
    an_role = _an(invited.role, invited.workshop)
    context |= {"invitation": invited, "programme": invited.programme, "an_role": an_role}
    return render(request, "workshops/invitation.html", context, status=status)


def _gone(request: HttpRequest) -> HttpResponse:
    return page(
        request,
        404,
        _("This invitation does not work any more"),
        _("It was used already, taken back, or is too old. Ask the person who invited you for a new one."),
    )


# --- one's own account ---------------------------------------------------------------------------------------


@login_required
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """The address one signs in with, one's roles, and the ways to a new password and out."""
    assert isinstance(request.user, User)
    found = request.user.memberships.filter(programme__removed_at=None).select_related(
        "programme", "workshop"
    )
    own = [
        {"programme": one.programme, "role": _an(one.role, one.workshop), "since": date_format(one.joined_at, "j F Y")}
        for one in found.order_by("programme__title", "joined_at")
    ]  # fmt: skip
    return render(request, "workshops/account.html", {
        "section": "account", "roles": own, "has_second_factor": second_factor.has_one(request.user),
    })  # fmt: skip
