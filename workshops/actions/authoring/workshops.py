"""Workshops to come: planned from a plan, one or a series of them; copied, moved, mended, removed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from polls import bank
from polls.journal import Journal
from polls.models import Poll

from ...models import AgendaItem, Plan, Programme, Workshop, new_key
from ...programmes import facts, planning
from ...programmes.planning import Step
from ...signals import announce
from ...signals.topics import REMOVED, RIGHTS, WALL_KEY
from ..log import Stale, logged, note

#: a form makes so many workshops at most
SERIES_LIMIT = 52


class CannotChange(Exception):
    """The workshop has gone too far for this. The message is one sentence for the person."""


# --- from a plan ----------------------------------------------------------------------------------------------------


def plan_workshop(
    programme: Programme,
    plan: Plan | None,
    *,
    by: User | None = None,
    number: int | None = None,
    starts_at: datetime | None = None,
    **said: Any,
) -> Workshop:
    """One workshop with its whole agenda, atomically; without a plan an empty one. `said` are more columns.

    Raises `PlanIncomplete`.
    """
    about = said.get("title") or programme.title
    with _planning(programme, by, "planned", about) as journal:
        return _plan(journal, programme, plan, number or _next_number(programme), starts_at, said)


def plan_series(
    programme: Programme, plan: Plan | None, by: User | None, starts: Sequence[datetime | None], **said: Any
) -> list[Workshop]:
    """A workshop for each of these starts, numbered on, all or none. Raises `PlanIncomplete`."""
    if len(starts) == 1:
        return [plan_workshop(programme, plan, by=by, starts_at=starts[0], **said)]
    with _planning(programme, by, "planned_series", str(len(starts))) as journal:
        first = _next_number(programme)
        return [
            _plan(journal, programme, plan, first + place, start, said) for place, start in enumerate(starts)
        ]


@contextmanager
def _planning(programme: Programme, by: User | None, verb: str, about: str) -> Iterator[Journal]:
    # The row lock serialises two people who plan at once: they must not get the same number.
    with logged(programme, by, verb, about=about, path=reverse("home")) as journal:
        Programme.objects.select_for_update().get(pk=programme.pk)
        yield journal


def _next_number(programme: Programme) -> int:
    """A removed workshop keeps its number, so that it can come back."""
    return (programme.workshops.aggregate(last=Max("number"))["last"] or 0) + 1


def _plan(
    journal: Journal,
    programme: Programme,
    plan: Plan | None,
    number: int,
    starts_at: datetime | None,
    said: dict[str, Any],
) -> Workshop:
    steps = planning.steps_of(programme, plan.profile, plan.agenda) if plan else []
    workshop = Workshop(
        programme=programme,
        plan=plan,
        number=number,
        sheet=programme.sheets.last(),
        starts_at=starts_at,
        **{
            "title": programme.title,
            **({name: getattr(plan, name) for name in ("minutes", "mode", "observers")} if plan else {}),
            **said,
        },
    )
    if workshop.is_questionnaire:
        workshop.opens_at = starts_at
    workshop.planned_fingerprint = planning.fingerprint(planning.lines_of_steps(steps), workshop.minutes)
    journal.create(workshop)
    add_steps(journal, workshop, steps)
    return workshop


def add_steps(journal: Journal, workshop: Workshop, steps: Sequence[Step], *, first: int = 0) -> None:
    """Store these steps from position `first` on, with a draft poll for each question; two queries."""
    asked = [step for step in steps if step.version is not None]
    polls = bank.draft_polls(
        [step.version for step in asked if step.version],
        hidden=[place for place, step in enumerate(asked) if step.item.profile],
    )
    journal.created(polls)
    for step, poll in zip(asked, polls, strict=True):
        step.item.poll = poll
    for position, step in enumerate(steps, first):
        step.item.workshop, step.item.position = workshop, position
    journal.create_all([step.item for step in steps])


# --- a copy ---------------------------------------------------------------------------------------------------------


def copy_workshop(source: Workshop, by: User | None, *, starts_at: datetime | None) -> Workshop:
    """The same workshop another time: facts, profile questions, agenda, notes, reveal; new draft polls of the newest
    versions, the newest sheet, the next number. Questions asked on the spot come along as ordinary steps; what was
    removed from the bank since is left out.
    """
    programme = source.programme
    about = f"{source.title} {source.number}"
    with logged(programme, by, "copied_workshop", about=about, path=reverse("home")) as journal:
        Programme.objects.select_for_update().get(pk=programme.pk)
        moved_by = starts_at - source.starts_at if starts_at and source.starts_at else None
        workshop = Workshop(
            **{name: getattr(source, name) for name in _COPIED},
            programme=programme,
            plan_id=source.plan_id,
            number=_next_number(programme),
            sheet=programme.sheets.last(),
            starts_at=starts_at,
            opens_at=source.opens_at + moved_by if source.opens_at and moved_by else None,
            closes_at=source.closes_at + moved_by if source.closes_at and moved_by else None,
            copied_from=source,
        )
        journal.create(workshop)
        _copy_agenda(journal, source, workshop)
    return workshop


_COPIED = (
    "title", "minutes", "expected", "mode", "observers", "place", "region", "intended_for", "planned_fingerprint",
)  # fmt: skip


def _copy_agenda(journal: Journal, source: Workshop, workshop: Workshop) -> None:
    kept = [item for item in steps_with_polls(source) if not is_gone(item)]
    keys = [item.poll.version.instrument.key for item in kept if item.poll]
    versions = planning.latest_versions(source.programme, keys)
    polls = [
        Poll(
            version=versions[item.poll.version.instrument.key],
            reveal=item.poll.reveal,
            words_at_once=item.poll.words_at_once,
        )
        for item in kept
        if item.poll
    ]
    journal.create_all(polls)
    new_poll = iter(polls)
    journal.create_all(
        [
            AgendaItem(
                **{name: getattr(item, name) for name in _COPIED_OF_A_STEP},
                workshop=workshop,
                position=position,
                poll=next(new_poll) if item.poll else None,
            )
            for position, item in enumerate(kept)
        ]
    )


_COPIED_OF_A_STEP = ("kind", "title", "minutes", "notes", "picture_id", "prompt_id", "text_id", "profile")


def steps_with_polls(workshop: Workshop) -> list[AgendaItem]:
    """The agenda in order, with all that it takes to copy or compare it, in one query."""
    rows = workshop.agenda.select_related("prompt", "picture", "poll__version__instrument")
    return list(rows.defer("picture__data"))


def is_gone(item: AgendaItem) -> bool:
    """Was its question or prompt removed from the programme? Needs `steps_with_polls`."""
    if item.poll:
        return item.poll.version.instrument.removed_at is not None
    return item.prompt is not None and item.prompt.removed_at is not None


# --- facts ----------------------------------------------------------------------------------------------------------


def change_facts(workshop: Workshop, by: User | None, seen: str | None, **values: Any) -> None:
    """Set columns of `facts.COLUMNS`. `seen`: `facts.fingerprint` of what the page showed; `None` does not ask.

    Raises `Stale` where somebody else has changed a fact since, `CannotChange` for a start or number that is history.
    """
    path = reverse("facts", args=[workshop.code])
    with logged(
        workshop.programme, by, "changed_facts", about=str(workshop), workshop=workshop, path=path
    ) as journal:
        row = Workshop.objects.select_for_update().get(pk=workshop.pk)
        if seen is not None and seen != facts.fingerprint(row):
            raise Stale
        changed = {name for name, value in values.items() if getattr(row, name) != value}
        if not row.is_planned and changed & facts.HISTORY:
            raise CannotChange(
                _("The doors have opened: its day, start, length and number stay as they are.")
            )
        if journal.update(row, **values):
            Workshop.objects.filter(pk=row.pk).update(rev=row.rev + 1)
        if "observers" in changed:
            announce.changed(row.pk, RIGHTS)
    workshop.refresh_from_db()


def remove_workshop(workshop: Workshop, by: User | None) -> None:
    """Put a planned workshop that nobody has joined among the removed ones. Raises `CannotChange`."""
    with logged(
        workshop.programme, by, "removed_workshop", about=str(workshop), path=reverse("home")
    ) as journal:
        row = Workshop.objects.select_for_update().get(pk=workshop.pk)
        if row.removed_at is not None:
            return
        if not row.is_planned or row.participants.filter(rehearsal=False).exists():
            raise CannotChange(_("People have joined this workshop, or its doors have opened. It stays."))
        journal.update(row, removed_at=timezone.now())
        announce.changed(row.pk, REMOVED)


def change_wall_key(workshop: Workshop, by: User | None, seen: str) -> None:
    """Give the wall another address; screens that show the old one end. Not to be undone, or the old one worked again.

    `seen` is the key that the page was about: where it is not the present one, nothing is done, so that a second press
    does not shut the wall that was opened after the first.
    """
    with transaction.atomic():
        row = Workshop.objects.select_for_update().get(pk=workshop.pk)
        if row.wall_key == seen:
            Workshop.objects.filter(pk=row.pk).update(wall_key=new_key())
            note(row.programme, by, "changed_wall_key", about=str(row), workshop=row)
            announce.changed(row.pk, WALL_KEY)
    workshop.refresh_from_db()
