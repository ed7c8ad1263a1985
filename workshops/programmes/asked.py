"""Which workshops asked which version of a question, and how numbers of workshops and versions are said."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from polls.lifecycle import State

from ..models import AgendaItem, Programme, Workshop

#: more spans than this are counted, not listed
MAX_SPANS = 4


def workshops_by_version(programme: Programme, instruments: Iterable[int]) -> dict[int, list[int]]:
    """Version (primary key) → numbers of the workshops that asked it, rehearsals aside; one query."""
    # A poll that was issued to no real phone ran in a rehearsal only.
    asked = Q(poll__state=State.OPEN) | Q(poll__state=State.CLOSED, poll__result__counts__issued__gt=0)
    rows = (
        AgendaItem.objects.filter(
            asked,
            workshop__programme=programme,
            workshop__status__in=[Workshop.Status.RUNNING, Workshop.Status.ENDED],
            poll__version__instrument__in=list(instruments),
        )
        .order_by("workshop__number")
        .values_list("poll__version", "workshop__number")
        .distinct()
    )
    found: dict[int, list[int]] = {}
    for version, number in rows:
        found.setdefault(version, []).append(number)
    return found


def spans(numbers: Iterable[int]) -> str:
    """Numbers as people say them: "1 to 3, 5", "1 and 2"; many gaps are left out: "1 to 40, with gaps"."""
    found: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if found and number == found[-1][1] + 1:
            found[-1] = found[-1][0], number
        else:
            found.append((number, number))
    if len(found) > MAX_SPANS:
        return _("%(first)d to %(last)d, with gaps") % {"first": found[0][0], "last": found[-1][1]}
    return ", ".join(_span(*span) for span in found)


def _span(first: int, last: int) -> str:
    if first == last:
        return str(first)
    words = _("%(first)d and %(last)d") if last == first + 1 else _("%(first)d to %(last)d")
    return words % {"first": first, "last": last}


def workshops(numbers: list[int]) -> str:
    """ "workshop 3", "workshops 1 to 3, 5"."""
    return ngettext("workshop %(which)s", "workshops %(which)s", len(numbers)) % {"which": spans(numbers)}


def versions(numbers: list[int]) -> str:
    """ "Version 2", "Versions 1 to 3"."""
    return ngettext("Version %(which)s", "Versions %(which)s", len(numbers)) % {"which": spans(numbers)}
