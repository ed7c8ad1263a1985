"""Headings and remarks that every readable file of notes has."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..afterwards import Line, RoundNotes


def heading(each: RoundNotes) -> str:
    name = _("Group time %(number)d") % {"number": each.round.number}
    return _("%(name)s (still open)") % {"name": name} if each.round.is_open else name


def about(line: Line) -> list[str]:
    """What is to be said of a note beside its words."""
    said = []
    if line.picked:
        said.append(_("brought to everybody"))
    if line.agreeing:
        said.append(ngettext("%(n)d agrees", "%(n)d agree", line.agreeing) % {"n": line.agreeing})
    if line.is_redacted:
        said.append(_("words taken out"))
    if line.is_hidden:
        said.append(_("hidden from the wall"))
    return said
