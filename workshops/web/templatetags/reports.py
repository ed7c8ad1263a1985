"""Times on pages about what stays of a workshop."""

from __future__ import annotations

from datetime import timedelta

from django import template

from ...text.reports import clock

register = template.Library()


@register.filter
def since_opening(offset: timedelta | None) -> str:
    """ "0:23:05" after the workshop opened; empty where it never did."""
    return clock(offset)


@register.filter
def in_the_recording(seconds: float) -> str:
    """ "0:01:05" after the recording began."""
    return clock(timedelta(seconds=seconds))
