"""What facilitators decide about people's words: show, hide, show with words taken out, flag for safeguarding.

A decision may be changed at any time, with one exception: what is flagged is out of sight for everybody but the named
lead, so the lead alone takes a flag off. Whoever has just set it has read the words anyway and may undo a slip.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from polls import ballot_box, results
from polls.checks import FLAGGED, HIDDEN, PENDING, REDACTED, SHOWN
from polls.models import Poll, TextCheck
from polls.types.texts import tidy

from .. import access
from ..live import notify
from ..live.topics import Topic, pad
from ..models import AgendaItem, Contribution, Gesture, Workshop
from ..models.breakouts import TEXT_LIMIT
from ..moderation import FLAG, is_note, is_suspicious, note_ref, suggestions, text_ref
from ..redaction import redact
from .facilitation import NotNow, _locked

GESTURES = {
    PENDING: "wait_words",
    SHOWN: "show_words",
    HIDDEN: "hide_words",
    REDACTED: "redact_words",
    FLAGGED: FLAG,
}
SLIP = timedelta(minutes=10)  # for so long one's own flag can be undone
LONGER = 40  # letters that words may have beyond those they stand for


def decide(workshop_id: int, by: Any, ref: str, state: str, words: str = "") -> None:
    """Decide about the text or note with this `moderation.Item.ref`.

    `words` stand instead of a redacted one; where there are none it is shown without what is suggested to be hidden.
    """
    with transaction.atomic():
        workshop = _locked(workshop_id)
        item = (_decide_note if is_note(ref) else _decide_text)(workshop, by, ref, state, words)
        Gesture.objects.create(workshop=workshop, by=by, name=GESTURES[state], item=item, detail=ref)
        notify.changed(workshop_id, Topic.QUEUE, Topic.STAGE, Topic.TALLY)


def check_texts(workshop_id: int, by: Any, poll_id: int, keys: Sequence[str], shown: bool) -> None:
    """Show these texts of a question, or hide them.

    Several that are shown at once were not each looked at: where something may have to be hidden, it goes on waiting.
    """
    with transaction.atomic():
        workshop = _locked(workshop_id)
        item, poll = _asked(workshop, poll_id)
        asked = [(key, text) for key, text in _written(poll).items() if key in set(keys)]
        flagged = set(poll.text_checks.filter(safeguarding=True).values_list("key", flat=True))
        for key, text in asked:
            if key not in flagged and not (shown and len(asked) > 1 and is_suspicious(text)):
                _store(poll, key, SHOWN if shown else HIDDEN)
        name = GESTURES[SHOWN if shown else HIDDEN]
        Gesture.objects.create(workshop=workshop, by=by, name=name, item=item, detail=f"{len(keys)}")
        notify.changed(workshop_id, Topic.QUEUE, Topic.STAGE, Topic.TALLY)


def words_at_once(workshop_id: int, by: Any, poll_id: int, on: bool) -> None:
    """Let the texts of the question on stage stand on the wall unread, or have each of them looked at first.

    What was hidden or flagged stays so, and what may have to be hidden waits either way.
    """
    with transaction.atomic():
        workshop = _locked(workshop_id)
        item, poll = _asked(workshop, poll_id)
        if item.pk != workshop.stage_item_id or not poll.poll_type.has_texts:
            raise NotNow(_("That does not fit what is on stage now. Look, and press again."))
        ballot_box.show_words_at_once(poll.pk, on)
        detail = "on" if on else "off"
        Gesture.objects.create(workshop=workshop, by=by, name="words_at_once", item=item, detail=detail)
        notify.changed(workshop_id, Topic.QUEUE, Topic.STAGE, Topic.TALLY)


# --- words of a question ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Text:
    """What somebody, or several people, wrote to a question, with what was decided about it."""

    item: AgendaItem
    poll: Poll
    key: str
    text: str
    check: TextCheck | None


def _find_text(workshop: Workshop, ref: str) -> Text:
    item, poll = _asked(workshop, int(ref.split("-")[1]))
    found = {text_ref(poll.pk, key): (key, text) for key, text in _written(poll).items()}
    if ref not in found:
        raise NotNow(_("These words are not there any more."))
    key, text = found[ref]
    return Text(item, poll, key, text, poll.text_checks.filter(key=key).first())


def _decide_text(workshop: Workshop, by: Any, ref: str, state: str, words: str) -> AgendaItem:
    found = _find_text(workshop, ref)
    _check_flag(workshop, by, ref, state, is_flagged=bool(found.check and found.check.safeguarding))
    lines = found.poll.question.type == "open_text"
    instead = _instead(found.text, words, lines=lines) if state == REDACTED else ""
    _store(found.poll, found.key, state, instead)
    return found.item


def the_text(workshop: Workshop, ref: str) -> Text:
    """A text that anybody but the safeguarding lead may still read."""
    found = _find_text(workshop, ref)
    if found.check and found.check.safeguarding:
        raise NotNow(_("These words are not there any more."))
    return found


def show_text(workshop: Workshop, ref: str) -> str:
    """Let a text onto the wall, and say how it stands there. Who shows it has read it, so it is checked."""
    found = the_text(workshop, ref)
    if found.check is None:
        if is_suspicious(found.text):  # whoever shows it is asked to decide about those words by themselves
            raise NotNow(_("This sentence may name somebody. Decide about it under “Words to check” first."))
        _store(found.poll, found.key, SHOWN)
        return found.text
    if not found.check.shown:
        raise NotNow(_("These words are hidden, so they cannot be asked about."))
    return found.check.redacted or found.text


def _asked(workshop: Workshop, poll_id: int) -> tuple[AgendaItem, Poll]:
    item = workshop.agenda.filter(poll=poll_id).select_related("poll__version").first()
    if item is None or item.poll is None:
        raise NotNow(_("This question is not part of your workshop."))
    return item, item.poll


def _written(poll: Poll) -> dict[str, str]:
    tally = results.count(poll, rehearsal=True).tally
    return {key: text for key, text, _people in poll.poll_type.texts(tally, poll.question)}


def _store(poll: Poll, key: str, state: str, instead: str = "") -> None:
    if state == PENDING:
        poll.text_checks.filter(key=key).delete()
        return
    TextCheck.objects.update_or_create(
        poll=poll,
        key=key,
        defaults={
            "shown": state in (SHOWN, REDACTED),
            "redacted": instead,
            "safeguarding": state == FLAGGED,
        },
    )


# --- notes ---------------------------------------------------------------------------------------------------


def _decide_note(workshop: Workshop, by: Any, ref: str, state: str, words: str) -> AgendaItem | None:
    notes = Contribution.objects.select_for_update(of=("self",), no_key=True).select_related("group__round")
    note = notes.filter(pk=int(ref.split("-")[1]), group__round__workshop=workshop).first()
    if note is None or (note.taken_back_at and not note.safeguarding):
        raise NotNow(_("That note is not there any more."))
    if note_ref(note) != ref:
        raise NotNow(_("This note was changed just now. Read it again, and decide then."))
    _check_flag(workshop, by, ref, state, is_flagged=note.safeguarding)
    note.redacted = _instead(note.text, words, lines=False) if state == REDACTED else ""
    note.safeguarding = state == FLAGGED
    note.check_state = HIDDEN if state == FLAGGED else state
    note.save(update_fields=["check_state", "redacted", "safeguarding"])
    notify.changed(workshop.pk, pad(note.group_id), Topic.BREAKOUTS)
    return note.group.round.item


# --- both --------------------------------------------------------------------------------------------------------


def _check_flag(workshop: Workshop, by: Any, ref: str, state: str, *, is_flagged: bool) -> None:
    """What is flagged stays so, unless the lead takes the flag off, or whoever has just set it by mistake."""
    if not is_flagged or state == FLAGGED:
        return
    own = Gesture.objects.filter(
        workshop=workshop, by=by, by__isnull=False, name=FLAG, detail=ref, at__gte=timezone.now() - SLIP
    )
    if state == PENDING and (access.is_lead(by, workshop.programme) or own.exists()):
        return
    raise NotNow(_("This is flagged for safeguarding. Only the safeguarding lead can take the flag off."))


def _instead(text: str, words: str, *, lines: bool) -> str:
    """What stands instead of a text. Raises `NotNow`, also where nothing is suggested and nothing was written."""
    suggested = not words.strip()
    found = suggestions(text)
    instead = tidy(redact(text, found) if suggested else words, lines=lines)
    if not instead or (suggested and not found):
        raise NotNow(_("Write what the wall may show instead."))
    limit = TEXT_LIMIT if suggested else min(TEXT_LIMIT, len(text) + LONGER)
    if len(instead) > limit:
        raise NotNow(_("Keep it about as short as what was written: up to %(n)d letters.") % {"n": limit})
    return instead
