"""The benchmark of a programme's page measures the page, in front of an archive that adds up."""

import json
import subprocess
import sys

import pytest

from ..archive import GOAL_MS


@pytest.mark.slow
def test_the_archive_is_as_large_as_asked_and_the_page_is_judged(tmp_path):
    found = tmp_path / "found.json"
    ran = subprocess.run(
        [sys.executable, "-m", "tests.archive", "--stack", "sqlite", "--ballots", "20000", "--json", str(found)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.exists(), ran.stderr
    measured = json.loads(found.read_text())
    assert measured["ballots"] >= 20_000
    assert measured["workshops"] == measured["ballots"] / measured["sizes"][0]["ballots"] * 5
    assert [each["workshops"] for each in measured["sizes"]] == [5, 50]
    assert measured["judged"] == 50
    assert "for 50 workshops" in ran.stdout
    # Ten times the workshops say ten times as much, and nothing of what else is kept.
    assert measured["sizes"][1]["ballots"] == 10 * measured["sizes"][0]["ballots"]
    assert measured["met"] == (measured["judged_ms"] <= GOAL_MS) == (ran.returncode == 0)
