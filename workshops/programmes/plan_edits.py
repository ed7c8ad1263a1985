"""Plans as they are edited: steps by a name of their own, and what a change means for workshops (pure functions)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.utils.text import slugify

from .planning import Entry, Line


def kind_of(entry: Entry) -> str:
    """ "poll", "prompt" or "pause"."""
    return next(kind for kind in ("poll", "prompt", "pause") if entry.get(kind))


def names(agenda: Iterable[Entry]) -> list[str]:
    """A name for each step, to be found again by a form after others have moved: "poll-location", "pause-tea-2"."""
    return list(_numbered(f"{kind_of(entry)}-{slugify(entry[kind_of(entry)])}" for entry in agenda))


def _numbered(keys: Iterable[str]) -> Iterator[str]:
    seen: Counter[str] = Counter()
    for key in keys:
        seen[key] += 1
        yield key if seen[key] == 1 else f"{key}-{seen[key]}"


def moved(agenda: Sequence[Entry], place: int, by: int) -> list[Entry]:
    """With the step at this place moved down `by` places, or up where it is negative; the ends stay the ends."""
    rest = [entry for index, entry in enumerate(agenda) if index != place]
    rest.insert(min(max(place + by, 0), len(rest)), agenda[place])
    return rest


def with_values(entry: Entry, *, title: str, minutes: int, notes: str) -> Entry:
    """A step with these values; a pause's title is its words, another's title is left out where it is empty."""
    kind = kind_of(entry)
    changed: Entry = {kind: title or entry[kind] if kind == "pause" else entry[kind], "minutes": minutes}
    if title and kind != "pause":
        changed["title"] = title
    if notes:
        changed["notes"] = notes
    if picture := entry.get("picture"):
        changed["picture"] = picture
    return changed


# --- what would change --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Differences:
    """What taking over a plan would change in a workshop's agenda; titles of steps."""

    added: list[str]
    removed: list[str]
    #: steps that stay with other minutes, another title or other notes
    changed: list[str]
    moved: bool
    #: from so many minutes to so many, where the length changes
    length: tuple[int, int] | None

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.removed or self.changed or self.moved or self.length)


def differences(now: Sequence[Line], then: Sequence[Line], length: tuple[int, int]) -> Differences:
    pairs = matched(now, then)
    kept = set(pairs.values())
    order = [pairs[index] for index in range(len(then)) if index in pairs]
    return Differences(
        added=[line.title for index, line in enumerate(then) if index not in pairs],
        removed=[line.title for index, line in enumerate(now) if index not in kept],
        changed=[then[index].title for index, old in pairs.items() if now[old] != then[index]],
        moved=order != sorted(order),
        length=length if length[0] != length[1] else None,
    )


def matched(now: Sequence[Line], then: Sequence[Line]) -> dict[int, int]:
    """Places in `then` → places in `now` of the same step: what it asks, and whether at joining. Each once."""
    free: dict[tuple[str, bool], list[int]] = {}
    for place, line in enumerate(now):
        free.setdefault((line.what, line.profile), []).append(place)
    pairs = {}
    for place, line in enumerate(then):
        if waiting := free.get((line.what, line.profile)):
            pairs[place] = waiting.pop(0)
    return pairs
