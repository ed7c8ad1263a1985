"""Frames for every kind of screen: each shape that a socket takes, right or with something wrong in it."""

from __future__ import annotations

import json
from typing import Any, get_args

import msgspec
from hypothesis import strategies as st

from workshops import commands
from workshops.live import socket

from .odd import texts, values

SHAPES = [socket.Hello, socket.Ping, socket.Look, *get_args(commands.phone.PHONE_FRAMES)]
FIELDS = [
    "choice", "other", "reason", "pass", "option", "word", "text", "number", "none", "agreement", "point", "point_calm",
    "rank_a", "rank_b", "points_a", "points_b",
]  # fmt: skip


def _right(name: str, numbers: list[int]) -> Any:
    """Values that a field of this name may have in earnest."""
    match name:
        case "fields":
            few = st.lists(st.sampled_from(["a", "b", "4", "agree", "1", "calm"]) | texts, max_size=3)
            return st.dictionaries(st.sampled_from(FIELDS), few, max_size=5)
        case "seen":
            return st.dictionaries(st.sampled_from(["stage", "tally", "room", "group"]), texts, max_size=3)
        case "op":
            return st.sampled_from(["op1", "op2", "op3"]) | st.uuids().map(str)
        case "text":
            return texts
        case "on":
            return st.booleans()
        case _:
            return st.sampled_from(numbers) | st.integers(0, 3)


@st.composite
def frames(draw: Any, numbers: list[int]) -> str:
    """The text of a frame; `numbers` are those of rows that are there."""
    if draw(st.integers(0, 9)) == 0:
        return draw(texts)
    shape = draw(st.sampled_from(SHAPES))
    frame = {"t": shape.__struct_config__.tag}
    for field in msgspec.structs.fields(shape):
        frame[field.name] = draw(_right(field.name, numbers))
    for _ in range(draw(st.integers(0, 2))):
        name = draw(st.sampled_from(sorted(frame)) | texts)
        frame[name] = draw(values)
    return json.dumps(frame)
