"""Change notification (observer pattern): tell listeners after a commit which topics changed, never their content.

Listeners register (`on_change`), so nothing here imports the modules that draw or send. Correctness depends on no
listener: screens also poll every few seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.db import transaction

#: called with a workshop's id and names of topics, from any thread; must return at once
Listener = Callable[[int, list[str]], None]

_listeners: list[Listener] = []


def on_change(listener: Listener) -> None:
    """Have `listener` called at every announcement; registering it again changes nothing."""
    if listener not in _listeners:
        _listeners.append(listener)


def changed(workshop_id: int, *topics: str) -> None:
    """Invalidate these topics of a workshop on every screen, after the running transaction commits. Thread-safe."""
    # Robust: the change is stored by then, so a failing listener must not make the request fail.
    transaction.on_commit(lambda: announce(workshop_id, topics), robust=True)


def announce(workshop_id: int, topics: Iterable[str]) -> None:
    """Call the listeners now, outside any transaction; returns at once."""
    names = [str(topic) for topic in topics]
    for listener in _listeners:
        listener(workshop_id, names)
