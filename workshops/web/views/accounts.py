"""Where allauth's pages of accounts are not enough; where one is signed in."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.forms import ResetPasswordForm
from allauth.account.views import LoginView, PasswordResetView, ReauthenticateView
from allauth.core.context import request_context
from allauth.core.internal import ratelimit
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db import Error
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from ...actions import accounts
from ...people import invitations, sessions

log = logging.getLogger(__name__)
#: posts of the sign-in page from one address, devices that have signed in to the account before left out
SIGN_IN_RATE = {"login": "30/m/ip"}


# --- signing in ---------------------------------------------------------------------------------------------------


class RefusalsAreLogged:
    """A page that asks for a password: who was refused is logged once the answer was sent, for a row takes time, and
    only accounts that exist have one."""

    request: HttpRequest

    def form_invalid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_invalid(form)
        if refused := getattr(self.request, "refused", None):
            response._resource_closers.append(lambda: _log_refusal(*refused))
        return response


def _log_refusal(verb: str, login: str) -> None:
    try:
        accounts.refused(verb, login)
    except Error as error:
        log.warning("A refusal could not be logged (%s).", type(error).__name__)


class SignIn(RefusalsAreLogged, LoginView):
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        login = request.POST.get("login", "").strip().lower()
        refused: HttpResponse | None = None
        if not invitations.known_device(request, login):
            refused = ratelimit.consume_or_429(
                request, app="allauth.account", action="login", config=SIGN_IN_RATE
            )
        return refused or super().post(request, *args, **kwargs)


class Reauthenticate(RefusalsAreLogged, ReauthenticateView):
    pass


# --- a new password -----------------------------------------------------------------------------------------------


class AnswerFirst(HttpResponseRedirect):
    """A redirect that has something done once it was sent."""

    def __init__(self, to: str, then: Callable[[], Any]) -> None:
        super().__init__(to)
        self._then: Callable[[], Any] | None = then

    def close(self) -> None:
        then, self._then = self._then, None
        if then is not None:
            then()
        super().close()  # gives the database connection back


class PasswordReset(PasswordResetView):
    """The same answer in the same time, whether or not there is an account, and whether or not mail can be sent."""

    def form_valid(self, form: ResetPasswordForm) -> HttpResponse:
        refused: HttpResponse | None = ratelimit.consume_or_429(
            self.request,
            app="allauth.account",
            action="reset_password",
            key=form.cleaned_data["email"].lower(),
        )
        return refused or AnswerFirst(self.get_success_url(), lambda: self._send(form))

    def _send(self, form: ResetPasswordForm) -> None:
        try:
            with request_context(self.request):
                form.save(self.request)
        except OSError as error:  # the mail server; its words may name the address
            log.warning("The mail of a password reset could not be sent (%s).", type(error).__name__)


# --- the second step ----------------------------------------------------------------------------------------------


def or_back(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """allauth's view of something that is gone, since its button was pressed twice: back to the list."""

    @login_required
    @wraps(view)
    def wrapped(request: HttpRequest, **parts: Any) -> HttpResponse:
        try:
            return view(request, **parts)
        except Http404:
            return redirect("mfa_index")

    return wrapped


# --- where one is signed in ---------------------------------------------------------------------------------------


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def own_sessions(request: HttpRequest) -> HttpResponse:
    """The browsers in which one is signed in, and the way to sign out there."""
    assert isinstance(request.user, User)
    this_key = request.session.session_key
    if request.method != "POST":
        found = sessions.of(request.user, this_key)
        return render(request, "account/sessions.html", {"section": "account", "sessions": found})
    name = request.POST.get("session", "")
    ended = accounts.sign_out_elsewhere(request.user, this_key, name)
    words = ngettext("Signed out there.", "Signed out in %(number)d places.", ended) % {"number": ended}
    messages.success(request, words if ended else _("You are signed in nowhere else."))
    return redirect("sessions")
