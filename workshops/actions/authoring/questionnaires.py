"""Questionnaires: workshops that people answer at their own pace, on one link, between two moments.

All their questions open and close together, by hand or by the clock that also ends countdowns. Each poll carries the
closing moment as its own deadline, so that an answer after it is refused even where no clock runs.
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.contrib.auth.models import User
from django.db import Error
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from polls import ballot_box
from polls.lifecycle import State
from polls.models import Poll

from ...models import Mode, Workshop
from ...programmes.missing import missing_of
from ..log import Stale, logged
from ..stage import GestureRejected, close_poll, stage_transaction

log = logging.getLogger(__name__)

#: opening and closing count it up, and make a change before them one not to undo
WATCHED = ["stage_rev"]
#: `(opens_at, closes_at)` as a page showed them
Times = tuple[datetime | None, datetime | None]


def open_now(workshop_id: int, by: User | None, closes_at: datetime | None = None) -> None:
    """Open the link and every question until `closes_at`, or the moment that was set before.

    A closed questionnaire opens again; its frozen results are dropped and made anew at the next close.
    Raises `GestureRejected`.
    """
    with stage_transaction(workshop_id, by, "open_link", mode=Mode.QUESTIONNAIRE) as workshop:
        _open(workshop, closes_at or workshop.closes_at)


def ask_added(workshop_id: int, by: User | None) -> None:
    """Ask the questions as well that were put on the agenda since it was opened. Raises `GestureRejected`."""
    with stage_transaction(workshop_id, by, "ask_added", mode=Mode.QUESTIONNAIRE) as workshop:
        added = _polls(workshop).filter(state=State.DRAFT)
        if not workshop.is_running or workshop.closes_at is None or not added.exists():
            raise GestureRejected(_("Every question is asked already."))
        _open_polls(workshop, added, workshop.closes_at)


def close_now(workshop_id: int, by: User | None) -> None:
    """Take no more answers, freeze and show the results. Raises `GestureRejected`."""
    with stage_transaction(workshop_id, by, "close_link", mode=Mode.QUESTIONNAIRE) as workshop:
        _close(workshop)


def set_times(
    workshop: Workshop,
    by: User | None,
    *,
    opens_at: datetime | None,
    closes_at: datetime | None,
    seen: Times | None = None,
) -> None:
    """Set when the link opens and closes; of an open one, the deadline of its questions moves along.

    `seen` is what the page showed. Raises `Stale` where somebody else has changed it since, and `GestureRejected`.
    """
    path = reverse("console", args=[workshop.code])
    with logged(
        workshop.programme, by, "changed_times", about=str(workshop), workshop=workshop, path=path
    ) as journal:
        row = Workshop.objects.select_for_update().get(pk=workshop.pk)
        if seen is not None and seen != (row.opens_at, row.closes_at):
            raise Stale
        if row.has_ended:
            raise GestureRejected(_("This questionnaire has closed. Open it again to change when it closes."))
        if row.is_running:
            opens_at = row.opens_at
            if closes_at is None or closes_at <= timezone.now():
                raise GestureRejected(_("Choose a moment to come, or close it now."))
            ballot_box.move_deadlines(journal, list(_polls(row).values_list("pk", flat=True)), closes_at)
        starts_at = opens_at or row.starts_at
        journal.update(row, opens_at=opens_at, closes_at=closes_at, starts_at=starts_at, watch=WATCHED)
    workshop.refresh_from_db()


def set_mode(workshop: Workshop, by: User | None, mode: str) -> None:
    """Make a planned workshop a questionnaire, or a live one again. Raises `GestureRejected`."""
    path = reverse("console", args=[workshop.code])
    with logged(
        workshop.programme, by, "changed_mode", about=str(workshop), workshop=workshop, path=path
    ) as journal:
        row = Workshop.objects.select_for_update().get(pk=workshop.pk)
        if not row.is_planned:
            raise GestureRejected(_("It has begun already, so how people take part stays as it is."))
        journal.update(row, mode=mode, watch=WATCHED)
    workshop.refresh_from_db()


# --- the clock ------------------------------------------------------------------------------------------------------


def _due() -> QuerySet[Workshop]:
    now = timezone.now()
    to_open = Q(status=Workshop.Status.PLANNED, removed_at=None, opens_at__lte=now, closes_at__gt=now)
    to_close = Q(status=Workshop.Status.RUNNING, closes_at__lte=now)
    return Workshop.objects.filter(to_open | to_close, mode=Mode.QUESTIONNAIRE).order_by("pk")


def is_something_due() -> bool:
    """Has the moment of a questionnaire come? One small query."""
    return _due().exists()


def open_and_close_what_is_due() -> list[int]:
    """Open and close questionnaires whose moment has come. Returns those that changed."""
    return [workshop.pk for workshop in _due() if _do_what_is_due(workshop.pk)]


def catch_up(workshop: Workshop) -> Workshop:
    """The workshop as it is once what is due was done; no query where nothing is due.

    For pages: they are right at once where no clock runs (a plain WSGI server), or not yet.
    """
    now = timezone.now()
    opens = workshop.is_planned and workshop.opens_at is not None and workshop.opens_at <= now
    closes = workshop.closes_at is not None and workshop.closes_at <= now
    if workshop.is_questionnaire and ((opens and not closes) or (workshop.is_running and closes)):
        _do_what_is_due(workshop.pk)
        workshop.refresh_from_db()
    return workshop


def _do_what_is_due(workshop_id: int) -> bool:
    """Looked at again under the lock: two processes may have seen it at once."""
    try:
        with stage_transaction(workshop_id, None, "by_the_clock", mode=Mode.QUESTIONNAIRE) as workshop:
            if not _due().filter(pk=workshop_id).exists():
                raise GestureRejected
            if workshop.is_running:
                _close(workshop)
            else:
                _open(workshop, workshop.closes_at)
    except GestureRejected as why:
        if str(why):
            log.warning("questionnaire %d does not open: %s", workshop_id, type(why).__name__)
        return False
    except Error:
        raise
    except Exception:  # one questionnaire's trouble must not keep the others from opening and closing
        log.exception("questionnaire %d could not be opened or closed", workshop_id)
        return False
    return True


# --- what these are made of -----------------------------------------------------------------------------------------


def _polls(workshop: Workshop) -> QuerySet[Poll]:
    return Poll.objects.filter(agenda_item__workshop=workshop)


def _open(workshop: Workshop, closes_at: datetime | None) -> None:
    if workshop.is_running:
        raise GestureRejected(_("It is open already."))
    if closes_at is None or closes_at <= timezone.now():
        raise GestureRejected(_("Say first when it closes: a day and a time to come."))
    if not workshop.agenda.filter(profile=False, poll__isnull=False).exists():
        raise GestureRejected(_("It has no question yet."))
    _open_polls(workshop, _polls(workshop), closes_at)
    if workshop.is_planned:  # people agree to what the programme says today
        workshop.sheet = workshop.programme.sheets.last() or workshop.sheet
    now = timezone.now()
    workshop.status, workshop.ended_at, workshop.closes_at = Workshop.Status.RUNNING, None, closes_at
    workshop.started_at = workshop.started_at or now
    workshop.starts_at = workshop.starts_at or now


def _open_polls(workshop: Workshop, polls: QuerySet[Poll], closes_at: datetime) -> None:
    if unfinished := [one.text for one in missing_of(workshop) if one.blocks]:
        words = _("Something has to be finished before people can be asked. %(what)s.")
        raise GestureRejected(words % {"what": ". ".join(unfinished)})
    for poll_id in polls.values_list("pk", flat=True):
        ballot_box.open_until(poll_id, closes_at)


def _close(workshop: Workshop) -> None:
    if not workshop.is_running:
        raise GestureRejected(_("It is not open."))
    for poll in _polls(workshop).filter(state=State.OPEN):
        close_poll(workshop, poll.pk)
    workshop.status, workshop.ended_at = Workshop.Status.ENDED, timezone.now()
