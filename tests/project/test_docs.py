"""README and docs say what is so, as far as it can be seen without running their commands (`make docs-check` does)."""

from __future__ import annotations

import re
import subprocess

import pytest

from .. import docs_check
from ..docs_check import PAGES, ROOT

CODE = ("*.py", "*.js", "*.css", "*.html", "*.toml", "*.yaml", "*.conf", "*.service", "*.timer")
CODE_ROOTS = ("Makefile", ".ci/run", "deploy/Dockerfile", "deploy/Caddyfile", "deploy/.env.example")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_names_is_there(page):
    assert docs_check.untrue(page) == []


def test_the_settings_table_has_every_variable_with_its_default():
    assert docs_check.wrong_settings() == []


def test_every_test_that_the_page_on_security_names_is_there():
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs/security.md").read_text()))
    written = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)\(", path.read_text(), re.MULTILINE)
    }
    assert len(named) > 40
    assert sorted(named - written) == []


def test_the_page_on_security_has_a_row_for_every_area_that_applies():
    rows = re.findall(
        r"^\| V(\d+) [^|]+\|[^|]+\| `test_", (ROOT / "docs/security.md").read_text(), re.MULTILINE
    )
    assert [int(row) for row in rows] == [area for area in range(1, 17) if area != 10]


def test_every_page_can_be_reached_from_the_readme():
    linked = set(re.findall(r"\]\((docs/[\w-]+\.md)", (ROOT / "README.md").read_text()))
    assert linked == {str(page.relative_to(ROOT)) for page in PAGES[1:]}


def test_the_readme_is_read_in_two_minutes():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120


#: a file that people download
NO_PAGES = ("notes.md",)


def test_code_refers_only_to_documents_that_are_here():
    """A file that ends in .md, with the heading that stands behind a §."""
    wrong = []
    for name in subprocess.check_output(["git", "ls-files", *CODE, *CODE_ROOTS], cwd=ROOT, text=True).split():
        for path, heading in re.findall(r"\b([\w/-]+\.md)\b(?: § ([\w ]+))?", (ROOT / name).read_text()):
            if path in NO_PAGES:
                continue
            page = ROOT / path
            slug = heading.strip().lower().replace(" ", "-")
            if page not in PAGES or (
                slug and not any(slug.startswith(one) for one in docs_check.anchors(page))
            ):
                wrong.append(f"{name}: {path} {heading}".strip())
    assert wrong == []
