"""Pages for when something is not as it should be: one plain sentence, and a way on."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from ..admission.retry_later_page import AWAY, retry_later_page, soon


def page(request: HttpRequest, status: int, title: str, words: str) -> HttpResponse:
    return render(request, "error.html", {"title": title, "words": words}, status=status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return page(
        request,
        403,
        _("We could not be sure that this came from you"),
        _(
            "This site needs one small cookie to know your place. Allow cookies for it, go back and try again."
        ),
    )


def unreadable(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Nothing that a browser sends for one of our forms."""
    return page(
        request, 400, _("This could not be read"), _("Go back, load the page again and try once more.")
    )


def too_large(request: HttpRequest) -> HttpResponse:
    return page(
        request,
        413,
        _("This is too large"),
        _("This is more than a page here takes. Go back and choose something smaller."),
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return page(request, 404, _("There is nothing here"), _("Check the address, or go to the start page."))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return page(
        request,
        403,
        _("You don’t have access to this page"),
        _("Ask the owner of the programme to invite you."),
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Also for a database that does not answer: that passes by itself, so it is another page."""
    if isinstance(sys.exc_info()[1], (OperationalError, InterfaceError)):
        return come_back(request)
    words = _("Nothing you sent before is lost. Try again in a moment.")
    return page(request, 500, _("Something went wrong on our side"), words)


def come_back(request: HttpRequest) -> HttpResponse:
    """Not now: the database does not answer. A phone's page waits and tries again by itself with what was sent; in
    the console it is said where gestures are answered."""
    if request.path == "/" or request.path.startswith("/w/"):
        return retry_later_page(request, AWAY, soon())
    words = _("We cannot reach our records just now. What was saved is safe. Try again in a moment.")
    if request.headers.get("HX-Target") == "notice":
        return render(request, "workshops/console/_notice.html", {"words": words, "wrong": True})
    response = page(request, 503, _("Please wait a moment"), words)
    response["Retry-After"] = str(round(soon()))
    return response
