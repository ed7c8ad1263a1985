"""The house rules, as checks: what docs/architecture.md says is true of the code."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import models

from .imports import ROOT, imports_of, is_pure

APPS = ["config", "visions", "workshops", "polls"]
TEMPLATES = sorted(
    path for folder in [ROOT / "templates", *(ROOT / app for app in APPS)] for path in folder.rglob("*.html")
)
CODE = sorted(path for app in APPS for path in (ROOT / app).rglob("*.py"))

#: files that may call something safe for HTML by themselves, each with its reason
MAY_MARK_SAFE = {
    "workshops/web/templatetags/drawing.py": "a QR code that segno draws; its one label is escaped",
}
#: what `screens.draw` has rendered from a template, and escaped there
DRAWN = r"\{\{ fragments\.\w+\|safe \}\}$"


def passes(*command: str | Path, **environment: str) -> None:
    """Run a tool of this environment; where it is not content, fail with all that it said."""
    tool, *arguments = map(str, command)
    path = tool if Path(tool).is_absolute() else shutil.which(tool, path=str(Path(sys.executable).parent))
    assert path, f"{tool} is not installed in this environment"
    done = subprocess.run(
        [path, *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.fail(f"{' '.join(map(str, command[:3]))} says:\n{done.stdout}{done.stderr}", pytrace=False)


def found(pattern: str, paths: list[Path]) -> list[str]:
    """Every line that matches, as `file:line: text`."""
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in paths
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(pattern, line, re.IGNORECASE)
    ]


# --- architecture -----------------------------------------------------------------------------------


def test_every_import_contract_holds():
    passes("lint-imports", "--no-cache", "--no-logo")


def test_the_line_of_apps_is_complete():
    packages = sorted(path.parent.name for path in ROOT.glob("*/__init__.py") if path.parent.name != "tests")
    assert packages == sorted(APPS)


def test_polls_has_no_doors():
    doors = {"urls", "views", "consumers", "routing", "forms", "middleware", "sockets"}
    assert [path for path in (ROOT / "polls").rglob("*.py") if path.stem in doors] == []


@pytest.mark.parametrize(
    "path",
    [*sorted((ROOT / "polls/types").glob("*.py")), ROOT / "polls/lifecycle.py"],
    ids=lambda path: path.stem,
)
def test_poll_types_know_nothing_of_databases_or_requests(path):
    assert [name for name in imports_of(path) if not is_pure(name)] == []


def test_no_test_module_imports_another():
    """What two of them need stands in a helper module or a `conftest.py`."""
    tests = [(path, name) for path in (ROOT / "tests").rglob("*.py") for name in imports_of(path)]
    assert [(path.name, name) for path, name in tests if re.search(r"(^|\.)test_\w+$", name)] == []


# --- Django -----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", check=True, dry_run=True, stdout=StringIO())


def test_a_deployment_has_nothing_to_warn_of(tmp_path):
    passes(
        sys.executable,
        "manage.py",
        "check",
        "--deploy",
        "--fail-level=WARNING",
        DJANGO_SETTINGS_MODULE="config.settings",
        VAR_DIR=str(tmp_path),
        SECRET_KEY="a key for this check only, long enough and with many different characters: 0123456789",
        PUBLIC_URL="https://workshops.example.org",
        EMAIL_URL="smtp://localhost",
        ALLOWED_HOSTS="workshops.example.org",
    )


def test_every_static_file_that_another_names_exists(tmp_path):
    """Collected as for production: a style sheet that names a missing file fails here."""
    passes(
        sys.executable,
        "manage.py",
        "collectstatic",
        "--noinput",
        "--verbosity=0",
        DJANGO_SETTINGS_MODULE="config.settings",
        VAR_DIR=str(tmp_path),
    )


# --- style ------------------------------------------------------------------------------------------


def test_ruff_finds_nothing():
    passes("ruff", "check", "--output-format=concise", ".")


def test_code_is_formatted():
    passes("ruff", "format", "--check", ".")


@pytest.mark.slow
def test_types_agree():
    passes("mypy")


def test_templates_pass_djlint():
    passes("djlint", "templates", "--lint", "--quiet")


def test_templates_are_formatted():
    passes("djade", "--target-version", "5.2", "--check", *TEMPLATES)


# --- trust ------------------------------------------------------------------------------------------


def test_templates_have_no_inline_style():
    """The content security policy would drop it. `<style nonce>` is the one way, for a programme's hue."""
    assert found(r"\sstyle\s*=", TEMPLATES) == []
    assert [line for line in found(r"<style", TEMPLATES) if "nonce=" not in line] == []


def test_templates_have_no_inline_script():
    assert found(r"\son[a-z]+\s*=\s*[\"']", TEMPLATES) == []
    inline = [line for line in found(r"<script", TEMPLATES) if "src=" not in line]
    assert [line for line in inline if 'type="application/json"' not in line] == []
    assert found(r"=\s*[\"']?\s*javascript:", TEMPLATES) == []


def test_pages_ask_nothing_of_third_parties():
    loads = r"(src|srcset|action|poster|data)\s*=\s*[\"'](https?:)?//|<link[^>]+href\s*=\s*[\"'](https?:)?//"
    styles = [path for app in APPS for path in (ROOT / app).rglob("*.css")]
    assert found(loads, TEMPLATES) == []
    assert found(r"url\(\s*[\"']?(https?:)?//|@import", styles) == []


def test_nothing_is_declared_safe_that_a_person_could_have_typed():
    unsafe = found(r"\|\s*safe\b|autoescape\s+off", TEMPLATES) + found(r"mark_safe|SafeString\(", CODE)
    others = [line for line in unsafe if line.split(":")[0] not in MAY_MARK_SAFE]
    assert [line for line in others if not re.search(DRAWN, line)] == []


def test_no_model_has_a_place_for_an_address_or_a_browser():
    fields = [
        f"{model._meta.label}.{field.name}"
        for app in ("polls", "workshops", "visions")
        for model in apps.get_app_config(app).get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.GenericIPAddressField)
        or re.search(r"(^|_)(ip|addr|address|remote|agent|fingerprint_js|device)(_|$)", field.name)
    ]
    assert fields == []


def test_no_code_reads_the_address_or_the_browser_of_a_person():
    reads = found(r"REMOTE_ADDR|HTTP_USER_AGENT|user[-_]agent|X[-_]FORWARDED[-_]FOR", CODE)
    names_a_browser = {
        "workshops/people/sessions.py"
    }  # "Firefox on Windows", for whoever is signed in with it
    assert {line.split(":")[0] for line in reads} <= names_a_browser
    hashed_at_once = {
        "workshops/people/invitations.py",
        "workshops/web/admission/code_guess_throttle.py",
    }  # to slow down tries and guesses
    assert {line.split(":")[0] for line in found("get_client_ip", CODE)} <= hashed_at_once


# --- the files around -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["lock.txt", "dev.txt", "bench.txt"])
def test_lock_files_name_no_place(name):
    lines = [ROOT / "requirements" / name]
    assert found(r"://|^\s*-(-index-url|-extra-index-url|-find-links|i |f )|--trusted-host|@ ", lines) == []
    assert found(r"(^|[\s=])(/[a-z]|~/|[a-z]:\\)", lines) == []


def test_every_pinned_package_has_hashes():
    for name in ["lock.txt", "dev.txt", "bench.txt"]:
        text = (ROOT / "requirements" / name).read_text()
        pins = re.findall(r"^[a-z0-9][^\n]*==[^\n]*", text, re.MULTILINE)
        assert [pin for pin in pins if not pin.endswith("\\")] == []


def test_both_lock_files_agree():
    def pins(name: str) -> set[str]:
        text = (ROOT / "requirements" / name).read_text()
        return set(re.findall(r"^([a-z0-9][\w.-]*==[\w.]+)", text, re.MULTILINE))

    assert pins("lock.txt") - pins("dev.txt") == set()
