"""README and docs, held against the project: commands, settings, links and paths that they name.

    make docs-check        # or: python -m tests.docs_check

says what is not true and runs every shell command of the pages. A fence says how it is taken:

    ```sh                          run, page by page in the order of its fences, in a scratch VAR_DIR
    ```sh serves                   started, and stopped once it has printed "Ready:"
    ```sh no-check: the reason     not run; what it names must exist all the same
"""

from __future__ import annotations

import ast
import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import django
from django.core.management import get_commands, load_command_class

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
READY_SECONDS = 300
APPS = ("config", "visions", "workshops", "polls")

FENCE = re.compile(r"^```(\w*)[ ]?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: a row of the map of rooms: a package and its sentence
ROOM = re.compile(r"^(\| `[a-z]+/[a-z]+/` \|) .+ \|$", re.MULTILINE)
#: a file or folder of ours, as prose names it; `<name>` and `*` stand for anything
PATH = re.compile(r"`((?:\.ci|config|deploy|docs|locale|polls|programmes|requirements|templates|tests|visions|workshops)/[^`\s]*|[\w-]+\.(?:md|toml|py))`")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fence:
    """A block of code of a page. `how` is what stands behind its language."""

    page: Path
    language: str
    how: str
    text: str

    @property
    def is_run(self) -> bool:
        return self.language == "sh" and not self.how


def fences(page: Path) -> list[Fence]:
    return [Fence(page, *found) for found in FENCE.findall(page.read_text())]


def prose(page: Path) -> str:
    """The page without its fences, and without what rooms say of themselves: that is their packages' to keep."""
    return ROOM.sub(r"\1", FENCE.sub("", page.read_text()))


# --- what a page names exists -------------------------------------------------------------------------


def untrue(page: Path) -> list[str]:
    """Everything that this page names and the project does not have, as sentences."""
    return [
        *(f"a fence of shell commands says {fence.how!r}" for fence in fences(page) if not _is_known(fence)),
        *_no_command(page),
        *_no_target(page),
        *_no_link(page),
        *(f"there is no {name}" for name in PATH.findall(prose(page)) if not _is_there(page, name)),
    ]


def _is_known(fence: Fence) -> bool:
    return fence.language != "sh" or fence.how in ("", "serves") or bool(re.match(r"no-check: \S", fence.how))


@cache
def _options(command: str) -> frozenset[str]:
    """The options of a management command; none where there is no such command."""
    django.setup()
    app = get_commands().get(command)
    if app is None:
        return frozenset()
    found = app if not isinstance(app, str) else load_command_class(app, command)
    return frozenset(found.create_parser("manage.py", command)._option_string_actions)


def _no_command(page: Path) -> Iterator[str]:
    """Commands behind `manage.py`, in a table's column "command", and in `name --option` of a span."""
    text = page.read_text()
    said = re.findall(r"manage\.py ([a-z_]+)([^\n`|]*)", text)
    for table in re.findall(r"^\| command \|[^\n]*\n\|[-|]+\n((?:\|[^\n]*\n)+)", text, re.MULTILINE):
        for cell in re.findall(r"^\| ([^|]*) \|", table, re.MULTILINE):
            said += re.findall(r"`(\w+)([^`]*)`", cell)
    said += [
        (name, rest) for name, rest in re.findall(r"`(\w+)( [^`]*)?`", prose(page)) if _options(name) and rest
    ]
    for name, rest in said:
        options = _options(name)
        if not options:
            yield f"there is no command {name}"
        for option in re.findall(r"(?<!\S)--[a-z-]+", rest.split(" #")[0]):
            if options and option not in options:
                yield f"{name} has no option {option}"


def _no_target(page: Path) -> Iterator[str]:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    variables = set(re.findall(r"^([A-Z_]+) \?=", makefile, re.MULTILINE)) | {"LOCALE"}
    spans = re.findall(r"`make ([^`]+)`", prose(page))
    lines = [
        line for fence in fences(page) for line in re.findall(r"^make ([^\n#]+)", fence.text, re.MULTILINE)
    ]
    for said in [*spans, *lines]:
        name, *rest = said.split()
        if name not in targets and not name.startswith(".venv/"):
            yield f"there is no make {name}"
        for variable in re.findall(r"\b([A-Z_]+)=", " ".join(rest)):
            if variable not in variables:
                yield f"make knows no {variable}"


def _no_link(page: Path) -> Iterator[str]:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        path, _hash, anchor = target.partition("#")
        if "://" in path:
            yield f"{target} leads out of the repository"
            continue
        there = (page.parent / path).resolve() if path else page
        if not there.exists():
            yield f"{target} leads nowhere"
        elif anchor and anchor not in anchors(there):
            yield f"{target}: there is no such heading"


def anchors(page: Path) -> set[str]:
    """Headings as a web page of them names them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _is_there(page: Path, name: str) -> bool:
    """A path from the root or from the page; a bare name of a module, such as `groups.py`, anywhere in the apps."""
    pattern = re.sub(r"<\w+>", "*", name).rstrip("/")
    folders = [ROOT, page.parent]
    if "/" not in name:
        folders += [folder for app in APPS for folder in (ROOT / app).rglob("*") if folder.is_dir()]
    return any(any(folder.glob(pattern)) for folder in folders)


# --- settings ---------------------------------------------------------------------------------------------


def settings_in_code() -> dict[str, str | None]:
    """Every variable that `config/settings.py` reads, with its default as a page writes it; `None`: it is computed."""
    found: dict[str, str | None] = {}
    tree = ast.parse((ROOT / "config/settings.py").read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.BoolOp) and "env." in ast.unparse(node.values[0]):
            found.update(dict.fromkeys(re.findall(r"'([A-Z_]+)'", ast.unparse(node.values[0]))))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and re.fullmatch(r"env\.\w+", ast.unparse(node.func)) and node.args:
            name, *rest = node.args
            assert isinstance(name, ast.Constant)
            found.setdefault(name.value, _default(rest[0]) if rest else None)
    return found


def _default(node: ast.expr) -> str | None:
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(value)
    return str(value) or "empty"


def settings_in_docs() -> dict[str, str]:
    """Every row of the settings table: variable → default."""
    table = (ROOT / "docs/operating.md").read_text().split("## Settings")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.*?) \|", table, re.MULTILINE)
    assert len(rows) == len(dict(rows)), "a variable stands in the table twice"
    return {name: default.strip("`") for name, default in rows}


def wrong_settings() -> list[str]:
    code, docs = settings_in_code(), settings_in_docs()
    return [
        *(f"{name} is not in the settings table" for name in code if name not in docs),
        *(f"{name} is in the settings table and nowhere read" for name in docs if name not in code),
        *(
            f"{name} has the default {code[name]}, and the table says {docs[name]}"
            for name in docs
            if code.get(name) not in (None, docs[name])
        ),
    ]


# --- running --------------------------------------------------------------------------------------------------


def run(page: Path, place: Path) -> Iterator[str]:
    """Run a page's commands in a scratch folder; yields what fails, as sentences."""
    given = os.environ | {
        "VAR_DIR": str(place), "DATABASE_URL": f"sqlite:///{place}/docs.sqlite3", "REDIS_URL": "",
        "DJANGO_SETTINGS_MODULE": "config.settings", "PORT": "0",
    }  # fmt: skip
    for fence in fences(page):
        text = fence.text.replace(" var/", f" {place}/")
        if fence.how == "serves":
            yield from _serve(text, given | {"PORT": _free_port()})
        elif fence.is_run:
            done = subprocess.run(["bash", "-euc", text], cwd=ROOT, env=given, capture_output=True, text=True, check=False)  # fmt: skip
            if done.returncode:
                yield f"this ended with {done.returncode}:\n{text}{done.stdout}{done.stderr}"


def _serve(text: str, given: dict[str, str]) -> Iterator[str]:
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(["bash", "-euc", text], cwd=ROOT, env=given, stdout=said, stderr=said, start_new_session=True)  # fmt: skip
        end = time.monotonic() + READY_SECONDS
        while process.poll() is None and time.monotonic() < end and not _is_ready(said):
            time.sleep(0.2)
        if not _is_ready(said):
            said.seek(0)
            yield f"this was never ready:\n{text}{said.read()}"
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def _is_ready(said) -> bool:
    said.seek(0)
    return any(line.startswith("Ready:") for line in said)


def _free_port() -> str:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    found = [f"docs/operating.md: {wrong}" for wrong in wrong_settings()]
    for page in PAGES:
        print(f"  {page.relative_to(ROOT)}", flush=True)
        with tempfile.TemporaryDirectory() as place:
            found += [
                f"{page.relative_to(ROOT)}: {wrong}" for wrong in (*untrue(page), *run(page, Path(place)))
            ]
    print("\n".join(found) or "Every command, path, link and setting of README and docs is true.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
