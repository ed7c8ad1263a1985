"""What may follow what in the life of a poll."""

from __future__ import annotations

from itertools import product

import pytest

from polls.lifecycle import TRANSITIONS, InvalidTransition, State, next_state

GESTURES = ["open", "close", "reopen", "reset"]
ALLOWED = {
    ("draft", "open"): "open",
    ("open", "close"): "closed",
    ("closed", "reopen"): "open",
    ("open", "reset"): "draft",
    ("closed", "reset"): "draft",
}


def test_the_table_is_this_and_no_larger():
    assert {key: str(state) for key, state in TRANSITIONS.items()} == ALLOWED


@pytest.mark.parametrize(("state", "gesture"), list(ALLOWED))
def test_a_gesture_that_fits_leads_on(state, gesture):
    assert next_state(state, gesture) == ALLOWED[state, gesture]


@pytest.mark.parametrize(
    ("state", "gesture"), [pair for pair in product(State, [*GESTURES, "", "explode"]) if pair not in ALLOWED]
)
def test_any_other_gesture_is_not_possible_and_says_the_state(state, gesture):
    with pytest.raises(InvalidTransition) as refused:
        next_state(state, gesture)
    assert str(refused.value) == f"{gesture} does not fit a poll that is {state}"
