"""Our application with a fault that a load test must find: one vote and one note are acknowledged and then gone."""

from __future__ import annotations

from config.asgi import application
from polls.models import Ballot
from workshops.actions import batch
from workshops.actions.groups import notes
from workshops.models import Contribution

__all__ = ["application"]

_write = batch.write
_lost: set[str] = set()


def _write_and_lose(items):
    outcomes = _write(items)
    _lose("vote", Ballot.objects.filter(status=Ballot.Status.CAST).order_by("pk").last())
    noted = [outcome.note for outcome in outcomes if isinstance(outcome, notes.Done)]
    _lose("note", Contribution.objects.filter(pk__in=noted).first())
    return outcomes


def _lose(what: str, found: Ballot | Contribution | None) -> None:
    if found and what not in _lost:
        _lost.add(what)
        found.delete()


batch.write = _write_and_lose
