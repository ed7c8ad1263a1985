"""The workshop of a run: a process with Django that makes it, puts its question on stage and counts its rows.

`python -m workshops.loadtest.room`, one command per line, as `phones`. A process of its own, so that it can have
the run's fresh database whatever database the command was started with.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import django

QUESTION = "What matters most in a baby room?"
CHOICES = {"calm": "Calm", "light": "Light and air", "people": "People who stay", "space": "Space to move"}


def main(kind: type[Room]) -> None:
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


class Room:
    """A running workshop with one single-choice question and `phones` people, all seated."""

    def __init__(self, phones: int) -> None:
        from django.utils import timezone

        from polls.models import Bank, Instrument, InstrumentVersion, Poll
        from polls.types import Question
        from polls.types.base import Option

        from ..models import AgendaItem, Programme, Workshop

        bank, _ = Bank.objects.get_or_create(key="load-test", defaults={"title": "Load test"})
        programme, _ = Programme.objects.get_or_create(
            key="load-test", defaults={"title": "Load test", "bank": bank}
        )
        number = programme.workshops.count() + 1
        options = tuple(Option(key, label) for key, label in CHOICES.items())
        instrument = Instrument.objects.create(bank=bank, key=f"question-{number}", name="Load test")
        definition = Question("single_choice", QUESTION, options=options).as_json()
        version = InstrumentVersion.objects.create(instrument=instrument, number=1, definition=definition)
        self.workshop = Workshop.objects.create(
            programme=programme, title="Load test", number=number, status=Workshop.Status.RUNNING,
            started_at=timezone.now(), synthetic=True,
        )  # fmt: skip
        self.poll = Poll.objects.create(version=version)
        self.item = AgendaItem.objects.create(
            workshop=self.workshop, position=0, kind=AgendaItem.Kind.POLL, title="Load test", poll=self.poll
        )
        self.voters = self.seat(phones)

    def seat(self, people: int) -> list[str]:
        """So many people come in; their voter keys."""
        from django.utils import timezone

        from ..models import Participant, new_key

        voters = [new_key() for _ in range(people)]
        Participant.objects.bulk_create(
            [Participant(workshop=self.workshop, voter=v, profiled_at=timezone.now()) for v in voters],
            batch_size=500,
        )
        return voters

    def address(self) -> dict[str, Any]:
        return {
            "code": self.workshop.code,
            "wall_key": self.workshop.wall_key,
            "cookies": self.cookies(self.voters),
            "choices": list(CHOICES),
        }

    def cookies(self, voters: list[str]) -> list[str]:
        from django.conf import settings

        from ..seats import Seat

        return [
            f"{settings.SEAT_COOKIE_NAME}={Seat(self.workshop.pk, voter).as_cookie()}" for voter in voters
        ]

    def launch(self) -> dict[str, Any]:
        """On stage, as a facilitator does it; the server finds it when it next looks by itself."""
        from ..actions import facilitation

        facilitation.launch(self.workshop.pk, None, self.item.pk)
        return {}

    def count(self) -> dict[str, int]:
        """What is in the database: rows, and what the project's own reading makes of them."""
        from polls import results
        from polls.models import Ballot

        rows = Ballot.objects.filter(poll=self.poll, status=Ballot.Status.CAST).count()
        return {"rows": rows, "tally": results.count(self.poll).tally["n"]}

    def people(self) -> dict[str, int]:
        """Who is in the database, whoever let them in."""
        return {"people": self.workshop.participants.count()}


if __name__ == "__main__":
    main(Room)
