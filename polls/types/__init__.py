"""The one registry of poll types. Adding one: a module here, a line below, two templates."""

from .base import InvalidBallot, InvalidQuestion, PollType, Question
from .single_choice import SingleChoice

POLL_TYPES: dict[str, PollType] = {
    poll_type.name: poll_type
    for poll_type in (
        SingleChoice(),
    )
}

__all__ = ["POLL_TYPES", "InvalidBallot", "InvalidQuestion", "PollType", "Question"]
