"""A time in groups: open it, send words into it, answer calls, call everybody back, end it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from ...live import notify
from ...live.topics import pad
from ...models import AgendaItem, Call, Group, Prompt, Workshop
from ..facilitation import NotNow, _on_stage, _start_timer
from .found import tell_all, the_group, the_round, the_round_at_work


def open_round(
    workshop_id: int,
    by: Any,
    *,
    prompts: Iterable[int] = (),
    seconds: int | None = None,
    think_first: bool = False,
) -> None:
    """Send the prompt on stage to all groups, or these prompts in turn to group after group; the clock starts."""
    with _on_stage(workshop_id, by, "open_groups", moves=False) as workshop:
        current = the_round(workshop_id)
        if current.opened_at:
            raise NotNow(_("The groups are at work already."))
        asked = _asked(workshop, list(prompts))
        groups = list(current.groups.all())
        for number, group in enumerate(groups):
            group.prompt = asked[number % len(asked)]
            group.question = group.prompt.text
        Group.objects.bulk_update(groups, ["prompt", "question"])
        item = workshop.stage_item
        current.item = item if item and item.kind == AgendaItem.Kind.PROMPT else None
        current.think_first, current.opened_at = think_first, timezone.now()
        current.save()
        _start_timer(workshop, seconds or max(p.minutes for p in asked) * 60)
        tell_all(current)


def _asked(workshop: Workshop, prompts: list[int]) -> list[Prompt]:
    if prompts:
        known = {p.pk: p for p in Prompt.objects.filter(programme=workshop.programme_id, pk__in=prompts)}
        if found := [known[pk] for pk in prompts if pk in known]:
            return found
    item = workshop.stage_item
    if item is None or item.prompt is None:
        raise NotNow(_("Put a prompt on stage first, or choose one for the groups."))
    return [item.prompt]


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
    """Call everybody back; notes can still be finished."""
    with _on_stage(workshop_id, by, "recall", moves=False):
        current = the_round_at_work(workshop_id)
        current.recalled_at = current.recalled_at or timezone.now()
        current.save(update_fields=["recalled_at"])
        tell_all(current)


def close_round(workshop_id: int, by: Any) -> None:
    """The group time is over; notes stay as they are."""
    with _on_stage(workshop_id, by, "close_groups", moves=False):
        current = the_round(workshop_id)
        current.closed_at = timezone.now()
        current.presenting = None
        current.save(update_fields=["closed_at", "presenting"])
        tell_all(current)


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
