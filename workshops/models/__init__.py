"""Who meets, when and for what (`meetings`), and what happens in small groups (`breakouts`)."""

from .breakouts import Agreement, Call, Contribution, Group, Place, Round, Transcript, Wording
from .meetings import (
    CODE_ALPHABET,
    CODE_LENGTH,
    AgendaItem,
    BroughtText,
    Domain,
    Gesture,
    InformationSheet,
    Invitation,
    Membership,
    Participant,
    Plan,
    Programme,
    Prompt,
    Role,
    Workshop,
    new_code,
    new_key,
)

__all__ = [
    "CODE_ALPHABET", "CODE_LENGTH", "AgendaItem", "Agreement", "BroughtText", "Call", "Contribution", "Domain",
    "Gesture", "Group", "InformationSheet", "Invitation", "Membership", "Participant", "Place", "Plan", "Programme",
    "Prompt", "Role", "Round", "Transcript", "Wording", "Workshop", "new_code", "new_key",
]  # fmt: skip
