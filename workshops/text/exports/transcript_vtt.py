"""A transcript as WebVTT, the format of media players and of software for qualitative coding."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Any

#: duration in seconds of a cue without an end and without a next cue
LAST = 5.0


def write(cues: list[dict[str, Any]]) -> str:
    """A file of these `Transcript.parts`."""
    return "\n".join(["WEBVTT\n", *_parts(cues)])


def _parts(cues: list[dict[str, Any]]) -> Iterator[str]:
    starts = [cue["start"] for cue in cues[1:]] + [None]
    for cue, following in zip(cues, starts, strict=True):
        yield f"{_time(cue['start'])} --> {_time(_end(cue, following))}\n{_said(cue)}\n"


def _end(cue: dict[str, Any], following: float | None) -> float:
    """The cue's own end, else the start of the next cue; always after its start."""
    if cue["end"] is not None and cue["end"] > cue["start"]:
        return cue["end"]
    if following is not None and following > cue["start"]:
        return following
    return cue["start"] + LAST


def _time(seconds: float) -> str:
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"


def _said(cue: dict[str, Any]) -> str:
    words = html.escape(cue["text"], quote=False)
    return f"<v {html.escape(cue['speaker'], quote=False)}>{words}" if cue["speaker"] else words
