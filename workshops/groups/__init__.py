"""Who talks with whom: allocation, membership, pads, overview (reads and pure functions)."""

from .membership import Places, current_round, group_after, load_places, tag
from .overview import GroupView, Overview, load_overview, marked, picked
from .pads import Note, Pad, load_pads, own_note

__all__ = [
    "GroupView", "Note", "Overview", "Pad", "Places", "current_round", "group_after", "load_overview", "load_pads",
    "load_places", "marked", "own_note", "picked", "tag",
]  # fmt: skip
