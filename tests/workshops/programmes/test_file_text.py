"""A programme's present values in the text of its file: comments, order and layout of all else stay."""

from __future__ import annotations

import difflib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workshops.programmes.file import schema
from workshops.programmes.file import text as file_text
from workshops.programmes.file.format import dump, parse
from workshops.programmes.file.text import with_values

from .made_up_files import VALID

FILES = {
    file.stem: file.read_text() for file in sorted((Path(__file__).parents[3] / "programmes").glob("*.toml"))
}
OWN = FILES["our_own_baby_room"]

pytestmark = pytest.mark.once


def changed_lines(before: str, after: str) -> list[str]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


@pytest.mark.parametrize("text", FILES.values(), ids=FILES.keys())
def test_where_nothing_changed_the_text_is_the_same_to_the_byte(text):
    assert with_values(text, parse(text)) == text


def test_one_changed_word_is_one_changed_line():
    file = parse(OWN)
    file.instrument[1].text = "How often is our room calm?"
    assert changed_lines(OWN, with_values(OWN, file)) == [
        '-text = "How often is our room calm enough for babies and for us?"',
        '+text = "How often is our room calm?"',
    ]


def test_a_value_that_the_file_does_not_have_yet_gets_a_line():
    file = parse(OWN)
    file.programme.contact = "Ask Ada."
    file.prompt[0].minutes = 10  # the default
    assert changed_lines(OWN, with_values(OWN, file)) == ['+contact = "Ask Ada."', "-minutes = 7"]


def test_an_option_is_mended_added_and_taken_away_in_its_place():
    file = parse(OWN)
    options = file.instrument[4].options
    options["lunch"] = "Lunch"
    options["night"] = "The night"
    del options["morning"]
    assert changed_lines(OWN, with_values(OWN, file)) == [
        '-morning = "The morning"',
        '-lunch = "Lunch and sleep"',
        '+lunch = "Lunch"',
        '+night = "The night"',
    ]


def test_a_row_that_goes_takes_nothing_else_with_it():
    file = parse(OWN)
    gone = file.prompt.pop(0)  # the comment behind it stands above the second meeting
    file.plan[0].agenda = [entry for entry in file.plan[0].agenda if entry.prompt != gone.key]
    text = with_values(OWN, file)
    assert "# ---- meeting 2: the day" in text
    assert "on-the-floor" not in text
    assert len(changed_lines(OWN, text)) <= 13


def test_a_new_row_stands_behind_the_one_before_it():
    file = parse(OWN)
    file.instrument.insert(4, schema.Instrument(key="new_one", type="open_text", text="What else?"))
    text = with_values(OWN, file)
    assert text.index("room_first_step") < text.index("new_one") < text.index("on-the-floor")
    assert [line for line in changed_lines(OWN, text) if line.strip("+")] == [
        "+[[instrument]]", '+key = "new_one"', '+type = "open_text"', '+text = "What else?"',
    ]  # fmt: skip


def test_rows_in_another_order_change_places_and_keep_their_comments():
    text = OWN.replace('[[domain]]\nkey = "day"', '# of the day\n[[domain]]\nkey = "day" # twelve hours')
    file = parse(text)
    file.domain.reverse()
    moved = with_values(text, file)
    assert '# of the day\n[[domain]]\nkey = "day" # twelve hours' in moved
    assert "# ---- meeting 1: the room\n\n[[instrument]]" in moved
    assert sorted(moved.splitlines()) == sorted(text.splitlines())


def test_measures_and_consent_are_mended_in_their_place():
    text = OWN.replace(
        'label = "Most days or nearly always"', "label = 'Most days or nearly always' # top two"
    )
    file = parse(text)
    file.instrument[1].measure[0].boxes = 1
    file.information.consent[3].required = True
    assert changed_lines(text, with_values(text, file)) == ["+required = true", "-boxes = 2", "+boxes = 1"]


@settings(max_examples=40)
@given(VALID, VALID)
def test_whatever_changed_the_text_says_it_and_keeps_its_comments(before, after):
    text = "# The head.\n" + dump(before).replace("[programme]", "# About it\n[programme] # all")
    written = with_values(text, after)
    assert parse(written) == after
    if {row.key for row in before.instrument} >= {row.key for row in after.instrument}:
        assert written.startswith("# The head.\n") or written == dump(after)


@settings(max_examples=40)
@given(VALID, st.sampled_from(["instrument", "prompt", "domain"]), st.randoms())
def test_an_ordinary_change_never_needs_the_plain_text(before, section, random):
    text = "# The head.\n" + dump(before)
    after = msgspec.convert(msgspec.to_builtins(before), schema.ProgrammeFile)
    random.shuffle(getattr(after, section))
    if getattr(after, section):
        getattr(after, section).pop()
    if section != "domain":
        after.domain = after.domain[:1]
    assert file_text.with_values(text, after).startswith("# The head.\n")
