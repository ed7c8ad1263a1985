"""Small cells never leave, and do not come back by subtraction."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visions.results.disclosure import ON_A_STAFF_SCREEN, PUBLISHED, hidden


@pytest.mark.parametrize(
    ("bases", "minimum", "away"),
    [
        ({}, 10, ""),
        ({"a": 12, "b": 30}, 10, ""),
        ({"a": 10, "b": 10}, 10, ""),
        ({"a": 9, "b": 12, "c": 30}, 10, "ab"),
        ({"a": 9, "b": 8, "c": 30}, 10, "ab"),
        ({"a": 2, "b": 3, "c": 30, "d": 40}, 10, "abc"),
        ({"a": 4, "b": 30}, 5, "ab"),
        ({"a": 4, "b": 6, "c": 30}, 10, "ab"),
        ({"a": 5, "b": 30}, 5, ""),
        ({"a": 4}, 5, "a"),
        ({"a": 0, "b": 30}, 10, ""),
        ({"a": 0, "b": 9, "c": 30, "d": 11}, 10, "bd"),
    ],
)
def test_which_cells_stay_hidden(bases, minimum, away):
    assert hidden(bases, minimum) == frozenset(away)


breakdowns = st.dictionaries(st.integers(1, 9), st.integers(0, 40))


@given(breakdowns, st.sampled_from([ON_A_STAFF_SCREEN, PUBLISHED]))
def test_no_small_cell_shows_and_no_remainder_gives_one_away(bases, minimum):
    away = hidden(bases, minimum)
    shown = [bases[key] for key in bases if key not in away and bases[key]]
    assert all(base >= minimum for base in shown)
    if away and shown:
        assert len(away) > 1
        assert sum(bases[key] for key in away) >= minimum
