"""The link by which people join a workshop: for an address line, a video call's chat, a QR code."""

from __future__ import annotations

import segno
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from ..models import Workshop
from ..people.invitations import absolute_url

#: modules of white around the code, as ISO/IEC 18004 asks for; without them a camera may not find it on print
QUIET_ZONE = 4


def join_url(workshop: Workshop, request: HttpRequest) -> str:
    return absolute_url(reverse("phone", args=[workshop.code]), request)


def host_of(url: str) -> str:
    """What people type: "workshops.example"."""
    return url.split("//", 1)[-1].split("/", 1)[0]


def words_for_a_chat(workshop: Workshop, request: HttpRequest) -> str:
    """Link and code in a few words; two lines."""
    url = join_url(workshop, request)
    if workshop.is_questionnaire and workshop.closes_at:
        until = date_format(timezone.localtime(workshop.closes_at), "l j F, H:i")
        words = _("“%(title)s”, a few questions for you, open until %(until)s: %(url)s")
        return words % {"title": workshop.title, "until": until, "url": url}
    return _("Join “%(title)s”: %(url)s\nOr go to %(host)s and type the code %(code)s.") % {
        "title": workshop.title,
        "url": url,
        "host": host_of(url),
        "code": workshop.spaced_code,
    }


def qr_code(workshop: Workshop, request: HttpRequest) -> segno.QRCode:
    return segno.make(join_url(workshop, request), error="m", micro=False)
