"""Moderation of people's texts by facilitators: show, hide, redact, flag for safeguarding.

A decision may be changed at any time, with one exception: what is flagged is out of sight for everybody but the named
lead, so the lead alone takes a flag off. Whoever has just set it has read the words anyway and may undo a slip.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from polls import ballot_box, text_decisions
from polls.models import Text
from polls.text_decisions import FLAGGED, HIDDEN, PENDING, REDACTED, SHOWN
from polls.types.texts import tidy

from ..models import AgendaItem, Contribution, GestureLog, Group, Workshop
from ..models.groups import TEXT_LIMIT
from ..people import access
from ..signals import announce
from ..signals.topics import EVERYTHING, Topic, pad
from ..text.decisions import is_suspicious, suggestions
from ..text.redaction import redact
from . import copies
from .stage import GestureRejected, clear_stage, lock_workshop, stage_transaction

GESTURES = {
    PENDING: "wait_words",
    SHOWN: "show_words",
    HIDDEN: "hide_words",
    REDACTED: "redact_words",
    FLAGGED: "flag_words",
}
SLIP = timedelta(minutes=10)  # for so long one's own flag can be undone
LONGER = 40  # letters that words may have beyond those they stand for


def decide(workshop_id: int, by: User | None, ref: str, state: str, words: str = "") -> None:
    """Decide about the text with this ref, and about those that stand in one `decisions.Item` with it.

    `words` stand instead of a redacted one; where there are none it is shown without what is suggested to be hidden.
    """
    with transaction.atomic():
        workshop = lock_workshop(workshop_id)
        text = the_text(workshop, ref, flagged=True)
        _check_flag(workshop, by, text, state)
        replacement = _instead(text, words) if state == REDACTED else ""
        decided = text_decisions.alike(text)
        text_decisions.decide(decided, state, by=by, replacement=replacement)
        _log(workshop, by, state, text, ref)
        _follow(workshop, by, decided)


def check_texts(workshop_id: int, by: User | None, refs: Sequence[str], shown: bool) -> None:
    """Show these texts, or hide them.

    Several that are shown at once were not each looked at: where something may have to be hidden, it goes on waiting.
    """
    state = SHOWN if shown else HIDDEN
    with transaction.atomic():
        workshop = lock_workshop(workshop_id)
        found = list(_texts(workshop).filter(pk__in=map(_number, refs)))
        if not found:
            raise GestureRejected(
                _("These words were changed just now, or are not there any more. Look again.")
            )
        fit = [
            text
            for text in found
            if not text.is_flagged and not (shown and len(found) > 1 and is_suspicious(text.words))
        ]
        decided = {pk for text in fit for pk in text_decisions.alike(text)}
        text_decisions.decide(decided, state, by=by)
        _log(workshop, by, state, found[0], f"{len(refs)}")
        _follow(workshop, by, decided)


def words_at_once(workshop_id: int, by: User | None, poll: int, on: bool) -> None:
    """Let the texts of the question on stage stand on the wall unread, or have each of them looked at first.

    What was hidden or flagged stays so, and what may have to be hidden waits either way.
    """
    with transaction.atomic():
        workshop = lock_workshop(workshop_id)
        item = workshop.stage_item
        if item is None or item.poll is None or item.poll_id != poll or not item.poll.poll_type.has_texts:
            raise GestureRejected(_("That does not fit what is on stage now. Look, and press again."))
        ballot_box.show_words_at_once(poll, on)
        detail = "on" if on else "off"
        GestureLog.objects.create(workshop=workshop, by=by, name="words_at_once", item=item, detail=detail)
        announce.changed(workshop_id, Topic.QUEUE, Topic.STAGE, Topic.TALLY)


def _log(workshop: Workshop, by: User | None, state: str, text: Text, detail: str) -> None:
    """Log a decision without its words, and tell the screens."""
    note = note_of(text)
    item = note.group.round.item if note else asked_by(text)
    GestureLog.objects.create(workshop=workshop, by=by, name=GESTURES[state], item=item, detail=detail)
    pads = [pad(note.group_id), Topic.BREAKOUTS] if note else []
    announce.changed(workshop.pk, Topic.QUEUE, Topic.STAGE, Topic.TALLY, *pads)


def _follow(workshop: Workshop, by: User | None, texts: Collection[int]) -> None:
    """Reword the questions that quote these texts. One that may not be read now leaves the stage."""
    for item in copies.follow(texts):
        if item.pk == workshop.stage_item_id and copies.why_away(item):
            with stage_transaction(workshop.pk, by, "clear_stage", mode=workshop.mode) as current:
                # As a quick question comes, so it goes: groups that are at work go on.
                clear_stage(current, coming=item)
        announce.changed(item.workshop_id, *EVERYTHING)


# --- the words that a gesture speaks about -------------------------------------------------------------------


def the_text(workshop: Workshop, ref: str, *, flagged: bool = False) -> Text:
    """The text of this workshop with this ref, as long as it stands and may be read; `flagged` ones only if asked for.

    A note's group is locked with it: words that somebody writes meanwhile come before this or after it.
    """
    found = _texts(workshop).filter(pk=_number(ref)).first()
    if found and (note := note_of(found)):
        Group.objects.select_for_update(of=("self",), no_key=True).get(pk=note.group_id)
        found = _texts(workshop).filter(pk=found.pk).first()
    if found is None or (found.is_flagged and not flagged):
        raise GestureRejected(
            _("These words were changed just now, or are not there any more. Read again, and decide then.")
        )
    return found


def _number(ref: str) -> int:
    return int(ref.split("-")[1])


def _texts(workshop: Workshop) -> QuerySet[Text]:
    """All texts of this workshop: answers to its questions, and notes that were neither withdrawn nor flagged."""
    notes = Contribution.objects.filter(group__round__workshop=workshop)
    there = Q(taken_back_at__isnull=True) | Q(text__decision__state=FLAGGED)
    return Text.objects.filter(
        Q(poll__agenda_item__workshop=workshop) | Q(contribution__in=notes.filter(there)),
        Q(standing=Text.Standing.CURRENT) | Q(decision__state=FLAGGED),
    ).select_related("decision", "poll__version", "contribution__group__round__item")


def note_of(text: Text) -> Contribution | None:
    """The note that has these words now; `None` for an answer."""
    return None if text.poll_id else text.contribution


def asked_by(text: Text) -> AgendaItem | None:
    """The question that it answers; `None` for a note."""
    return text.poll.agenda_item if text.poll else None


def let_onto_the_wall(text: Text, by: User | None) -> str:
    """Put a text on the wall; returns it as shown. Showing it implies that it was read, so it counts as moderated."""
    if text.state == PENDING:
        if is_suspicious(text.words):  # whoever shows it is asked to decide about those words by themselves
            raise GestureRejected(
                _("This sentence may name somebody. Decide about it under “Words to check” first.")
            )
        text_decisions.decide(text_decisions.alike(text), SHOWN, by=by)
        return text.words
    if not text.for_the_wall:
        raise GestureRejected(_("These words are hidden, so they cannot be shown or asked about."))
    return text.for_the_wall


def _check_flag(workshop: Workshop, by: User | None, text: Text, state: str) -> None:
    """A flag stays until the safeguarding lead removes it, or the user who has just set it by mistake."""
    if not text.is_flagged or state == FLAGGED:
        return
    assert text.decision
    own = by is not None and text.decision.by_id == by.pk and text.decision.at >= timezone.now() - SLIP
    if state == PENDING and (own or access.is_lead(by, workshop.programme)):
        return
    raise GestureRejected(
        _("This is flagged for safeguarding. Only the safeguarding lead can take the flag off.")
    )


def _instead(text: Text, words: str) -> str:
    """What stands instead of a text. Raises `GestureRejected`, also where nothing is suggested or written."""
    suggested = not words.strip()
    found = suggestions(text.words)
    lines = bool(text.poll and text.poll.question.type == "open_text")
    instead = tidy(redact(text.words, found) if suggested else words, lines=lines)
    if not instead or (suggested and not found):
        raise GestureRejected(_("Write what the wall may show instead."))
    limit = TEXT_LIMIT if suggested else min(TEXT_LIMIT, len(text.words) + LONGER)
    if len(instead) > limit:
        raise GestureRejected(
            _("Keep it about as short as what was written: up to %(n)d letters.") % {"n": limit}
        )
    return instead
