"""The one registry of poll types. Adding one: a module here, a line below, two templates."""

from .base import InvalidBallot, InvalidQuestion, PollType, Question
from .multiple_choice import MultipleChoice
from .number import Number
from .open_text import OpenText
from .points import Points
from .ranking import Ranking
from .scale import Scale
from .single_choice import SingleChoice
from .statement import Statement
from .words import Words

POLL_TYPES: dict[str, PollType] = {
    poll_type.name: poll_type
    for poll_type in (
        SingleChoice(),
        MultipleChoice(),
        Scale(),
        Ranking(),
        Words(),
        OpenText(),
        Number(),
        Points(),
        Statement(),
    )
}

__all__ = ["POLL_TYPES", "InvalidBallot", "InvalidQuestion", "PollType", "Question"]
