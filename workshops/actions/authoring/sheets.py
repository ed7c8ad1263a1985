"""The information sheet: what people agree to is never edited afterwards; a changed text is the next version."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User

from polls.journal import Journal

from ...models import InformationSheet, Participant, Programme, Workshop
from ..log import Stale, logged


def write_sheet(
    journal: Journal, programme: Programme, *, lead: str, text: str, items: list[dict[str, Any]]
) -> InformationSheet | None:
    """The sheet with this text; `None` where it says so already.

    The newest version is changed in place while nobody can have read it: no workshop with it has opened its doors.
    """
    last = programme.sheets.last()
    if last is not None and (last.lead, last.text, last.items) == (lead, text, items):
        return None
    if last is not None and not is_read(last):
        journal.update(last, lead=lead, text=text, items=items)
        return last
    number = last.number + 1 if last else 1
    return journal.create(
        InformationSheet(programme=programme, number=number, lead=lead, text=text, items=items)
    )


def is_read(sheet: InformationSheet) -> bool:
    opened = sheet.workshops.exclude(status=Workshop.Status.PLANNED)
    return opened.exists() or Participant.objects.filter(sheet=sheet).exists()


def change_sheet(
    programme: Programme, by: User, seen: str, *, lead: str, text: str, items: list[dict[str, Any]]
) -> InformationSheet | None:
    """`seen`: the hash of the version that the person has edited. Raises `Stale` where there is a newer one."""
    with logged(programme, by, "changed_sheet", about=str(_next(programme))) as journal:
        Programme.objects.select_for_update().get(pk=programme.pk)
        last = programme.sheets.last()
        if (last.sha256 if last else "") != seen:
            raise Stale
        return write_sheet(journal, programme, lead=lead, text=text, items=items)


def _next(programme: Programme) -> int:
    last = programme.sheets.last()
    if last is None:
        return 1
    return last.number + 1 if is_read(last) else last.number
