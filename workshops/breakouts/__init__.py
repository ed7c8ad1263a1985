"""Reads about groups: where somebody sits, what stands on a pad, how all groups are doing."""

from .notes import Note, Pad, own_note, pads
from .progress import GroupView, Overview, overview, picked, wanted
from .seating import Places, current_round, group_after, places, tag

__all__ = [
    "GroupView", "Note", "Overview", "Pad", "Places", "current_round", "group_after", "overview", "own_note", "pads",
    "picked", "places", "tag", "wanted",
]  # fmt: skip
