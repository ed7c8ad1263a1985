"""One question of every type, with no word of a language in it."""

from __future__ import annotations

from polls.types import Question
from polls.types.base import Option

DIGITS = (Option("a", "11"), Option("b", "22"), Option("c", "33"))
QUESTIONS = {
    "single_choice": Question("single_choice", "1?", options=DIGITS, settings={"pass_label": "0"}),
    "multiple_choice": Question("multiple_choice", "2?", options=DIGITS),
    "scale": Question("scale", "3?", settings={"points": ["1", "2", "3"]}),
    "ranking": Question("ranking", "4?", options=DIGITS, settings={"top": 2}),
    "words": Question("words", "5?", settings={"max_entries": 3}),
    "open_text": Question("open_text", "6?"),
    "number": Question("number", "7?", settings={"min": 0, "max": 60, "unit": "9", "none_label": "00"}),
    "points": Question("points", "8?", options=DIGITS),
    "statement": Question("statement", "9."),
}
