"""The next step of breakout groups, and what the wall shows of them: pure functions of the stage and the groups.

The console's one main button leads through a whole round: make, open, call back, show one group after the other, go
on. After a question in between (does this ring true?) it goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from ..models import AgendaItem
from . import GroupView, Overview


class Step(StrEnum):
    """The action of the console's main button on the groups; `NONE`: none, the agenda goes on."""

    NONE = ""
    MAKE = "make"
    OPEN = "open"
    RECALL = "recall"
    SHOW = "show"
    CLOSE = "close"


def next_step(state: str, groups: Overview | None, had_groups: Callable[[], bool]) -> Step:
    """`state` is what stands on stage (`screens.Scene.state`); `had_groups` says whether its prompt was talked about
    in groups already."""
    if state in ("planned", "ended", "ballot"):
        return Step.NONE
    if groups is None:
        return Step.MAKE if state == "prompt" and not had_groups() else Step.NONE
    if groups.round.opened_at is None:
        return Step.OPEN if state == "prompt" else Step.NONE
    if groups.round.recalled_at is None:
        return Step.RECALL
    if groups.to_show:
        return Step.SHOW
    # The next step on stage ends the time of groups that belong to this one; others are ended by hand.
    return Step.NONE if groups.round.item_id else Step.CLOSE


def sharing(state: str, item: AgendaItem | None, groups: Overview | None) -> GroupView | None:
    """The group whose sentence the wall shows; a question that is asked in between stands before it."""
    if groups is None or groups.presenting is None or state == "ballot":
        return None
    own = groups.round.item_id
    belongs_here = own is None or (
        item is not None and (item.pk == own or item.kind == AgendaItem.Kind.PAUSE)
    )
    return groups.presenting if belongs_here else None


def wall_state(state: str, item: AgendaItem | None, groups: Overview | None) -> str:
    """What the wall shows: `share` (a group's sentence), `groups` (all of them), or what is on stage."""
    if sharing(state, item, groups):
        return "share"
    return "groups" if groups and state in ("joining", "pause", "prompt") else state
