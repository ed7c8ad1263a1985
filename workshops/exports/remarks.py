"""Headings and remarks that every readable file of notes has."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..afterwards import Asked, Line, RoundNotes, Text, Written, clock


def heading(each: RoundNotes) -> str:
    name = _("Group time %(number)d") % {"number": each.round.number}
    return _("%(name)s (still open)") % {"name": name} if each.round.is_open else name


def base(asked: Asked) -> str:
    n = asked.answered
    said = ngettext("%(n)d person answered", "%(n)d people answered", n) % {"n": n}
    return _("%(name)s (still open)") % {"name": said} if asked.poll.is_open else said


def about(written: Written) -> str:
    """What is to be said of a note or a text beside its words."""
    said = [] if written.offset is None else [clock(written.offset)]
    if isinstance(written, Line) and written.picked:
        said.append(_("brought to everybody"))
    if isinstance(written, Line) and written.agreeing:
        said.append(ngettext("%(n)d agrees", "%(n)d agree", written.agreeing) % {"n": written.agreeing})
    if isinstance(written, Text) and written.people > 1:
        said.append(_("%(n)d people") % {"n": written.people})
    if written.is_redacted:
        said.append(_("words taken out"))
    if written.is_hidden:
        said.append(_("hidden from the wall"))
    if isinstance(written, Text) and written.is_pending:
        said.append(_("not checked"))
    return ", ".join(said)
