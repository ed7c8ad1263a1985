"""An answer that comes after the close: refused, counted as late, and the facilitator is told how many there were."""

from __future__ import annotations

import pytest

from polls import ballot_box
from polls.ballot_box import BallotSubmission
from polls.models import Poll
from workshops import screens
from workshops.actions import facilitation
from workshops.signals.topics import Audience, Topic

from .. import factories

pytestmark = [pytest.mark.django_db, pytest.mark.fault("F21")]


def late(poll: Poll) -> int:
    return Poll.objects.get(pk=poll.pk).late


def test_what_comes_after_the_close_is_counted_as_late_and_in_no_result():
    poll = ballot_box.open_poll(factories.poll().pk)
    ballot_box.cast([BallotSubmission(poll.pk, "v1", "yes", "op1", 1)])
    ballot_box.close_poll(poll.pk)
    ballot_box.cast(
        [BallotSubmission(poll.pk, "v1", "no", "op2", 2), BallotSubmission(poll.pk, "v2", "no", "op3", 1)]
    )
    assert late(poll) == 2
    assert Poll.objects.get(pk=poll.pk).result["counts"]["cast"] == 1


def test_a_retry_of_what_was_stored_before_the_close_is_not_late():
    poll = ballot_box.open_poll(factories.poll().pk)
    for _ in range(2):
        ballot_box.cast([BallotSubmission(poll.pk, "v1", "yes", "op1", 1)])
        if not late(poll) and Poll.objects.get(pk=poll.pk).is_open:
            ballot_box.close_poll(poll.pk)
    assert late(poll) == 0


def test_an_answer_to_a_question_that_was_never_asked_is_not_late():
    poll = factories.poll()
    ballot_box.cast([BallotSubmission(poll.pk, "v1", "yes", "op1", 1)])
    assert late(poll) == 0


def test_the_console_says_how_many_came_too_late():
    workshop = factories.workshop()
    poll = factories.launched(workshop)
    who = factories.participant(workshop)
    facilitation.close(workshop.pk, None)
    factories.vote(who, poll, "yes")
    html = screens.draw(screens.Scene.load(workshop.pk), Topic.TALLY, Audience.CONSOLE)
    assert "1 answer came after the close and was not counted." in html
