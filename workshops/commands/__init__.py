"""One table for both doors: the shape of what arrives, who may, which action."""

from .console import STAFF_COMMANDS, run_staff_command, staff_command
from .phone import (
    PHONE_FRAMES,
    MarkSeen,
    Vote,
    busy_reply,
    group_command,
    receipt_json,
    reply,
    run_frame,
    take_frame,
    write_now,
)
from .schemas import BadCommand

__all__ = [
    "PHONE_FRAMES", "STAFF_COMMANDS", "BadCommand", "MarkSeen", "Vote", "busy_reply", "group_command",
    "receipt_json", "reply", "run_frame", "run_staff_command", "staff_command", "take_frame", "write_now",
]  # fmt: skip
