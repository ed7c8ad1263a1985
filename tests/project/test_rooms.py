"""The rooms of the code: what README and docs/architecture.md say of them, their own first lines and the import
contracts agree; nothing points up, round or at private parts; words that were given up do not come back."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import grimp
import pytest
from django.conf import settings

ROOT: Path = settings.BASE_DIR
APPS = ["config", "visions", "workshops", "polls"]
#: apps whose packages are rooms, with the register of all of them in the papers
HOUSES = ["workshops", "visions"]
PRODUCT = sorted(
    path for app in APPS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts
)
#: packages that Django wants at this place; what they are needs no sentence
DJANGOS_OWN = {"management", "migrations", "static", "templatetags"}


def rooms(app: str) -> list[str]:
    return sorted(
        path.parent.name for path in (ROOT / app).glob("*/__init__.py") if path.parent.name not in DJANGOS_OWN
    )


def sentence(package: Path) -> str:
    """The first paragraph of a package's docstring."""
    words = ast.get_docstring(ast.parse((package / "__init__.py").read_text())) or ""
    return " ".join(words.split("\n\n")[0].split())


def register(paper: str) -> dict[str, str]:
    """Room → its sentence, from the tables of a paper: | `workshops/live/` | The engine … |"""
    rows = re.findall(r"^\| `(\w+/\w+)/` \| (.+?) \|", (ROOT / paper).read_text(), re.MULTILINE)
    return {name: words.strip() for name, words in rows if name.split("/")[0] in HOUSES}


@pytest.mark.parametrize("paper", ["README.md", "docs/architecture.md"])
def test_the_register_of_rooms_says_what_each_room_says_itself(paper):
    named = [f"{app}/{room}" for app in HOUSES for room in rooms(app)]
    assert register(paper) == {name: sentence(ROOT / name) for name in named}


def test_import_contracts_place_every_room():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layered = {
        contract["containers"][0]: contract
        for contract in contracts
        if contract["type"] == "layers" and "containers" in contract
    }
    assert sorted(layered) == ["polls", "visions", "workshops"]
    for app, contract in layered.items():
        placed = {name for layer in contract["layers"] for name in re.findall(r"\w+", layer)}
        assert contract["exhaustive"], app
        assert set(rooms(app)) <= placed, app


def test_the_root_of_workshops_has_at_most_six_modules():
    assert len(list((ROOT / "workshops").glob("*.py"))) <= 6


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*APPS, cache_dir=None)


def circle(arrows: dict[str, set[str]]) -> list[str]:
    """A way that ends where it began; empty where there is none."""
    done: set[str] = set()

    def walk(at: str, way: list[str]) -> list[str]:
        if at in way:
            return [*way[way.index(at) :], at]
        if at in done:
            return []
        for to in sorted(arrows[at]):
            if found := walk(to, [*way, at]):
                return found
        done.add(at)
        return []

    return next((found for start in sorted(arrows) if (found := walk(start, []))), [])


def test_no_two_rooms_import_each_other_in_a_circle():
    def room(module: str) -> str:
        return ".".join(module.split(".")[:2])

    arrows: defaultdict[str, set[str]] = defaultdict(set)
    for module in graph().modules:
        for imported in graph().find_modules_directly_imported_by(module):
            if room(module) != room(imported):
                arrows[room(module)].add(room(imported))
                arrows[room(imported)] |= set()
    assert circle(arrows) == []


def test_a_circle_is_found():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]


# --- private parts ----------------------------------------------------------------------------------


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


def private_uses(path: Path) -> list[str]:
    """`from x import _y`, and `x._y` where x is a module of ours that was imported."""
    tree = ast.parse(path.read_text())
    modules, found = set(), []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            ours = node.level > 0 or (node.module or "").split(".")[0] in APPS
            for name in node.names if ours else []:
                if is_private(name.name):
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}: {name.name}")
                modules.add(name.asname or name.name)
    for node in ast.walk(tree):
        # A class's own parts are its module's business; a name that begins small is a module here.
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in modules
            and node.value.id.islower()
            and is_private(node.attr)
        ):
            found.append(f"{path.relative_to(ROOT)}:{node.lineno}: {node.value.id}.{node.attr}")
    return found


def test_no_module_uses_a_private_name_of_another():
    assert [use for path in PRODUCT for use in private_uses(path)] == []


def test_templates_of_workshops_hold_no_address_of_visions():
    from visions.web.urls import urlpatterns

    names = {pattern.name for pattern in urlpatterns}
    found = []
    for path in sorted((ROOT / "templates").rglob("*.html")):
        if path.is_relative_to(ROOT / "templates/visions"):
            continue
        text = path.read_text()
        found += [f"{path.name}: {use}" for use in re.findall(r"/(?:programmes|vision)/\{\{[^\"]*", text)]
        found += [
            f"{path.name}: {use}" for use in re.findall(r"{% url ['\"]([\w-]+)['\"]", text) if use in names
        ]
    assert found == []


# --- words that were given up -------------------------------------------------------------------------------------

#: names of modules, classes, functions and settings in which nobody found what they looked for
GIVEN_UP = {
    "Allowance",
    "Asking",
    "BadShape",
    "CalmOutages",
    "CalmPort",
    "CalmServer",
    "Decided",
    "FrankProtocol",
    "Full",
    "Gate",
    "Held",
    "ImpatientProtocol",
    "Intention",
    "Lane",
    "LIVE_DIRECT",
    "LIVE_LOOK_SECONDS",
    "No",
    "NotNow",
    "PAGES_AT_ONCE",
    "PAGES_WAITING",
    "Paper",
    "Seat",
    "Shape",
    "SILENT_SECONDS",
    "Turnstile",
    "_calm_the_collector",
    "_on_stage",
    "_strangers",
    "_unask",
    "appointment",
    "doorstep",
    "entrance",
    "grounds",
    "guesses",
    "lean_files",
    "looks",
    "losing_server",
    "put_question",
    "stand_back",
    "test_late",
    "test_lines",
    "test_straight",
}
#: names that mean something elsewhere, and were given up in these files
GIVEN_UP_HERE = {
    "polls/ballot_box.py": {"hold"},
    "polls/results.py": {"Decided", "decided", "worded"},
    "workshops/actions/participation.py": {"Joined", "Shown"},
    "workshops/commands/schemas.py": {"Gesture"},
    "workshops/live/connection.py": {"give", "has", "lacks", "show", "tell"},
    "workshops/live/hub.py": {"mark"},
    "workshops/live/writer_priority.py": {"give"},
    "workshops/models/workshop.py": {"Gesture"},
    "tests/crowd.py": {"crowd"},
    "tests/hour.py": {"hour"},
    "tests/wire.py": {"wire"},
}


def defined(path: Path) -> Iterator[tuple[int, str]]:
    """Line and name of every module, class, function and constant of this file."""
    yield 0, path.stem
    for node in ast.walk(tree := ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, node.name
    for node in tree.body:
        for target in node.targets if isinstance(node, ast.Assign) else []:
            if isinstance(target, ast.Name):
                yield node.lineno, target.id


def test_no_name_that_was_given_up_comes_back():
    files = {
        str(path.relative_to(ROOT)): path for path in [*PRODUCT, *sorted((ROOT / "tests").rglob("*.py"))]
    }
    assert [
        f"{file}:{line}: {name}"
        for file, path in files.items()
        for line, name in defined(path)
        if name in GIVEN_UP or name in GIVEN_UP_HERE.get(file, ())
    ] == []
