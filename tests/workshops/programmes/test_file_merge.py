"""Three-way merge of a programme file: what only one side has changed is taken from that side."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings

from workshops.programmes.file import schema
from workshops.programmes.file.format import parse
from workshops.programmes.file.merge import differences, merge

from .made_up_files import VALID
from .small_file import SMALL, change

pytestmark = pytest.mark.once


@settings(max_examples=30)
@given(VALID, VALID)
def test_where_only_one_side_has_changed_the_merge_is_that_side(base, changed):
    assert merge(base, base, changed).file == changed
    assert merge(base, changed, base).file == changed
    assert merge(base, changed, changed).file == changed


@settings(max_examples=30)
@given(VALID, VALID, VALID)
def test_nothing_that_somebody_added_is_lost(base, ours, theirs):
    merged = merge(base, ours, theirs).file
    for name in ("domain", "instrument", "prompt"):
        keys = [{row.key for row in getattr(file, name)} for file in (base, ours, theirs, merged)]
        assert keys[3] >= (keys[1] | keys[2]) - keys[0]


def test_a_question_that_a_plan_names_does_not_go_with_the_file():
    base = parse(SMALL)
    ours = parse(change('{ prompt = "walk" }', '{ prompt = "walk", minutes = 9 }'))
    theirs = msgspec.structs.replace(base, instrument=[], plan=[], benchmark=[])
    merged = merge(base, msgspec.structs.replace(ours, plan=[*ours.plan, _another_plan()]), theirs)
    assert [row.key for row in merged.file.instrument] == ["size"]
    assert "question size" in merged.kept


def _another_plan() -> schema.Plan:
    return schema.Plan(key="second", title="Second", agenda=[schema.AgendaEntry(poll="size")])


def test_differences_say_where_what_stood_and_what_will_stand():
    now, then = parse(SMALL), parse(change("How many babies?", "How many?").replace("A small one", "Small"))
    assert [(one.place, one.now, one.then) for one in differences(now, then)] == [
        ("programme, title", "A small one", "Small"),
        ("question size, text", "How many babies?", "How many?"),
    ]
