"""Where allauth's pages of accounts are not enough."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from allauth.account.forms import ResetPasswordForm
from allauth.account.views import PasswordResetView
from allauth.core.context import request_context
from allauth.core.internal import ratelimit
from django.http import HttpResponse, HttpResponseRedirect

log = logging.getLogger(__name__)


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
