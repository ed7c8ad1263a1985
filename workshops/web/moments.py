"""Moments as people say them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _


def when(moment: datetime | None, now: datetime) -> str:
    """ "Today, 13:00", "Thu 26 Nov, 18:30"; the year where it is not this one; empty without a moment."""
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    if local.date() == now.date():
        return _("Today, %s") % date_format(local, "H:i")
    if local.date() == (now + timedelta(days=1)).date():
        return _("Tomorrow, %s") % date_format(local, "H:i")
    return date_format(local, "D j M, H:i" if local.year == now.year else "D j M Y, H:i")


def greeting(now: datetime) -> str:
    if now.hour < 12:
        return _("Good morning")
    return _("Good afternoon") if now.hour < 18 else _("Good evening")
