"""What facilitators do on stage. Every gesture is one transaction with the workshop's row locked, logged with
who and when, and announced after its commit.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from time import monotonic

from django.contrib.auth.models import User
from django.db import Error, transaction
from django.db.models import F, Max, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from polls import ballot_box
from polls.bank import add_instrument, draft_polls
from polls.journal import Journal
from polls.lifecycle import InvalidTransition, State
from polls.models import Poll, Text
from polls.prepared import Prepared
from polls.types import POLL_TYPES, InvalidQuestion, Question
from polls.types.base import TEXT_LIMIT

from ..models import AgendaItem, Mode, Workshop
from ..programmes import pasted
from ..programmes.missing import missing_of
from ..programmes.problems import problems
from . import copies
from .log import note
from .stage import (
    GestureRejected,
    clear_stage,
    clear_timer,
    close_poll,
    lock_workshop,
    require_running,
    set_timer,
    stage_transaction,
)
from .undo import undoable

log = logging.getLogger(__name__)

#: seconds: a timer that is shortened rings no sooner
SOONEST = 5


# --- the workshop ------------------------------------------------------------------------------------


def start(workshop_id: int, by: User | None, rev: int | None = None) -> None:
    """Open the doors: the code works, the profile is asked, the wall shows how to join.

    Not while a question is unfinished, for phones could not show it, and not without something to agree to.
    """
    with stage_transaction(workshop_id, by, "start", rev=rev) as workshop:
        if not workshop.is_planned:
            raise GestureRejected(_("This workshop has started already."))
        if unfinished := [one.text for one in missing_of(workshop) if one.blocks]:
            words = _("Something has to be finished before the doors open. %(what)s.")
            raise GestureRejected(words % {"what": ". ".join(unfinished)})
        workshop.status = Workshop.Status.RUNNING
        workshop.started_at = timezone.now()
        # People agree to what the programme says today, not on the day when the workshop was planned.
        workshop.sheet = workshop.programme.sheets.last() or workshop.sheet
        note(workshop.programme, by, "opened_doors", workshop=workshop)
        for poll in _profile_polls(workshop, State.DRAFT):
            ballot_box.open_poll(poll.pk)


def end(workshop_id: int, by: User | None, rev: int | None = None) -> None:
    """End the workshop: close open polls and rounds of groups; the join code stops working."""
    with stage_transaction(workshop_id, by, "end", rev=rev) as workshop, undoable(workshop, "end"):
        require_running(workshop)
        clear_stage(workshop)
        for poll in _profile_polls(workshop, State.OPEN):
            close_poll(workshop, poll.pk)
        workshop.rounds.filter(closed_at__isnull=True).update(closed_at=timezone.now())
        workshop.status = Workshop.Status.ENDED
        workshop.ended_at = timezone.now()
        note(workshop.programme, by, "ended_workshop", workshop=workshop)


def head_count(workshop_id: int, by: User | None, people: int | None) -> None:
    """How many the facilitator counts in the room or on the call; may be more than joined."""
    with stage_transaction(workshop_id, by, "head_count", detail=str(people), moves=False) as workshop:
        workshop.attended = people


# --- the stage ---------------------------------------------------------------------------------------


def launch(workshop_id: int, by: User | None, item: int, rev: int | None = None) -> None:
    """Put an agenda item on stage; whatever stood there is closed and frozen."""
    with stage_transaction(workshop_id, by, "launch", rev=rev) as workshop, undoable(workshop, "launch"):
        require_running(workshop)
        coming = (
            workshop.agenda.select_related("poll", "text__decision").filter(pk=item, profile=False).first()
        )
        if coming is None:
            raise GestureRejected(_("That is not on this workshop's agenda."))
        if coming.pk == workshop.stage_item_id and coming.done_at is None:
            raise GestureRejected(_("This is on stage already."))
        if why := copies.why_away(coming):
            raise GestureRejected(why)
        clear_stage(workshop, coming=coming)
        # One that is closed and not done has answers from a launch that was undone.
        if coming.poll and (coming.poll.is_draft or (coming.poll.is_closed and not coming.done_at)):
            ballot_box.open_poll(coming.poll.pk)
        coming.launched_at = coming.launched_at or timezone.now()
        coming.done_at = None
        coming.save(update_fields=["launched_at", "done_at"])
        workshop.stage_item, workshop.stage_at = coming, timezone.now()
        if not coming.quick:  # asked while people arrive, it is no step of the plan
            workshop.began_at = workshop.began_at or workshop.stage_at
        if coming.kind == AgendaItem.Kind.PROMPT and coming.minutes and not _groups_are_made(workshop):
            set_timer(workshop, coming.minutes * 60)


def joining(workshop_id: int, by: User | None, rev: int | None = None) -> None:
    """Show the joining screen again."""
    with stage_transaction(workshop_id, by, "joining", rev=rev) as workshop, undoable(workshop, "joining"):
        require_running(workshop)
        if workshop.rounds.filter(opened_at__isnull=False, closed_at__isnull=True).exists():
            raise GestureRejected(
                _("People are in groups just now. How to join stands at the foot of the wall.")
            )
        clear_stage(workshop)


def close(workshop_id: int, by: User | None, rev: int | None = None) -> None:
    """Stop accepting answers to the question on stage and freeze its result."""
    with stage_transaction(workshop_id, by, "close", rev=rev) as workshop, undoable(workshop, "close"):
        poll = _stage_poll(workshop)
        if not poll.is_open:
            raise GestureRejected(_("Voting is closed already."))
        close_poll(workshop, poll.pk)
        clear_timer(workshop)


def close_in(workshop_id: int, by: User | None, seconds: int, rev: int | None = None) -> None:
    """A gentle end: everybody sees the seconds, then voting closes by itself."""
    with stage_transaction(workshop_id, by, "close_in", rev=rev, detail=f"{seconds} s") as workshop:
        poll = _stage_poll(workshop)
        if not poll.is_open:
            raise GestureRejected(_("Voting is closed already."))
        ballot_box.close_in(poll.pk, seconds)
        set_timer(workshop, seconds)


def reopen(workshop_id: int, by: User | None, rev: int | None = None) -> None:
    """Accept answers again; the frozen result is dropped and made anew at the next close."""
    with stage_transaction(workshop_id, by, "reopen", rev=rev) as workshop:
        poll = _stage_poll(workshop)
        if not poll.is_closed:
            raise GestureRejected(_("Voting is open already."))
        clear_timer(workshop)
        ballot_box.open_poll(poll.pk)


def show_result(workshop_id: int, by: User | None, shown: bool, rev: int | None = None) -> None:
    """Show the result on phones and the wall, or hide it; recorded either way."""
    name = "reveal" if shown else "hide"
    with stage_transaction(workshop_id, by, name, rev=rev) as workshop, undoable(workshop, name):
        ballot_box.show_result(_stage_poll(workshop).pk, shown)


def start_timer(workshop_id: int, by: User | None, seconds: int) -> None:
    with stage_transaction(workshop_id, by, "timer", detail=f"{seconds} s", moves=False) as workshop:
        require_running(workshop)
        _move_countdown(workshop, seconds)
        set_timer(workshop, seconds)


def add_time(workshop_id: int, by: User | None, seconds: int) -> None:
    """More time for what runs, or less (`seconds` below 0): its timer and a countdown to close move, and so does the
    plan after it."""
    with stage_transaction(workshop_id, by, "add_time", detail=f"{seconds} s", moves=False) as workshop:
        moved = _move_timer(workshop, seconds)
        if not _plan_minutes(workshop, round(seconds / 60)) and not moved:
            raise GestureRejected(_("There is no time to change."))


def stop_timer(workshop_id: int, by: User | None) -> None:
    """No clock any more, and so no close by the clock."""
    with stage_transaction(workshop_id, by, "stop_timer", moves=False) as workshop:
        _move_countdown(workshop, None)
        clear_timer(workshop)


_COUNTING_DOWN = Prepared(
    lambda states: (
        Poll.objects.filter(state__in=states, closes_at__isnull=False)
        .order_by()
        .values_list("closes_at")
        .distinct()
    ),
    str,
)


#: when each countdown ends by the clock that is never put right, as this process saw it first
_ends: dict[datetime, float] = {}


def _run_out() -> set[datetime]:
    """The countdowns that are over, by the time of day or by the seconds that have passed since this process saw them:
    a clock that is put back an hour keeps no question open for an hour longer."""
    global _ends
    now, seconds = timezone.now(), monotonic()
    running = [closes_at for (closes_at,) in _COUNTING_DOWN.rows([State.OPEN.value])]
    _ends = {at: _ends.get(at, seconds + (at - now).total_seconds()) for at in running}
    return {at for at, end in _ends.items() if at <= now or end <= seconds}


def is_something_due() -> bool:
    """Has a countdown run out? One small query, for a clock that asks twice a second."""
    return bool(_run_out())


def close_what_is_due() -> list[int]:
    """Close polls whose countdown has run out, whether or not a screen is connected. Returns their workshops."""
    run_out = _run_out()
    due = AgendaItem.objects.filter(poll__state="open", poll__closes_at__in=run_out)
    due = due.filter(workshop__mode=Mode.LIVE)  # a questionnaire closes as a whole, at a time of the day
    done = []
    for workshop_id, poll_id in due.values_list("workshop_id", "poll_id"):
        try:
            _close_if_still_due(workshop_id, poll_id, run_out)
        except InvalidTransition:
            continue  # closed by hand, or given more time, in the same moment
        except Error:
            raise
        except Exception:  # one workshop's trouble must not keep the others open
            log.exception("the countdown of workshop %d could not close its question", workshop_id)
            continue
        done.append(workshop_id)
    return done


def _close_if_still_due(workshop_id: int, poll_id: int, run_out: set[datetime]) -> None:
    with stage_transaction(workshop_id, None, "close", detail="countdown") as workshop:
        poll = Poll.objects.get(pk=poll_id)  # read again under the workshop's lock
        if poll.closes_at not in run_out:
            raise InvalidTransition("close", poll.state)
        close_poll(workshop, poll_id)
        clear_timer(workshop)


# --- a question made on the spot -----------------------------------------------------------------------


def quick_poll(
    workshop_id: int,
    by: User | None,
    text: str,
    options: str = "",
    *,
    type: str = "",
    rev: int | None = None,
) -> int:
    """Make a question of typed or pasted lines and put it on stage: the first asks, the others are its answers.

    `type` is the name of a poll type; without one it is guessed. Returns its item.
    """
    return launch_adhoc_poll(workshop_id, by, quick_question(text, options, type), rev=rev)


def launch_adhoc_poll(
    workshop_id: int, by: User | None, question: Question, *, text: Text | None = None, rev: int | None = None
) -> int:
    """Ask a question that no plan has foreseen: it becomes an item and goes on stage. Returns its item.

    `text` is what it quotes.
    """
    try:
        POLL_TYPES[question.type].check(question)
    except InvalidQuestion as invalid:
        raise GestureRejected(_("This question cannot be asked yet: %(why)s") % {"why": invalid}) from None
    with transaction.atomic():
        workshop = lock_workshop(workshop_id)
        item = _add_quick_item(workshop, question, text)
        launch(workshop_id, by, item.pk, rev)
    return item.pk


def quick_question(text: str, options: str = "", type_name: str = "") -> Question:
    """Raises `GestureRejected` for what phones could not show."""
    if not pasted.one_question(text):
        raise GestureRejected(_("Write the question first."))
    (read,) = pasted.one_question(f"{text}\n{options}")
    name = type_name or pasted.guess_type(read)
    if len(read.text) > TEXT_LIMIT:
        raise GestureRejected(_("The question can have up to 2,000 letters."))
    if pasted.uses_options(name) and not type_name and len(read.options) < 2:
        if read.options:
            raise GestureRejected(_("Give at least two answers, one on each line, or none to ask for words."))
        name = "words"
    if len(read.options) > pasted.OPTIONS_LIMIT:
        words = _("A question can have up to 20 answers; this has %(n)d.")
        raise GestureRejected(words % {"n": len(read.options)})
    if long := next((label for label in read.options if len(label) > pasted.LABEL_LIMIT), None):
        words = _("An answer can have up to 255 letters; “%(start)s…” has %(n)d.")
        raise GestureRejected(words % {"start": long[:20], "n": len(long)})
    question = pasted.as_question(read, name)
    if lacks := problems(question):
        raise GestureRejected(" ".join(lacks))
    return question


def _add_quick_item(workshop: Workshop, question: Question, text: Text | None) -> AgendaItem:
    number = workshop.agenda.filter(quick=True).count() + 1
    instrument = add_instrument(
        Journal(),
        workshop.programme.bank,
        f"quick-{workshop.code.lower()}-{number}",
        question,
        name=question.text[:60],
        position=10_000 + number,
    )
    (poll,) = draft_polls([instrument.latest])
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
        poll=poll,
        text=text,
        quick=True,
    )


# --- what these are made of ---------------------------------------------------------------------------------


def _profile_polls(workshop: Workshop, state: State) -> QuerySet[Poll]:
    return Poll.objects.filter(agenda_item__workshop=workshop, agenda_item__profile=True, state=state)


def _stage_poll(workshop: Workshop) -> Poll:
    require_running(workshop)
    if workshop.stage_item is None or workshop.stage_item.poll is None:
        raise GestureRejected(_("No question is on stage."))
    return workshop.stage_item.poll


def _move_timer(workshop: Workshop, seconds: int) -> bool:
    if workshop.timer_ends_at is None:
        return False
    left = max(0.0, (workshop.timer_ends_at - timezone.now()).total_seconds())
    then = max(SOONEST, left + seconds) if seconds < 0 else left + seconds
    _move_countdown(workshop, then)
    workshop.timer_ends_at = timezone.now() + timedelta(seconds=then)
    workshop.timer_seconds = max(SOONEST, workshop.timer_seconds + seconds)
    return True


def _plan_minutes(workshop: Workshop, minutes: int) -> bool:
    """Give the step on stage so many minutes more or less, at least one."""
    item = workshop.stage_item
    if item is None or not item.minutes or not workshop.is_running:
        return False
    wanted = max(1, item.minutes + minutes)
    changed = wanted != item.minutes
    if changed:  # an editor that is open with this card hears of it
        item.minutes, item.rev = wanted, item.rev + 1
        item.save(update_fields=["minutes", "rev"])
    return changed


def _groups_are_made(workshop: Workshop) -> bool:
    """Then their time begins when they open."""
    return workshop.rounds.filter(opened_at__isnull=True, closed_at__isnull=True).exists()


def _move_countdown(workshop: Workshop, seconds: float | None) -> None:
    """A question that closes by the clock follows the one clock that people see."""
    poll = workshop.stage_item.poll if workshop.stage_item else None
    if poll and poll.is_open and poll.closes_at:
        ballot_box.close_in(poll.pk, seconds)
