"""Plans: made from a workshop or from nothing, changed, copied, removed; planned workshops brought along."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Max
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from polls.journal import Journal
from polls.models import Instrument
from polls.types import Question

from ...models import AgendaItem, Plan, Programme, Prompt, Workshop
from ...programmes import planning
from ...programmes.keys import free_key
from ...programmes.plan_edits import matched
from ...signals import announce
from ...signals.topics import EVERYTHING
from ..log import Stale, check_rev, logged
from . import questions
from .workshops import add_steps, is_gone, steps_with_polls

TITLE_LENGTH = 200


def add_plan(
    programme: Programme, by: User | None, title: str, *, journal: Journal | None = None, **values: Any
) -> Plan:
    """A plan of this title; `values` are more columns. An entry of the log of its own without a `journal`."""
    if journal is not None:
        return _new_plan(journal, programme, title, values)
    with logged(programme, by, "added_plan", about=title, path=reverse("plans", args=[programme.key])) as own:
        return _new_plan(own, programme, title, values)


def _new_plan(journal: Journal, programme: Programme, title: str, values: dict[str, Any]) -> Plan:
    # Two people who add at once must not get one key.
    Programme.objects.select_for_update().get(pk=programme.pk)
    last = programme.plans.aggregate(last=Max("position"))["last"]
    return journal.create(
        Plan(
            programme=programme,
            key=free_key(title, programme.plans.values_list("key", flat=True), "plan"),
            title=title[:TITLE_LENGTH],
            position=0 if last is None else last + 1,
            **values,
        )
    )


def keep_as_plan(workshop: Workshop, by: User | None, title: str) -> Plan:
    """A plan with this workshop's profile questions and agenda, also those that were asked on the spot.

    The workshop is from then on one that was made from it. What was removed from the programme since is left out.
    """
    items = [item for item in steps_with_polls(workshop) if not is_gone(item)]
    lines = planning.lines_of(items)
    stage = [line for line in lines if not line.profile]
    programme = workshop.programme
    values = {
        "minutes": workshop.minutes,
        "mode": workshop.mode,
        "observers": workshop.observers,
        "profile": [line.what.partition(":")[2] for line in lines if line.profile],
        "agenda": planning.entries_of(stage, _own_titles(items)),
    }
    path = reverse("plans", args=[programme.key])
    with logged(programme, by, "added_plan", about=title, path=path) as journal:
        plan = _new_plan(journal, programme, title, values)
        row = Workshop.objects.select_for_update().get(pk=workshop.pk)
        journal.update(row, plan=plan, planned_fingerprint=planning.fingerprint(lines, row.minutes))
    return plan


def _own_titles(items: Iterable[AgendaItem]) -> dict[str, str]:
    """What each step would be called that has no title of its own."""
    titles = {}
    for item in items:
        if item.poll:
            version = item.poll.version
            titles[f"poll:{version.instrument.key}"] = planning.name_of(version)
        elif item.prompt:
            titles[f"prompt:{item.prompt.key}"] = item.prompt.text[: planning.TITLE_LENGTH]
    return titles


def copy_plan(plan: Plan, by: User | None) -> Plan:
    """A plan of its own from then on."""
    title = _("%s, copy") % plan.title[: TITLE_LENGTH - 20]
    columns = ("minutes", "mode", "observers", "profile", "agenda")
    return add_plan(plan.programme, by, title, **{name: getattr(plan, name) for name in columns})


@contextmanager
def changing(
    plan: Plan, by: User | None, rev: int | None, *, path: str = ""
) -> Iterator[tuple[Plan, Journal]]:
    """The plan's row, locked and as it is now. Raises `Stale` where somebody has changed it since revision `rev`."""
    path = path or reverse("plan-edit", args=[plan.programme.key, plan.key])
    with logged(plan.programme, by, "changed_plan", about=plan.title, path=path) as journal:
        row = Plan.objects.select_for_update().select_related("programme__bank").get(pk=plan.pk)
        check_rev(row.rev, rev)
        yield row, journal


def change_plan(plan: Plan, by: User | None, rev: int | None, **values: Any) -> None:
    """Set columns. Raises `Stale`."""
    with changing(plan, by, rev) as (row, journal):
        if any(getattr(row, name) != value for name, value in values.items()):
            journal.update(row, rev=row.rev + 1, **values)
    plan.refresh_from_db()


def remove_plan(plan: Plan, by: User | None) -> None:
    """Put it among the removed ones; workshops made from it stay as they are."""
    path = reverse("plans", args=[plan.programme.key])
    with logged(plan.programme, by, "removed_plan", about=plan.title, path=path) as journal:
        row = Plan.objects.select_for_update().get(pk=plan.pk)
        if row.removed_at is None:
            journal.update(row, removed_at=timezone.now())


# --- workshops that follow ------------------------------------------------------------------------------------------


def bring_along(plan: Plan, by: User | None, rev: int, seen: dict[int, str]) -> list[Workshop]:
    """Give planned workshops of this plan its present agenda. `seen`: workshop → `agenda_seen` as the person saw it.

    Steps that stay keep their row and their poll; steps that the plan has no more are deleted, own ones too. Workshops
    that run, have ended or follow another plan are left alone. Raises `Stale`, where the plan or one of the workshops
    has changed since, and `PlanIncomplete`; then nothing is changed.
    """
    path = reverse("plan-edit", args=[plan.programme.key, plan.key])
    with logged(plan.programme, by, "brought_along", about=plan.title, path=path) as journal:
        row = Plan.objects.select_for_update().get(pk=plan.pk)
        check_rev(row.rev, rev)
        rows = Workshop.objects.select_for_update().filter(
            pk__in=list(seen), plan=plan, status=Workshop.Status.PLANNED, removed_at=None
        )
        found = list(rows)
        for workshop in found:
            workshop.programme = plan.programme
            items = steps_with_polls(workshop)
            if agenda_seen(workshop, items) != seen[workshop.pk]:
                raise Stale
            _follow(journal, workshop, items, row)
            announce.changed(workshop.pk, *EVERYTHING)
    return found


def agenda_seen(workshop: Workshop, items: Iterable[AgendaItem]) -> str:
    """A fingerprint of what a page shows of a workshop's agenda, an optimistic lock."""
    return planning.fingerprint(planning.lines_of(items), workshop.minutes)


def _follow(journal: Journal, workshop: Workshop, items: list[AgendaItem], plan: Plan) -> None:
    steps = planning.steps_of(workshop.programme, plan.profile, plan.agenda)
    now, then = planning.lines_of(items), planning.lines_of_steps(steps)
    pairs = matched(now, then)
    for gone in set(range(len(items))) - set(pairs.values()):
        _delete(journal, items[gone])
    for position, step in enumerate(steps):
        if position in pairs:
            _take_over(journal, items[pairs[position]], step.item, position)
        else:
            add_steps(journal, workshop, [step], first=position)
    journal.update(
        workshop,
        minutes=plan.minutes,
        planned_fingerprint=planning.fingerprint(then, plan.minutes),
        rev=workshop.rev + 1,
    )


def _take_over(journal: Journal, item: AgendaItem, planned: AgendaItem, position: int) -> None:
    values = {name: getattr(planned, name) for name in ("title", "minutes", "notes", "picture_id")}
    if any(getattr(item, name) != value for name, value in values.items()):
        values["rev"] = item.rev + 1
    journal.update(item, position=position, **values)


def _delete(journal: Journal, item: AgendaItem) -> None:
    poll = item.poll
    journal.delete(item)
    if poll is not None:
        journal.delete(poll)


# --- steps of a plan ------------------------------------------------------------------------------------------------

#: minutes of a step that nobody has given any
QUESTION_MINUTES, PAUSE_MINUTES = 2, 5


class CannotAdd(Exception):
    """The message is one sentence for the person."""


def ask_known(plan: Plan, by: User | None, known: Instrument | Prompt, *, profile: bool = False) -> None:
    """Put a question or a prompt of a bank at the plan's end; one of another programme comes as a copy.

    Raises `CannotAdd` for a question that it asks already.
    """
    with changing(plan, by, None) as (row, journal):
        programme = row.programme
        if isinstance(known, Prompt):
            if known.programme_id != programme.pk:
                known = questions.copy_prompt(programme, by, known, journal=journal)
            _append(journal, row, {"prompt": known.key, "minutes": known.minutes})
            return
        if known.bank_id != programme.bank_id:
            known = questions.copy_question(programme, by, known, journal=journal)
        if known.key in _asked(row):
            raise CannotAdd(_("This plan asks this question already."))
        if profile:
            journal.update(row, profile=[*row.profile, known.key], rev=row.rev + 1)
        else:
            _append(journal, row, {"poll": known.key, "minutes": QUESTION_MINUTES})


def ask_new(plan: Plan, by: User | None, asked: Iterable[tuple[Question, int | None]]) -> None:
    """New questions, into the programme's bank and at the plan's end, each with its minutes, `None` for as usual."""
    with changing(plan, by, None) as (row, journal):
        for question, minutes in asked:
            made = questions.add_question(row.programme, by, question, journal=journal)
            _append(
                journal, row, {"poll": made.key, "minutes": QUESTION_MINUTES if minutes is None else minutes}
            )


def talk_about(plan: Plan, by: User | None, text: str, minutes: int | None) -> None:
    """A new prompt for small groups."""
    with changing(plan, by, None) as (row, journal):
        more: dict[str, Any] = {} if minutes is None else {"minutes": minutes}
        prompt = questions.add_prompt(row.programme, by, text, journal=journal, **more)
        _append(journal, row, {"prompt": prompt.key, "minutes": prompt.minutes})


def pause_for(plan: Plan, by: User | None, title: str, minutes: int | None) -> None:
    """Something for all together: a welcome, a talk, tea."""
    with changing(plan, by, None) as (row, journal):
        length = PAUSE_MINUTES if minutes is None else minutes
        _append(journal, row, {"pause": title[:TITLE_LENGTH], "minutes": length})


def _append(journal: Journal, plan: Plan, entry: planning.Entry) -> None:
    journal.update(plan, agenda=[*plan.agenda, entry], rev=plan.rev + 1)


def _asked(plan: Plan) -> set[str]:
    return {*plan.profile, *(entry["poll"] for entry in plan.agenda if entry.get("poll"))}
