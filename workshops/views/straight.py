"""The next page as the answer to a form, without the redirect in between.

On a slow line a redirect is a whole wait, and two of them stand between a code and the first question. A form whose
script can write the next page's own address over that of the form (`straight.js`) says so in a field; everybody else
is redirected. Either way reloading and going back ask for pages, never to send the form again.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import resolve

log = logging.getLogger(__name__)

FIELD = "straight"


def straight_on(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """For views that answer a form with a redirect to another page of phones."""

    @wraps(view)
    def answered(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if response.status_code != 302 or FIELD not in request.POST:
            return response
        try:
            return _page(request, response)
        except (
            Exception
        ):  # what the form asked for is done, and its cookie must arrive: the browser asks by itself
            log.exception("a next page could not be drawn at once")
            return response

    return answered


def _page(request: HttpRequest, redirect: HttpResponse) -> HttpResponse:
    """What the browser would be shown, had it followed; with the cookies that it was given on the way."""
    address = redirect["Location"]
    found = resolve(address)
    follow = copy.copy(request)
    follow.method, follow.GET, follow.POST = "GET", QueryDict(), QueryDict()
    follow.path = follow.path_info = address
    follow.COOKIES = request.COOKIES | {name: morsel.value for name, morsel in redirect.cookies.items()}
    follow.resolver_match = found
    follow.moved_to = address  # type: ignore[attr-defined]  # for the page's script
    page = found.func(follow, *found.args, **found.kwargs)
    for name, morsel in redirect.cookies.items():
        page.cookies[name] = morsel
    return page
