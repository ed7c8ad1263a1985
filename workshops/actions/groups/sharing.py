"""Sharing back: what groups bring goes onto the wall, before the room as a question, and to the vision."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from polls.types import Question

from ...live import notify
from ...live.topics import pad
from ...models import AgendaItem, Contribution, Round, Workshop
from ...moderation import suggestions
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
        if suggestions(pick.text):  # whoever shows it is asked to decide about those words by themselves
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


def propose(workshop_id: int, by: Any, note: int, on: bool = True) -> None:
    """Bring a note to the vision as the draft of a statement; researchers find it there."""
    with _on_stage(workshop_id, by, "propose", moves=False):
        found = the_note(workshop_id, note)
        found.proposed_at = timezone.now() if on else None
        found.save(update_fields=["proposed_at"])
        notify.changed(workshop_id, pad(found.group_id))


def agreement_poll(workshop_id: int, by: Any, ref: str, rev: int | None = None) -> None:
    """Ask the room at once whether a sentence rings true; what may stand on the wall is what is asked."""
    found = the_note(workshop_id, int(ref.split("-")[1]))
    if found.check_state == Contribution.Check.HIDDEN:
        raise NotNow(_("This note is hidden, so it cannot be asked about."))
    with transaction.atomic():
        # The workshop first, as every gesture does: two facilitators wait for each other and never in a circle.
        _locked(workshop_id)
        found = _let_onto_the_wall(workshop_id, found.pk, ref)
        question = Question(type="statement", text=found.for_the_wall, help=_("Does this ring true?"))
        put_question(workshop_id, by, question, rev=rev)


def check_note(
    workshop_id: int, by: Any, note: int, state: str, *, redacted: str = "", safeguarding: bool = False
) -> None:
    """Decide about a note: shown, hidden, or shown with words taken out; a safeguarding flag hides it everywhere."""
    with _on_stage(workshop_id, by, "check_note", detail=state, moves=False):
        found = the_note(workshop_id, note)
        words = " ".join(redacted.split())
        if state == Contribution.Check.REDACTED and not words:
            raise NotNow(_("Write what the wall may show instead."))
        found.check_state = state
        found.redacted = words if state == Contribution.Check.REDACTED else ""
        found.safeguarding = safeguarding
        found.save(update_fields=["check_state", "redacted", "safeguarding"])
        notify.changed(workshop_id, pad(found.group_id))
