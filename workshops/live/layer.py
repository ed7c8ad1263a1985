"""Whether the processes of this installation hear each other now: noted by `notify`, drawn for facilitators.

Of this process alone and in memory, like the connections it speaks of.
"""

_is_away = False


def is_away() -> bool:
    """The last announcement reached no other process; screens there look by themselves every few seconds."""
    return _is_away


def note(*, away: bool) -> bool:
    """Returns whether that is news."""
    global _is_away
    is_news, _is_away = away != _is_away, away
    return is_news
