"""`{% question_picture programme instrument %}`, `{% pause_picture item %}`: the form of a picture on a card's page."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from polls.models import Instrument

from ...models import AgendaItem, Programme
from ..forms.pictures import PictureForm
from ..picture_cards import PictureCard, card_of_pause, card_of_question

register = template.Library()
TEMPLATE = "workshops/authoring/_picture.html"


@register.inclusion_tag(TEMPLATE, takes_context=True)
def question_picture(context: Context, programme: Programme, instrument: Instrument) -> dict[str, Any]:
    return _form(context, card_of_question(programme, instrument))


@register.inclusion_tag(TEMPLATE, takes_context=True)
def pause_picture(context: Context, item: AgendaItem) -> dict[str, Any]:
    return _form(context, card_of_pause(item))


def _form(context: Context, card: PictureCard) -> dict[str, Any]:
    request = context["request"]
    return {
        "picture": card,
        "form": PictureForm(card),
        "next": request.get_full_path(),
        "csrf_token": context.get("csrf_token"),
    }
