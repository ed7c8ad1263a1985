"""Group commit: everything that phones sent while the last commit ran, of any kind, is written in one transaction.

The write batcher calls `write`.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from polls.ballot_box import Outcome as BallotOutcome

from . import participation
from .groups import notes, requests

Item = (
    participation.Vote
    | participation.QuestionSeen
    | participation.Join
    | participation.Profiled
    | requests.GroupRequest
)
Outcome = BallotOutcome | participation.JoinAccepted | requests.Outcome


def write(items: Sequence[Item]) -> list[Outcome | None]:
    """Write a batch in one transaction; one outcome per item, in order (`None` for a ballot issued).

    Votes first: they lock polls, notes lock groups, and nobody takes these locks the other way round.
    """
    noted = [n for n, item in enumerate(items) if isinstance(item, requests.GroupRequest)]
    if not noted:
        return list(participation.write(items))  # type: ignore[arg-type]
    outcomes: list[Outcome | None] = [None] * len(items)
    cast = [n for n in range(len(items)) if n not in set(noted)]
    with transaction.atomic():
        if cast:
            written = participation.write([items[n] for n in cast])  # type: ignore[misc]
            for n, outcome in zip(cast, written, strict=True):
                outcomes[n] = outcome
        for n, done in zip(noted, notes.write([items[n] for n in noted]), strict=True):  # type: ignore[misc]
            outcomes[n] = done
    return outcomes
