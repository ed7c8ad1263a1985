"""Lines that somebody pastes or types become questions, as a person would read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polls.types import POLL_TYPES
from workshops.programmes.pasted import (
    Pasted,
    as_question,
    guess_type,
    has_lists,
    line_by_line,
    one_question,
    parse,
    too_long,
    uses_options,
)

HELP = Pasted("What would help most?", ("A mentor in the room", "Time to watch", "A course"))


@pytest.mark.parametrize("mark", ["- ", "– ", "—", "* ", "• ", "•\t", "o\t", "☐ ", "[ ] ", "( ) ", "  - "])
def test_the_first_line_asks_and_the_others_are_its_options(mark):
    lines = [HELP.text, *(mark + label for label in HELP.options)]
    assert parse("\n".join(lines)) == [HELP]


@pytest.mark.parametrize(
    "marks", ["1. 2. 3. ", "1) 2) 3) ", "a) b) c) ", "A. B. C. ", "(a) (b) (c) ", "(1) (2) (3) "]
)
def test_numbers_and_letters_before_options_are_dropped(marks):
    lines = [HELP.text, *(f"{mark} {label}" for mark, label in zip(marks.split(), HELP.options, strict=True))]
    assert parse("\r\n".join(lines)) == [HELP]


def test_plain_lines_are_options_too():
    assert parse("\n".join([HELP.text, *HELP.options])) == [HELP]


def test_what_only_looks_like_a_mark_stays():
    lines = "How cold?\n-5 degrees\n3.5 degrees\nA lovely room\n1.5 to 2\nU.S. rooms\n6 to 8"
    options = ("-5 degrees", "3.5 degrees", "A lovely room", "1.5 to 2", "U.S. rooms", "6 to 8")
    assert parse(lines) == [Pasted("How cold?", options)]


def test_blank_lines_part_questions():
    assert parse("Who?\n- You\n- Me\n\n\nWhere?\n- Here\n- There") == [
        Pasted("Who?", ("You", "Me")),
        Pasted("Where?", ("Here", "There")),
    ]


def test_a_blank_line_between_a_question_and_its_list_parts_nothing():
    assert parse("Who?\n\n- You\n- Me\n\nWhere?\n\n1. Here\n2. There") == [
        Pasted("Who?", ("You", "Me")),
        Pasted("Where?", ("Here", "There")),
    ]


def test_numbered_questions_with_lettered_options_need_no_blank_line():
    assert parse("1. Who?\na) You\nb) Me\n2. Where?\na) Here\nb) There\n3. Why?") == [
        Pasted("Who?", ("You", "Me")),
        Pasted("Where?", ("Here", "There")),
        Pasted("Why?"),
    ]


def test_plain_questions_with_dashed_options_need_no_blank_line():
    assert parse("Who\n- You\n- Me\nWhere\n- Here\n- There") == [
        Pasted("Who", ("You", "Me")),
        Pasted("Where", ("Here", "There")),
    ]


@pytest.mark.parametrize(
    "words", ["Who?\nWhere?\nWhy?", "1. Who?\n2. Where?\n3. Why?", "Q1: Who?\nQ2: Where?\nQ3: Why?"]
)
def test_lines_that_all_ask_are_questions(words):
    assert parse(words) == [Pasted("Who?"), Pasted("Where?"), Pasted("Why?")]


def test_the_reading_can_be_turned_round():
    assert one_question("Who?\nWhere?\n\nWhy?") == [Pasted("Who?", ("Where?", "Why?"))]
    assert line_by_line("Who?\n- You\n\n- Me") == [Pasted("Who?"), Pasted("You"), Pasted("Me")]
    assert one_question(" \n") == line_by_line("") == []


def test_minutes_in_brackets_are_minutes():
    assert parse("What would calm look like? (10 min)") == [Pasted("What would calm look like?", minutes=10)]
    assert parse("(5 min)") == [Pasted("(5 min)")]


def test_an_option_that_stands_twice_stands_once():
    assert parse("Who?\nMe\nMe\nYou") == [Pasted("Who?", ("Me", "You"))]


def test_a_dropped_mark_is_known():
    assert has_lists("Who?\n- Me")
    assert not has_lists("Who?\nMe")


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ("What would help most?", "A mentor|A course", "single_choice"),
        ("Where is it? Choose up to three", "Here|There|Up|Down", "multiple_choice"),
        ("Which of these? Tick all that apply.", "Here|There", "multiple_choice"),
        ("How important is this?", "Not at all important|A little|Very important", "scale"),
        ("We meet often enough", "Strongly disagree|Disagree|Agree|Strongly agree", "scale"),
        ("What matters most? Choose your top three.", "A|B|C|D", "ranking"),
        ("Rank these", "A|B|C", "ranking"),
        ("Share 100 points between them", "A|B", "points"),
        ("In a word or short phrase: how does it feel?", "", "words"),
        ("How many babies are in the room?", "", "number"),
        ("How many babies are in the room?", "5 or fewer|6 to 8", "single_choice"),
        ("What would you change?", "", "open_text"),
        ("Which room is yours?", "", "single_choice"),
        ("Every baby has one familiar educator.", "", "statement"),
    ],
)  # fmt: skip
def test_the_type_is_guessed_from_how_the_question_is_put(text, options, expected):
    assert guess_type(Pasted(text, tuple(filter(None, options.split("|"))))) == expected


def test_a_limit_in_the_question_becomes_its_setting():
    pasted = Pasted("Choose up to three", ("A", "B", "C", "D"))
    assert as_question(pasted, "multiple_choice").settings == {"max": 3}
    assert as_question(pasted, "ranking").settings == {"top": 3}


def test_what_is_too_long_is_found_before_it_is_stored():
    assert too_long([HELP]) is None
    assert too_long([HELP, long := Pasted("x" * 2001)]) == ("text", long)
    assert too_long([long := Pasted("Who?", ("y" * 256,))]) == ("label", long)
    assert too_long([many := Pasted("Who?", tuple(map(str, range(21))))]) == ("options", many)


lines = st.lists(
    st.one_of(
        st.text(max_size=30),
        st.sampled_from(["", "- a", "1. b", "b) c", "Why?", "(5 min)", "• ", "- - x", "2) - y?"]),
    ),
    max_size=12,
).map("\n".join)


@given(lines)
def test_whatever_is_pasted_can_be_read(words):
    for read in (parse(words), one_question(words), line_by_line(words)):
        for one in read:
            assert one.text
            assert all(one.options)
            assert len(set(one.options)) == len(one.options)
            assert guess_type(one) in POLL_TYPES


@given(lines)
def test_no_letter_is_made_up_and_none_is_lost_but_marks(words):
    kept = [line for one in line_by_line(words) for line in [one.text]]
    assert [one.text for one in one_question(words)] == kept[:1]
    assert len(kept) <= len(words.splitlines())


@given(lines)
def test_what_was_read_is_read_the_same_again(words):
    for one in one_question(words):
        again = "\n".join([one.text, *(f"- {label}" for label in one.options)])
        assert [Pasted(read.text, read.options) for read in one_question(again)] == [
            Pasted(one.text, one.options)
        ]


@given(lines, st.sampled_from(sorted(POLL_TYPES)))
def test_every_question_can_be_of_every_type(words, type_name):
    for one in parse(words):
        question = as_question(one, type_name)
        assert question.as_json() == type(question).from_json(question.as_json()).as_json()
        stored = [option.label for option in question.options] or question.settings.get("points", 5)
        assert stored == list(one.options) or not uses_options(type_name) or not one.options
