"""plotly.js comes from Plotly's own Python package, so that no page ever asks another site for it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage

NAME = "plotly.min.js"


class PlotlyFinder(BaseFinder):
    """Finds exactly one static file: `plotly.min.js`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        spec = find_spec("plotly")  # without importing it: the server never needs Plotly's Python
        if spec is None or spec.origin is None:
            raise RuntimeError("Plotly is not installed")
        self.storage = FileSystemStorage(location=Path(spec.origin).parent / "package_data")

    def check(self, **kwargs: Any) -> list[Any]:
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        if path != NAME:
            return []
        found = self.storage.path(NAME)
        return [found] if find_all else found

    def list(self, ignore_patterns: Any) -> Any:
        yield NAME, self.storage
