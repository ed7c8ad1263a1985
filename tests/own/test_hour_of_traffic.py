"""What an hour costs one phone, counted frame by frame (`tests/hour_of_traffic.py` says how)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from workshops import screens
from workshops.actions import facilitation
from workshops.actions.authoring import programme_file
from workshops.actions.authoring.workshops import plan_workshop
from workshops.models import Programme, Workshop
from workshops.signals.topics import SHOWN, Audience

from .. import factories
from ..budget import FIRST_VOTE_BYTES, HOUR_BYTES, VOTE_BYTES
from ..hour_of_traffic import Hour

pytestmark = [
    pytest.mark.slow,
    pytest.mark.once,
]  # sockets and bytes: the same whatever database stands behind

PEOPLE = 31  # one phone and thirty others


@pytest.fixture
def planned(db) -> Workshop:
    """The first programme's one-hour workshop, as it is shipped."""
    path = settings.BASE_DIR / "programmes" / "ideal_baby_room.toml"
    programme_file.load(path.read_text(encoding="utf-8"), path.name)
    programme = Programme.objects.get(key="ideal-baby-room")
    return plan_workshop(programme, programme.plans.first(), expected=PEOPLE)


def test_an_hour_costs_a_phone_less_than_a_quarter_of_a_megabyte(planned, spend: Callable):
    bill = Hour(planned, PEOPLE).live()
    assert planned.agenda.filter(poll__state="closed", profile=False).count() == 8
    assert bill.frames["pictures of the tally"] > 8 * PEOPLE  # each vote had a picture of its own
    assert bill.dearest_vote <= VOTE_BYTES
    # The pages of joining come on top, taken at all that they may cost.
    spend("an hour with 30 others, pages included", bill.total + FIRST_VOTE_BYTES, HOUR_BYTES, "bytes")


@pytest.mark.parametrize("topic", SHOWN[Audience.PHONE])
def test_a_picture_for_phones_stays_the_same_while_nothing_happens(db, topic):
    workshop = factories.workshop()
    talk = factories.prompt_item(workshop)
    facilitation.launch(workshop.pk, None, talk.pk)
    scene = screens.Scene.load(workshop.pk)
    first = screens.draw(scene, topic, Audience.PHONE)
    assert first == screens.draw(scene, topic, Audience.PHONE, now=timezone.now() + timedelta(seconds=3))


def test_a_page_says_what_is_left_of_the_time_and_not_what_there_was(db):
    workshop = factories.workshop()
    who = factories.participant(workshop)
    talk = factories.prompt_item(workshop, minutes=10)
    facilitation.launch(workshop.pk, None, talk.pk)
    Workshop.objects.filter(pk=workshop.pk).update(timer_ends_at=timezone.now() + timedelta(seconds=90.4))
    page = factories.phone(who).get(f"/w/{workshop.code}/").content.decode()
    assert 'value="90"' in page
    assert ">1:30</output>" in page
