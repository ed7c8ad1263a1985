"""Every thing that can change on a screen, and who looks at it.

A topic is the id of a fragment on the page; `SHOWN` says which topics an audience has.
"""

from enum import StrEnum


class Topic(StrEnum):
    STAGE = "stage"  # what every screen shows now
    TALLY = "tally"  # how many have answered, and the result where this audience may see it
    ROOM = "room"  # who is here
    CLOCK = "clock"  # the timer
    AGENDA = "agenda"  # the plan and where we are in it
    QUEUE = "queue"  # people's words that wait for a check
    HEALTH = "health"  # whether the servers hear each other
    BREAKOUTS = "breakouts"  # the groups: how many people, notes, what is shared back
    HELP = "help"  # the groups that call the facilitator
    GROUP = "group"  # one group's pad; goes to that group's screens alone (`pads`)


class Audience(StrEnum):
    CONSOLE = "console"
    WALL = "wall"
    PHONE = "phone"
    OBSERVER = "observer"


SHOWN: dict[Audience, tuple[Topic, ...]] = {
    Audience.CONSOLE: tuple(topic for topic in Topic if topic != Topic.GROUP),
    Audience.WALL: (Topic.STAGE, Topic.TALLY, Topic.ROOM, Topic.CLOCK, Topic.BREAKOUTS),
    Audience.PHONE: (Topic.STAGE, Topic.TALLY, Topic.ROOM, Topic.CLOCK),
    Audience.OBSERVER: (Topic.STAGE, Topic.TALLY, Topic.ROOM, Topic.CLOCK),
}

#: drawn first and most often, because everybody looks at them; phones share what is left
NEAR = (Audience.CONSOLE, Audience.WALL)
PHONES = (Audience.PHONE, Audience.OBSERVER)

EVERYTHING = frozenset(Topic)

#: announced beside topics: people have been given other places in groups
PLACES = "places"
_PAD = "pad:"


def pad(group_id: int) -> str:
    """The name under which one group's pad is announced."""
    return f"{_PAD}{group_id}"


def group_of(name: str) -> int:
    """The group whose pad this name announces; 0 for every other name."""
    return int(name[len(_PAD) :]) if name.startswith(_PAD) else 0


#: the one group of the channel layer: every process listens to it once
GROUP = "live"
