"""What every test may ask for. Browser tests find more in `tests/browser/conftest.py`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache

TESTS = Path(__file__).parent


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(settings.TEST_PLACE, ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What stands in tests/browser is a browser test; no file has to say so."""
    for item in items:
        if item.path.is_relative_to(TESTS / "browser"):
            item.add_marker("browser")


@pytest.fixture(autouse=True)
def _fresh_cache() -> Iterator[None]:
    """Rate limits and the like of one test must not meet the next."""
    yield
    cache.clear()


def service_url(variable: str, service: str) -> str:
    """The address of a service that tests need; skips in plain words, or fails where it must be there."""
    if url := os.environ.get(variable, ""):
        return url
    sentence = f"{service} is not here: set {variable} to run this test."
    if os.environ.get("REQUIRE_SERVICES"):
        pytest.fail(sentence)
    pytest.skip(sentence)
