"""What a facilitator did on stage can be taken back for a few seconds: once, and if nobody has acted since."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from polls.lifecycle import Reveal
from polls.models import Ballot, Poll, RevealMoment
from workshops import commands
from workshops.actions import facilitation, groups
from workshops.actions.stage import GestureRejected
from workshops.groups import current_round
from workshops.models import AgendaItem, Workshop
from workshops.models.workshop import UNDO_FOR
from workshops.screens import queries

from ... import factories as make
from ...patience import PATIENCE
from ...poll_samples import QUESTIONS

pytestmark = pytest.mark.django_db


@pytest.fixture
def workshop():
    """Running; agenda: two questions, a prompt, a pause."""
    made = make.workshop(None, make.YES_NO, QUESTIONS["words"], started=False)
    make.poll_item(made, make.YES_NO, profile=True)
    make.prompt_item(made)
    make.pause_item(made)
    facilitation.start(made.pk, None)
    made.refresh_from_db()
    return made


def fresh(thing):
    return type(thing).objects.get(pk=thing.pk)


def items(workshop):
    return list(workshop.agenda.filter(profile=False).order_by("position"))


def do(workshop, name, by=None, **data):
    return commands.run_staff_command(workshop.pk, by, commands.staff_command(name, data))


def undo(workshop, by=None):
    do(workshop, "undo", by, rev=fresh(workshop).stage_rev)


#: what undo puts back; `stage_rev` only ever grows, and records stay
def stage(workshop):
    workshop = fresh(workshop)
    return (
        workshop.status, workshop.stage_item_id, workshop.stage_at, workshop.timer_ends_at, workshop.timer_seconds,
        workshop.ended_at,
        list(workshop.agenda.order_by("pk").values_list("launched_at", "done_at")),
        list(
            Poll.objects.filter(agenda_item__workshop=workshop).order_by("pk")
            .values_list("state", "opened_at", "closes_at", "closed_at", "result", "revealed_at")
        ),
        list(workshop.rounds.order_by("pk").values_list("recalled_at", "closed_at")),
    )  # fmt: skip


def welcoming(workshop):
    """The joining screen."""


def at_work(workshop):
    """Groups are at work on the prompt."""
    make.participant(workshop)
    facilitation.launch(workshop.pk, None, items(workshop)[2].pk)
    groups.make(workshop.pk, None, "random", groups=1)
    groups.open_round(workshop.pk, None)


def voting(workshop):
    make.vote(make.participant(workshop), make.launched(workshop), "yes")


@pytest.mark.parametrize(
    ("before", "gesture"),
    [
        (welcoming, "launch"), (welcoming, "end"),
        (voting, "launch"), (voting, "launch a pause"), (voting, "close"), (voting, "reveal"), (voting, "joining"),
        (voting, "end"),
        (at_work, "launch"), (at_work, "launch a pause"), (at_work, "end"),
    ],
)  # fmt: skip
def test_what_was_on_stage_is_there_again_as_it_was(workshop, before, gesture):
    before(workshop)
    was = stage(workshop)
    verb, _, pause = gesture.partition(" ")
    item = {"item": items(workshop)[3 if pause else 1].pk} if verb == "launch" else {}
    do(workshop, verb, **item)
    assert stage(workshop) != was
    undo(workshop)
    assert stage(workshop) == was


def test_of_a_question_that_nobody_answered_a_launch_leaves_nothing(workshop):
    poll = make.launched(workshop)
    make.participant(workshop)
    undo(workshop)
    assert fresh(poll).is_draft
    assert not poll.ballots.exists()
    assert fresh(items(workshop)[0]).launched_at is None
    assert queries.next_item(items(workshop), None) == items(workshop)[0]


def test_answers_to_a_launch_that_was_undone_are_kept_and_the_question_comes_again(workshop):
    one, two = make.participant(workshop), make.participant(workshop)
    poll = make.launched(workshop)
    make.vote(one, poll, "yes")
    undo(workshop)
    assert fresh(poll).is_closed
    assert fresh(poll).result["counts"]["cast"] == 1
    assert not RevealMoment.objects.filter(poll=poll).exists()  # nobody has seen it
    first = items(workshop)[0]
    assert queries.next_item(items(workshop), None) == first
    facilitation.launch(workshop.pk, None, first.pk)
    assert fresh(poll).is_open
    make.vote(two, poll, "no")
    assert list(Ballot.objects.filter(poll=poll).values_list("after_reveal", flat=True)) == [False, False]


def test_a_close_that_was_undone_takes_answers_again_and_they_know_what_had_been_shown(workshop):
    poll = make.launched(workshop)
    one, two = make.participant(workshop), make.participant(workshop)
    make.vote(one, poll, "yes")
    do(workshop, "close")
    undo(workshop)
    assert fresh(poll).is_open
    assert not fresh(poll).is_revealed
    make.vote(two, poll, "no")
    marks = dict(Ballot.objects.filter(poll=poll).values_list("voter", "after_reveal"))
    assert marks == {one.voter: False, two.voter: True}
    assert list(poll.reveal_moments.values_list("shown", "why")) == [(True, "policy"), (False, "person")]


def test_a_reveal_that_was_undone_stays_on_record_and_so_do_the_answers_given_meanwhile(workshop):
    poll = make.launched(workshop)
    do(workshop, "reveal")
    meanwhile = make.participant(workshop)
    make.vote(meanwhile, poll, "yes")
    undo(workshop)
    assert not fresh(poll).is_revealed
    assert list(poll.reveal_moments.values_list("shown", flat=True)) == [True, False]
    assert Ballot.objects.get(voter=meanwhile.voter).after_reveal
    assert list(workshop.gestures.order_by("pk").values_list("name", flat=True))[-2:] == ["reveal", "undo"]


def test_what_was_shown_while_people_voted_is_shown_again(workshop):
    poll = make.launched(workshop)
    do(workshop, "reveal")
    do(workshop, "close")
    undo(workshop)
    assert fresh(poll).is_open
    assert fresh(poll).is_revealed


def test_a_launch_that_was_undone_never_showed_a_live_result(workshop):
    item = make.poll_item(workshop, reveal=Reveal.LIVE)
    facilitation.launch(workshop.pk, None, item.pk)
    make.vote(make.participant(workshop), item.poll, "yes")
    undo(workshop)
    assert fresh(item.poll).is_closed
    assert not fresh(item.poll).is_revealed
    assert list(item.poll.reveal_moments.values_list("shown", flat=True)) == [True, False]


def test_an_end_that_was_undone_lets_people_in_and_groups_go_on(workshop):
    at_work(workshop)
    do(workshop, "end")
    undo(workshop)
    assert fresh(workshop).is_running
    assert current_round(workshop.pk).is_open
    assert Poll.objects.get(agenda_item__workshop=workshop, agenda_item__profile=True).is_open
    verbs = workshop.programme.log.order_by("pk").values_list("verb", flat=True)
    assert list(verbs)[-2:] == ["ended_workshop", "undone"]


def test_a_countdown_that_has_run_out_meanwhile_does_not_close_the_question_at_once(workshop):
    poll = make.launched(workshop)
    do(workshop, "close_in", seconds=5)
    do(workshop, "close")
    with time_machine.travel(timezone.now() + timedelta(seconds=7)):
        undo(workshop)
        assert facilitation.close_what_is_due() == []
    assert fresh(poll).is_open
    assert (fresh(poll).closes_at, fresh(workshop).timer_ends_at) == (None, None)


def test_pressed_twice_it_is_undone_once(workshop):
    make.launched(workshop)
    do(workshop, "close")
    rev = fresh(workshop).stage_rev
    do(workshop, "undo", rev=rev)
    was = stage(workshop)
    with pytest.raises(GestureRejected, match="undone already"):
        do(workshop, "undo", rev=rev)
    with pytest.raises(GestureRejected, match="undone already"):
        do(workshop, "undo", rev=rev + 1)
    assert stage(workshop) == was


@pytest.mark.parametrize(
    ("name", "data"), [("reveal", {}), ("reopen", {}), ("timer", {"seconds": 60}), ("clear_rehearsal", {})]
)
def test_what_somebody_has_done_since_is_not_undone_with_it(workshop, name, data):
    make.launched(workshop)
    do(workshop, "close")
    rev = fresh(workshop).stage_rev
    if name == "reveal":
        do(workshop, "hide")
    do(workshop, name, **data)
    was = stage(workshop)
    with pytest.raises(GestureRejected, match="something was done since"):
        do(workshop, "undo", rev=rev)
    assert stage(workshop) == was


def test_a_head_count_is_in_the_way_of_no_undo(workshop):
    poll = make.launched(workshop)
    do(workshop, "close")
    do(workshop, "head_count", people=12)
    undo(workshop)
    assert fresh(poll).is_open
    assert fresh(workshop).attended == 12


def test_after_the_time_it_stays_as_it_is(workshop):
    poll = make.launched(workshop)
    do(workshop, "close")
    later = timezone.now() + UNDO_FOR + timedelta(seconds=3)
    with time_machine.travel(later), pytest.raises(GestureRejected, match="too long ago"):
        undo(workshop)
    assert fresh(poll).is_closed


def test_a_close_by_the_clock_is_no_slip_of_a_hand(workshop):
    make.launched(workshop)
    do(workshop, "close_in", seconds=5)
    with time_machine.travel(timezone.now() + timedelta(seconds=6)):
        facilitation.close_what_is_due()
    assert fresh(workshop).undo is None


def test_a_question_asked_on_the_spot_can_be_taken_back_and_asked_later(workshop):
    item = do(workshop, "quick_poll", text="Tea?", options="Yes\nNo")
    undo(workshop)
    assert fresh(workshop).stage_item is None
    assert AgendaItem.objects.get(pk=item).poll.is_draft


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("sqlite" in connection.vendor, reason="SQLite has one writer at a time")
def test_of_two_who_undo_at_once_one_does(workshop):
    poll = make.launched(workshop)
    do(workshop, "close")
    rev = Workshop.objects.get(pk=workshop.pk).stage_rev
    start, outcomes = threading.Barrier(2, timeout=PATIENCE), []

    def press():
        try:
            start.wait()
            do(workshop, "undo", rev=rev)
            outcomes.append("done")
        except GestureRejected:
            outcomes.append("refused")
        finally:
            connection.close()

    presses = [threading.Thread(target=press) for _ in range(2)]
    for each in presses:
        each.start()
    for each in presses:
        each.join()
    assert sorted(outcomes) == ["done", "refused"]
    assert fresh(poll).is_open
