"""What tests of results and summaries may ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import transaction

from visions.demo import synthetic
from workshops.models import Programme

from .study import load_programme


@pytest.fixture(scope="module")
def study(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[Programme]:
    """The programme with its five workshops; what a test changes is undone after it, this after the module."""
    with django_db_blocker.unblock(), transaction.atomic():
        programme = load_programme()
        synthetic.load(programme)
        yield programme
        transaction.set_rollback(True)
