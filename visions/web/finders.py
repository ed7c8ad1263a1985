"""A static files finder for plotly.js, which is served from Plotly's Python package: no page loads it from a CDN."""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage

NAME = "plotly.min.js"


@cache
def style_ids() -> tuple[str, ...]:
    """Ids of the inline style sheets that plotly.js injects for maps, which the content security policy forbids.

    It injects none where an element has that id already. The ids change with its version, so they are read from the
    file, once per process.
    """
    text = (_directory() / NAME).read_text(encoding="utf-8")
    return tuple(sorted(set(re.findall(r'getElementById\("([0-9a-f]{64})"\)', text))))


def _directory() -> Path:
    spec = find_spec("plotly")  # without importing it: the server never needs Plotly's Python
    if spec is None or spec.origin is None:
        raise RuntimeError("Plotly is not installed")
    return Path(spec.origin).parent / "package_data"


class PlotlyFinder(BaseFinder):
    """Finds exactly one static file: `plotly.min.js`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.storage = FileSystemStorage(location=_directory())

    def check(self, **kwargs: Any) -> list[Any]:
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        if path != NAME:
            return []
        found = self.storage.path(NAME)
        return [found] if find_all else found

    def list(self, ignore_patterns: Any) -> Any:
        yield NAME, self.storage
