"""From a plan to a workshop: its agenda, and one draft poll for every question it will ask."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from polls.lifecycle import Reveal
from polls.models import InstrumentVersion, Poll

from .models import AgendaItem, Plan, Programme, Prompt, Workshop

TITLE_LENGTH = 200


class PlanIncomplete(Exception):
    """The plan names a question or a prompt that the programme no longer has."""


@transaction.atomic
def plan_workshop(
    programme: Programme,
    plan: Plan,
    *,
    title: str | None = None,
    number: int | None = None,
    starts_at: datetime | None = None,
    expected: int | None = None,
    synthetic: bool = False,
) -> Workshop:
    """A planned workshop with its whole agenda. Raises `PlanIncomplete`, and then nothing is made."""
    # Two facilitators who plan at once must not get the same number.
    Programme.objects.select_for_update().get(pk=programme.pk)
    workshop = Workshop.objects.create(
        programme=programme,
        plan=plan,
        title=title or programme.title,
        number=number or _next_number(programme),
        sheet=programme.sheets.last(),
        minutes=plan.minutes,
        starts_at=starts_at,
        expected=expected,
        synthetic=synthetic,
    )
    _make_agenda(workshop, plan)
    return workshop


def _next_number(programme: Programme) -> int:
    return (programme.workshops.aggregate(last=Max("number"))["last"] or 0) + 1


def _make_agenda(workshop: Workshop, plan: Plan) -> None:
    asked = [*plan.profile, *(entry["poll"] for entry in plan.agenda if "poll" in entry)]
    versions = _latest_versions(workshop.programme, asked)
    prompts = _prompts(workshop.programme, [entry["prompt"] for entry in plan.agenda if "prompt" in entry])
    polls = _draft_polls(versions, asked, set(plan.profile))
    items = [*_profile_items(plan, versions), *_stage_items(plan, versions, prompts)]
    for position, item in enumerate(items):
        item.workshop, item.position = workshop, position
        item.poll = next(polls) if item.kind == AgendaItem.Kind.POLL else None
    AgendaItem.objects.bulk_create(items)


def _latest_versions(programme: Programme, keys: list[str]) -> dict[str, InstrumentVersion]:
    """Instrument key → its newest version, in one query."""
    rows = (
        InstrumentVersion.objects.filter(instrument__bank=programme.bank_id, instrument__key__in=keys)
        .select_related("instrument")
        .order_by("number")
    )
    versions = {row.instrument.key: row for row in rows}
    if missing := [key for key in keys if key not in versions]:
        raise PlanIncomplete(f"question {missing[0]!r} is not in the bank")
    return versions


def _prompts(programme: Programme, keys: list[str]) -> dict[str, Prompt]:
    prompts = {row.key: row for row in programme.prompts.filter(key__in=keys)}
    if missing := [key for key in keys if key not in prompts]:
        raise PlanIncomplete(f"prompt {missing[0]!r} is not in the programme")
    return prompts


def _draft_polls(
    versions: dict[str, InstrumentVersion], asked: list[str], profile: set[str]
) -> Iterator[Poll]:
    """One poll per question, in the order asked. What people say about themselves is never shown to the room."""
    return iter(
        Poll.objects.bulk_create(
            Poll(version=versions[key], reveal=Reveal.NEVER if key in profile else _reveal(versions[key]))
            for key in asked
        )
    )


def _reveal(version: InstrumentVersion) -> str:
    return version.definition.get("settings", {}).get("reveal") or Reveal.AFTER_CLOSE


def _profile_items(plan: Plan, versions: dict[str, InstrumentVersion]) -> Iterator[AgendaItem]:
    for key in plan.profile:
        yield AgendaItem(kind=AgendaItem.Kind.POLL, title=_name(versions[key]), profile=True)


def _stage_items(
    plan: Plan, versions: dict[str, InstrumentVersion], prompts: dict[str, Prompt]
) -> Iterator[AgendaItem]:
    for entry in plan.agenda:
        if "poll" in entry:
            yield _item(AgendaItem.Kind.POLL, entry, _name(versions[entry["poll"]]))
        elif "prompt" in entry:
            prompt = prompts[entry["prompt"]]
            yield _item(AgendaItem.Kind.PROMPT, entry, prompt.text, minutes=prompt.minutes, prompt=prompt)
        else:
            yield _item(AgendaItem.Kind.PAUSE, entry, entry["pause"])


def _item(
    kind: str, entry: dict[str, Any], title: str, minutes: int = 0, prompt: Prompt | None = None
) -> AgendaItem:
    return AgendaItem(
        kind=kind,
        title=(entry.get("title") or title)[:TITLE_LENGTH],
        minutes=entry.get("minutes", minutes),
        prompt=prompt,
    )


def _name(version: InstrumentVersion) -> str:
    return (version.instrument.name or version.question.text)[:TITLE_LENGTH]
