"""How all groups of a round are doing, as the console and the wall show it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from django.db.models import Count, Q

from ..models import Agreement, Contribution, Group, Place, Round
from .seating import current_round, rounds


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group from outside: no words of it but the sentence that it brings."""

    group: Group
    people: int
    notes: int

    @property
    def pick(self) -> Contribution | None:
        found = self.group.pick
        return None if found is None or found.taken_back_at or found.safeguarding else found

    @property
    def for_the_wall(self) -> str:
        return self.pick.for_the_wall if self.pick else ""

    @property
    def can_be_shown(self) -> bool:
        """Has it a sentence that the wall may show, once the facilitator has read it?"""
        return bool(self.pick) and (
            self.pick.check_state == Contribution.Check.PENDING or bool(self.for_the_wall)
        )


@dataclass(frozen=True, slots=True)
class Overview:
    """A round as the console and the wall show it."""

    round: Round
    groups: tuple[GroupView, ...]
    #: others in the group on the wall who agree with its sentence
    agreeing: int = 0
    #: people who wait for the facilitator to give them a place
    waiting: int = 0

    @property
    def calls(self) -> list[GroupView]:
        """Groups that wait for the facilitator, the longest first."""
        waiting = [(view.group.help_at, view.group.pk, view) for view in self.groups if view.group.help_at]
        return [view for _since, _pk, view in sorted(waiting)]

    @property
    def people(self) -> int:
        return sum(view.people for view in self.groups)

    @property
    def notes(self) -> int:
        return sum(view.notes for view in self.groups)

    @property
    def own_prompts(self) -> int:
        """Groups that were given a prompt; until they open, the others have none."""
        return sum(view.group.prompt_id is not None for view in self.groups)

    @property
    def presenting(self) -> GroupView | None:
        return next((g for g in self.groups if g.group.pk == self.round.presenting_id), None)

    @property
    def to_show(self) -> list[GroupView]:
        """Groups with a sentence that come after the one on the wall, in their order."""
        after = self.presenting.group.number if self.presenting else 0
        return [view for view in self.groups if view.group.number > after and view.can_be_shown]

    @property
    def may_be_shown(self) -> list[GroupView]:
        """All groups whose sentence could come next, those not shown yet first."""
        coming = self.to_show
        shown = [view for view in self.groups if view.can_be_shown and view not in coming]
        return [*coming, *(view for view in shown if view != self.presenting)]

    @property
    def question(self) -> str:
        """What all of them talk about; empty where groups have different prompts, or none yet."""
        asked = {view.group.question for view in self.groups}
        return asked.pop() if len(asked) == 1 else ""


def overview(workshop_id: int) -> Overview | None:
    """The current round; `None` outside of one. Five queries at most, whatever the number of groups."""
    current = current_round(workshop_id)
    if current is None:
        return None
    groups = Group.objects.filter(round=current).select_related("pick", "prompt")
    people: Counter[int | None] = Counter(Place.objects.filter(round=current).values_list("group", flat=True))
    here = Contribution.objects.filter(group__round=current, taken_back_at__isnull=True)
    notes = dict(here.values_list("group").annotate(Count("pk")).order_by())
    views = tuple(GroupView(g, people[g.pk], notes.get(g.pk, 0)) for g in groups)
    found = Overview(current, views, waiting=people[None])
    if found.presenting and found.presenting.pick:
        agreeing = Agreement.objects.filter(contribution=found.presenting.pick.pk).count()
        return replace(found, agreeing=agreeing)
    return found


def picked(workshop_id: int) -> list[Group]:
    """The groups of the current round that have picked a note, with it: every console asks at every vote."""
    if not (found := rounds(workshop_id)):
        return []
    return list(Group.objects.filter(round=found[0][0], pick__isnull=False).select_related("pick"))


def wanted(workshop_id: int) -> list[Contribution]:
    """Notes of all its rounds that a facilitator wanted to ask about or brought to the vision, with their groups."""
    found = Contribution.objects.filter(
        Q(wanted_at__isnull=False) | Q(proposed_at__isnull=False),
        group__round__workshop=workshop_id,
        taken_back_at__isnull=True,
    )
    return list(found.select_related("group").order_by("pk"))
