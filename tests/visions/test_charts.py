"""The small figures of the researcher's pages: geometry and their words."""

from hypothesis import given
from hypothesis import strategies as st

from visions.results import charts


def figure(pairs):
    return charts.interval(sum(k for k, _n in pairs), sum(n for _k, n in pairs), pairs, 0, charts.TABLE)


def test_every_workshop_has_a_ring_while_they_are_few():
    drawn = figure([(place, 100) for place in range(1, 101)])
    assert len(drawn.dots) == 100
    assert "Workshops: 1 of 100, 2 of 100, " in drawn.sentence


def test_a_thousand_workshops_are_a_hundred_rings_that_lie_as_they_do():
    drawn = figure([(place % 50, 100) for place in range(1000)])
    assert len(drawn.dots) == charts.MAX_DOTS
    across = [float(x) for x, _y in drawn.dots]
    assert across == sorted(across)
    middle = charts.TABLE.left + 0.25 * (charts.TABLE.right - charts.TABLE.left)
    assert sum(x < middle for x in across) == 50
    assert "1000 workshops, the middle half of them between 12 and 37 per cent." in drawn.sentence


@given(st.lists(st.tuples(st.integers(0, 30), st.just(30)), min_size=1, max_size=400))
def test_rings_stay_inside_the_picture_however_many_they_are(pairs):
    size = charts.TABLE
    for x, y in figure(pairs).dots:
        assert size.left <= float(x) <= size.right
        assert size.top <= float(y) <= size.first
