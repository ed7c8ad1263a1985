"""What tests with odd input may ask for."""

from __future__ import annotations

import asyncio
import logging

import pytest

from workshops.live import engine, rate_limit

from .world import World


@pytest.fixture
def world(db) -> World:
    return World()


@pytest.fixture
def mishaps(caplog):
    """Called after a request: raises what it left in the log as an error; a refusal is a warning."""
    caplog.set_level(logging.ERROR)

    def look() -> None:
        records = [record for record in caplog.records if record.levelno >= logging.ERROR]
        caplog.clear()
        for record in records:
            raise (record.exc_info and record.exc_info[1]) or AssertionError(record.getMessage())

    return look


@pytest.fixture
def quiet_clock(monkeypatch):
    """The engine without its clock, and buckets that no other test meets."""
    monkeypatch.setattr(engine, "_close_what_is_due", lambda: asyncio.sleep(3600))
    monkeypatch.setattr(engine, "tune_gc", lambda: None)
    rate_limit._kept.clear()
    yield
    rate_limit._kept.clear()
