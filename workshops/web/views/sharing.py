"""What brings people in and helps who runs it: QR codes, a sheet to print for the table, a run sheet; and the address
of the wall."""

from __future__ import annotations

import io
import math

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from ...actions.authoring import workshops
from ...models import Workshop
from ...people import access
from ...programmes import run_sheet
from ...programmes.own_process import ProcessFailed
from ...programmes.run_sheet_pdf import SheetTooLong, pdf_of
from .. import joining_link
from ..joining_link import QUIET_ZONE

#: for print: the white border included, an SVG is so wide, and a PNG has at least so many pixels (300 dpi)
SVG_MILLIMETRES, PNG_PIXELS, PNG_DPI = 60, 1200, 300


@login_required
@never_cache
@require_safe
def qr_svg(request: HttpRequest, code: str) -> HttpResponse:
    workshop = access.workshop_for(request.user, code, *access.RUNNERS)
    drawn = joining_link.qr_code(workshop, request)
    side = drawn.symbol_size(border=QUIET_ZONE)[0]
    out = io.BytesIO()
    drawn.save(
        out, kind="svg", border=QUIET_ZONE, unit="mm", scale=SVG_MILLIMETRES / side, light="#fff",
        title=joining_link.join_url(workshop, request),
    )  # fmt: skip
    return _file(out.getvalue(), "image/svg+xml", _name(workshop, "qr.svg"))


@login_required
@never_cache
@require_safe
def qr_png(request: HttpRequest, code: str) -> HttpResponse:
    workshop = access.workshop_for(request.user, code, *access.RUNNERS)
    drawn = joining_link.qr_code(workshop, request)
    scale = math.ceil(PNG_PIXELS / drawn.symbol_size(border=QUIET_ZONE)[0])
    out = io.BytesIO()
    drawn.save(out, kind="png", border=QUIET_ZONE, scale=scale, dpi=PNG_DPI)
    return _file(out.getvalue(), "image/png", _name(workshop, "qr.png"))


@login_required
@never_cache
@require_safe
def joining_sheet(request: HttpRequest, code: str) -> HttpResponse:
    """A4, large print, always light; printed, or saved as PDF, by the browser."""
    workshop = access.workshop_for(request.user, code, *access.RUNNERS)
    url = joining_link.join_url(workshop, request)
    context = {
        "workshop": workshop,
        "programme": workshop.programme,
        "join_url": url,
        "join_host": joining_link.host_of(url),
        "when": run_sheet.when(workshop),
    }
    return render(request, "workshops/authoring/joining_sheet.html", context)


@login_required
@never_cache
@require_safe
def run_sheet_pdf(request: HttpRequest, code: str) -> HttpResponse:
    """For the people who run it; a PDF made anew each time, as the agenda is now."""
    workshop = access.workshop_for(request.user, code, *access.RUNNERS)
    host = joining_link.host_of(joining_link.join_url(workshop, request))
    try:
        data = pdf_of(run_sheet.sheet_of(workshop, host))
    except (SheetTooLong, ProcessFailed) as why:
        too_long = isinstance(why, SheetTooLong)
        messages.warning(
            request,
            _("This agenda is too long for one run sheet. Shorten its notes.")
            if too_long
            else _("The run sheet could not be made just now. Try again in a minute."),
        )
        return redirect(f"/workshops/{workshop.code}/")
    return _file(data, "application/pdf", _name(workshop, "run-sheet.pdf"))


def _name(workshop: Workshop, ending: str) -> str:
    return f"workshop-{workshop.number}-{workshop.code}-{ending}"


def _file(data: bytes, kind: str, name: str) -> HttpResponse:
    return HttpResponse(
        data, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def wall_address(request: HttpRequest, code: str) -> HttpResponse:
    """Ask first, then give the wall another address. Pressed twice, it changes once."""
    workshop = access.workshop_for(request.user, code, *access.RUNNERS)
    if request.method != "POST":
        context = {"workshop": workshop, "programme": workshop.programme, "section": "workshops"}
        context |= access.page_context(request.user, workshop.programme, workshop)
        return render(request, "workshops/authoring/wall_address.html", context)
    workshops.change_wall_key(workshop, request.user, request.POST.get("key", ""))
    messages.success(request, _("The wall has a new address. The old one leads nowhere."))
    return redirect("prepare", workshop.code)
