"""Sharing back: what groups bring goes onto the wall, before the room as a question, and to the vision.

The last two are for what somebody wrote to a question as well.
"""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from polls.models import Text
from polls.text_decisions import PENDING
from polls.types import Question

from ...models import AgendaItem, Group, Round, TextMark, Workshop
from ...signals import announce
from ...signals.topics import Topic, pad
from ...text.decisions import is_suspicious
from .. import moderation
from ..facilitation import launch_adhoc_poll
from ..stage import GestureRejected, clear_stage, lock_workshop, stage_transaction
from .lookups import the_group, the_round


def present(workshop_id: int, by: User | None, group: int | None, ref: str | None = None) -> None:
    """Put one group's sentence on the wall; `None` takes it off. Showing it counts as moderating it.

    `ref` says which words were read: others, that came since, are not shown.

    After a question that was asked in between, the groups' own prompt is on stage again.
    """
    with stage_transaction(workshop_id, by, "present", moves=False) as workshop:
        current = the_round(workshop_id)
        found = the_group(workshop_id, group) if group else None
        if found:
            _let_pick_onto_the_wall(workshop, by, found, ref)
            _back_on_stage(workshop, current)
        current.presenting = found
        current.save(update_fields=["presenting"])


def _let_pick_onto_the_wall(workshop: Workshop, by: User | None, group: Group, ref: str | None) -> None:
    pick = group.pick
    if pick is None or pick.taken_back_at or pick.text.is_flagged:
        raise GestureRejected(_("This group has not chosen a sentence yet."))
    if ref and pick.ref != ref:
        raise GestureRejected(_("This note was changed just now. Read it again, and decide then."))
    moderation.let_onto_the_wall(moderation.the_text(workshop, pick.ref), by)


def _back_on_stage(workshop: Workshop, current: Round) -> None:
    on_stage = workshop.stage_item
    if on_stage and on_stage.poll and on_stage.poll.is_open:
        raise GestureRejected(_("A question is open. Close it first, then show the group."))
    is_a_pause = on_stage is not None and on_stage.kind == AgendaItem.Kind.PAUSE
    if current.item is None or current.item == on_stage or is_a_pause:
        return
    clear_stage(workshop, coming=current.item)
    current.item.done_at = None
    current.item.save(update_fields=["done_at"])
    workshop.stage_item, workshop.stage_at = current.item, timezone.now()
    workshop.stage_rev += 1


def propose(workshop_id: int, by: User | None, ref: str, on: bool = True) -> None:
    """Bring a note, or a text of a question, to the vision as the draft of a statement; researchers find it there.

    `on=False` holds it back again.
    """
    detail = ref if on else f"{ref} off"
    with stage_transaction(workshop_id, by, "propose", detail=detail, moves=False) as workshop:
        text = moderation.the_text(workshop, ref)
        if on:
            _mark(workshop, text, TextMark.Kind.VISION)
        else:  # of equal words of a question any may carry the mark
            same = (
                {"text": text}
                if text.poll_id is None
                else {"text__poll": text.poll_id, "text__key": text.key}
            )
            TextMark.objects.filter(kind=TextMark.Kind.VISION, **same).delete()
        if note := moderation.note_of(text):
            announce.changed(workshop_id, pad(note.group_id))


def _mark(workshop: Workshop, text: Text, kind: str) -> None:
    TextMark.objects.get_or_create(text=text, kind=kind, defaults={"workshop": workshop})


def agreement_poll(workshop_id: int, by: User | None, ref: str, rev: int | None = None) -> None:
    """Ask the room at once whether a sentence rings true, of a group or of somebody in the room.

    What may stand on the wall is what is asked; the question keeps whose words it quotes.
    """
    _list_to_check(workshop_id, ref)
    with transaction.atomic():
        # The workshop first, as every gesture does: two facilitators wait for each other and never in a circle.
        workshop = lock_workshop(workshop_id)
        text = moderation.the_text(workshop, ref)
        note = moderation.note_of(text)
        if note and not note.group.round.shows_others:
            raise GestureRejected(
                _("People think for themselves first. Open everybody’s notes, then ask the room.")
            )
        words = moderation.let_onto_the_wall(text, by)
        question = Question(type="statement", text=words, help=_("Does this ring true?"))
        launch_adhoc_poll(workshop_id, by, question, text=text, rev=rev)


def _list_to_check(workshop_id: int, ref: str) -> None:
    """A note that may name somebody is refused until it is decided about; from now on the console lists it for that.

    In a transaction of its own: the refusal that follows must not undo it.
    """
    with transaction.atomic():
        workshop = lock_workshop(workshop_id)
        text = moderation.the_text(workshop, ref)
        if moderation.note_of(text) and text.state == PENDING and is_suspicious(text.words):
            _mark(workshop, text, TextMark.Kind.QUESTION)
            announce.changed(workshop_id, Topic.QUEUE)
