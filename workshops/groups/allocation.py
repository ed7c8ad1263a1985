"""Allocation of people to breakout groups: pure functions.

Groups differ in size by one at most, and nobody is alone where company can be had. The same people and the same seed
always make the same groups, whatever order people come in. Observers are placed like everybody else.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

#: fewer are no group
COMPANY = 2


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to place. Observers have no role; `table` is the number on theirs, if they sit at one."""

    key: str
    role: str = ""
    table: int | None = None


Groups = list[list[Person]]


def how_many(people: int, *, size: int | None = None, groups: int | None = None) -> int:
    """The number of groups for so many people: none larger than `size`, or as many as `groups`.

    Where that would leave somebody alone there are fewer, larger groups. Raises `ValueError` unless exactly one of
    the two is given, and for a size below two or no group at all.
    """
    if (size is None) == (groups is None):
        raise ValueError("either the size or the number of groups")
    if size is not None and size < COMPANY:
        raise ValueError("a group has two people at least")
    if groups is not None and groups < 1:
        raise ValueError("one group at least")
    wanted = -(-people // size) if size is not None else groups
    return max(1, min(wanted or 1, people // COMPANY)) if people else 0


def random_groups(
    people: Iterable[Person], *, size: int | None = None, groups: int | None = None, seed: int
) -> Groups:
    """Chance decides. Raises `ValueError` as `how_many` does, and when somebody comes twice."""
    shuffled = _shuffled(people, seed)
    return _deal(shuffled, how_many(len(shuffled), size=size, groups=groups))


def balanced_by(
    people: Iterable[Person],
    trait: Callable[[Person], str] = lambda person: person.role,
    *,
    size: int | None = None,
    groups: int | None = None,
    seed: int,
) -> Groups:
    """Every group gets its share of each role, or of another trait: the counts differ by one at most."""
    shuffled = _shuffled(people, seed)
    # Dealt one kind after the other, without beginning anew: so both each kind and the whole are even.
    kinds = sorted({trait(person) for person in shuffled})
    in_kinds = [person for kind in kinds for person in shuffled if trait(person) == kind]
    return _deal(in_kinds, how_many(len(in_kinds), size=size, groups=groups))


def by_role(people: Iterable[Person], *, size: int | None = None, seed: int) -> Groups:
    """Educators with educators, leaders with leaders: one group for each role, or several none larger than `size`.

    Within a role sizes differ by one at most. Who is the only one of their role joins the others like that, or else
    the smallest group.
    """
    of_role: defaultdict[str, list[Person]] = defaultdict(list)
    for person in _shuffled(people, seed):
        of_role[person.role].append(person)
    made: Groups = []
    for role in sorted(of_role):
        members = of_role[role]
        made += _deal(members, how_many(len(members), size=size) if size is not None else 1)
    return _nobody_alone(made)


def place_latecomer(sizes: Sequence[int]) -> int:
    """The place of the smallest group, the first of several. Raises `ValueError` where there is none."""
    if not sizes:
        raise ValueError("there is no group to join")
    return min(range(len(sizes)), key=lambda place: sizes[place])


def _shuffled(people: Iterable[Person], seed: int) -> list[Person]:
    ordered = sorted(people, key=lambda person: person.key)
    if len({person.key for person in ordered}) < len(ordered):
        raise ValueError("somebody comes twice")
    random.Random(seed).shuffle(ordered)
    return ordered


def _deal(people: Sequence[Person], groups: int) -> Groups:
    return [list(people[place::groups]) for place in range(groups)]


def _nobody_alone(made: Groups) -> Groups:
    """People who would be alone form a group together; the last one joins the smallest group."""
    company = [list(group) for group in made if len(group) >= COMPANY]
    alone = [group[0] for group in made if len(group) == 1]
    if len(alone) == 1 and company:
        company[place_latecomer([len(group) for group in company])] += alone
    elif alone:
        company.append(alone)
    return company
