"""The stage under lock: one transaction a gesture, an optimistic lock (`rev`), and the steps gestures are made of.

Gestures that move the stage carry the `rev` that their screen showed. Of two facilitators who press at once one
wins; the other gets `StageMoved` and sees what is on stage now.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from polls import ballot_box

from ..groups import load_overview
from ..models import AgendaItem, GestureLog, Mode, Workshop
from ..signals import announce
from ..signals.topics import EVERYTHING, PLACES, Topic, pad

#: gestures after which the one before them can still be undone
_HARMLESS = frozenset({"head_count", "add_time", "answer_help", "undo"})


class GestureRejected(Exception):
    """The command does not fit the present stage; the message tells the facilitator why."""


class StageMoved(GestureRejected):
    """Somebody else has changed the stage since this screen was drawn."""


@contextmanager
def stage_transaction(
    workshop_id: int,
    by: User | None,
    name: str,
    *,
    rev: int | None = None,
    detail: str = "",
    moves: bool = True,
    mode: str = Mode.LIVE,
) -> Iterator[Workshop]:
    """Lock the workshop and its polls, check the revision, log the gesture, announce it after the commit.

    A workshop of another `mode` is refused: a questionnaire has no stage.

    A gesture that `moves` the stage makes older screens' gestures void; a head count or a timer does not.
    """
    with transaction.atomic():
        workshop = lock_workshop(workshop_id)
        if workshop.mode != mode:
            raise GestureRejected(_("A questionnaire has no stage, and a live workshop no open link."))
        ballot_box.lock_polls(workshop.agenda.filter(poll__isnull=False).values_list("poll", flat=True))
        if rev is not None and rev != workshop.stage_rev:
            raise StageMoved(
                _("The stage changed just before you pressed. Nothing was done; look, and press again.")
            )
        if name not in _HARMLESS:
            workshop.undo = None
        yield workshop
        workshop.stage_rev += moves
        workshop.save()
        GestureLog.objects.create(
            workshop=workshop, by=by, name=name, item=workshop.stage_item, detail=detail[:200]
        )
        announce.changed(workshop_id, *EVERYTHING)


def lock_workshop(workshop_id: int) -> Workshop:
    return Workshop.objects.select_for_update(of=("self",), no_key=True).get(pk=workshop_id)


def require_running(workshop: Workshop) -> None:
    if workshop.is_planned:
        raise GestureRejected(_("Open the doors first."))
    if workshop.has_ended:
        raise GestureRejected(_("This workshop has ended."))


def clear_stage(workshop: Workshop, *, coming: AgendaItem | None = None) -> None:
    clear_timer(workshop)
    _end_group_time(workshop, coming)
    item = workshop.stage_item
    if item is None:
        return
    if item.poll and item.poll.is_open:
        close_poll(workshop, item.poll.pk)
    item.done_at = timezone.now()
    item.save(update_fields=["done_at"])
    workshop.stage_item = None


def _end_group_time(workshop: Workshop, coming: AgendaItem | None) -> None:
    """Groups that worked on a step are done with it when another comes; groups that are only formed stay.

    A question asked on the spot is no other step: groups can be asked about one sentence and go on to the next. A step
    for all together calls groups back that are still at work, and leaves them until they have shared their sentences:
    most plans have one for that, and it may come before anybody has chosen one.
    """
    if coming and coming.quick:
        return
    at_work = workshop.rounds.filter(closed_at__isnull=True, item__isnull=False).exclude(item=coming)
    if coming and coming.kind == AgendaItem.Kind.PAUSE and not _have_shared(workshop):
        for current in at_work.filter(recalled_at__isnull=True):
            current.recalled_at = timezone.now()
            current.save(update_fields=["recalled_at"])
            pads = [pad(pk) for pk in current.groups.values_list("pk", flat=True)]
            announce.changed(workshop.pk, PLACES, Topic.BREAKOUTS, *pads)
    elif at_work.update(closed_at=timezone.now()):
        announce.changed(workshop.pk, PLACES)


def _have_shared(workshop: Workshop) -> bool:
    """Has every group shared its picked note?"""
    found = load_overview(workshop.pk)
    return bool(found and found.round.recalled_at and found.presenting and not found.to_show)


def close_poll(workshop: Workshop, poll_id: int) -> None:
    joined = workshop.participants.filter(rehearsal=False).count()
    ballot_box.close_poll(poll_id, joined=joined, attended=workshop.attended)


def set_timer(workshop: Workshop, seconds: int) -> None:
    workshop.timer_ends_at = timezone.now() + timedelta(seconds=seconds)
    workshop.timer_seconds = seconds


def clear_timer(workshop: Workshop) -> None:
    workshop.timer_ends_at, workshop.timer_seconds = None, 0
