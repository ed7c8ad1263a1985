"""Who belongs to a programme: members, invitations, and the page behind an invitation's link."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from .. import access, accounts
from ..forms import InviteForm, NewPasswordForm
from ..models import Invitation, Membership, Programme, Role
from .errors import page


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def people(request: HttpRequest, key: str) -> HttpResponse:
    programme = access.programme_for(request.user, key, *access.OWNERS)
    form = InviteForm(programme, request.POST or None)
    if request.method == "POST" and form.is_valid() and _invited(request, programme, form):
        return redirect("people", key=key)
    context = access.page_context(request.user, programme)
    return render(
        request,
        "workshops/people.html",
        {
            **context,
            "section": "people",
            "form": form,
            "groups": _by_role(programme),
            "people": list(
                User.objects.filter(memberships__programme=programme).distinct().order_by("email")
            ),
            "pending": accounts.pending(programme),
        },
    )


def _invited(request: HttpRequest, programme: Programme, form: InviteForm) -> bool:
    """Send the invitation; where the mail does not leave, say so at the address, which stays typed."""
    email, role = form.cleaned_data["email"], form.cleaned_data["role"]
    try:
        accounts.invite(programme, email, role, request.user, request)
    except accounts.MailNotSent:
        form.add_error("email", _("The mail could not be sent. Nobody was invited; try again in a moment."))
        return False
    messages.success(request, _("An invitation is on its way to %s.") % email)
    return True


def _by_role(programme: Programme) -> list[tuple[Role, list[Membership]]]:
    """(role, its members by address), every role, empty ones too."""
    members = list(programme.memberships.select_related("user").order_by("user__email"))
    return [(role, [member for member in members if member.role == role]) for role in Role]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """Ask first, then take the role away."""
    programme = access.programme_for(request.user, key, *access.OWNERS)
    member = programme.memberships.filter(pk=pk).select_related("user").first()
    if member is None:
        raise Http404
    if request.method != "POST":
        context = access.page_context(request.user, programme)
        return render(
            request, "workshops/people_remove.html", {**context, "section": "people", "member": member}
        )
    try:
        accounts.remove(member)
    except accounts.LastOwner:
        messages.warning(request, _("A programme needs an owner. Invite another owner first."))
        return redirect("people", key=key)
    messages.success(
        request,
        _("%(email)s is no longer %(role)s here.") % {"email": member.user.email, "role": _an(member.role)},
    )
    return redirect("home") if member.user == request.user else redirect("people", key=key)


@login_required
@require_POST
def revoke(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    programme = access.programme_for(request.user, key, *access.OWNERS)
    invitation = accounts.pending(programme).filter(pk=pk).first()
    if invitation is None:
        raise Http404
    invitation.delete()
    messages.success(request, _("The invitation to %s no longer works.") % invitation.email)
    return redirect("people", key=key)


def _an(role: str) -> str:
    return {
        Role.OWNER: _("an owner"),
        Role.FACILITATOR: _("a facilitator"),
        Role.RESEARCHER: _("a researcher"),
    }[Role(role)]


# --- the page behind the link ---------------------------------------------------------------------


@never_cache
@sensitive_post_parameters("password1", "password2")
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """Three kinds of visitors: signed in, has an account, is new here."""
    try:
        invited = accounts.invitation_for(secret)
        if request.user.is_authenticated:
            return _for_signed_in(request, invited)
        if accounts.person_with(invited.email):
            return _show(request, invited, state="sign_in")
        return _for_new(request, invited)
    except accounts.InvitationGone:
        return _gone(request)


def _for_signed_in(request: HttpRequest, invited: Invitation) -> HttpResponse:
    if request.user.email.lower() != invited.email:
        return _show(request, invited, state="somebody_else", status=403 if request.method == "POST" else 200)
    if request.method != "POST":
        return _show(request, invited, state="join")
    accounts.accept(invited, request.user)
    return _welcome(request, invited)


def _for_new(request: HttpRequest, invited: Invitation) -> HttpResponse:
    form = NewPasswordForm(invited.email, request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _show(request, invited, state="new", form=form)
    person = accounts.accept_with_new_account(invited, form.cleaned_data["password1"])
    login(request, person, backend="django.contrib.auth.backends.ModelBackend")
    return _welcome(request, invited)


def _welcome(request: HttpRequest, invited: Invitation) -> HttpResponse:
    messages.success(
        request,
        _("Welcome. You are %(role)s of %(programme)s now.")
        % {"role": _an(invited.role), "programme": invited.programme.title},
    )
    return redirect("home")


def _show(request: HttpRequest, invited: Invitation, status: int = 200, **context: object) -> HttpResponse:
    context |= {"invitation": invited, "programme": invited.programme, "an_role": _an(invited.role)}
    return render(request, "workshops/invitation.html", context, status=status)


def _gone(request: HttpRequest) -> HttpResponse:
    return page(
        request,
        404,
        _("This invitation does not work any more"),
        _(
            "It was used already, withdrawn, or is older than two weeks. Ask the person who invited you for a new one."
        ),
    )
