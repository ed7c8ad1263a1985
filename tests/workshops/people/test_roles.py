"""Who is here by role, without giving small groups away."""

import pytest

from workshops.people.roles import SMALLEST_GROUP, merge_small


@pytest.mark.parametrize(
    ("groups", "shown"),
    [
        ([("Educators", 9), ("Leaders", 5)], [("Educators", 9), ("Leaders", 5)]),
        ([("Educators", 9), ("Leaders", 0), ("Managers", 6)], [("Educators", 9), ("Managers", 6)]),
        (
            [("Educators", 9), ("Leaders", 3), ("Managers", 4)],
            [("Educators", 9), ("Other roles together", 7)],
        ),
        # two small groups that are small together: the next smallest hides them
        (
            [("Educators", 9), ("Leaders", 6), ("Managers", 2), ("Apprentices", 1)],
            [("Educators", 9), ("Other roles together", 9)],
        ),
        # one small group: its neighbour hides it, for the total is known
        (
            [("Educators", 9), ("Leaders", 6), ("Managers", 1)],
            [("Educators", 9), ("Other roles together", 7)],
        ),
        ([("Educators", 6), ("Managers", 1)], [("All roles together", 7)]),
        ([("Educators", 2), ("Managers", 1)], [("All roles together", 3)]),
        ([("Educators", 0)], []),
    ],
)
def test_no_role_on_the_console_is_smaller_than_five(groups, shown):
    assert list(merge_small(groups)) == shown
    assert len(shown) == 1 or all(people >= SMALLEST_GROUP for _label, people in shown)
