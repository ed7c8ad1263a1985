"""`Scene.key`: while it stays the same, a phone's stage is the same one, and its ballot is left as it stands."""

from __future__ import annotations

import pytest
import time_machine

from tests import factories as make
from workshops.actions import facilitation, rehearsal
from workshops.screens import Scene

pytestmark = pytest.mark.django_db


def key(room) -> str:
    return Scene.load(room.pk).key


def test_others_coming_and_voting_leave_the_stage_what_it_is():
    room = make.workshop(None, make.YES_NO, make.YES_NO)
    poll = make.launched(room)
    before = key(room)
    make.vote(make.participant(room), poll, "yes")
    assert key(room) == before


def test_every_step_of_a_question_is_another_stage():
    room = make.workshop(None, make.YES_NO, make.YES_NO)
    keys = [key(room)]
    poll = make.launched(room)
    make.vote(make.participant(room), poll, "yes")
    keys.append(key(room))
    facilitation.close(room.pk, None)
    keys.append(key(room))
    facilitation.show_result(room.pk, None, not Scene.load(room.pk).is_revealed)
    keys.append(key(room))
    make.launched(room, 1)
    keys.append(key(room))
    assert len(set(keys)) == len(keys)


def test_a_question_asked_afresh_after_a_rehearsal_has_a_form_of_its_own():
    room = make.workshop(None, make.YES_NO)
    with time_machine.travel("2026-03-01 10:00Z"):
        poll = make.launched(room)
        make.vote(make.participant(room, rehearsal=True), poll, "yes")
        rehearsed = key(room)
    with time_machine.travel("2026-03-01 10:30Z"):
        rehearsal.clear_rehearsal(room.pk, None)
        make.launched(room)
        assert key(room) != rehearsed
