"""Making groups: who sits with whom, by chance, by role, by hand or as people choose."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

from django.db.models import Max
from django.utils.translation import gettext as _

from ... import grouping
from ...breakouts import current_round
from ...grouping import Person
from ...live import notify
from ...live.topics import PLACES, pad
from ...models import Group, Participant, Place, Round, Workshop
from ...models.breakouts import NAME_LIMIT
from ...queries import roles_of
from .. import groupwork
from ..facilitation import NotNow, _on_stage, _require_running
from .found import the_group, the_round

MOST_GROUPS = 200


def make(workshop_id: int, by: Any, how: str, *, size: int | None = None, groups: int | None = None) -> None:
    """Put everybody who is here into groups, to be opened later. Groups that were formed and not opened are replaced.

    `size` people in a group, or so many `groups`; neither for `by_table` and `kept`.
    """
    with _on_stage(workshop_id, by, "make_groups", detail=how, moves=False) as workshop:
        _require_running(workshop)
        _replace_formed(workshop)
        made = Round.objects.create(workshop=workshop, number=_next_number(workshop), made=how)
        _fill(made, _seated(workshop, made, how, size, groups))
        notify.changed(workshop_id, PLACES)


def _replace_formed(workshop: Workshop) -> None:
    current = current_round(workshop.pk)
    if current and current.opened_at:
        raise NotNow(_("Groups are at work. End their time before you make new ones."))
    if current:
        current.delete()


def _next_number(workshop: Workshop) -> int:
    return (workshop.rounds.aggregate(last=Max("number"))["last"] or 0) + 1


def _seated(
    workshop: Workshop, made: Round, how: str, size: int | None, groups: int | None
) -> list[tuple[str, list[str]]]:
    """Every group's name with the voters in it."""
    if how == Round.Made.KEPT:
        return _as_before(workshop, made)
    people = _people(workshop)
    if how == Round.Made.BY_TABLE:
        at_tables = sorted({person.table for person in people if person.table is not None})
        return [
            (_("Table %(n)d") % {"n": table}, [p.key for p in people if p.table == table])
            for table in at_tables
        ]
    if how == Round.Made.SELF_CHOSEN:
        return [(_name(n), []) for n in range(1, _number(people, size, groups) + 1)]
    return [
        (_name(n), [p.key for p in seated]) for n, seated in enumerate(_mixed(how, people, size, groups), 1)
    ]


def _mixed(how: str, people: list[Person], size: int | None, groups: int | None) -> grouping.Groups:
    seed = random.getrandbits(32)
    try:
        if how == Round.Made.BY_ROLE:
            made = grouping.by_role(people, size=size, seed=seed)
        elif how == Round.Made.BALANCED:
            made = grouping.balanced_by(people, size=size, groups=groups, seed=seed)
        else:
            made = grouping.random_groups(people, size=size, groups=groups, seed=seed)
    except ValueError:
        raise NotNow(_("Give the size of a group, from 2, or the number of groups.")) from None
    if not made:
        raise NotNow(_("Nobody is here yet to put into groups."))
    if len(made) > MOST_GROUPS:
        raise NotNow(_("That would be more than %(n)d groups.") % {"n": MOST_GROUPS})
    return made


def _number(people: list[Person], size: int | None, groups: int | None) -> int:
    if groups is None and size is None:
        raise NotNow(_("Give the size of a group, from 2, or the number of groups."))
    return max(1, min(MOST_GROUPS, groups or -(-len(people) // max(2, size or 2))))


def _as_before(workshop: Workshop, made: Round) -> list[tuple[str, list[str]]]:
    before = workshop.rounds.exclude(pk=made.pk).order_by("-number").first()
    if before is None:
        raise NotNow(_("There were no groups before."))
    here = set(_here(workshop).values_list("voter", flat=True))
    seated = [
        (group.name, [v for v in group.places.values_list("voter", flat=True) if v in here])
        for group in before.groups.all()
    ]
    new = sorted(here - {voter for _name, voters in seated for voter in voters})
    for voter in new:
        seated[grouping.place_latecomer([len(voters) for _name, voters in seated])][1].append(voter)
    return seated


def _people(workshop: Workshop) -> list[Person]:
    role = roles_of(workshop)
    here = _here(workshop).values_list("voter", "table")
    return [Person(voter, role.get(voter, ""), table) for voter, table in here]


def _here(workshop: Workshop):
    return Participant.objects.filter(workshop=workshop, left_at__isnull=True)


def _name(number: int) -> str:
    return _("Group %(n)d") % {"n": number}


def _fill(made: Round, seated: list[tuple[str, list[str]]]) -> None:
    groups = Group.objects.bulk_create(
        Group(round=made, number=number, name=name) for number, (name, _voters) in enumerate(seated, start=1)
    )
    Place.objects.bulk_create(
        Place(round=made, group=group, voter=voter)
        for group, (_name, voters) in zip(groups, seated, strict=True)
        for voter in voters
    )


def move(workshop_id: int, by: Any, people: Iterable[int], group: int) -> None:
    """These people (their places) to another group of the current round, by hand."""
    with _on_stage(workshop_id, by, "move_person", moves=False):
        current = the_round(workshop_id)
        target = current.groups.filter(pk=group).first()
        if target is None:
            raise NotNow(_("That group is not there any more."))
        found = list(current.places.filter(pk__in=list(people)).order_by("pk"))
        if not found:
            raise NotNow(_("Tick the people first, then press “Move here”."))
        left = {place.group_id for place in found}
        for place in found:
            groupwork.sit_down(place.voter, target)
        notify.changed(workshop_id, *(pad(pk) for pk in {target.pk, *left}))


def name_group(workshop_id: int, by: Any, group: int, name: str, link: str = "") -> None:
    """A name of its own, and the address of its video room."""
    with _on_stage(workshop_id, by, "name_group", moves=False):
        found = the_group(workshop_id, group)
        if link and not link.startswith(("https://", "http://")):
            raise NotNow(_("A link begins with https://."))
        found.name = " ".join(name.split())[:NAME_LIMIT] or _name(found.number)
        found.link = link
        found.save(update_fields=["name", "link"])
        notify.changed(workshop_id, pad(found.pk))
