"""Every fault of docs/architecture.md § Faults has a test that carries its number: `pytest -m fault` runs them all.

A number without a test, and a test with a number that stands in no table, both fail here.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


def promised() -> dict[str, str]:
    """The table of faults: number → what happens."""
    page = (TESTS.parent / "docs/architecture.md").read_text()
    return dict(re.findall(r"^\| (F\d\d) \| ([^|]+) \|", page, re.MULTILINE))


PROMISED = promised()


@cache
def marked() -> dict[str, list[str]]:
    """Where each number is carried: `tests/test_x.py:12`."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and _name(node.func) == "fault":
                for argument in node.args:
                    number = (
                        str(argument.value) if isinstance(argument, ast.Constant) else ast.unparse(argument)
                    )
                    found[number].append(f"{path.relative_to(TESTS.parent)}:{node.lineno}")
    return found


def _name(function: ast.expr) -> str:
    """`fault` of `fault(…)` and of `pytest.mark.fault(…)`."""
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


@pytest.mark.parametrize("number", PROMISED)
def test_a_promised_fault_has_a_test(number):
    assert marked().get(number), f"no test carries {number}, {PROMISED[number]}"


def test_no_test_carries_a_number_that_was_not_promised():
    assert {number: places for number, places in marked().items() if number not in PROMISED} == {}
