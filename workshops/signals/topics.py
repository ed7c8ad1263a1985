"""Topics (fragments of a screen that can change) and audiences (kinds of screens).

A topic is the id of a fragment on the page; `SHOWN` has the topics of each audience.
"""

from collections.abc import Iterable
from enum import StrEnum


class Topic(StrEnum):
    STAGE = "stage"  # the current agenda item
    TALLY = "tally"  # the number of answers, and the result where this audience may see it
    ROOM = "room"  # the head count of participants
    CLOCK = "clock"  # the timer
    AGENDA = "agenda"  # the agenda with its current item
    QUEUE = "queue"  # the moderation queue: texts that wait for a decision
    HEALTH = "health"  # whether the message broker between servers works
    BREAKOUTS = "breakouts"  # the round of groups: members, notes, the note shared on the wall
    HELP = "help"  # the groups that called for help
    GROUP = "group"  # one group's pad; sent to that group's screens alone (`live.group_pads`)


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

#: audiences drawn first and most often, because the whole room looks at them; phones share the remaining time
NEAR = (Audience.CONSOLE, Audience.WALL)
PHONES = (Audience.PHONE, Audience.OBSERVER)

EVERYTHING = frozenset(Topic)

#: announced beside topics: the membership of groups changed
PLACES = "places"
#: announced beside topics: somebody may have lost the right to have a screen of this workshop open
RIGHTS = "rights"
#: announced beside topics: the workshop is removed, or is back
REMOVED = "removed"
#: announced beside topics: the wall of this workshop has another address
WALL_KEY = "wall key"
#: the number of no workshop: announced is what concerns a user, wherever they have a screen open
NO_WORKSHOP = 0
_STAFF = "staff:"
_PAD = "pad:"
_LISTENS = "listens:"


def pad(group_id: int) -> str:
    """The name under which one group's pad is announced."""
    return f"{_PAD}{group_id}"


def group_of(name: str) -> int:
    """The group whose pad this name announces; 0 for every other name."""
    return int(name[len(_PAD) :]) if name.startswith(_PAD) else 0


def listens(listener: str) -> str:
    """The name under which a process tells the others that somebody has a screen open who is not counted."""
    return f"{_LISTENS}{listener}"


def listeners_of(names: Iterable[str]) -> set[str]:
    """The listeners that these names announce."""
    return {name[len(_LISTENS) :] for name in names if name.startswith(_LISTENS)}


def staff(user_id: int) -> str:
    """The name under which is announced that a member of staff may have lost a right."""
    return f"{_STAFF}{user_id}"


def users_of(names: Iterable[str]) -> set[int]:
    """The users that these names announce."""
    return {int(name[len(_STAFF) :]) for name in names if name.startswith(_STAFF)}


#: the one group of the channel layer, to which every process subscribes once
GROUP = "live"
