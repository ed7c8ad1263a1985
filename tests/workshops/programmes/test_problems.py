"""What keeps a question from being asked, in plain words."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polls.types import POLL_TYPES, Question
from polls.types.base import Option
from workshops.programmes.problems import problems

from ...poll_samples import QUESTIONS

TWO = (Option("a", "A"), Option("b", "B"))


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_that_can_be_asked_has_no_problem(name):
    assert problems(QUESTIONS[name]) == []


@pytest.mark.parametrize(
    ("question", "sentences"),
    [
        (Question("single_choice", "", options=TWO), ["Write the question first."]),
        (Question("single_choice", "Which?", options=TWO[:1]), ["Needs at least two options."]),
        (Question("rating", "Which?"), ["Choose how people answer."]),
        (Question("scale", "How?"), ["A scale needs at least three points, one on each line."]),
        (
            Question("ranking", "Which?", options=TWO, settings={"top": 3}),
            ["There are 2 options: write how many places there are, up to 2."],
        ),
        (
            Question("number", "How many?", settings={"min": 5, "max": 2}),
            ["The highest number must be above the lowest."],
        ),
        (
            Question("words", "How?", settings={"image": "room.webp"}),
            ["Say in words what the picture shows."],
        ),
        (
            Question("multiple_choice", "Which?", options=TWO, settings={"max": 7}),
            ["People can choose at most 2, and not fewer than at least."],
        ),
        (
            Question("words", "How?", settings={"colour": "red"}),
            ["Something in its settings does not fit. Look through them once."],
        ),
    ],
)
def test_what_is_missing_is_said_in_plain_words(question, sentences):
    assert problems(question) == sentences


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.sampled_from(sorted(POLL_TYPES)),
    st.dictionaries(st.sampled_from(["points", "items", "min", "max", "step", "rule", "top", "exclusive", "image"]), anything, max_size=4),
)  # fmt: skip
def test_it_never_raises_and_says_something_exactly_where_the_type_refuses(name, settings):
    question = Question(name, "Which?", options=TWO, settings=settings)
    try:
        POLL_TYPES[name].check(question)
        refused = False
    except Exception:
        refused = True
    assert bool(problems(question)) == refused
    assert problems(replace(question, text=""))
