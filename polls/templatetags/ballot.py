"""Template tag for ballots: the form fields of a poll type, their values and the order of the options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

from ..types import POLL_TYPES, Question
from ..types.base import Filled, FormData
from ..types.order import shuffled

register = template.Library()


@register.simple_tag(takes_context=True)
def ballot_fields(context: template.Context) -> dict[str, Any]:
    """`PollType.fields` of the context's `question`, filled from `typed`, else `value`, else empty."""
    question: Question = context["question"]
    options = list(question.options)
    if question.settings.get("shuffle") and context.get("seed"):
        options = shuffled(options, context["seed"], question.settings.get("exclusive", ()))
    poll_type = POLL_TYPES[question.type]
    return {"options": options, **poll_type.fields(_filled(context, question), question, options)}


def _filled(context: template.Context, question: Question) -> FormData:
    typed, value = context.get("typed"), context.get("value")
    if typed is not None:
        return typed if hasattr(typed, "getlist") else _lists(typed)
    if value is None and not context.get("passed"):
        return Filled()
    return Filled(POLL_TYPES[question.type].to_form(value, question))


def _lists(typed: Mapping[str, Any]) -> Filled:
    return Filled({name: value if isinstance(value, list) else [value] for name, value in typed.items()})
