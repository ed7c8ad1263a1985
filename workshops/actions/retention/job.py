"""The job itself: everything that is due, in small transactions, told in sentences and in each programme's log."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from ...models import LogEntry, Mode, Programme, Workshop
from ..log import REMOVED_FOR, extend, note
from . import accounts, leftovers, period, removed
from .due import Due

#: kind → what one or several are called
PHRASES = {
    "sessions": ngettext_lazy("%d session that was over", "%d sessions that were over"),
    "invitations": ngettext_lazy("%d used or expired invitation", "%d used or expired invitations"),
    "transcripts": ngettext_lazy("%d transcript that nobody kept", "%d transcripts that nobody kept"),
    "rehearsals": ngettext_lazy("%d rehearsal phone", "%d rehearsal phones"),
    "wordings": ngettext_lazy("%d former wording", "%d former wordings"),
    "removed": ngettext_lazy("%d thing removed before", "%d things removed before"),
    "texts": ngettext_lazy("%d text that was not shown", "%d texts that were not shown"),
    "talks": ngettext_lazy("%d transcript", "%d transcripts"),
    "keys": ngettext_lazy("the key of %d person", "the keys of %d people"),
    "accounts": ngettext_lazy("%d account without a role", "%d accounts without a role"),
}
#: rehearsals before wordings, so that their wordings are not counted as people's
SOURCES: tuple[Callable[[Programme | None, datetime], Iterator[Due]], ...] = (
    leftovers.sessions, leftovers.invitations, leftovers.unkept_transcripts, leftovers.rehearsals,
    leftovers.former_wordings, removed.removed_things, period.period, accounts.accounts,
)  # fmt: skip

Numbers = Counter[str]  # kind → how many


def named(numbers: Numbers) -> str:
    """ "3 former wordings and 1 transcript", in the order of `PHRASES`."""
    return get_text_list([PHRASES[kind] % numbers[kind] for kind in PHRASES if numbers[kind]], _("and"))


@dataclass
class Done:
    """What was removed; `told` were sent a mail, `not_told` could not be."""

    #: by primary key of a programme, 0 for the whole server
    numbers: defaultdict[int, Numbers] = field(default_factory=lambda: defaultdict(Counter))
    titles: dict[int, str] = field(default_factory=dict)
    #: live workshops that began more than thirty days ago and were never ended: their time does not begin
    never_ended: list[str] = field(default_factory=list)
    told: int = 0
    not_told: int = 0


def apply(say: Callable[[str], None], *, dry_run: bool = False) -> Done:
    """Remove what is due, or with `dry_run` count it; `say` hears of each step.

    May be interrupted anywhere, run twice, and run beside a workshop: a step is a transaction of its own with its
    number in the log, and looks again at what it removes.
    """
    now, done = timezone.now(), Done()
    entries: dict[int, LogEntry] = {}
    for source in SOURCES:
        for due in source(None, now):
            if due.when > now:
                continue
            pk, title = (due.programme.pk, due.programme.title) if due.programme else (0, "")
            done.titles[pk] = title
            number = _count(due) if dry_run else _remove(due, done.numbers[pk], entries)
            if dry_run:
                done.numbers[pk][due.kind] += number
            if number:
                say(": ".join(filter(None, [title, PHRASES[due.kind] % number])))
    done.never_ended = [f"{workshop.programme}: {workshop}" for workshop in _never_ended(now)]
    _tell(done, now, dry_run=dry_run)
    return done


def _never_ended(now: datetime) -> QuerySet[Workshop]:
    running = Workshop.objects.filter(status=Workshop.Status.RUNNING, mode=Mode.LIVE, removed_at=None)
    return running.filter(started_at__lt=now - REMOVED_FOR).select_related("programme").order_by("pk")


def _count(due: Due) -> int:
    return sum(map(len, due.batches()))


def _remove(due: Due, numbers: Numbers, entries: dict[int, LogEntry]) -> int:
    before = numbers[due.kind]
    for batch in due.batches():
        with transaction.atomic():
            number = due.remove(batch)
            if number:
                numbers[due.kind] += number
                _log(due, numbers, entries)
    return numbers[due.kind] - before


def _log(due: Due, numbers: Numbers, entries: dict[int, LogEntry]) -> None:
    """One entry a programme and run; a further step of the run sets its numbers higher."""
    if due.programme is None:
        return
    about = named(numbers)
    if known := entries.get(due.programme.pk):
        extend(known, about)
    else:
        entries[due.programme.pk] = note(due.programme, None, "applied_retention", about=about)


def _tell(done: Done, now: datetime, *, dry_run: bool) -> None:
    if dry_run:
        done.told = accounts.to_be_told(now).count()
        return
    accounts.forget_notices()
    for user in list(accounts.to_be_told(now)):
        try:
            accounts.tell(user, now)
            done.told += 1
        except OSError:  # SMTPException is one too
            done.not_told += 1


# --- what comes next ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Coming:
    """`what` in words; `when` is `None` for the coming night."""

    what: str
    when: datetime | None


def next_removal(programme: Programme) -> Coming | None:
    """What the job removes of this programme next, unless somebody changes something before."""
    now = timezone.now()
    found = sorted(
        (due for source in SOURCES for due in source(programme, now)), key=lambda due: max(due.when, now)
    )
    numbers, day = Counter[str](), None
    for due in found:
        when = max(due.when, now)
        if numbers and day != timezone.localdate(when):
            break
        if number := _count(due):
            numbers[due.kind] += number
            day, first = timezone.localdate(when), due.when
    if not numbers:
        return None
    return Coming(named(numbers), None if first <= now else first)
