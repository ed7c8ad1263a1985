"""Where every name and value of a TOML text stands."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from workshops.programmes.file.toml_places import Places

FILES = sorted((Path(__file__).parents[3] / "programmes").glob("*.toml"))

HARD = '''
a = 1 # one
"b.c" = 'x' # not.this = 2
d.e."f \\u00e9" = [ 1, # [
  { g = """
h = "1"
""" }, ]
day = 2020-01-01 10:00:00
[t]
i = """x""\\""""
[[t.rows]]
k = 1
[t.rows.sub]
k = [[1, 2], []]
[[t.rows]]
k = 2
'''


def paths(data: Any, path: tuple = ()) -> set[tuple]:
    below = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return {path[:n] for n in range(1, len(path) + 1)} | {
        leaf for key, value in below for leaf in paths(value, (*path, key))
    }


@pytest.mark.parametrize("text", [HARD, *(file.read_text() for file in FILES)])
def test_every_path_of_the_data_has_its_place(text):
    assert set(Places(text).of) == paths(tomllib.loads(text))


@pytest.mark.parametrize("text", [HARD, *(file.read_text() for file in FILES)])
def test_what_stands_at_a_place_is_the_value(text):
    places = Places(text)
    data = tomllib.loads(text)
    for path, place in places.of.items():
        if place.key == (0, 0) and not isinstance(path[-1], int):
            continue
        written = text[slice(*place.value)]
        if written.startswith("[") and path[-1:] and (path, place.value[0]) in places.headers:
            continue
        value = data
        for step in path:
            value = value[step]
        assert tomllib.loads(f"v = {written}\n")["v"] == value or isinstance(value, dict)


def test_a_line_is_that_of_the_name_or_of_the_table_around_it():
    places = Places(HARD)
    assert places.line(("a",)) == 2
    assert places.line(("d", "e", "f é", 1, "g")) == 5
    assert places.line(("t", "rows", 1)) == 15
    assert places.line(("t", "rows", 1, "missing", "far")) == 15
    assert places.line(("nowhere",)) == 1


NAMES = st.text(max_size=8)
LEAVES = st.one_of(
    st.booleans(), st.integers(-9, 9), st.floats(allow_nan=False), st.text(max_size=12), st.dates()
)
TREES = st.dictionaries(
    NAMES,
    st.recursive(
        LEAVES,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


@given(TREES, st.booleans())
def test_whatever_a_writer_writes_every_path_is_found(data, multiline):
    text = tomli_w.dumps(data, multiline_strings=multiline)
    found = set(Places(text).of)
    # an empty array of tables or an empty table between others may be written by its parts only
    assert found >= set(paths(tomllib.loads(text)))
