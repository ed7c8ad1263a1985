"""How numbers of workshops and versions are said."""

import pytest

from workshops.programmes import asked


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ([], ""),
        ([3], "3"),
        ([2, 1], "1 and 2"),
        ([1, 2, 3, 5], "1 to 3, 5"),
        ([1, 1, 2, 4, 5], "1 and 2, 4 and 5"),
        (range(1, 20, 2), "1 to 19, with gaps"),
    ],
)
def test_numbers_are_said_in_spans(numbers, said):
    assert asked.spans(numbers) == said


def test_one_is_said_otherwise_than_many():
    assert (asked.versions([2]), asked.versions([1, 2])) == ("Version 2", "Versions 1 and 2")
    assert (asked.workshops([3]), asked.workshops([1, 2, 3])) == ("workshop 3", "workshops 1 to 3")
