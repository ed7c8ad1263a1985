"""Cells of CSV files: what people typed is never a formula in a spreadsheet."""

import pytest

from workshops.text.exports.cells import safe


@pytest.mark.parametrize(
    "typed", ["=1+1", "+1+1", "-cmd", "@sum", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠x", " =1"]
)
def test_a_cell_that_a_spreadsheet_would_evaluate_begins_with_a_quote(typed):
    assert safe(typed) == f"'{typed}" or safe(typed).startswith("'")


def test_what_follows_another_separator_is_no_formula_either():
    assert safe("x;=cmd|' /C calc'!A0") == "x;'=cmd|' /C calc'!A0"
    assert safe("calm; warm") == "calm; warm"


@pytest.mark.parametrize("cell", [-1, "-1", "-1.5", "calm - warm", "6 to 8", 0])
def test_numbers_and_plain_words_stay_as_they_are(cell):
    assert safe(cell) == str(cell)
