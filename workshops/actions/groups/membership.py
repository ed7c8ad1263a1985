"""Membership of breakout groups: chosen, by table number or allocated; latecomers get a place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from ...groups import allocation, current_round
from ...models import Group, Participant, Place, Prompt, Round
from ...signals import announce
from ...signals.topics import PLACES, Topic, pad
from .requests import Choose, Done, Rejected, StandUp, Table

# --- by oneself ----------------------------------------------------------------------------------------------


def choose(item: Choose) -> Done:
    group = Group.objects.filter(
        pk=item.group, round__workshop=item.workshop_id, round__closed_at__isnull=True
    ).first()
    if group is None:
        raise Rejected("forbidden", _("That group is not there any more."))
    _require_choice(group.round)
    seated = group.round.places.filter(voter=item.voter, group__isnull=False).first()
    if seated and seated.group_id != group.pk:
        _require_free(group.round)
    sit_down(item.voter, group)
    return Done(item.op, group.pk)


def leave_group(item: StandUp) -> Done:
    current = current_round(item.workshop_id)
    if current is None:
        raise Rejected("forbidden", _("That group is not there any more."))
    if current.made != Round.Made.BY_TABLE:
        _require_choice(current)
    _require_free(current)
    stand_up(item.voter, current)
    return Done(item.op)


def _require_choice(current: Round) -> None:
    if current.made != Round.Made.SELF_CHOSEN:
        raise Rejected("forbidden", _("In this round the facilitator makes the groups."))


def _require_free(current: Round) -> None:
    """People may change their group until everybody is called back."""
    if current.recalled_at:
        raise Rejected("closed", _("Everybody was called back, so groups stay as they are."))


def say_table(item: Table) -> Done:
    current = current_round(item.workshop_id)
    is_asked = current is not None and current.made == Round.Made.BY_TABLE
    if current and is_asked:
        sits_at = current.places.filter(voter=item.voter).values_list("group__number", flat=True).first()
        if sits_at not in (None, item.table):
            _require_free(current)
    Participant.objects.filter(voter=item.voter).update(table=item.table)
    if current is None or not is_asked:
        return Done(item.op)
    group = _group_of_table(current, item.table)
    sit_down(item.voter, group)
    return Done(item.op, group.pk)


def _group_of_table(current: Round, table: int) -> Group:
    """A table becomes a group with its first member; a late one gets the prompt of the others."""
    group, new = Group.objects.get_or_create(
        round=current, number=table, defaults={"name": table_name(table)}
    )
    if new and current.opened_at and (asked := _asked_elsewhere(current)):
        group.prompt, group.question = asked, asked.text
        group.save(update_fields=["prompt", "question"])
    return group


def _asked_elsewhere(current: Round) -> Prompt | None:
    """The prompt of the first group, or the prompt on stage where there is no group yet."""
    first = current.groups.filter(prompt__isnull=False).exclude(question="").select_related("prompt").first()
    if first:
        return first.prompt
    return current.item.prompt if current.item else None


def table_name(number: int) -> str:
    return _("Table %(n)d") % {"n": number}


# --- places ----------------------------------------------------------------------------------------------------


def hold(workshops: Collection[int]) -> None:
    """Lock the current rounds of these workshops, then their groups, before people move in them.

    Who moves leaves a group as well, in whatever order it happens: without this, two batches of moves, or one of moves
    and one of notes, would wait for each other in a circle.
    """
    current = Round.objects.filter(workshop__in=workshops, closed_at__isnull=True)
    rounds = current.select_for_update(of=("self",), no_key=True).order_by("pk")
    groups = Group.objects.filter(round__in=[each.pk for each in rounds])
    list(groups.select_for_update(of=("self",), no_key=True).order_by("pk").values_list("pk"))


def sit_down(voter: str, group: Group) -> None:
    """Put a person into a group; a member of another group of this round moves, and stops being its scribe."""
    place, new = Place.objects.get_or_create(round_id=group.round_id, voter=voter, defaults={"group": group})
    if not new and place.group_id != group.pk:
        _leave(place)
        place.group = group
        place.save(update_fields=["group"])
    _tell_of_places(group.round, group.pk)


def stand_up(voter: str, current: Round) -> None:
    """Without a group from here on: the facilitator gives them one, or they choose. Their number stays theirs."""
    place = current.places.filter(voter=voter).first()
    if place is None:
        return
    _leave(place)
    place.group = None
    place.save(update_fields=["group"])
    _tell_of_places(current)


def _leave(place: Place) -> None:
    """Who goes is no scribe there any more, and the others see that they have gone."""
    if place.group_id is not None:
        Group.objects.filter(pk=place.group_id, scribe=place.voter).update(scribe="")
        announce.changed(place.round.workshop_id, pad(place.group_id))


def _tell_of_places(current: Round, *groups: int) -> None:
    """Who has no place yet sees the groups' sizes under minus the number of the round."""
    names = [pad(group) for group in (-current.pk, *groups)]
    announce.changed(current.workshop_id, PLACES, Topic.BREAKOUTS, *names)


@transaction.atomic
def place_latecomer(workshop_id: int, voter: str) -> None:
    """Who comes while groups are at work sits down at once: at the table they have said, else in the smallest group.

    While groups still fill they choose, or wait for the facilitator, like everybody else. So does, later on, who has
    given up their group to choose another.
    """
    if (current := current_round(workshop_id)) is None:
        return
    # Who comes as the groups open waits for that, and sits down then.
    current = Round.objects.select_for_update(of=("self",), no_key=True).get(pk=current.pk)
    place = current.places.filter(voter=voter).first()
    if current.is_filling:
        if place is None:
            add_unassigned(current, [voter])
            _tell_of_places(current)
    elif place is None or (place.group_id is None and not current.lets_choose):
        assign_groups(current, [voter])


def add_unassigned(current: Round, voters: Iterable[str]) -> None:
    """Each has a place in the round, and no group yet."""
    Place.objects.bulk_create(Place(round=current, voter=voter) for voter in voters)


def assign_groups(current: Round, voters: Iterable[str]) -> None:
    """Give people who are in no group one: that of the table they have said, else each the smallest by then; none
    where there is none."""
    at_table = _tables(current, voters := list(voters))
    found = {voter: _group_of_table(current, at_table[voter]) for voter in voters if voter in at_table}
    groups = list(current.groups.all())
    taken = Counter(current.places.values_list("group", flat=True)) + Counter(g.pk for g in found.values())
    sizes = [taken[group.pk] for group in groups]
    for voter in voters if groups else ():
        if voter not in found:
            smallest = allocation.place_latecomer(sizes)
            sizes[smallest] += 1
            found[voter] = groups[smallest]
    Place.objects.bulk_create(
        [Place(round=current, voter=voter, group=group) for voter, group in found.items()],
        ignore_conflicts=True,
    )
    for group in set(found.values()):
        # Not who has chosen meanwhile, and was told that they have a place.
        waiting = current.places.filter(voter__in=[voter for voter in found if found[voter] == group])
        waiting.filter(group__isnull=True).update(group=group)
    _tell_of_places(current, *{group.pk for group in found.values()})


def _tables(current: Round, voters: list[str]) -> dict[str, int]:
    if current.made != Round.Made.BY_TABLE:
        return {}
    said = Participant.objects.filter(voter__in=voters).values_list("voter", "table")
    return {voter: table for voter, table in said if table is not None}
