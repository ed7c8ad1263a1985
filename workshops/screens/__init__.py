"""What every screen shows: one scene, one table, one `draw`."""

from .drawing import (
    TEMPLATES,
    context,
    desk_pads,
    draw,
    draw_desk_pad,
    draw_desk_pads,
    draw_own_pad,
    draw_pads,
)
from .scene import Scene, poll_context, result_context

__all__ = [
    "TEMPLATES", "Scene", "context", "desk_pads", "draw", "draw_desk_pad", "draw_desk_pads", "draw_own_pad",
    "draw_pads", "poll_context", "result_context",
]  # fmt: skip
