"""Doors for everybody: the start page, joining by code, help."""

from __future__ import annotations

import re

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from ...models import CODE_ALPHABET, CODE_LENGTH, Workshop
from ..same_origin import same_origin_only

#: where a pasted address carries the code: any page of a phone, or the start page with the code filled in
IN_A_LINK = re.compile(r"(?:/w/|[?&]code=)([^/?#&]+)", re.IGNORECASE)


def read_code(typed: str) -> str:
    """A code as stored: capitals, without spaces and dashes; a pasted link is read for its code."""
    link = IN_A_LINK.search(typed)
    last = link.group(1) if link else typed.strip().rstrip("/").rsplit("/", 1)[-1]
    return "".join(c for c in last.upper() if c.isalnum())


def code_error(typed: str) -> str:
    """Why this code leads nowhere, in one sentence; empty where it leads to a workshop."""
    code = read_code(typed)
    if not code:
        return _("Type the code from the screen.")
    if len(code) != CODE_LENGTH:
        found = {"typed": typed[:20], "count": len(code)}
        return _("A code has six letters and numbers; %(typed)s has %(count)d.") % found
    workshop = Workshop.objects.filter(code=code, removed_at=None, programme__removed_at=None).first()
    # One sentence for both: whoever tries codes does not learn which ones there have been.
    if workshop is None or workshop.has_ended or not set(code) <= set(CODE_ALPHABET):
        spaced = f"{code[:3]} {code[3:]}"
        words = _(
            "We can’t find %(code)s. Check the last letters on the screen, or ask for the link. "
            "If your workshop is over, thank you for taking part."
        )
        return words % {"code": spaced}
    return ""


@require_http_methods(["GET", "HEAD", "POST"])
@same_origin_only
def start(request: HttpRequest) -> HttpResponse:
    """What this is; type a code, or go on to run workshops."""
    if request.method != "POST":
        return start_page(request, request.GET.get("code", "")[:20])
    typed = request.POST.get("code", "")[:200]
    if error := code_error(typed):
        return start_page(request, typed, error)
    return redirect("phone-consent", code=read_code(typed))


def start_page(request: HttpRequest, typed: str, error: str = "") -> HttpResponse:
    """No session is looked up on the way of a crowd: whoever has been signed in here is shown to their workshops, and
    asked to sign in there if that is over."""
    context = {"typed": typed, "error": error, "is_staff": settings.SESSION_COOKIE_NAME in request.COOKIES}
    return render(request, "workshops/start.html", context, status=404 if error else 200)


@require_safe
def page(request: HttpRequest, name: str) -> HttpResponse:
    """Help, accessibility, privacy, concern: words only."""
    return render(request, f"workshops/pages/{name}.html")
