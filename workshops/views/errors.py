"""Pages for when something is not as it should be: one plain sentence, and a way on."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _


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


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return page(request, 404, _("There is nothing here"), _("Check the address, or go to the start page."))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return page(
        request, 403, _("This is not open to you"), _("Ask the owner of the programme to invite you.")
    )


def server_error(request: HttpRequest) -> HttpResponse:
    words = _("Nothing you sent before is lost. Try again in a moment.")
    return page(request, 500, _("Something went wrong on our side"), words)
