"""The engine's clock opens and closes questionnaires."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from django.utils import timezone

from workshops.live import engine
from workshops.models import Workshop

from ... import factories

pytestmark = pytest.mark.django_db(transaction=True)


def changed(made: Workshop, **values) -> str:
    Workshop.objects.filter(pk=made.pk).update(**values)
    return made.code


async def test_the_clock_does_what_is_due_and_looks_less_often_than_for_countdowns():
    now = timezone.now()
    moments = {"opens_at": now - timedelta(minutes=1), "closes_at": now + timedelta(hours=1)}
    made = await asyncio.to_thread(lambda: factories.questionnaire(opened=False, **moments))
    assert await engine._is_something_due()
    assert not await engine._is_something_due(questionnaires_too=False)
    await asyncio.to_thread(engine._do_what_is_due)
    assert (await Workshop.objects.aget(pk=made.pk)).is_running
    assert not await engine._is_something_due()
    await asyncio.to_thread(changed, made, closes_at=now)
    assert await engine._is_something_due()
    await asyncio.to_thread(engine._do_what_is_due)
    assert (await Workshop.objects.aget(pk=made.pk)).has_ended
