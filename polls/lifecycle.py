"""The life of a poll: draft → open → closed, and open again.

A table and one pure function; nobody else decides what may follow what.
"""

from enum import StrEnum


class State(StrEnum):
    DRAFT = "draft"
    OPEN = "open"
    CLOSED = "closed"


class NotPossible(Exception):
    """This gesture does not fit the state; the message says which state that is."""

    def __init__(self, gesture: str, state: str) -> None:
        super().__init__(f"{gesture} does not fit a poll that is {state}")
        self.gesture, self.state = gesture, state


TRANSITIONS: dict[tuple[str, str], State] = {
    (State.DRAFT, "open"): State.OPEN,
    (State.OPEN, "close"): State.CLOSED,
    (State.CLOSED, "reopen"): State.OPEN,
    (State.OPEN, "reset"): State.DRAFT,
    (State.CLOSED, "reset"): State.DRAFT,
}


def after(state: str, gesture: str) -> State:
    """The state that follows; raises `NotPossible`."""
    try:
        return TRANSITIONS[state, gesture]
    except KeyError:
        raise NotPossible(gesture, state) from None


class Reveal(StrEnum):
    """When the people who vote see the result."""

    AFTER_CLOSE = "after_close"
    AFTER_VOTE = "after_vote"
    LIVE = "live"
    NEVER = "never"
