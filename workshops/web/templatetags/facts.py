"""`{% facts_bar workshop %}`: when, where, for whom, who runs it, and a button to change that."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context
from django.utils import timezone

from ...models import Workshop
from ...programmes.facts import run_by
from ..moments import when

register = template.Library()


@register.inclusion_tag("workshops/authoring/_facts_bar.html", takes_context=True)
def facts_bar(context: Context, workshop: Workshop) -> dict[str, Any]:
    people, me = run_by(workshop), context["request"].user.email
    return {
        "workshop": workshop,
        "when": when(workshop.starts_at, timezone.localtime()),
        "until": when(workshop.closes_at, timezone.localtime()) if workshop.is_questionnaire else "",
        "team": sorted(people.team, key=lambda email: email != me),
        "guests": people.guests,
        "me": me,
    }
