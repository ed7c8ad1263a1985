"""`make lint` asks whether a package has a known fault, and says so where it could not ask."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .. import audit

pytestmark = pytest.mark.once
SOUND: dict[str, Any] = {"name": "django", "version": "5.2.19", "vulns": []}
FAULTY: dict[str, Any] = {
    "name": "pillow",
    "version": "1.0",
    "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["1.1"]}],
}
UNKNOWN: dict[str, Any] = {"name": "uvicorn", "skip_reason": "not found"}
NOT_HERE = "The data about known faults cannot be had here: the packages were not audited.\n"


@pytest.fixture
def stand_in(tmp_path):
    """A command in place of pip-audit, which says this and ends so."""

    def made(says: str, status: int) -> str:
        path = tmp_path / "stand-in"
        answer = f"import sys\nprint({says!r})\nopen({str(tmp_path / 'asked')!r}, 'w').write(' '.join(sys.argv[1:]))"
        path.write_text(f"#!{sys.executable}\n{answer}\nsys.exit({status})\n")
        path.chmod(0o700)
        return str(path)

    return made


def audited(command: str) -> tuple[int, str]:
    asked = [sys.executable, "-m", "tests.audit", command]
    done = subprocess.run(asked, cwd=audit.ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


def reports(*packages: dict[str, Any]) -> str:
    return json.dumps({"dependencies": list(packages), "fixes": []})


def test_a_known_fault_fails_and_says_what_mends_it(stand_in):
    status, said = audited(stand_in(reports(SOUND, FAULTY), 1))
    assert status == 1
    assert said == "pillow 1.0 has a known fault (PYSEC-1, CVE-1); mended in 1.1\n"


def test_sound_packages_pass_without_a_word(stand_in):
    assert audited(stand_in(reports(SOUND), 0)) == (0, "")


@pytest.mark.parametrize(
    ("says", "status"),
    [("Traceback (most recent call last): no route", 1), ("", 1), (reports(UNKNOWN, UNKNOWN), 0), ("[]", 0)],
)
def test_without_its_data_it_says_so_in_one_line_and_does_not_fail(stand_in, says, status):
    assert audited(stand_in(says, status)) == (0, NOT_HERE)


def test_without_the_command_it_says_so_too(tmp_path):
    assert audited(str(tmp_path / "nothing")) == (0, NOT_HERE)


def test_packages_that_were_left_out_are_named_and_the_others_count(stand_in):
    status, said = audited(stand_in(reports(FAULTY, UNKNOWN), 1))
    assert status == 1
    assert said.startswith("1 of 2 packages were not audited: uvicorn\n")


def test_every_package_that_a_server_runs_is_asked_about_with_its_hash(stand_in, tmp_path):
    audited(stand_in(reports(SOUND), 0))
    asked = (tmp_path / "asked").read_text()
    assert "--require-hashes --disable-pip --requirement requirements/lock.txt" in asked
    assert "--hash=sha256:" in (audit.ROOT / audit.LOCK).read_text()


def test_make_lint_asks():
    lint = Path(audit.ROOT / "Makefile").read_text().partition("\nlint:")[2].partition("\n\n")[0]
    assert "$(PY) -m tests.audit" in lint
