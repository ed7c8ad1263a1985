"""Rehearsal phones answer every question that can be asked."""

from __future__ import annotations

import random

import pytest

from polls.types import POLL_TYPES, Question
from tests.poll_samples import OPTIONS, QUESTIONS
from workshops.operations import fake_answers

AWKWARD = {
    "at least four": Question("multiple_choice", "Which?", options=OPTIONS, settings={"min": 4, "max": 4}),
    "at least four, no most": Question("multiple_choice", "Which?", options=OPTIONS, settings={"min": 4}),
    "all of three": Question("ranking", "Order?", options=OPTIONS, settings={"top": 3, "exact": True}),
    "steps of a tenth": Question("number", "How much?", settings={"min": 0, "max": 1, "step": 0.1}),
    "steps that miss the end": Question("number", "How many?", settings={"min": 1, "max": 9, "step": 5}),
    "below nought": Question("number", "How cold?", settings={"min": -40, "max": -10}),
    "large numbers": Question("number", "How many?", settings={"min": 1000, "max": 1010}),
    "no limits": Question("number", "How many?"),
    "only a least": Question("number", "How many?", settings={"min": 100}),
    "ten dots": Question("points", "Where?", options=OPTIONS, settings={"budget": 10}),
    "thirty-three dots": Question("points", "Where?", options=OPTIONS, settings={"budget": 33}),
    "one word": Question("words", "In a word?", settings={"max_entries": 1, "max_length": 4}),
    "five words": Question("words", "In words?", settings={"max_entries": 5}),
    "few letters": Question("open_text", "Your hope?", settings={"max_length": 1}),
    "no pass": Question("statement", "It is small.", settings={"allow_pass": False}),
}


@pytest.mark.parametrize("name", [*QUESTIONS, *AWKWARD])
def test_what_is_invented_is_a_ballot(name):
    question = (QUESTIONS | AWKWARD)[name]
    poll_type, rng = POLL_TYPES[question.type], random.Random(7)
    poll_type.check(question)
    for _time in range(200):
        poll_type.clean(fake_answers.invent(question, rng), question)
