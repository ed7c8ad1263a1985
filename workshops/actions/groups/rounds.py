"""A time in groups: open it, send words into it, answer calls, call everybody back, end it."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from ...live import notify
from ...live.topics import pad
from ...models import AgendaItem, Call, Group, Participant, Prompt, Round, Workshop
from .. import seating
from ..facilitation import NotNow, _on_stage, _start_timer, _stop_timer
from .found import tell_all, the_group, the_round, the_round_at_work


def give_prompts(
    workshop_id: int, by: Any, prompts: Iterable[int], groups: Iterable[int] = (), *, back: bool = False
) -> None:
    """These groups, or all where none is named, will get these prompts, one group after the other.

    `back`: the prompt on stage again, like every group that was given none.
    """
    with _on_stage(workshop_id, by, "give_prompts", moves=False) as workshop:
        current = the_round(workshop_id)
        if current.opened_at:
            raise NotNow(_("The groups are at work already."))
        given = [] if back else _known(workshop, list(prompts))
        if not given and not back:
            raise NotNow(_("Tick a prompt first, then press “Give”."))
        wanted = set(groups)
        to = [group for group in current.groups.all() if not wanted or group.pk in wanted]
        for number, group in enumerate(to):
            group.prompt = given[number % len(given)] if given else None
        Group.objects.bulk_update(to, ["prompt"])


def _known(workshop: Workshop, prompts: list[int]) -> list[Prompt]:
    known = {p.pk: p for p in Prompt.objects.filter(programme=workshop.programme_id, pk__in=prompts)}
    return [known[pk] for pk in prompts if pk in known]


def open_round(workshop_id: int, by: Any, *, seconds: int | None = None, think_first: bool = False) -> None:
    """Send each group the prompt that it was given, or the one on stage; the clock starts."""
    with _on_stage(workshop_id, by, "open_groups", moves=False) as workshop:
        current = the_round(workshop_id)
        if current.opened_at:
            raise NotNow(_("The groups are at work already."))
        _seat_who_waits(current)  # a table may become a group by that
        asked = _ask(workshop, current)
        item = workshop.stage_item
        current.item = item if item and item.kind == AgendaItem.Kind.PROMPT else None
        current.think_first, current.opened_at = think_first, timezone.now()
        current.save()
        _start_timer(workshop, seconds or max(prompt.minutes for prompt in asked) * 60)
        tell_all(current)


def _ask(workshop: Workshop, current: Round) -> list[Prompt]:
    """Write down what each group is asked. Raises `NotNow` where a group would be asked nothing."""
    on_stage = workshop.stage_item.prompt if workshop.stage_item else None
    groups = list(current.groups.select_related("prompt"))
    asked = [group.prompt or on_stage for group in groups] or [on_stage]
    prompts = [prompt for prompt in asked if prompt]
    if len(prompts) < len(asked):
        raise NotNow(_("Put a prompt on stage first, or give every group one."))
    for group, prompt in zip(groups, prompts, strict=False):  # without groups there is one prompt too many
        group.prompt, group.question = prompt, prompt.text
    Group.objects.bulk_update(groups, ["prompt", "question"])
    return prompts


def _seat_who_waits(current: Round) -> None:
    """Whoever has no group yet gets one now; who comes at this very moment waits for us, and then sits down too."""
    if current.is_filling:
        Round.objects.select_for_update(of=("self",), no_key=True).get(pk=current.pk)
        # Whoever is just choosing is waited for: what they were told is true.
        list(current.places.select_for_update(of=("self",), no_key=True).order_by("pk"))
        seated = current.places.filter(group__isnull=False).values("voter")
        here = Participant.objects.filter(workshop=current.workshop_id, left_at__isnull=True)
        waiting = list(here.exclude(voter__in=seated).values_list("voter", flat=True))
        random.shuffle(waiting)
        seating.find_places(current, waiting)


def share(workshop_id: int, by: Any) -> None:
    """Open everybody's notes to their group, where people thought for themselves first."""
    with _on_stage(workshop_id, by, "share_notes", moves=False):
        current = the_round_at_work(workshop_id)
        current.shared_at = current.shared_at or timezone.now()
        current.save(update_fields=["shared_at"])
        tell_all(current)


def call(workshop_id: int, by: Any, kind: str, text: str, group: int | None = None) -> None:
    """A new probe or a message to one group, or to all."""
    words = " ".join(text.split())
    if not words:
        raise NotNow(_("Write a few words first."))
    with _on_stage(workshop_id, by, kind, detail=words, moves=False):
        current = the_round_at_work(workshop_id)
        to = the_group(workshop_id, group) if group else None
        Call.objects.create(round=current, group=to, kind=kind, text=words[:500])
        tell_all(current, only=to)


def recall(workshop_id: int, by: Any) -> None:
    """Call everybody back, and no clock any more; notes can still be finished."""
    with _on_stage(workshop_id, by, "recall", moves=False) as workshop:
        current = the_round_at_work(workshop_id)
        current.recalled_at = current.recalled_at or timezone.now()
        current.save(update_fields=["recalled_at"])
        _stop_timer(workshop)
        tell_all(current)


def close_round(workshop_id: int, by: Any) -> None:
    """The group time is over, and so is its clock; notes stay as they are."""
    with _on_stage(workshop_id, by, "close_groups", moves=False) as workshop:
        current = the_round(workshop_id)
        if current.opened_at and not current.recalled_at and not _asks_a_question(workshop):
            _stop_timer(workshop)
        current.closed_at = timezone.now()
        current.presenting = None
        current.save(update_fields=["closed_at", "presenting"])
        tell_all(current)


def _asks_a_question(workshop: Workshop) -> bool:
    """A question that is open has the clock for itself."""
    poll = workshop.stage_item.poll if workshop.stage_item else None
    return bool(poll and poll.is_open)


def answer_help(workshop_id: int, by: Any, group: int) -> None:
    """The facilitator is on the way; the call leaves everybody's screen."""
    with _on_stage(workshop_id, by, "answer_help", moves=False):
        found = the_group(workshop_id, group)
        found.help_at = None
        found.save(update_fields=["help_at"])
        notify.changed(workshop_id, pad(found.pk))


def free_scribe(workshop_id: int, by: Any, group: int) -> None:
    """The scribe's phone is gone: anybody in the group can take over."""
    with _on_stage(workshop_id, by, "free_scribe", moves=False):
        found = the_group(workshop_id, group)
        found.scribe = ""
        found.save(update_fields=["scribe"])
        notify.changed(workshop_id, pad(found.pk))
