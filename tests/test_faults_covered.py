"""Every fault that the promises name has a test that carries its number: `pytest -m fault` runs them all.

The numbers are those of the list of faults in the project's promises; the ones that are missing between them were
never given out. A number without a test, and a test with a number that nobody promised, both fail here.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent

PROMISED = {
    "F01": "network gone after the tap",
    "F02": "acknowledgement lost",
    "F03": "half-open connection, phone asleep",
    "F04": "double tap, key held",
    "F05": "A, B, A quickly, in another order",
    "F06": "two tabs of one person",
    "F08": "the server killed with votes in flight",
    "F09": "the server asked to stop",
    "F10": "Redis stopped",
    "F11": "Redis paused",
    "F12": "a slow consumer",
    "F13": "database locked",
    "F14": "database down",
    "F15": "disk full",
    "F17": "a client's clock a day off",
    "F19": "the facilitator's socket drops",
    "F20": "two facilitators press at once",
    "F21": "a vote after the close",
    "F22": "a frame replayed after reopening",
    "F23": "a vote for another workshop's poll",
    "F24": "ten thousand joins in ten seconds",
    "F25": "two thousand clients reconnect at once",
    "F26": "ten thousand hostile frames",
    "F27": "five hundred silent handshakes",
    "F28": "a thousand messages a second from one token",
    "F29": "ten thousand wrong join codes",
    "F32": "back, refresh, private mode, cookies off",
}


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
