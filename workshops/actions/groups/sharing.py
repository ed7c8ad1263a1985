"""Sharing back: what groups bring goes onto the wall, before the room as a question, and to the vision.

The last two are for what somebody wrote to a question as well.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from polls.types import Question

from ...live import notify
from ...live.topics import Topic, pad
from ...models import AgendaItem, BroughtText, Contribution, Round, Workshop
from ...moderation import is_note, is_suspicious
from .. import moderation
from ..facilitation import NotNow, _clear_stage, _locked, _on_stage, put_question
from .found import the_group, the_note, the_round


def present(workshop_id: int, by: Any, group: int | None, ref: str | None = None) -> None:
    """Put one group's sentence on the wall; `None` takes it away. Who shows it has read it, so it is checked.

    `ref` says which words were read: others, that came since, are not shown.

    After a question that was asked in between, the groups' own prompt is on stage again.
    """
    with _on_stage(workshop_id, by, "present", moves=False) as workshop:
        current = the_round(workshop_id)
        found = the_group(workshop_id, group) if group else None
        if found:
            _let_onto_the_wall(workshop_id, found.pick_id, ref)
            _back_on_stage(workshop, current)
        current.presenting = found
        current.save(update_fields=["presenting"])


def _let_onto_the_wall(workshop_id: int, note: int | None, ref: str | None) -> Contribution:
    """Locked first: words that somebody writes meanwhile come before this or after it, never into it."""
    notes = Contribution.objects.select_for_update(of=("self",), no_key=True)
    pick = notes.filter(pk=note or 0, group__round__workshop=workshop_id).first()
    if pick is None or pick.taken_back_at or pick.safeguarding:
        raise NotNow(_("This group has not chosen a sentence yet."))
    if ref and pick.ref != ref:
        raise NotNow(_("This note was changed just now. Read it again, and decide then."))
    if pick.check_state == Contribution.Check.PENDING:
        if is_suspicious(pick.text):  # whoever shows it is asked to decide about those words by themselves
            raise NotNow(_("This sentence may name somebody. Decide about it under “Words to check” first."))
        pick.check_state = Contribution.Check.SHOWN
        pick.save(update_fields=["check_state"])
    if not pick.for_the_wall:
        raise NotNow(_("This group’s sentence is hidden, so it cannot be shown."))
    return pick


def _back_on_stage(workshop: Workshop, current: Round) -> None:
    on_stage = workshop.stage_item
    if on_stage and on_stage.poll and on_stage.poll.is_open:
        raise NotNow(_("A question is open. Close it first, then show the group."))
    is_a_pause = on_stage is not None and on_stage.kind == AgendaItem.Kind.PAUSE
    if current.item is None or current.item == on_stage or is_a_pause:
        return
    _clear_stage(workshop, coming=current.item)
    current.item.done_at = None
    current.item.save(update_fields=["done_at"])
    workshop.stage_item, workshop.stage_at = current.item, timezone.now()
    workshop.stage_rev += 1


def propose(workshop_id: int, by: Any, ref: str, on: bool = True) -> None:
    """Bring a note, or a text of a question, to the vision as the draft of a statement; researchers find it there.

    `on=False` holds it back again.
    """
    detail = ref if on else f"{ref} off"
    with _on_stage(workshop_id, by, "propose", detail=detail, moves=False) as workshop:
        proposed_at = timezone.now() if on else None
        if not is_note(ref):
            text = moderation.the_text(workshop, ref)
            defaults = {"item": text.item, "proposed_at": proposed_at}
            BroughtText.objects.update_or_create(ref=ref, defaults=defaults)
            return
        found = the_note(workshop_id, ref)
        found.proposed_at = proposed_at
        found.save(update_fields=["proposed_at"])
        notify.changed(workshop_id, pad(found.group_id))


def agreement_poll(workshop_id: int, by: Any, ref: str, rev: int | None = None) -> None:
    """Ask the room at once whether a sentence rings true, of a group or of somebody in the room.

    What may stand on the wall is what is asked.
    """
    if is_note(ref):
        _list_to_check(workshop_id, ref)
    with transaction.atomic():
        # The workshop first, as every gesture does: two facilitators wait for each other and never in a circle.
        workshop = _locked(workshop_id)
        words = _note_for_the_wall(workshop_id, ref) if is_note(ref) else moderation.show_text(workshop, ref)
        question = Question(type="statement", text=words, help=_("Does this ring true?"))
        put_question(workshop_id, by, question, rev=rev)


def _list_to_check(workshop_id: int, ref: str) -> None:
    """A note that may name somebody is refused until it is decided about; from now on the console lists it for that.

    In a transaction of its own: the refusal that follows must not undo it.
    """
    with transaction.atomic():
        _locked(workshop_id)
        found = the_note(workshop_id, ref)
        is_pending = found.check_state == Contribution.Check.PENDING
        if is_pending and not found.wanted_at and is_suspicious(found.text):
            found.wanted_at = timezone.now()
            found.save(update_fields=["wanted_at"])
            notify.changed(workshop_id, Topic.QUEUE)


def _note_for_the_wall(workshop_id: int, ref: str) -> str:
    found = the_note(workshop_id, ref)
    if found.check_state == Contribution.Check.HIDDEN:
        raise NotNow(_("This note is hidden, so it cannot be asked about."))
    if not found.group.round.shows_others:
        raise NotNow(_("People think for themselves first. Open everybody’s notes, then ask the room."))
    return _let_onto_the_wall(workshop_id, found.pk, ref).for_the_wall
