"""What a module of the project imports."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

ROOT: Path = settings.BASE_DIR


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def is_pure(name: str) -> bool:
    """Only the standard library, `django.utils` and neighbours in the same package."""
    relative = name.startswith(".") and not name.startswith("..")
    return relative or name.startswith("django.utils") or name.split(".")[0] in sys.stdlib_module_names
