"""`{% join_url workshop as url %}`, and the words that *Copy joining link* puts on the clipboard. For pages, which have
a request, and not for fragments."""

from __future__ import annotations

from django import template
from django.template import Context

from ...models import Workshop
from .. import joining_link

register = template.Library()


@register.simple_tag(takes_context=True)
def join_url(context: Context, workshop: Workshop) -> str:
    return joining_link.join_url(workshop, context["request"])


@register.simple_tag(takes_context=True)
def join_words(context: Context, workshop: Workshop) -> str:
    return joining_link.words_for_a_chat(workshop, context["request"])
