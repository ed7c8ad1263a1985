"""Scripts and styles reach people without comments and are otherwise what was written."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from config.lean_files import lean

OURS = sorted(path for app in ("workshops", "visions") for kind in ("js", "css")
              for path in (settings.BASE_DIR / app / "static" / app).glob(f"*.{kind}"))  # fmt: skip

SCRIPT = b"""/* What it is for,
   in two lines. */
const a = "http://x/*y*/"; // stays: code stands before it
  // goes
  /* goes too */
const b = 1; /* stays */
/* goes */ const c = 2;
"""


def test_comments_that_have_their_lines_to_themselves_go():
    assert (
        lean(SCRIPT, "js")
        == b"""const a = "http://x/*y*/"; // stays: code stands before it
const b = 1; /* stays */
/* goes */ const c = 2;
"""
    )


def test_comments_of_styles_go_wherever_they_stand():
    assert lean(b"/* a\n b */\nb { color: red; /* c */ top: 0 }\n", "css") == b"b { color: red; top: 0 }\n"


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_nothing_in_our_files_is_taken_for_a_comment_that_is_none(path: Path):
    """A text over several lines could hold a line that looks like a comment: there is none."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".css":
        assert [string for string in re.findall(r'"[^"\n]*"', text) if "/*" in string or "*/" in string] == []
        return
    code = lean(text.encode(), "js").decode()
    bare = re.sub(r"//.*|/\*.*?\*/", "", code)
    assert [line for line in bare.splitlines() if line.count("`") % 2] == []
    written = text.splitlines()
    assert [line for line in code.splitlines() if line not in written] == []
    assert not re.search(r"^\s*(//|\*|/\*[^*]*\*/$)", code, re.MULTILINE)


@pytest.fixture
def gathered(tmp_path, settings):
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": "config.lean_files.LeanFiles"}}
    call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=["plotly*"])
    return tmp_path


def test_what_is_gathered_is_lean_named_by_its_content_and_compressed(gathered):
    names = json.loads((gathered / "staticfiles.json").read_text())["paths"]
    for name in ("workshops/live.js", "workshops/vision.css"):
        path = gathered / names[name]
        source = settings.BASE_DIR / "workshops" / "static" / name
        assert path.read_bytes() == lean(source.read_bytes(), path.suffix[1:])
        assert gzip.decompress(Path(f"{path}.gz").read_bytes()) == path.read_bytes()
        assert re.fullmatch(r".+\.[0-9a-f]{12}\.\w+", path.name)
