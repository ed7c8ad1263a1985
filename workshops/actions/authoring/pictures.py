"""Pictures of questions and pauses: kept by the hash of their bytes, set and taken away.

A picture's row is made once and never deleted, so that undo can always point at it again. It is a field of its own on
a card: `was` is its optimistic lock, the address that the person's page showed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.contrib.auth.models import User

from polls import bank
from polls.journal import Journal
from polls.models import Instrument
from polls.types import Question
from polls.types.base import OF_A_PICTURE

from ...models import AgendaItem, Picture, Programme
from ...programmes.picture_encoding import Encoded
from ..log import Stale, logged


def set_question_picture(
    programme: Programme,
    by: User | None,
    instrument: Instrument,
    encoded: Encoded | None,
    alt: str,
    *,
    was: str | None = None,
    path: str = "",
) -> None:
    """Show this picture with the question. `None` keeps the present one and changes its words. Raises `Stale`."""
    with logged(programme, by, "set_picture", about=str(instrument), path=path) as journal:
        row, question = _locked(instrument, was)
        present = {name: question.settings[name] for name in OF_A_PICTURE if name in question.settings}
        shown = _kept(programme, encoded, alt).settings if encoded else present
        if shown:
            _save(journal, row, question, {**shown, "image_alt": alt})


def remove_question_picture(
    programme: Programme, by: User | None, instrument: Instrument, *, was: str | None = None, path: str = ""
) -> None:
    """Raises `Stale`."""
    with logged(programme, by, "took_picture", about=str(instrument), path=path) as journal:
        row, question = _locked(instrument, was)
        _save(journal, row, question, {})


def _locked(instrument: Instrument, was: str | None) -> tuple[Instrument, Question]:
    """The row, and the question as its card shows it now."""
    row = Instrument.objects.select_for_update().get(pk=instrument.pk)
    question = row.versions.latest("number").question
    if was is not None and was != question.settings.get("image", ""):
        raise Stale
    return row, question


def _save(journal: Journal, row: Instrument, question: Question, shown: dict[str, Any]) -> None:
    others = {name: value for name, value in question.settings.items() if name not in OF_A_PICTURE}
    bank.save_definition(journal, row, replace(question, settings=others | shown))


def set_pause_picture(
    by: User | None,
    item: AgendaItem,
    encoded: Encoded | None,
    alt: str,
    *,
    was: str | None = None,
    path: str = "",
) -> None:
    """Show this picture in the pause. `None` keeps the present one and changes its words. Raises `Stale`."""
    workshop = item.workshop
    with logged(
        workshop.programme, by, "set_picture", about=item.title, workshop=workshop, path=path
    ) as journal:
        row = _locked_item(item, was)
        picture = _kept(workshop.programme, encoded, alt) if encoded else row.picture
        if picture:
            journal.update(picture, alt=alt)
            journal.update(row, picture_id=picture.pk)
    item.refresh_from_db()


def remove_pause_picture(
    by: User | None, item: AgendaItem, *, was: str | None = None, path: str = ""
) -> None:
    """Raises `Stale`."""
    workshop = item.workshop
    with logged(
        workshop.programme, by, "took_picture", about=item.title, workshop=workshop, path=path
    ) as journal:
        journal.update(_locked_item(item, was), picture_id=None)
    item.refresh_from_db()


def _locked_item(item: AgendaItem, was: str | None) -> AgendaItem:
    row = AgendaItem.objects.select_for_update().get(pk=item.pk)
    if was is not None and was != (row.picture.settings["image"] if row.picture else ""):
        raise Stale
    return row


def _kept(programme: Programme, encoded: Encoded, alt: str) -> Picture:
    """The programme's picture with these bytes. It is made beside the journal: undo takes no picture away."""
    picture, _made = Picture.objects.get_or_create(
        programme=programme,
        sha256=encoded.sha256,
        defaults={"data": encoded.data, "width": encoded.width, "height": encoded.height, "alt": alt},
    )
    return picture


def adopt(programme: Programme, wanted: Iterable[str]) -> frozenset[str]:
    """Make pictures with these hashes this programme's too, whosever they are; returns those that there are."""
    hashes = set(wanted) - {""}
    own = set(programme.pictures.filter(sha256__in=hashes).values_list("sha256", flat=True))
    for picture in Picture.objects.filter(sha256__in=hashes - own).order_by("pk"):
        if picture.sha256 not in own:
            own.add(picture.sha256)
            picture.pk, picture.programme = None, programme
            picture.save(force_insert=True)
    return frozenset(own)
