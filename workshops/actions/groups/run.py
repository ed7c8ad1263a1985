"""A time in groups: open it, send words into it, answer calls, call everybody back, end it."""

from __future__ import annotations

import random
from collections.abc import Iterable

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext as _

from ...models import AgendaItem, Call, Group, Participant, Prompt, Round, Workshop
from ...signals import announce
from ...signals.topics import pad
from ..stage import GestureRejected, clear_timer, set_timer, stage_transaction
from . import membership
from .lookups import tell_all, the_group, the_round, the_round_at_work


def give_prompts(
    workshop_id: int,
    by: User | None,
    prompts: Iterable[int],
    to: Iterable[int] = (),
    *,
    back: bool = False,
) -> None:
    """Distribute the prompts over the groups `to`, or over all where none is named, in turn (round-robin).

    `back`: the prompt on stage again, like every group that was given none.
    """
    with stage_transaction(workshop_id, by, "give_prompts", moves=False) as workshop:
        current = the_round(workshop_id)
        if current.opened_at:
            raise GestureRejected(_("The groups are at work already."))
        given = [] if back else _known(workshop, list(prompts))
        if not given and not back:
            raise GestureRejected(_("Tick a prompt first, then press “Give”."))
        wanted = set(to)
        groups = [group for group in current.groups.all() if not wanted or group.pk in wanted]
        for number, group in enumerate(groups):
            group.prompt = given[number % len(given)] if given else None
        Group.objects.bulk_update(groups, ["prompt"])


def _known(workshop: Workshop, prompts: list[int]) -> list[Prompt]:
    known = {p.pk: p for p in Prompt.objects.filter(programme=workshop.programme_id, pk__in=prompts)}
    return [known[pk] for pk in prompts if pk in known]


def open_round(
    workshop_id: int, by: User | None, *, seconds: int | None = None, think_first: bool = False
) -> None:
    """Send each group the prompt that it was given, or the one on stage; the clock starts."""
    with stage_transaction(workshop_id, by, "open_groups", moves=False) as workshop:
        current = the_round(workshop_id)
        if current.opened_at:
            raise GestureRejected(_("The groups are at work already."))
        _seat_who_waits(current)  # a table may become a group by that
        asked = _ask(workshop, current)
        item = workshop.stage_item
        current.item = item if item and item.kind == AgendaItem.Kind.PROMPT else None
        current.think_first, current.opened_at = think_first, timezone.now()
        current.save()
        set_timer(workshop, seconds or max(prompt.minutes for prompt in asked) * 60)
        tell_all(current)


def _ask(workshop: Workshop, current: Round) -> list[Prompt]:
    """Store the prompt of each group. Raises `GestureRejected` where a group would have none."""
    on_stage = workshop.stage_item.prompt if workshop.stage_item else None
    groups = list(current.groups.select_related("prompt"))
    asked = [group.prompt or on_stage for group in groups] or [on_stage]
    prompts = [prompt for prompt in asked if prompt]
    if len(prompts) < len(asked):
        raise GestureRejected(_("Put a prompt on stage first, or give every group one."))
    for group, prompt in zip(groups, prompts, strict=False):  # without groups there is one prompt too many
        group.prompt, group.question = prompt, prompt.text
    Group.objects.bulk_update(groups, ["prompt", "question"])
    return prompts


def _seat_who_waits(current: Round) -> None:
    """Allocate everybody without a group; a person who joins meanwhile waits for the lock and is allocated after it."""
    if current.is_filling:
        Round.objects.select_for_update(of=("self",), no_key=True).get(pk=current.pk)
        # Whoever is just choosing is waited for: what they were told is true.
        list(current.places.select_for_update(of=("self",), no_key=True).order_by("pk"))
        seated = current.places.filter(group__isnull=False).values("voter")
        here = Participant.objects.filter(workshop=current.workshop_id, left_at__isnull=True)
        waiting = list(here.exclude(voter__in=seated).values_list("voter", flat=True))
        random.shuffle(waiting)
        membership.assign_groups(current, waiting)


def share_notes(workshop_id: int, by: User | None) -> None:
    """Open everybody's notes to their group, where people thought for themselves first."""
    with stage_transaction(workshop_id, by, "share_notes", moves=False):
        current = the_round_at_work(workshop_id)
        current.shared_at = current.shared_at or timezone.now()
        current.save(update_fields=["shared_at"])
        tell_all(current)


def call(workshop_id: int, by: User | None, kind: str, text: str, group: int | None = None) -> None:
    """A new probe or a message to one group, or to all."""
    words = " ".join(text.split())
    if not words:
        raise GestureRejected(_("Write a few words first."))
    with stage_transaction(workshop_id, by, kind, detail=words, moves=False):
        current = the_round_at_work(workshop_id)
        to = the_group(workshop_id, group) if group else None
        Call.objects.create(round=current, group=to, kind=kind, text=words[:500])
        tell_all(current, only=to)


def recall(workshop_id: int, by: User | None) -> None:
    """Call everybody back, and no clock any more; notes can still be finished."""
    with stage_transaction(workshop_id, by, "recall", moves=False) as workshop:
        current = the_round_at_work(workshop_id)
        current.recalled_at = current.recalled_at or timezone.now()
        current.save(update_fields=["recalled_at"])
        clear_timer(workshop)
        tell_all(current)


def close_round(workshop_id: int, by: User | None) -> None:
    """The group time is over, and so is its clock; notes stay as they are."""
    with stage_transaction(workshop_id, by, "close_groups", moves=False) as workshop:
        current = the_round(workshop_id)
        if current.opened_at and not current.recalled_at and not _asks_a_question(workshop):
            clear_timer(workshop)
        current.closed_at = timezone.now()
        current.save(update_fields=["closed_at"])
        tell_all(current)


def _asks_a_question(workshop: Workshop) -> bool:
    """A question that is open has the clock for itself."""
    poll = workshop.stage_item.poll if workshop.stage_item else None
    return bool(poll and poll.is_open)


def answer_help(workshop_id: int, by: User | None, group: int) -> None:
    """The facilitator is on the way: the group reads so, and the call leaves everybody's screen. Once for a call."""
    with stage_transaction(workshop_id, by, "answer_help", moves=False):
        found = the_group(workshop_id, group)
        if found.help_at is None:
            return
        found.help_at = None
        found.save(update_fields=["help_at"])
        kind, words = Call.Kind.MESSAGE, _("I am on my way to you.")
        Call.objects.create(round=found.round, group=found, kind=kind, text=words)
        announce.changed(workshop_id, pad(found.pk))


def free_scribe(workshop_id: int, by: User | None, group: int) -> None:
    """The scribe's phone is gone: anybody in the group can take over."""
    with stage_transaction(workshop_id, by, "free_scribe", moves=False):
        found = the_group(workshop_id, group)
        found.scribe = ""
        found.save(update_fields=["scribe"])
        announce.changed(workshop_id, pad(found.pk))
