"""The running clock of an agenda: when each step begins, and where the planned end falls (reads and pure functions)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format

from ..models import AgendaItem


@dataclass(frozen=True)
class Timed:
    """A step with its start: "18:42", or "0:12" where no day is set."""

    step: AgendaItem
    at: str
    #: the planned end comes before this step
    after_end: bool = False


@dataclass(frozen=True)
class Timetable:
    steps: list[Timed]
    #: minutes of all steps together, and how many there are to be
    total: int
    minutes: int
    end: str

    @property
    def over(self) -> int:
        return max(0, self.total - self.minutes)


def timetable(starts_at: datetime | None, minutes: int, steps: Sequence[AgendaItem]) -> Timetable:
    """Of the steps on stage, in order; `minutes` is how long the workshop is planned to last."""
    starts = list(_starts(steps))
    total = sum(step.minutes for step in steps)
    late = next((place for place, start in enumerate(starts) if start >= minutes), None)
    timed = [
        Timed(step, clock(starts_at, start), after_end=total > minutes and place == late)
        for place, (step, start) in enumerate(zip(steps, starts, strict=True))
    ]
    return Timetable(timed, total, minutes, clock(starts_at, minutes))


def _starts(steps: Sequence[AgendaItem]) -> Iterator[int]:
    elapsed = 0
    for step in steps:
        yield elapsed
        elapsed += step.minutes


def clock(starts_at: datetime | None, minutes: int) -> str:
    if starts_at is None:
        return f"{minutes // 60}:{minutes % 60:02d}"
    return date_format(timezone.localtime(starts_at + timedelta(minutes=minutes)), "H:i")
