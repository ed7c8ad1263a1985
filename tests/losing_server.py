"""Our application with a fault that a load test must find: one vote is acknowledged and then gone."""

from __future__ import annotations

from config.asgi import application
from polls.models import Ballot
from workshops.actions import participation
from workshops.live import intake

__all__ = ["application"]

_write = participation.write
_lost: list[int] = []


def _write_and_lose(items):
    outcomes = _write(items)
    found = Ballot.objects.filter(status=Ballot.Status.CAST).order_by("pk").last()
    if found and not _lost:
        _lost.append(found.pk)
        found.delete()
    return outcomes


intake.participation.write = _write_and_lose
