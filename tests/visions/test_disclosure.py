"""Small cells never leave, and do not come back by subtraction."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visions.results.disclosure import (
    ON_A_STAFF_SCREEN,
    PUBLISHED,
    SMALL_CELL,
    Count,
    hidden,
    small_counts,
)


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


# --- totals of whole questions --------------------------------------------------------------------------------


def counts(valid=100, **hits):
    return [Count(key, n, valid) for key, n in hits.items()]


@pytest.mark.parametrize(
    ("hits", "valid", "away"),
    [
        ({"a": 60, "b": 40}, 100, ""),
        ({"a": 5, "b": 4}, 9, "ab"),
        ({"a": 0, "b": 0}, 9, "ab"),
        ({"a": 0, "b": 0}, 0, ""),
        ({"a": 97, "b": 3}, 100, "ab"),
        ({"a": 50, "b": 47, "c": 3}, 100, "bc"),
        ({"a": 50, "b": 44, "c": 3, "d": 3}, 100, "cd"),
        ({"a": 50, "b": 48, "c": 1, "d": 1}, 100, "bcd"),
        ({"a": 100, "b": 0}, 100, ""),
        ({"a": 70, "b": 70, "c": 3}, 100, "c"),
        ({"a": 70, "b": 97}, 100, "b"),
    ],
)
def test_which_totals_of_a_question_do_not_leave(hits, valid, away):
    assert small_counts(counts(valid, **hits)) == frozenset(away)


def test_a_sum_goes_where_it_would_tell_a_small_count():
    parts = counts(a=50, b=42, c=4, d=4)
    assert small_counts(parts) == {"c", "d"}

    def shown(*members):
        return "sum" not in small_counts(parts, [Count("sum", 50, 100, members)])

    assert shown("a", "b")
    assert shown("a", "c", "d")
    assert not shown("a", "c")
    assert not shown("b", "d")
    assert "sum" in small_counts(parts, [Count("sum", 50, 100, None)])
    assert "sum" not in small_counts(parts, [Count("sum", 50, 90, None)])


def test_bands_that_add_up_do_not_leave_one_small_one_to_be_worked_out():
    assert small_counts([], counts(low=3, middle=40, high=57)) == {"low", "middle"}


def test_the_lines_of_a_block_each_add_up_for_themselves():
    assert small_counts([Count("x:1", 98, 100), Count("x:2", 2, 100), Count("y:1", 50, 100), Count("y:2", 50, 100)]) == {
        "x:1", "x:2",
    }  # fmt: skip


@given(st.lists(st.integers(0, 30), min_size=1, max_size=6))
def test_no_total_that_leaves_is_small_and_none_is_what_is_left(hits):
    parts = [Count(f"o{n}", each, sum(hits)) for n, each in enumerate(hits)]
    away = small_counts(parts)
    assert not any(0 < part.hits < SMALL_CELL for part in parts if part.key not in away)
    left = [part.hits for part in parts if part.key in away and part.hits]
    if len(left) < len([part for part in parts if part.hits]) and left:
        assert len(left) > 1
        assert sum(left) >= SMALL_CELL
