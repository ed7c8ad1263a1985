"""The baby room programme with its five synthetic workshops, made once for a module of tests."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model

from polls import ballot_box
from polls.ballot_box import BallotSubmission
from workshops.actions.authoring import programme_file
from workshops.actions.authoring.workshops import plan_workshop
from workshops.models import Membership, Participant, Programme, Workshop

FILE = Path(settings.BASE_DIR) / "programmes" / "ideal_baby_room.toml"
KEY = "ideal-baby-room"


def load_programme() -> Programme:
    programme_file.load(FILE.read_text(encoding="utf-8"), FILE.name)
    return Programme.objects.get(key=KEY)


def programme_without_workshops() -> Programme:
    """Also in a module whose other tests use `study`."""
    programme = load_programme()
    Workshop.objects.all().delete()
    return programme


def hold_workshop(
    programme: Programme, answers: dict[str, list], *, people: int = 0, rehearsal: bool = False
) -> Workshop:
    """One more workshop with these answers per question, through the real write path."""
    people = people or max(map(len, answers.values()))
    workshop = plan_workshop(
        programme, programme.plans.first(), starts_at=datetime(2025, 9, 2, 15, tzinfo=UTC)
    )
    agreed = {"sheet": workshop.sheet, "consent": [item["key"] for item in workshop.sheet.items]}
    seats = [Participant(workshop=workshop, rehearsal=rehearsal, **agreed) for _ in range(people)]
    voters = [seat.voter for seat in Participant.objects.bulk_create(seats)]
    for item in workshop.agenda.filter(poll__isnull=False).select_related("poll__version__instrument"):
        values = answers.get(item.poll.version.instrument.key)
        if values is None:
            continue
        ballot_box.open_poll(item.poll_id)
        pairs = list(zip(voters, values, strict=False))
        ballot_box.issue(item.poll_id, [voter for voter, _ in pairs], rehearsals=voters if rehearsal else ())
        outcomes = ballot_box.cast(
            [BallotSubmission(item.poll_id, v, value, rehearsal=rehearsal) for v, value in pairs]
        )
        assert all(hasattr(outcome, "said") for outcome in outcomes)
        ballot_box.close_poll(item.poll_id, joined=people, attended=people)
    workshop.status = Workshop.Status.ENDED
    workshop.save()
    return workshop


def person(programme: Programme | None, *roles: str):
    """Somebody who signs in, with these roles in the programme."""
    users = get_user_model().objects
    name = f"{'-'.join(roles) or 'stranger'}-{users.count()}@example.org"
    user = users.create_user(username=name, email=name, password="not used here")
    for role in roles:
        Membership.objects.create(programme=programme, user=user, role=role)
    return user
