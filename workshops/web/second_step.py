"""Whoever opens a page of a programme that asks for a second factor, and has none, is led to set one up."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from ..people.second_factor import SecondFactorMissing

#: where to go on afterwards, in the session
AFTERWARDS = "after_second_step"


class SecondStep:
    """Middleware. Not the page of everything that is denied: that one is a warning in the server's log."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, SecondFactorMissing):
            return None
        if request.method == "GET":
            request.session[AFTERWARDS] = request.get_full_path()
        context = {"programme": exception.programme}
        return render(request, "account/second_step_missing.html", context, status=403)
