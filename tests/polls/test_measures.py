"""Measures are counted from ballots: hit, missed, or not in the base."""

import pytest

from polls.measures import InvalidMeasure, check, count, hit
from polls.types import Question
from polls.types.base import Option

SIZE = Question(
    "single_choice",
    "How many babies?",
    options=(Option("n6_8", "6 to 8"), Option("n9_12", "9 to 12"), Option("n19_plus", "19 or more")),
    settings={"other": True},
)
PLACE = Question("multiple_choice", "Where?", options=(Option("quiet", "Quiet"), Option("garden", "Garden")))
CONNECT = Question("scale", "How important?", settings={"points": ["not", "slightly", "moderately", "very"]})
BLOCK = Question(
    "scale",
    "How important?",
    settings={"points": 5, "items": [{"key": "a", "label": "A"}, {"key": "b", "label": "B"}]},
)
BABIES = Question("number", "How many now?", settings={"min": 0, "max": 60, "none_label": "No baby room"})
FIRST = Question("ranking", "What first?", options=(Option("x", "X"), Option("y", "Y"), Option("z", "Z")))
MONEY = Question("points", "On what?", options=(Option("x", "X"), Option("y", "Y")))
VISION = Question("statement", "Rooms are small.")
WORDS = Question("words", "In a word?")


def test_merged_options_are_counted_from_ballots():
    counted = [("n6_8", 24), ("n9_12", 27), ("n19_plus", 0), ({"other": "it depends"}, 27)]
    assert count("merge", {"members": ["n6_8", "n9_12"]}, counted, SIZE) == (51, 78)


def test_an_option_that_nobody_chose_has_a_zero_and_its_base():
    assert count("option", {"members": ["n19_plus"]}, [("n6_8", 78)], SIZE) == (0, 78)


def test_a_pass_is_in_no_base():
    assert count("option", {"members": ["n6_8"]}, [("n6_8", 1), (None, 5)], SIZE) == (1, 1)
    assert hit("merge", {"members": ["agree"]}, {"choice": "pass", "reason": "not sure"}, VISION) is None


def test_the_own_answer_is_a_member():
    assert hit("option", {"members": ["other"]}, {"other": "it depends"}, SIZE) is True


def test_any_of_needs_one_and_all_of_needs_every_member():
    both = {"members": ["quiet", "garden"]}
    counted = [(["quiet"], 3), (["quiet", "garden"], 2)]
    assert count("any_of", both, counted, PLACE) == (5, 5)
    assert count("all_of", both, counted, PLACE) == (2, 5)


@pytest.mark.parametrize(("kind", "hits"), [("top_box", 7), ("bottom_box", 3)])
def test_boxes_count_from_the_end_of_the_scale(kind, hits):
    assert count(kind, {"boxes": 2}, [(1, 1), (2, 2), (3, 3), (4, 4)], CONNECT) == (hits, 10)


def test_a_skipped_line_is_not_in_the_base():
    counted = [({"a": 5, "b": 1}, 2), ({"b": 5}, 1)]
    assert count("top_box", {"boxes": 2, "item": "a"}, counted, BLOCK) == (2, 2)
    assert count("top_box", {"boxes": 2, "item": "b"}, counted, BLOCK) == (1, 3)


def test_a_band_has_both_its_ends_and_leaves_out_those_without_a_number():
    counted = [(18, 1), (19, 2), (22, 4), ({"none": True}, 8)]
    assert count("band", {"low": 19}, counted, BABIES) == (6, 7)
    assert count("band", {"low": 18, "high": 19}, counted, BABIES) == (3, 7)


def test_places_points_and_agreement_can_be_members():
    assert hit("any_of", {"members": ["x"]}, ["y", "x"], FIRST) is True
    assert hit("any_of", {"members": ["z"]}, ["y", "x"], FIRST) is False
    assert hit("option", {"members": ["x"]}, {"y": 100}, MONEY) is False
    assert hit("merge", {"members": ["agree", "live_with"]}, {"choice": "live_with"}, VISION) is True


@pytest.mark.parametrize(
    ("kind", "definition", "question"),
    [
        ("merge", {"members": ["n6_8", "n9_12"]}, SIZE),
        ("option", {"members": ["4"]}, CONNECT),
        ("top_box", {"boxes": 2}, CONNECT),
        ("top_box", {"boxes": 2, "item": "a"}, BLOCK),
        ("band", {"low": 6, "high": 12}, BABIES),
        ("band", {"low": 6, "high": 6}, BABIES),
        ("all_of", {"members": ["n6_8"]}, SIZE),
        ("all_of", {"members": ["quiet", "garden"]}, PLACE),
    ],
)
def test_a_measure_that_fits_its_question_is_taken(kind, definition, question):
    check(kind, definition, question)


@pytest.mark.parametrize(
    ("kind", "definition", "question", "named"),
    [
        ("median", {}, SIZE, "kind"),
        ("merge", {"members": ["n6_9"]}, SIZE, "members"),
        ("merge", {"members": []}, SIZE, "members"),
        ("merge", {}, SIZE, "members"),
        ("merge", {"members": ["n6_8"], "boxes": 2}, SIZE, "boxes"),
        ("merge", {"members": ["n6_8", "n6_8"]}, SIZE, "members"),
        ("option", {"members": ["n6_8", "n9_12"]}, SIZE, "members"),
        ("all_of", {"members": ["n6_8", "n9_12"]}, SIZE, "kind"),
        ("merge", {"members": ["calm"]}, WORDS, "kind"),
        ("top_box", {"boxes": 2}, SIZE, "kind"),
        ("top_box", {"boxes": 4}, CONNECT, "boxes"),
        ("top_box", {"boxes": True}, CONNECT, "boxes"),
        ("top_box", {"boxes": 2, "item": "a"}, CONNECT, "item"),
        ("top_box", {"boxes": 2}, BLOCK, "item"),
        ("band", {}, BABIES, "low"),
        ("band", {"low": "6"}, BABIES, "low"),
        ("band", {"low": 12, "high": 6}, BABIES, "high"),
        ("band", {"low": 1}, SIZE, "kind"),
    ],
)
def test_a_measure_that_does_not_fit_is_refused_by_name(kind, definition, question, named):
    with pytest.raises(InvalidMeasure, match=f"^{named}"):
        check(kind, definition, question)
