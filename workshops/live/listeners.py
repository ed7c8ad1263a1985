"""Who listens to a workshop without being counted, as far as this process knows; all who are there are told how many.

An observer is known by a digest of the key in their cookie, so one with three tabs is one. A socket counts while it is
open. A page that was asked for counts for a minute, since it may be read without one; what another process has said of
its sockets counts until it should have said so again. Nothing is stored.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from time import monotonic

PAGE_SECONDS = 60.0

#: workshop → digest → until when it counts
_until: defaultdict[int, dict[str, float]] = defaultdict(dict)


def digest(observer_key: str) -> str:
    return hashlib.sha256(observer_key.encode()).hexdigest()[:12]


def note(workshop_id: int, listener: str, seconds: float = PAGE_SECONDS) -> None:
    """This one listens, and counts for so long."""
    until = monotonic() + seconds
    _until[workshop_id][listener] = max(until, _until[workshop_id].get(listener, 0.0))


def forget(workshop_id: int, listener: str) -> None:
    """This one's last socket has closed."""
    _until[workshop_id].pop(listener, None)


def without_a_socket_here(workshop_id: int) -> set[str]:
    """Whom pages or other processes have told of."""
    now, kept = monotonic(), _until.get(workshop_id, {})
    for listener, until in list(kept.items()):
        if until < now:
            kept.pop(listener, None)
    if not kept:
        _until.pop(workshop_id, None)
        return set()
    return set(kept)
