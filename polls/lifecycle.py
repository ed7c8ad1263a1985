"""The life of a poll: draft → open → closed, and open again.

The state machine is a table of transitions and one pure function, and stands nowhere else.
"""

from enum import StrEnum


class State(StrEnum):
    DRAFT = "draft"
    OPEN = "open"
    CLOSED = "closed"


class InvalidTransition(Exception):
    """This transition does not exist from the poll's state; the message names both."""

    def __init__(self, transition: str, state: str) -> None:
        super().__init__(f"{transition} does not fit a poll that is {state}")
        self.transition, self.state = transition, state


TRANSITIONS: dict[tuple[str, str], State] = {
    (State.DRAFT, "open"): State.OPEN,
    (State.OPEN, "close"): State.CLOSED,
    (State.CLOSED, "reopen"): State.OPEN,
    (State.OPEN, "reset"): State.DRAFT,
    (State.CLOSED, "reset"): State.DRAFT,
}


def next_state(state: str, transition: str) -> State:
    """The state after this transition; raises `InvalidTransition`."""
    try:
        return TRANSITIONS[state, transition]
    except KeyError:
        raise InvalidTransition(transition, state) from None


class Reveal(StrEnum):
    """When the people who vote see the result."""

    AFTER_CLOSE = "after_close"
    AFTER_VOTE = "after_vote"
    LIVE = "live"
    NEVER = "never"
