"""Create breakout groups: allocation at random, by role, by hand, or by people's own choice."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Max
from django.utils.translation import gettext as _

from ...groups import allocation, current_round
from ...groups.allocation import Person
from ...models import Group, Participant, Place, Round, Workshop
from ...models.groups import NAME_LIMIT
from ...people.roles import roles_of
from ...signals import announce
from ...signals.topics import PLACES, pad
from ..stage import GestureRejected, clear_timer, require_running, stage_transaction
from . import membership
from .lookups import the_group, the_round

MOST_GROUPS = 200


def make(
    workshop_id: int, by: User | None, how: str, *, size: int | None = None, groups: int | None = None
) -> None:
    """Allocate everybody present to groups, to be opened later. Groups that were formed and not opened are replaced.

    `size` people in a group, or so many `groups`; neither for `by_table`, `kept` and `merged`. By hand and where
    people choose groups begin empty.
    """
    with stage_transaction(workshop_id, by, "make_groups", detail=how, moves=False) as workshop:
        require_running(workshop)
        _replace_formed(workshop)
        if workshop.stage_item and workshop.stage_item.prompt_id:
            clear_timer(workshop)  # it began with the prompt; their time begins when they open
        made = Round.objects.create(workshop=workshop, number=_next_number(workshop), made=how)
        _fill(made, _seated(workshop, made, how, size, groups))
        if made.is_filling:
            seated = set(made.places.values_list("voter", flat=True))
            membership.add_unassigned(
                made, [person.key for person in _people(workshop) if person.key not in seated]
            )
        announce.changed(workshop_id, PLACES)


def _replace_formed(workshop: Workshop) -> None:
    current = current_round(workshop.pk)
    if current and current.opened_at:
        raise GestureRejected(_("Groups are at work. End their time before you make new ones."))
    if current:
        current.delete()


def _next_number(workshop: Workshop) -> int:
    return (workshop.rounds.aggregate(last=Max("number"))["last"] or 0) + 1


@dataclass(frozen=True, slots=True)
class _Seats:
    """A group to be, with the voters in it."""

    number: int
    name: str
    voters: list[str]
    link: str = ""


def _seated(workshop: Workshop, made: Round, how: str, size: int | None, groups: int | None) -> list[_Seats]:
    if how in (Round.Made.KEPT, Round.Made.MERGED):
        return _as_before(workshop, made)
    people = _people(workshop)
    if how == Round.Made.BY_TABLE:
        tables = sorted({person.table for person in people if person.table is not None})
        return [
            _Seats(table, membership.table_name(table), [p.key for p in people if p.table == table])
            for table in tables
        ]
    if how in (Round.Made.SELF_CHOSEN, Round.Made.BY_HAND):
        return [_Seats(n, _name(n), []) for n in range(1, _number(people, size, groups) + 1)]
    mixed = _mixed(how, people, size, groups)
    return [_Seats(n, _name(n), [p.key for p in seated]) for n, seated in enumerate(mixed, start=1)]


def _size_for(people: list[Person], groups: int | None) -> int | None:
    """The group size that gives about this many groups of one role each; a large role has several groups."""
    return max(allocation.COMPANY, -(-len(people) // groups)) if groups else None


def _mixed(how: str, people: list[Person], size: int | None, groups: int | None) -> allocation.Groups:
    seed = random.getrandbits(32)
    try:
        if how == Round.Made.BY_ROLE:
            made = allocation.by_role(people, size=size or _size_for(people, groups), seed=seed)
        elif how == Round.Made.BALANCED:
            made = allocation.balanced_by(people, size=size, groups=groups, seed=seed)
        else:
            made = allocation.random_groups(people, size=size, groups=groups, seed=seed)
    except ValueError:
        raise GestureRejected(_("Give the size of a group, from 2, or the number of groups.")) from None
    if not made:
        raise GestureRejected(_("Nobody is here yet to put into groups."))
    if len(made) > MOST_GROUPS:
        raise GestureRejected(_("That would be more than %(n)d groups.") % {"n": MOST_GROUPS})
    return made


def _number(people: list[Person], size: int | None, groups: int | None) -> int:
    if groups is None and size is None:
        raise GestureRejected(_("Give the size of a group, from 2, or the number of groups."))
    return max(1, min(MOST_GROUPS, groups or -(-len(people) // max(2, size or 2))))


def _as_before(workshop: Workshop, made: Round) -> list[_Seats]:
    """The groups that were last at work, with their names and video rooms, or two by two of them; who is new sits in
    the smallest."""
    before = workshop.rounds.filter(opened_at__isnull=False).exclude(pk=made.pk).order_by("-number").first()
    if before is None:
        raise GestureRejected(_("There were no groups before."))
    here = set(_here(workshop).values_list("voter", flat=True))
    seated = [
        _Seats(
            group.number,
            group.name,
            [voter for voter in group.places.values_list("voter", flat=True) if voter in here],
            group.link,
        )
        for group in before.groups.all()
    ]
    if made.made == Round.Made.MERGED:
        seated = _two_by_two([seats for seats in seated if seats.voters])
        if not seated:
            raise GestureRejected(_("Nobody of those groups is here any more. Make new ones."))
    new = sorted(here - {voter for seats in seated for voter in seats.voters})
    for voter in new if seated else ():
        seated[allocation.place_latecomer([len(seats.voters) for seats in seated])].voters.append(voter)
    return seated


def _two_by_two(before: list[_Seats]) -> list[_Seats]:
    """The first group with the second, the third with the fourth; a last odd one joins the two before it. Their names
    stand in the new one's, so that people find each other in the room."""
    joined = [before[at : at + 2] for at in range(0, len(before), 2)]
    if len(joined) > 1 and len(joined[-1]) == 1:
        odd = joined.pop()
        joined[-1] += odd
    seated = []
    for number, groups in enumerate(joined, start=1):
        name = " + ".join(seats.name for seats in groups)
        voters = [voter for seats in groups for voter in seats.voters]
        link = next((seats.link for seats in groups if seats.link), "")
        seated.append(_Seats(number, name if len(name) <= NAME_LIMIT else _name(number), voters, link))
    return seated


def _people(workshop: Workshop) -> list[Person]:
    """Shuffled: the number that somebody is called by must not tell when they came."""
    role = roles_of(workshop)
    people = [
        Person(voter, role.get(voter, ""), table)
        for voter, table in _here(workshop).values_list("voter", "table")
    ]
    random.shuffle(people)
    return people


def _here(workshop: Workshop):
    return Participant.objects.filter(workshop=workshop, left_at__isnull=True)


def _name(number: int) -> str:
    return _("Group %(n)d") % {"n": number}


def _fill(made: Round, seated: list[_Seats]) -> None:
    groups = Group.objects.bulk_create(
        Group(round=made, number=seats.number, name=seats.name, link=seats.link) for seats in seated
    )
    Place.objects.bulk_create(
        Place(round=made, group=group, voter=voter)
        for group, seats in zip(groups, seated, strict=True)
        for voter in seats.voters
    )


# --- moving people -----------------------------------------------------------------------------------------


def move(workshop_id: int, by: User | None, places: Iterable[int], group: int) -> None:
    """Move the people with these places to another group of the current round; 0: to no group."""
    with stage_transaction(workshop_id, by, "move_person", moves=False):
        membership.hold([workshop_id])  # as people's own moves do, so that neither waits in a circle
        current = the_round(workshop_id)
        target = current.groups.filter(pk=group).first()
        if target is None and not (group == 0 and current.is_filling):
            raise GestureRejected(_("That group is not there any more."))
        found = list(current.places.filter(pk__in=list(places)).order_by("pk"))
        if not found:
            raise GestureRejected(_("Tick the people first, then press “Move here”."))
        for place in found:
            if target:
                membership.sit_down(place.voter, target)
            else:
                membership.stand_up(place.voter, current)


def name_group(workshop_id: int, by: User | None, group: int, name: str, link: str = "") -> None:
    """A name of its own, and the address of its video room."""
    with stage_transaction(workshop_id, by, "name_group", moves=False):
        found = the_group(workshop_id, group)
        if link and not link.startswith(("https://", "http://")):
            raise GestureRejected(_("A link begins with https://."))
        found.name = " ".join(name.split())[:NAME_LIMIT] or _name(found.number)
        found.link = link
        found.save(update_fields=["name", "link"])
        announce.changed(workshop_id, pad(found.pk))
