"""The workshop of a run: a subprocess with Django that creates it, launches its poll and counts its rows.

`python -m workshops.operations.loadtest.room`, one command per line, like `phones`. A process of its own, so that it
uses the run's fresh database, and not the one of the command that started it.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from ...people.participant_cookie import ParticipantToken

QUESTION = "What matters most in a baby room?"
CHOICES = {"calm": "Calm", "light": "Light and air", "people": "People who stay", "space": "Space to move"}
CONSENT = [{"key": "pooled", "text": "My answers may be counted", "required": True}]


def main(kind: type[WorkshopUnderTest]) -> None:
    django.setup()
    room: Any = None
    for line in sys.stdin:
        name, arguments = json.loads(line)
        if name == "prepare":
            room = kind(**arguments)
            answer = room.address()
        else:
            answer = getattr(room, name)(**arguments)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


class WorkshopUnderTest:
    """A running workshop with one single-choice poll and `phones` participants."""

    def __init__(self, phones: int) -> None:
        from django.utils import timezone

        from polls.bank import add_instrument, draft_polls, save_bank
        from polls.journal import Journal
        from polls.types import Question
        from polls.types.base import Option

        from ...models import AgendaItem, InformationSheet, Programme, Workshop

        bank = save_bank("load-test", "Load test")
        programme, _ = Programme.objects.get_or_create(
            key="load-test", defaults={"title": "Load test", "bank": bank}
        )
        sheet, _ = InformationSheet.objects.get_or_create(
            programme=programme, number=1, defaults={"text": "A load test.", "items": CONSENT}
        )
        number = programme.workshops.count() + 1
        options = tuple(Option(key, label) for key, label in CHOICES.items())
        question = Question("single_choice", QUESTION, options=options)
        instrument = add_instrument(Journal(), bank, f"question-{number}", question, name="Load test")
        self.workshop = Workshop.objects.create(
            programme=programme, title="Load test", number=number, status=Workshop.Status.RUNNING,
            started_at=timezone.now(), synthetic=True, sheet=sheet,
        )  # fmt: skip
        (self.poll,) = draft_polls([instrument.latest])
        self.item = AgendaItem.objects.create(
            workshop=self.workshop, position=0, kind=AgendaItem.Kind.POLL, title="Load test", poll=self.poll
        )
        self.seats = self.add_participants(phones)

    def add_participants(self, people: int) -> list[ParticipantToken]:
        """Add so many participants; returns their seats."""
        from django.utils import timezone

        from ...models import Participant, new_key
        from ...people.participant_cookie import ParticipantToken

        seats = [ParticipantToken.for_key(self.workshop.pk, new_key()) for _ in range(people)]
        agreed = {"sheet": self.workshop.sheet, "consent": [item["key"] for item in CONSENT]}
        joined = [
            Participant(workshop=self.workshop, voter=seat.voter, profiled_at=timezone.now(), **agreed)
            for seat in seats
        ]
        Participant.objects.bulk_create(joined, batch_size=500)
        return seats

    def address(self) -> dict[str, Any]:
        return {
            "code": self.workshop.code,
            "wall_key": self.workshop.wall_key,
            "cookies": self.cookies(self.seats),
            "choices": list(CHOICES),
        }

    def cookies(self, seats: list[ParticipantToken]) -> list[str]:
        from django.conf import settings

        return [f"{settings.PARTICIPANT_COOKIE_NAME}={seat.as_cookie()}" for seat in seats]

    def launch(self) -> dict[str, Any]:
        """Launch the poll, as a facilitator does; another process, so the server sees it at its next poll."""
        from ...actions import facilitation

        facilitation.launch(self.workshop.pk, None, self.item.pk)
        return {}

    def count(self) -> dict[str, int]:
        """Counts from the database: rows of ballots, and the tally by `polls.results`."""
        from polls import results
        from polls.models import Ballot

        rows = Ballot.objects.filter(poll=self.poll, status=Ballot.Status.CAST).count()
        return {"rows": rows, "tally": results.count(self.poll).tally["n"]}


if __name__ == "__main__":
    main(WorkshopUnderTest)
