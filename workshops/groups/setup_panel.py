"""The console's setup panel of groups that are being formed: members, people without a group, prompts.

Lists stay short enough for one picture. Where there would be too many people to tick, groups are opened one by one;
where there are too many groups, prompts are given to all of them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from string import ascii_uppercase

from ..models import Call, Prompt, Workshop
from .membership import Seated, seated
from .overview import GroupView, Overview

MOST_CHIPS = 240  # people in one list, a group being worth four: a picture stays far below 64 KiB
MOST_WAITING = 100
MOST_TICKS = 60  # groups that can be told apart when prompts are given


@dataclass(frozen=True, slots=True)
class Choice:
    """A prompt that groups can be given, the letter it goes by, and how many groups have it."""

    prompt: Prompt
    letter: str
    groups: int


@dataclass(frozen=True, slots=True)
class Forming:
    #: empty once it would be too long a list to tick people in
    seated: list[tuple[GroupView, list[Seated]]]
    #: the first of those who are in no group yet
    waiting: list[Seated]
    choices: list[Choice]
    #: each group with the letter of the prompt it was given; empty where there are too many
    asked: list[tuple[GroupView, str]]


def forming(workshop: Workshop, found: Overview) -> Forming:
    """Of a round that is not open yet; seven queries, whatever the number of groups."""
    all_fit = found.people + min(found.waiting, MOST_WAITING) + 4 * len(found.groups) <= MOST_CHIPS
    seats = seated(workshop, found.round) if all_fit or found.waiting else {}
    choices = _choices(workshop, found)
    letters = {choice.prompt.pk: choice.letter for choice in choices}
    return Forming(
        seated=[(view, seats.get(view.group.pk, [])) for view in found.groups] if all_fit else [],
        waiting=seats.get(0, [])[:MOST_WAITING],
        choices=choices,
        asked=[(view, letters.get(view.group.prompt_id or 0, "")) for view in found.groups]
        if len(found.groups) <= MOST_TICKS
        else [],
    )


def _choices(workshop: Workshop, found: Overview) -> list[Choice]:
    given = Counter(view.group.prompt_id for view in found.groups)
    prompts = Prompt.objects.filter(programme=workshop.programme_id)
    return [Choice(prompt, _letter(place), given[prompt.pk]) for place, prompt in enumerate(prompts)]


def _letter(place: int) -> str:
    """A to Z, then numbers: no programme has as many prompts."""
    return ascii_uppercase[place] if place < len(ascii_uppercase) else str(place + 1)


def probes_left(found: Overview) -> list[str]:
    """Follow-up questions of the groups' prompts that were not sent to all of them yet."""
    known = dict.fromkeys(
        probe for view in found.groups if view.group.prompt for probe in view.group.prompt.probes
    )
    sent = found.round.calls.filter(group=None, kind=Call.Kind.PROBE)
    told = set(sent.values_list("text", flat=True))
    return [probe for probe in known if probe not in told]
