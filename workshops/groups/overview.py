"""How all groups of a round are doing, as the console and the wall show it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from django.db.models import Count

from polls.text_decisions import PENDING

from ..models import Contribution, Group, Place, Round, TextMark
from .membership import current_round, rounds


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group from outside: no words of it but the sentence that it brings."""

    group: Group
    people: int
    notes: int

    @property
    def pick(self) -> Contribution | None:
        found = self.group.pick
        return None if found is None or found.taken_back_at or found.text.is_flagged else found

    @property
    def for_the_wall(self) -> str:
        return self.pick.for_the_wall if self.pick else ""

    @property
    def can_be_shown(self) -> bool:
        """Has it a sentence that the wall may show, once the facilitator has read it?"""
        pick = self.pick
        return pick is not None and (pick.text.state == PENDING or bool(self.for_the_wall))


@dataclass(frozen=True, slots=True)
class Overview:
    """A round as the console and the wall show it."""

    round: Round
    groups: tuple[GroupView, ...]
    #: others in the group on the wall who agree with its sentence
    agreeing: int = 0
    #: that sentence was brought to the vision
    is_brought: bool = False
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
        """The prompt that all groups share; empty where they differ or have none yet."""
        asked = {view.group.question for view in self.groups}
        return asked.pop() if len(asked) == 1 else ""


def load_overview(workshop_id: int) -> Overview | None:
    """The current round; `None` outside of one. Six queries at most, whatever the number of groups."""
    current = current_round(workshop_id)
    if current is None:
        return None
    groups = Group.objects.filter(round=current).select_related("pick__text__decision", "prompt")
    people: Counter[int | None] = Counter(Place.objects.filter(round=current).values_list("group", flat=True))
    here = Contribution.objects.filter(group__round=current, taken_back_at__isnull=True)
    notes = dict(here.values_list("group").annotate(Count("pk")).order_by())
    views = tuple(GroupView(g, people[g.pk], notes.get(g.pk, 0)) for g in groups)
    found = Overview(current, views, waiting=people[None])
    if found.presenting and found.presenting.pick:
        pick = found.presenting.pick
        brought = TextMark.objects.filter(text=pick.text_id, kind=TextMark.Kind.VISION)
        return replace(found, agreeing=pick.agreements.count(), is_brought=brought.exists())
    return found


def picked(workshop_id: int) -> list[Group]:
    """The groups of the current round that have picked a note, with it: every console asks at every vote."""
    if not (found := rounds(workshop_id)):
        return []
    picked = Group.objects.filter(round=found[0][0], pick__isnull=False)
    return list(picked.select_related("pick__text__decision"))


def marked(workshop_id: int) -> dict[Contribution, set[str]]:
    """Notes of all its rounds that a facilitator wanted to ask about or brought to the vision, with their groups and
    marks."""
    marks = TextMark.objects.filter(
        workshop=workshop_id, text__contribution__isnull=False, text__contribution__taken_back_at__isnull=True
    )
    related = marks.select_related("text__contribution__group", "text__decision")
    found: dict[Contribution, set[str]] = {}
    for mark in related.order_by("text__contribution"):
        note = mark.text.contribution
        note.text = mark.text
        found.setdefault(note, set()).add(mark.kind)
    return found
