"""What facilitators do on stage. Every gesture is one transaction with the workshop's row locked, logged with
who and when, and announced after its commit.

Gestures that move the stage carry the `rev` that their screen showed. Of two facilitators who press at
once one wins; the other gets `StageMoved` and sees what is on stage now.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import Error, transaction
from django.db.models import F, Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from polls import ballot_box
from polls.lifecycle import NotPossible, State
from polls.models import Ballot, Instrument, InstrumentVersion, Poll
from polls.prepared import Prepared
from polls.types import POLL_TYPES, InvalidQuestion, Question
from polls.types.base import Option
from polls.types.texts import tidy

from .. import breakouts
from ..live import notify
from ..live.topics import EVERYTHING, PLACES, Topic, pad
from ..models import AgendaItem, Gesture, Participant, Workshop

log = logging.getLogger(__name__)


class NotNow(Exception):
    """This gesture does not fit what is on stage; the message says so to the facilitator."""


class StageMoved(NotNow):
    """Somebody else has changed the stage since this screen was drawn."""


@contextmanager
def _on_stage(
    workshop_id: int, by: Any, name: str, *, rev: int | None = None, detail: str = "", moves: bool = True
):
    """Lock the workshop and its polls, check the revision, log the gesture, announce it after the commit.

    A gesture that `moves` the stage makes older screens' gestures void; a head count or a timer does not.
    """
    with transaction.atomic():
        workshop = _locked(workshop_id)
        ballot_box.hold(workshop.agenda.filter(poll__isnull=False).values_list("poll", flat=True))
        if rev is not None and rev != workshop.stage_rev:
            raise StageMoved(
                _("The stage changed just before you pressed. Nothing was done; look, and press again.")
            )
        yield workshop
        workshop.stage_rev += moves
        workshop.save()
        Gesture.objects.create(
            workshop=workshop, by=by, name=name, item=workshop.stage_item, detail=detail[:200]
        )
        notify.changed(workshop_id, *EVERYTHING)


def _locked(workshop_id: int) -> Workshop:
    return Workshop.objects.select_for_update(of=("self",), no_key=True).get(pk=workshop_id)


# --- the workshop ------------------------------------------------------------------------------------


def start(workshop_id: int, by: Any, rev: int | None = None) -> None:
    """Open the doors: the code works, the profile is asked, the wall shows how to join."""
    with _on_stage(workshop_id, by, "start", rev=rev) as workshop:
        if not workshop.is_planned:
            raise NotNow(_("This workshop has started already."))
        workshop.status = Workshop.Status.RUNNING
        workshop.started_at = timezone.now()
        for item in workshop.agenda.filter(profile=True, poll__state="draft"):
            ballot_box.open_poll(item.poll_id)


def end(workshop_id: int, by: Any, rev: int | None = None) -> None:
    """Close what is open, let the code die, thank everybody."""
    with _on_stage(workshop_id, by, "end", rev=rev) as workshop:
        _require_running(workshop)
        _clear_stage(workshop)
        for item in workshop.agenda.filter(profile=True, poll__state="open"):
            _close(workshop, item.poll_id)
        workshop.rounds.filter(closed_at__isnull=True).update(closed_at=timezone.now(), presenting=None)
        workshop.status = Workshop.Status.ENDED
        workshop.ended_at = timezone.now()


def head_count(workshop_id: int, by: Any, people: int | None) -> None:
    """How many the facilitator counts in the room or on the call; may be more than joined."""
    with _on_stage(workshop_id, by, "head_count", detail=str(people), moves=False) as workshop:
        workshop.attended = people


# --- the stage ---------------------------------------------------------------------------------------


def launch(workshop_id: int, by: Any, item_id: int, rev: int | None = None) -> None:
    """Put an agenda item on stage; whatever stood there is closed and frozen."""
    with _on_stage(workshop_id, by, "launch", rev=rev) as workshop:
        _require_running(workshop)
        item = workshop.agenda.select_related("poll").filter(pk=item_id, profile=False).first()
        if item is None:
            raise NotNow(_("That is not on this workshop's agenda."))
        if item.pk == workshop.stage_item_id and item.done_at is None:
            raise NotNow(_("This is on stage already."))
        _clear_stage(workshop, coming=item)
        if item.poll and item.poll.is_draft:
            ballot_box.open_poll(item.poll_id)
        item.launched_at = item.launched_at or timezone.now()
        item.done_at = None
        item.save(update_fields=["launched_at", "done_at"])
        workshop.stage_item, workshop.stage_at = item, timezone.now()
        if item.kind == AgendaItem.Kind.PROMPT and item.minutes and not _groups_are_made(workshop):
            _start_timer(workshop, item.minutes * 60)


def joining(workshop_id: int, by: Any, rev: int | None = None) -> None:
    """Show the joining screen again."""
    with _on_stage(workshop_id, by, "joining", rev=rev) as workshop:
        _require_running(workshop)
        if workshop.rounds.filter(opened_at__isnull=False, closed_at__isnull=True).exists():
            raise NotNow(_("People are in groups just now. How to join stands at the foot of the wall."))
        _clear_stage(workshop)


def close(workshop_id: int, by: Any, rev: int | None = None) -> None:
    """Stop accepting answers to the question on stage and freeze its result."""
    with _on_stage(workshop_id, by, "close", rev=rev) as workshop:
        poll = _stage_poll(workshop)
        if not poll.is_open:
            raise NotNow(_("Voting is closed already."))
        _close(workshop, poll.pk)
        _stop_timer(workshop)


def close_in(workshop_id: int, by: Any, seconds: int, rev: int | None = None) -> None:
    """A gentle end: everybody sees the seconds, then voting closes by itself."""
    with _on_stage(workshop_id, by, "close_in", rev=rev, detail=f"{seconds} s") as workshop:
        poll = _stage_poll(workshop)
        if not poll.is_open:
            raise NotNow(_("Voting is closed already."))
        ballot_box.close_in(poll.pk, seconds)
        _start_timer(workshop, seconds)


def reopen(workshop_id: int, by: Any, rev: int | None = None) -> None:
    """Accept answers again; the frozen result is dropped and made anew at the next close."""
    with _on_stage(workshop_id, by, "reopen", rev=rev) as workshop:
        poll = _stage_poll(workshop)
        if not poll.is_closed:
            raise NotNow(_("Voting is open already."))
        _stop_timer(workshop)
        ballot_box.open_poll(poll.pk)


def show_result(workshop_id: int, by: Any, shown: bool, rev: int | None = None) -> None:
    """Show the result on phones and the wall, or hide it; recorded either way."""
    with _on_stage(workshop_id, by, "reveal" if shown else "hide", rev=rev) as workshop:
        ballot_box.show_result(_stage_poll(workshop).pk, shown)


def start_timer(workshop_id: int, by: Any, seconds: int) -> None:
    with _on_stage(workshop_id, by, "timer", detail=f"{seconds} s", moves=False) as workshop:
        _require_running(workshop)
        _move_countdown(workshop, seconds)
        _start_timer(workshop, seconds)


def add_time(workshop_id: int, by: Any, seconds: int) -> None:
    """A little longer; a countdown to close moves with it."""
    with _on_stage(workshop_id, by, "add_time", detail=f"{seconds} s", moves=False) as workshop:
        if workshop.timer_ends_at is None:
            raise NotNow(_("No timer is running."))
        left = max(0.0, (workshop.timer_ends_at - timezone.now()).total_seconds())
        _move_countdown(workshop, left + seconds)
        workshop.timer_ends_at = timezone.now() + timedelta(seconds=left + seconds)
        workshop.timer_seconds += seconds


def stop_timer(workshop_id: int, by: Any) -> None:
    """No clock any more, and so no close by the clock."""
    with _on_stage(workshop_id, by, "stop_timer", moves=False) as workshop:
        _move_countdown(workshop, None)
        _stop_timer(workshop)


_COUNTING_DOWN = Prepared(
    lambda states: (
        Poll.objects.filter(state__in=states, closes_at__isnull=False).order_by().values_list("closes_at")
    ),
    str,
)


def is_something_due() -> bool:
    """Has a countdown run out? One small query, for a clock that asks twice a second."""
    now = timezone.now()
    return any(closes_at <= now for (closes_at,) in _COUNTING_DOWN.rows([State.OPEN.value]))


def close_what_is_due() -> list[int]:
    """Close polls whose countdown has run out, whoever is still connected. Returns their workshops."""
    due = AgendaItem.objects.filter(poll__state="open", poll__closes_at__lte=timezone.now())
    done = []
    for workshop_id, poll_id in due.values_list("workshop_id", "poll_id"):
        try:
            _close_if_still_due(workshop_id, poll_id)
        except NotPossible:
            continue  # closed by hand, or given more time, in the same moment
        except Error:
            raise
        except Exception:  # one workshop's trouble must not keep the others open
            log.exception("the countdown of workshop %d could not close its question", workshop_id)
            continue
        done.append(workshop_id)
    return done


def _close_if_still_due(workshop_id: int, poll_id: int) -> None:
    with _on_stage(workshop_id, None, "close", detail="countdown") as workshop:
        poll = Poll.objects.get(pk=poll_id)  # read again under the workshop's lock
        if poll.closes_at is None or poll.closes_at > timezone.now():
            raise NotPossible("close", poll.state)
        _close(workshop, poll_id)
        _stop_timer(workshop)


# --- a question made on the spot -----------------------------------------------------------------------


def quick_poll(
    workshop_id: int,
    by: Any,
    text: str,
    options: Sequence[str],
    *,
    several: bool = False,
    rev: int | None = None,
) -> int:
    """Make a question from one box and put it on stage. No options: people answer in words. Returns its item."""
    return put_question(workshop_id, by, quick_question(text, options, several=several), rev=rev)


def put_question(workshop_id: int, by: Any, question: Question, *, rev: int | None = None) -> int:
    """Ask a question that no plan has foreseen: it becomes an item and goes on stage. Returns its item."""
    try:
        POLL_TYPES[question.type].check(question)
    except InvalidQuestion as invalid:
        raise NotNow(_("This question cannot be asked yet: %(why)s") % {"why": invalid}) from None
    with transaction.atomic():
        workshop = _locked(workshop_id)
        item = _add_quick_item(workshop, question)
        launch(workshop_id, by, item.pk, rev)
    return item.pk


def quick_question(text: str, options: Sequence[str], *, several: bool = False) -> Question:
    text = tidy(text)
    labels = list(dict.fromkeys(filter(None, map(tidy, options))))
    if not text:
        raise NotNow(_("Write the question first."))
    if len(text) > 2000:
        raise NotNow(_("The question can have up to 2,000 letters."))
    if len(labels) == 1:
        raise NotNow(_("Give at least two answers, one on each line, or none to ask for words."))
    if len(labels) > 20:
        raise NotNow(_("A question can have up to 20 answers; this has %(n)d.") % {"n": len(labels)})
    if long := next((label for label in labels if len(label) > 255), None):
        words = _("An answer can have up to 255 letters; “%(start)s…” has %(n)d.")
        raise NotNow(words % {"start": long[:20], "n": len(long)})
    if not labels:
        return Question(type="words", text=text, settings={"max_entries": 3, "max_length": 40})
    keys = tuple(Option(f"o{number}", label) for number, label in enumerate(labels, start=1))
    return Question(type="multiple_choice" if several else "single_choice", text=text, options=keys)


def _add_quick_item(workshop: Workshop, question: Question) -> AgendaItem:
    number = workshop.agenda.filter(quick=True).count() + 1
    bank = workshop.programme.bank
    instrument = Instrument.objects.create(
        bank=bank,
        key=f"quick-{workshop.code.lower()}-{number}",
        name=question.text[:60],
        position=10_000 + number,
    )
    version = InstrumentVersion.objects.create(instrument=instrument, number=1, definition=question.as_json())
    # After what is on stage, or after what was done last: what is left of the plan still comes next.
    done = workshop.agenda.filter(Q(done_at__isnull=False) | Q(profile=True)).aggregate(last=Max("position"))[
        "last"
    ]
    place = workshop.stage_item.position if workshop.stage_item else (-1 if done is None else done)
    workshop.agenda.filter(position__gt=place).update(position=F("position") + 1)
    return AgendaItem.objects.create(
        workshop=workshop,
        position=place + 1,
        kind=AgendaItem.Kind.POLL,
        title=question.text[:200],
        poll=Poll.objects.create(version=version),
        quick=True,
    )


# --- rehearsal -----------------------------------------------------------------------------------------------


def clear_rehearsal(workshop_id: int, by: Any) -> int:
    """Take away rehearsal phones and all they sent. Questions that nobody else answered are as if never asked.

    Returns how many phones were cleared.
    """
    with _on_stage(workshop_id, by, "clear_rehearsal") as workshop:
        polls = Poll.objects.filter(agenda_item__workshop=workshop)
        Ballot.objects.filter(poll__in=polls, rehearsal=True).delete()
        cleared, _per_model = Participant.objects.filter(workshop=workshop, rehearsal=True).delete()
        asked = workshop.agenda.filter(profile=False, poll__isnull=False).exclude(poll__state="draft")
        answered = Ballot.objects.filter(poll__in=polls).exclude(status=Ballot.Status.ISSUED)
        _unask(workshop, asked.exclude(poll__in=answered.values("poll")))
        if not asked.exists():  # nothing of the plan was real: its prompts and pauses were not either
            _unask(workshop, workshop.agenda.filter(profile=False, poll__isnull=True))
        if workshop.stage_item is None:
            _stop_timer(workshop)
    return cleared


def _unask(workshop: Workshop, items: Iterable[AgendaItem]) -> None:
    """These steps were never taken; papers of their questions, seen but not answered, go too."""
    for item in items:
        if item.pk == workshop.stage_item_id:
            workshop.stage_item = None
        if item.poll_id:
            Ballot.objects.filter(poll=item.poll_id, status=Ballot.Status.ISSUED).delete()
            ballot_box.reset_poll(item.poll_id)
        item.launched_at = item.done_at = None
        item.save(update_fields=["launched_at", "done_at"])


# --- steps that gestures are made of ---------------------------------------------------------------------------


def _require_running(workshop: Workshop) -> None:
    if workshop.is_planned:
        raise NotNow(_("Open the doors first."))
    if workshop.has_ended:
        raise NotNow(_("This workshop has ended."))


def _stage_poll(workshop: Workshop) -> Poll:
    _require_running(workshop)
    if workshop.stage_item is None or workshop.stage_item.poll is None:
        raise NotNow(_("No question is on stage."))
    return workshop.stage_item.poll


def _clear_stage(workshop: Workshop, *, coming: AgendaItem | None = None) -> None:
    _stop_timer(workshop)
    _end_group_time(workshop, coming)
    item = workshop.stage_item
    if item is None:
        return
    if item.poll and item.poll.is_open:
        _close(workshop, item.poll.pk)
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
            notify.changed(workshop.pk, PLACES, Topic.BREAKOUTS, *pads)
    elif at_work.update(closed_at=timezone.now(), presenting=None):
        notify.changed(workshop.pk, PLACES)


def _have_shared(workshop: Workshop) -> bool:
    """Have the groups shown what they wanted to, up to the last?"""
    found = breakouts.overview(workshop.pk)
    return bool(found and found.round.recalled_at and found.presenting and not found.to_show)


def _groups_are_made(workshop: Workshop) -> bool:
    """Then their time begins when they open."""
    return workshop.rounds.filter(opened_at__isnull=True, closed_at__isnull=True).exists()


def _close(workshop: Workshop, poll_id: int) -> None:
    joined = workshop.participants.filter(rehearsal=False).count()
    ballot_box.close_poll(poll_id, joined=joined, attended=workshop.attended)


def _move_countdown(workshop: Workshop, seconds: float | None) -> None:
    """A question that closes by the clock follows the one clock that people see."""
    poll = workshop.stage_item.poll if workshop.stage_item else None
    if poll and poll.is_open and poll.closes_at:
        ballot_box.close_in(poll.pk, seconds)


def _start_timer(workshop: Workshop, seconds: int) -> None:
    workshop.timer_ends_at = timezone.now() + timedelta(seconds=seconds)
    workshop.timer_seconds = seconds


def _stop_timer(workshop: Workshop) -> None:
    workshop.timer_ends_at, workshop.timer_seconds = None, 0
