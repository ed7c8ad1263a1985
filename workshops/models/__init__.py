"""What is stored: `programme.py`, `workshop.py`, `people.py`, `groups.py`, `log.py`."""

from .groups import Agreement, Call, Contribution, Cue, Group, Place, Round, Transcript
from .log import LogEntry
from .people import AccountNotice, Invitation, Membership, Participant, Role
from .programme import Domain, InformationSheet, Mode, Picture, Plan, Programme, Prompt
from .workshop import (
    CODE_ALPHABET,
    CODE_LENGTH,
    AgendaItem,
    GestureLog,
    TextMark,
    Workshop,
    new_code,
    new_key,
)

__all__ = [
    "CODE_ALPHABET", "CODE_LENGTH", "AccountNotice", "AgendaItem", "Agreement", "Call", "Contribution", "Cue",
    "Domain", "GestureLog", "Group", "InformationSheet", "Invitation", "LogEntry", "Membership", "Mode", "Participant",
    "Picture", "Place", "Plan", "Programme", "Prompt", "Role", "Round", "TextMark", "Transcript", "Workshop",
    "new_code", "new_key",
]  # fmt: skip
