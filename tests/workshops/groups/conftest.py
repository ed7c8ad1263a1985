"""What tests of small groups may ask for."""

from __future__ import annotations

import pytest

from .console_desk import Desk


@pytest.fixture
def desk() -> Desk:
    return Desk()
