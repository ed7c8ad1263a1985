"""The browser's scripts are checked like the rest of the code: types by TypeScript, style by ESLint."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest
from django.conf import settings

ROOT = settings.BASE_DIR
SCRIPTS = [*ROOT.glob("workshops/static/**/*.js"), *ROOT.glob("visions/static/**/*.js")]


@pytest.mark.slow
def test_scripts_are_typed_and_tidy():
    if not shutil.which("npm"):
        sentence = (
            "npm is not installed, so the browser's scripts are not checked: install npm to check them."
        )
        pytest.fail(sentence) if os.environ.get("REQUIRE_NPM") else pytest.skip(sentence)
    ready = subprocess.run(
        ["make", "tests/scripts/node_modules/ready.stamp"], cwd=ROOT, capture_output=True, text=True
    )
    if ready.returncode:
        sentence = f"npm could not install the checks of the browser's scripts:\n{ready.stdout}{ready.stderr}"
        pytest.fail(sentence) if os.environ.get("REQUIRE_NPM") else pytest.skip(sentence)
    done = subprocess.run(["make", "scripts"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.fail(f"make scripts says:\n{done.stdout}{done.stderr}", pytrace=False)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_every_script_asks_for_its_types_to_be_checked(script):
    assert script.read_text().startswith("// @ts-check\n")


def test_the_lock_names_versions_and_hashes_and_no_registry():
    packages = json.loads((ROOT / "tests/scripts/package-lock.json").read_text())["packages"]
    assert {"typescript", "eslint"} <= {name.removeprefix("node_modules/") for name in packages}
    assert [name for name, one in packages.items() if "resolved" in one] == []
    assert [name for name, one in packages.items() if name and "integrity" not in one] == []
