"""The phone's budget: what may travel to and from a participant's phone, and what does.

    make budget        # or: python -m tests.budget

runs the tests that measure it and prints a table of goals and measured figures. A test says `spend(what, measured,
goal, unit)`: it fails above the goal, and the table shows the figure either way. What a clock measured (`clock=True`)
fails `make budget` alone: among other tests it would say how busy the machine is.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import pytest

JOIN_PAGE_BYTES, JOIN_PAGE_REQUESTS = 45_000, 4
FIRST_VOTE_BYTES, FIRST_VOTE_SECONDS = 60_000, 5.0
VOTE_BYTES = 1_000  # each way
HOUR_BYTES = 250_000
SCRIPT_BYTES = 20_000  # gzipped

MEASURED_BY = ["tests/browser/test_budget.py", "tests/own/test_hour_of_traffic.py"]
LINE = "  {what:<52} {measured:>16}   of {goal:<16} {verdict}"

Spend = Callable[..., None]


@pytest.fixture
def spend(record_property: Callable[[str, object], None]) -> Spend:
    """Write down what something costs, and fail where that is more than its goal."""

    def written_down(what: str, measured: float, goal: float, unit: str, clock: bool = False) -> None:
        record_property("spent", (what, measured, goal, unit))
        assert clock or measured <= goal, f"{what}: {measured:,.1f} {unit}, and the goal is {goal:,} {unit}"

    return written_down


class Table:
    """Hears every figure while the tests run."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, float, float, str]] = []
        self.missing: list[str] = []  # why something was not measured

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self.lines += [value for name, value in report.user_properties if name == "spent"]
        if report.skipped and isinstance(report.longrepr, tuple):
            self.missing.append(report.longrepr[2])

    def __iter__(self) -> Iterator[str]:
        for what, measured, goal, unit in self.lines:
            verdict = "" if measured <= goal else "too much"
            yield LINE.format(
                what=what, measured=_figure(measured, unit), goal=_figure(goal, unit), verdict=verdict
            ).rstrip()
        yield from (f"  Not measured. {why.removeprefix('Skipped: ')}" for why in self.missing)


def _figure(number: float, unit: str) -> str:
    return f"{number:,.1f} {unit}" if unit == "seconds" else f"{number:,.0f} {unit}"


def main() -> int:
    table = Table()
    ended = pytest.main(["-q", "-n", "0", "-p", "no:randomly", *MEASURED_BY], plugins=[table])
    print("\nThe phone's budget\n")
    print("\n".join(table) or "  Nothing was measured.")
    return int(ended) or int(any(measured > goal for _what, measured, goal, _unit in table.lines))


if __name__ == "__main__":
    sys.exit(main())
