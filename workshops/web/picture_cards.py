"""What the form of a picture shows: the picture of a question, or of a pause, as it is now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from polls.models import Instrument

from ..models import AgendaItem, Programme


@dataclass(frozen=True, slots=True)
class PictureCard:
    """`settings` are `image`, `image_alt` and `image_size` (`PollType`); `action` is the address of the form."""

    about: str
    settings: Mapping[str, Any]
    action: str
    #: the page of what it belongs to
    back: str

    @property
    def image(self) -> str:
        return self.settings.get("image", "")

    @property
    def alt(self) -> str:
        return self.settings.get("image_alt", "")


def card_of_question(programme: Programme, instrument: Instrument) -> PictureCard:
    """As the question's card shows it: of its draft where there is one. One query."""
    question = instrument.versions.latest("number").question
    names = [programme.key, instrument.key]
    return PictureCard(
        instrument.name or question.text,
        question.settings,
        reverse("question-picture", args=names),
        reverse("question-edit", args=names),
    )


def card_of_pause(item: AgendaItem) -> PictureCard:
    names = [item.workshop.code, item.pk]
    return PictureCard(
        item.title,
        item.picture.settings if item.picture else {},
        reverse("item-picture", args=names),
        reverse("item-edit", args=names),
    )
