"""What counts as a quote of somebody's words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visions.summary.overlap import Compared, is_near

SAID = "My manager shouts at the babies when they cry at lunch"


@pytest.mark.parametrize(
    "ours",
    [
        SAID,
        f"{SAID}.",
        SAID.upper(),
        "“My manager SHOUTS – at the babies, when they cry at lunch!”",
        "One of them wrote that my manager shouts at the babies, and more.",
        "My manager shouts at babies when they cry at lunch",
        "Ｍy manager shouts at the babies",
    ],
)
def test_case_punctuation_and_an_odd_word_make_no_other_words(ours):
    assert is_near(ours, SAID)


@pytest.mark.parametrize("ours", ["", "…", "Babies cry at lunch", "A manager who shouts", "My manager"])
def test_other_words_are_other_words(ours):
    assert not is_near(ours, SAID)


@pytest.mark.parametrize(
    ("ours", "theirs", "near"),
    [
        ("calm", "Calm!", True),
        ("A calm room", "calm", False),
        ("Mary Jones", "mary jones", True),
        ("We want a calm quiet room here", "calm quiet room", True),
        ("We want a calm and quiet room", "calm quiet room", False),
        ("a b c d x", "a b c d e", True),
        ("a b c x y", "a b c d e", False),
        ("the the the the the", "the a the b the", False),
    ],
)
def test_short_texts_are_quoted_as_a_whole_or_by_most_of_their_words(ours, theirs, near):
    assert is_near(ours, theirs) is near


words = st.lists(st.sampled_from("abcdefg"), max_size=14).map(" ".join)


@given(st.dictionaries(st.integers(0, 4), words, max_size=5), words)
def test_many_places_are_compared_as_one_by_one(ours, theirs):
    assert Compared(ours).near(theirs) == {place for place, text in ours.items() if is_near(text, theirs)}


@given(words.filter(bool), words, words)
def test_a_text_is_near_to_itself_whatever_stands_around_it_if_it_has_three_words(theirs, before, after):
    assert is_near(theirs, theirs)
    if len(theirs.split()) >= 3:
        assert is_near(f"{before} {theirs} {after}", theirs)
