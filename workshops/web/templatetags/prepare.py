"""What the pages of *Prepare* draw: a phone made small, the way to a step's editor."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django import template
from django.template import Context
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from polls.types import POLL_TYPES, Question

from ...models import AgendaItem, Prompt
from ...programmes.in_words import how_answered
from ...programmes.timetable import Timed
from .. import joining_link

register = template.Library()

#: options that a small picture has room for: the rest would be sent for nobody to see
OPTIONS_IN_A_PICTURE = 6

register.filter("answered", how_answered)


@register.inclusion_tag("workshops/authoring/_phone_small.html")
def phone_picture(step: AgendaItem) -> dict[str, Any]:
    """A step on a phone, as a thumbnail."""
    return small_phone(step.poll.question if step.poll else None, step.prompt, str(step.poll_id))


@register.inclusion_tag("workshops/authoring/_phone_small.html")
def small_phone(question: Question | None, prompt: Prompt | None, name: str) -> dict[str, Any]:
    """A question, or else a prompt, on a phone; `name` is one of its own on the page."""
    picture = _picture(question, name) if question else {"prompt": prompt}
    return picture | {"size": "thumb"}


@register.inclusion_tag("workshops/authoring/_phone_small.html")
def question_on_phone(question: Question) -> dict[str, Any]:
    """A question that is not stored yet, on a small phone."""
    return _picture(question, "new") | {"size": "phone-small"}


def _picture(question: Question, name: str) -> dict[str, Any]:
    settings = dict(question.settings)
    if question.type == "scale":
        points = settings.get("points")
        # Without points yet: what five of them look like.
        settings["points"] = (
            points[:OPTIONS_IN_A_PICTURE] if isinstance(points, list) and points else points or 5
        )
    short = replace(question, options=question.options[:OPTIONS_IN_A_PICTURE], settings=settings)
    return {
        "poll_id": name,
        "prefix": f"picture-{name}-",
        "question": short,
        "instruction": POLL_TYPES[question.type].instruction(question),
        "ballot_template": f"polls/{question.type}/ballot.html",
        "heading": "h2",
    }


@register.simple_tag
def step_link(step: AgendaItem) -> SafeString:
    """The attributes of a link to a step's card in the editor."""
    url = reverse("item-edit", args=[step.workshop.code, step.pk])
    return format_html('href="{}"', url)


@register.simple_tag(takes_context=True)
def joining(context: Context) -> str:
    return joining_link.join_url(context["workshop"], context["request"])


@register.simple_tag
def type_title(name: str) -> str:
    return str(POLL_TYPES[name].title)


@register.filter
def is_new(step: AgendaItem) -> bool:
    """Was its question made just now, so that it can still become one of another type?"""
    return step.poll is not None and step.poll.version.number == 1


@register.filter
def last_is_late(timed: list[Timed]) -> bool:
    """Does the planned end stand before one of these steps?"""
    return any(one.after_end for one in timed)
