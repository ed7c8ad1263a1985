"""What tests of the engine and of its pages may ask for."""

from __future__ import annotations

import asyncio

import pytest
from django.core.cache import cache

from workshops.live import engine, rate_limit
from workshops.web.admission import doorway

from .asgi import open_screens, question_on_stage


@pytest.fixture
def quiet_engine(monkeypatch):
    """The engine without its clock: a test closes what is due when it wants to."""
    monkeypatch.setattr(engine, "_close_what_is_due", lambda: asyncio.sleep(3600))
    monkeypatch.setattr(engine, "tune_gc", lambda: None)


@pytest.fixture
def fresh_counts():
    """Buckets and failures of one test must not meet the next."""
    rate_limit._kept.clear()  # of tests that count nothing
    yield
    rate_limit._kept.clear()
    cache.clear()
    doorway._right_codes.clear()


@pytest.fixture
def asked(transactional_db):
    """A running workshop with a question on stage."""
    return question_on_stage()


@pytest.fixture
async def room():
    """`room(…)` opens a screen; all end with the test."""
    async with open_screens() as screen:
        yield screen
