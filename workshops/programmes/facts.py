"""The facts of a workshop: when, where, for whom, who runs it (reads and pure functions)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from django.core.serializers.json import DjangoJSONEncoder

from ..models import Membership, Role, Workshop

COLUMNS = (
    "title",
    "starts_at",
    "place",
    "region",
    "intended_for",
    "expected",
    "minutes",
    "number",
    "observers",
)
#: what does not change any more once the doors have opened
HISTORY = frozenset({"starts_at", "minutes", "number"})


def fingerprint(workshop: Workshop) -> str:
    """Of the facts alone: an edit of the agenda meanwhile is no conflict with a change of facts."""
    values = [getattr(workshop, name) for name in COLUMNS]
    return hashlib.sha256(json.dumps(values, cls=DjangoJSONEncoder).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class RunBy:
    """Who may run a workshop: email addresses of the programme's people, and of guests of this workshop alone."""

    team: list[str]
    guests: list[str]


def run_by(workshop: Workshop) -> RunBy:
    rows = (
        Membership.objects.filter(programme=workshop.programme_id, role__in=(Role.OWNER, Role.FACILITATOR))
        .filter(workshop__isnull=True)
        .values_list("user__email", "workshop")
        .union(Membership.objects.filter(workshop=workshop).values_list("user__email", "workshop"))
    )
    people = sorted(rows, key=lambda row: row[0])
    team = [email for email, guest_of in people if guest_of is None]
    return RunBy(team, [email for email, guest_of in people if guest_of is not None and email not in team])
