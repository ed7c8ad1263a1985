"""The statistics agree with values computed apart from the project."""

import csv
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visions.results import statistics

DATA = Path(__file__).parents[1] / "data"


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open() as file:
        return list(csv.DictReader(file))


def pairs_of(measure: str) -> list[tuple[int, int]]:
    row = next(row for row in rows("five_workshops.csv") if row["measure"] == measure)
    return [(int(row[f"w{w}_hits"]), int(row[f"w{w}_valid"])) for w in range(1, 6)]


@pytest.mark.parametrize("golden", rows("golden_statistics.csv"), ids=lambda row: row["measure"])
def test_every_golden_value_is_met_to_four_places(golden):
    pairs = pairs_of(golden["measure"])
    low, high = statistics.wilson(int(golden["hits"]), int(golden["valid"]))
    ours = {
        "pooled": statistics.pooled(pairs),
        "wilson_low": low,
        "wilson_high": high,
        "mean_of_workshops": statistics.mean_of_workshops(pairs),
        "x2_df4": statistics.chi_squared(pairs),
        "i2": statistics.i_squared(pairs),
        "icc_anova": statistics.intraclass(pairs),
        "design_effect": statistics.design_effect(pairs),
        "lowest_workshop": min(k / n for k, n in pairs),
        "highest_workshop": max(k / n for k, n in pairs),
    }
    assert {key: round(value, 4) for key, value in ours.items()} == {key: float(golden[key]) for key in ours}
    assert round(statistics.effective_size(pairs), 1) == float(golden["n_effective"])


def test_without_a_base_there_is_no_interval():
    assert statistics.wilson(0, 0) is None


def test_nobody_of_78_reaches_at_most_five_per_cent():
    low, high = statistics.wilson(0, 78)
    assert (low, round(high, 4)) == (0.0, 0.0469)


def test_one_workshop_says_nothing_about_differences():
    assert statistics.chi_squared([(3, 10)]) == 0
    assert math.isnan(statistics.intraclass([(3, 10)]))
    assert statistics.design_effect([(3, 10)]) == 1


@pytest.mark.parametrize(
    "statistic",
    [
        "pooled",
        "mean_of_workshops",
        "chi_squared",
        "i_squared",
        "intraclass",
        "design_effect",
        "effective_size",
    ],
)
def test_a_workshop_where_nobody_answered_does_not_count(statistic):
    pairs = [(2, 20), (15, 18), (9, 10)]
    compute = getattr(statistics, statistic)
    assert compute([*pairs, (0, 0)]) == compute(pairs)


def test_two_workshops_are_enough_to_say_how_much_they_differ():
    apart = [(0, 10), (10, 10)]
    assert statistics.chi_squared(apart) == 20
    assert statistics.i_squared(apart) == pytest.approx(0.95)
    assert statistics.intraclass(apart) == pytest.approx(1.0)
    assert statistics.design_effect(apart) == pytest.approx(10.0)
    assert statistics.effective_size(apart) == pytest.approx(2.0)  # as much as two people tell


def test_one_person_a_workshop_says_nothing_about_differences():
    assert math.isnan(statistics.intraclass([(0, 1), (1, 1)]))


def test_small_workshops_do_not_enter_the_mean_of_workshops():
    assert statistics.mean_of_workshops([(5, 10), (4, 4)]) == 0.5
    assert statistics.mean_of_workshops([(5, 10), (5, 5)]) == 0.75


shares = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(st.lists(shares, min_size=2, max_size=8))
def test_the_order_of_workshops_is_of_no_importance(pairs):
    assert statistics.chi_squared(pairs) == pytest.approx(statistics.chi_squared(pairs[::-1]))
    assert statistics.design_effect(pairs) == pytest.approx(statistics.design_effect(pairs[::-1]))
    assert statistics.design_effect(pairs) >= 1


@given(shares)
def test_the_interval_holds_the_share(pair):
    low, high = statistics.wilson(*pair)
    assert 0 <= low <= pair[0] / pair[1] + 1e-12
    assert pair[0] / pair[1] - 1e-12 <= high <= 1
