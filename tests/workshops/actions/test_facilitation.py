"""A gesture changes the state: every verb, its wrong moments, and two who press at once."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from polls import ballot_box
from polls.models import Ballot, Instrument, Poll
from polls.types import POLL_TYPES, Question
from workshops import commands
from workshops.actions import facilitation, groups, participation
from workshops.actions.stage import GestureRejected, StageMoved
from workshops.groups import current_round
from workshops.models import AgendaItem, GestureLog, Participant, Workshop
from workshops.screens import queries

from ... import factories
from ...patience import PATIENCE
from ...poll_samples import QUESTIONS

pytestmark = pytest.mark.django_db


@pytest.fixture
def workshop():
    """Running; agenda: a question, a prompt, a pause, another question."""
    made = factories.workshop()
    factories.prompt_item(made)
    factories.pause_item(made)
    factories.poll_item(made, QUESTIONS["words"])
    return made


@pytest.fixture
def by(workshop):
    return factories.staff(workshop.programme)


def fresh(thing):
    return type(thing).objects.get(pk=thing.pk)


def items(workshop):
    return list(workshop.agenda.order_by("position"))


def everything(workshop):
    """All that a gesture may change, as plain values."""
    polls = Poll.objects.filter(agenda_item__workshop=workshop)
    return [
        list(rows.order_by("pk").values())
        for rows in (
            Workshop.objects.filter(pk=workshop.pk),
            workshop.agenda.all(),
            polls,
            Ballot.objects.filter(poll__in=polls),
            workshop.participants.all(),
            workshop.gestures.all(),
            Instrument.objects.filter(bank=workshop.programme.bank),
        )
    ]


def do(workshop, name, by=None, **data):
    return commands.run_staff_command(workshop.pk, by, commands.staff_command(name, data))


# --- the doors ----------------------------------------------------------------------------------------------------


def test_starting_opens_the_doors_and_the_profile_and_nothing_else():
    planned = factories.workshop(started=False)
    profile = factories.poll_item(planned, profile=True)
    do(planned, "start")
    planned.refresh_from_db()
    assert planned.is_running
    assert planned.started_at is not None
    assert {item.pk: item.poll.state for item in planned.agenda.all()} == {
        planned.agenda.get(profile=False).pk: "draft",
        profile.pk: "open",
    }


def test_ending_closes_what_is_open_and_the_code_dies(workshop):
    profile = factories.poll_item(workshop, profile=True)
    Poll.objects.filter(pk=profile.poll_id).update(state="open")
    poll = factories.launched(workshop)
    do(workshop, "timer", seconds=60)
    do(workshop, "end")
    workshop.refresh_from_db()
    assert workshop.has_ended
    assert (workshop.stage_item, workshop.timer_ends_at) == (None, None)
    assert [fresh(p).state for p in (poll, profile.poll)] == ["closed", "closed"]
    assert fresh(poll).result is not None


def test_a_timer_does_not_outlive_the_joining_screen_or_the_workshop(workshop):
    do(workshop, "timer", seconds=60)
    do(workshop, "joining")
    assert fresh(workshop).timer_ends_at is None
    do(workshop, "timer", seconds=60)
    do(workshop, "launch", item=items(workshop)[0].pk)
    assert fresh(workshop).timer_ends_at is None
    do(workshop, "joining")
    do(workshop, "timer", seconds=60)
    do(workshop, "end")
    assert fresh(workshop).timer_ends_at is None


@pytest.mark.parametrize(
    "at_work", [True, False], ids=["at work on prompts of their own", "made and not opened"]
)
def test_ending_ends_the_time_of_groups_that_belong_to_no_step(workshop, at_work):
    factories.participant(workshop)
    groups.make(workshop.pk, None, "random", groups=1)
    if at_work:
        prompt = next(item.prompt for item in items(workshop) if item.prompt)
        groups.give_prompts(workshop.pk, None, [prompt.pk])
        groups.open_round(workshop.pk, None)
    do(workshop, "end")
    assert current_round(workshop.pk) is None


# --- the stage -----------------------------------------------------------------------------------------------------


def test_launching_opens_the_question_and_closes_what_stood_there(workshop):
    first, _prompt, _pause, second = items(workshop)
    do(workshop, "launch", item=first.pk)
    assert (fresh(workshop).stage_item_id, fresh(first.poll).state) == (first.pk, "open")
    do(workshop, "launch", item=second.pk)
    assert (fresh(workshop).stage_item_id, fresh(second.poll).state) == (second.pk, "open")
    assert fresh(first.poll).is_closed
    assert fresh(first).done_at is not None
    assert fresh(second).done_at is None


def test_launching_a_question_that_was_asked_shows_its_result_and_does_not_open_it(workshop):
    first, prompt, *_ = items(workshop)
    for item in (first, prompt, first):
        do(workshop, "launch", item=item.pk)
    assert fresh(first.poll).is_closed
    assert fresh(workshop).stage_item_id == first.pk


def test_what_was_done_and_is_shown_again_is_on_stage_like_any_other_step(workshop):
    first, prompt, *_ = items(workshop)
    for item in (first, prompt, first):
        do(workshop, "launch", item=item.pk)
    assert fresh(first).done_at is None
    with pytest.raises(GestureRejected, match="on stage already"):
        do(workshop, "launch", item=first.pk)


def test_a_prompt_brings_its_timer_and_a_pause_takes_it_away(workshop):
    _first, prompt, pause, _second = items(workshop)
    do(workshop, "launch", item=prompt.pk)
    assert fresh(workshop).timer_seconds == 600
    do(workshop, "launch", item=pause.pk)
    assert (fresh(workshop).timer_seconds, fresh(workshop).timer_ends_at) == (0, None)


def test_the_joining_screen_clears_the_stage(workshop):
    poll = factories.launched(workshop)
    do(workshop, "joining")
    assert fresh(workshop).stage_item is None
    assert fresh(poll).is_closed


def test_closing_freezes_and_keeps_the_question_on_stage(workshop):
    poll = factories.launched(workshop)
    do(workshop, "close")
    assert fresh(poll).result["tally"]["n"] == 0
    assert fresh(workshop).stage_item.poll_id == poll.pk


def test_reopening_takes_answers_again(workshop):
    poll, who = factories.launched(workshop), factories.participant(workshop)
    do(workshop, "close")
    do(workshop, "reopen")
    assert factories.vote(who, poll, "yes").status == "cast"
    do(workshop, "close")
    assert fresh(poll).result["tally"]["n"] == 1


def test_showing_and_hiding_are_recorded_with_who_did_it(workshop, by):
    poll = factories.launched(workshop)
    do(workshop, "reveal", by)
    assert fresh(poll).is_revealed
    do(workshop, "hide", by)
    assert not fresh(poll).is_revealed
    assert list(poll.reveal_moments.values_list("shown", "why")) == [(True, "person"), (False, "person")]
    assert list(workshop.gestures.filter(by=by).values_list("name", flat=True)) == ["reveal", "hide"]


# --- countdowns -----------------------------------------------------------------------------------------------------


def later(seconds):
    return time_machine.travel(timezone.now() + timedelta(seconds=seconds))


def test_a_gentle_end_closes_by_itself_after_its_seconds(workshop):
    poll = factories.launched(workshop)
    do(workshop, "close_in", seconds=20)
    with later(19):
        assert not facilitation.is_something_due()
        assert facilitation.close_what_is_due() == []
    with later(21):
        assert facilitation.is_something_due()
        assert facilitation.close_what_is_due() == [workshop.pk]
        assert facilitation.close_what_is_due() == []
        assert not facilitation.is_something_due()
    assert fresh(poll).is_closed
    assert fresh(workshop).timer_ends_at is None
    assert workshop.gestures.last().name == "close"
    assert workshop.gestures.last().by is None


@pytest.mark.parametrize("jump", [-3600, 0, 15])
def test_a_clock_that_is_put_right_meanwhile_does_not_keep_a_question_open(workshop, monkeypatch, jump):
    poll = factories.launched(workshop)
    do(workshop, "close_in", seconds=20)
    assert not facilitation.is_something_due()
    begun = facilitation.monotonic()
    with later(jump):
        monkeypatch.setattr(facilitation, "monotonic", lambda: begun + 15)
        assert facilitation.close_what_is_due() == []
        monkeypatch.setattr(facilitation, "monotonic", lambda: begun + 21)
        assert facilitation.is_something_due()
        assert facilitation.close_what_is_due() == [workshop.pk]
        assert not facilitation.is_something_due()
    assert fresh(poll).is_closed


def test_more_time_counts_from_the_clock_that_was_put_right(workshop, monkeypatch):
    poll = factories.launched(workshop)
    do(workshop, "close_in", seconds=20)
    assert not facilitation.is_something_due()
    begun = facilitation.monotonic()
    with later(-3600):
        do(workshop, "close_in", seconds=60)
        monkeypatch.setattr(facilitation, "monotonic", lambda: begun + 21)
        assert facilitation.close_what_is_due() == []
    assert fresh(poll).is_open


def test_more_time_moves_the_gentle_end(workshop):
    poll = factories.launched(workshop)
    do(workshop, "close_in", seconds=20)
    do(workshop, "add_time", seconds=60)
    with later(70):
        assert facilitation.close_what_is_due() == []
    with later(81):
        assert facilitation.close_what_is_due() == [workshop.pk]
    assert fresh(poll).is_closed


def test_stopping_the_timer_stops_the_gentle_end_too(workshop):
    poll, who = factories.launched(workshop), factories.participant(workshop)
    do(workshop, "close_in", seconds=20)
    do(workshop, "stop_timer")
    with later(30):
        assert facilitation.close_what_is_due() == []
        assert factories.vote(who, poll, "yes").status == "cast"
    assert fresh(poll).is_open


def test_a_new_timer_moves_the_gentle_end_so_that_both_clocks_are_one(workshop):
    poll = factories.launched(workshop)
    do(workshop, "close_in", seconds=20)
    with time_machine.travel(timezone.now(), tick=False):
        do(workshop, "timer", seconds=120)
    with later(100):
        assert facilitation.close_what_is_due() == []
    assert fresh(poll).closes_at == fresh(workshop).timer_ends_at


def test_a_timer_alone_closes_nothing(workshop):
    poll = factories.launched(workshop)
    do(workshop, "timer", seconds=20)
    with later(30):
        assert facilitation.close_what_is_due() == []
    assert fresh(poll).closes_at is None


def test_a_countdown_that_was_moved_while_it_was_looked_up_does_not_close(workshop, monkeypatch):
    """Between the look and the lock, the facilitator gives more time, or closes and opens again."""
    poll = factories.launched(workshop)
    do(workshop, "close_in", seconds=20)
    on_stage = facilitation.stage_transaction

    def more_time_first(*args, **options):
        if options.get("detail") == "countdown":
            monkeypatch.setattr(facilitation, "stage_transaction", on_stage)
            Poll.objects.filter(pk=poll.pk).update(closes_at=timezone.now() + timedelta(seconds=60))
        return on_stage(*args, **options)

    monkeypatch.setattr(facilitation, "stage_transaction", more_time_first)
    with later(21):
        assert facilitation.close_what_is_due() == []
    assert fresh(poll).is_open


def test_a_workshop_that_cannot_be_closed_keeps_no_other_from_closing(workshop, monkeypatch):
    other = factories.workshop()
    for one in (workshop, other):
        factories.launched(one)
        do(one, "close_in", seconds=20)
    close = facilitation.close_poll

    def fail_for_one(on, poll_id):
        if on.pk == workshop.pk:
            raise RuntimeError("a ballot that cannot be counted")
        return close(on, poll_id)

    monkeypatch.setattr(facilitation, "close_poll", fail_for_one)
    with later(21):
        assert facilitation.close_what_is_due() == [other.pk]


# --- counts and timers ------------------------------------------------------------------------------------------------


def test_a_head_count_is_kept_and_can_be_taken_back(workshop):
    do(workshop, "head_count", people="23")
    assert fresh(workshop).attended == 23
    do(workshop, "head_count")
    assert fresh(workshop).attended is None


def test_a_timer_runs_and_takes_more_time(workshop):
    do(workshop, "timer", seconds=60)
    before = fresh(workshop).timer_ends_at
    with time_machine.travel(timezone.now(), tick=False):
        do(workshop, "add_time", seconds=30)
    assert fresh(workshop).timer_seconds == 90
    assert fresh(workshop).timer_ends_at - before == timedelta(seconds=30)


def test_opening_the_doors_early_makes_nobody_late(workshop):
    factories.pause_item(workshop, "Welcome", minutes=5)
    with later(600):
        do(workshop, "quick_poll", text="Tea?", options="Yes\nNo")  # while people arrive
        pace = queries.pace(fresh(workshop), queries.stage_items(workshop), timezone.now())
        assert (pace.elapsed, pace.over) == (0, 0)
        do(workshop, "launch", item=items(workshop)[-1].pk)
    with later(720):
        pace = queries.pace(fresh(workshop), queries.stage_items(workshop), timezone.now())
        assert pace.elapsed == 2


def test_the_minutes_of_what_runs_grow_and_shrink_and_the_plan_after_it_follows(workshop):
    prompt = items(workshop)[1]
    type(prompt).objects.filter(pk=prompt.pk).update(minutes=3)
    do(workshop, "launch", item=prompt.pk)
    ends, rev = fresh(workshop).timer_ends_at, fresh(prompt).rev
    do(workshop, "add_time", seconds=300)
    assert (fresh(prompt).minutes, fresh(prompt).rev) == (8, rev + 1)
    assert [start for _step, start in queries.pace(workshop, items(workshop), timezone.now()).steps] == [
        0,
        0,
        8,
        18,
    ]
    do(workshop, "add_time", seconds=-60)
    assert fresh(prompt).minutes == 7
    assert abs(fresh(workshop).timer_ends_at - ends - timedelta(minutes=4)) < timedelta(seconds=1)


def test_no_step_is_shorter_than_a_minute_and_no_timer_rings_in_the_past(workshop):
    prompt = items(workshop)[1]
    type(prompt).objects.filter(pk=prompt.pk).update(minutes=2)
    do(workshop, "launch", item=prompt.pk)
    for _press in range(4):
        do(workshop, "add_time", seconds=-60)
    assert fresh(prompt).minutes == 1
    assert fresh(workshop).timer_ends_at > timezone.now()
    do(workshop, "stop_timer")
    with pytest.raises(GestureRejected, match="no time to change"):
        do(workshop, "add_time", seconds=-60)


# --- a question made on the spot -----------------------------------------------------------------------------------------


def test_a_question_with_answers_is_asked_at_once_after_the_one_on_stage(workshop):
    factories.launched(workshop)
    do(workshop, "quick_poll", text=" More  light? ", options="Yes\n\n No \nYes")
    item = fresh(workshop).stage_item
    assert (item.title, item.quick, item.poll.state) == ("More light?", True, "open")
    assert [option.label for option in item.poll.question.options] == ["Yes", "No"]
    assert [i.pk for i in items(workshop)][1] == item.pk
    assert [i.position for i in items(workshop)] == sorted({i.position for i in items(workshop)})


def test_a_question_without_answers_asks_for_words(workshop):
    do(workshop, "quick_poll", text="One word?")
    assert fresh(workshop).stage_item.poll.question.type == "words"


def test_a_question_may_take_several_answers(workshop):
    do(workshop, "quick_poll", text="Which? Tick all that apply", options="A\nB")
    assert fresh(workshop).stage_item.poll.question.type == "multiple_choice"


@pytest.mark.parametrize("name", POLL_TYPES)
def test_a_question_made_on_the_spot_is_of_any_type(workshop, name):
    do(workshop, "quick_poll", text="What matters?", options="- Calm\n- Light\n- Air", type=name)
    question = fresh(workshop).stage_item.poll.question
    assert (question.type, question.text) == (name, "What matters?")


def test_a_whole_question_can_be_pasted_into_one_field(workshop):
    do(workshop, "quick_poll", text="What matters?\n1. Calm\n2. Light")
    assert [option.label for option in fresh(workshop).stage_item.poll.question.options] == ["Calm", "Light"]


def test_two_questions_made_on_the_spot_are_two(workshop):
    for text in ("One?", "Two?"):
        do(workshop, "quick_poll", text=text)
    assert [item.title for item in items(workshop) if item.quick] == ["One?", "Two?"]


@pytest.mark.parametrize(
    ("text", "options", "sentence"),
    [
        ("  ", "A\nB", "Write the question first."),
        ("\x00\x07", "", "Write the question first."),
        ("x" * 2001, "", "The question can have up to 2,000 letters."),
        ("Which?", "A", "Give at least two answers, one on each line, or none to ask for words."),
        ("Which?", "A\nA", "Give at least two answers, one on each line, or none to ask for words."),
        ("Which?", "A\n\x00", "Give at least two answers, one on each line, or none to ask for words."),
        ("Which?", "\n".join(map(str, range(21))), "A question can have up to 20 answers; this has 21."),
        (
            "Which?",
            "A\n" + "B" * 256,
            "An answer can have up to 255 letters; “BBBBBBBBBBBBBBBBBBBB…” has 256.",
        ),
    ],
)
def test_a_question_that_cannot_be_asked_says_why_and_leaves_nothing(workshop, text, options, sentence):
    before = everything(workshop)
    with pytest.raises(GestureRejected) as refused:
        do(workshop, "quick_poll", text=text, options=options)
    assert str(refused.value) == sentence
    assert everything(workshop) == before


def test_control_characters_never_reach_a_question(workshop):
    do(workshop, "quick_poll", text="Is\x00 it\u202e calm?", options="Y\x00es\nNo\x07")
    item = fresh(workshop).stage_item
    assert item.title == "Is it calm?"
    assert [option.label for option in item.poll.question.options] == ["Yes", "No"]


# --- words before the wall -----------------------------------------------------------------------------------------------


def test_words_are_let_through_and_kept_off_again(workshop):
    poll = factories.launched(workshop, 1)
    who = factories.participant(workshop)
    factories.vote(who, poll, ["Calm"])
    for shown, state in (("true", "shown"), ("false", "hidden")):
        do(workshop, "check_texts", refs=factories.refs(poll, "Calm"), shown=shown)
        assert factories.text(poll, "Calm").state == state


def test_words_of_another_workshop_are_not_ours_to_check(workshop):
    foreign = factories.launched(factories.workshop(None, QUESTIONS["words"]))
    ballot_box.cast([ballot_box.BallotSubmission(foreign.pk, "v1", ["Calm"])])
    with pytest.raises(GestureRejected, match="not there any more"):
        do(workshop, "check_texts", refs=factories.refs(foreign, "Calm"), shown="true")
    assert factories.text(foreign, "Calm").state == "pending"


# --- rehearsal --------------------------------------------------------------------------------------------------------------


def test_clearing_a_rehearsal_leaves_the_plan_as_if_nothing_had_been_asked(workshop):
    phones = [factories.participant(workshop, rehearsal=True) for _ in range(3)]
    for item in items(workshop):
        do(workshop, "launch", item=item.pk)
        if item.poll:
            factories.vote(phones[0], item.poll, None)
    assert do(workshop, "clear_rehearsal") == 3
    workshop.refresh_from_db()
    assert Participant.objects.filter(workshop=workshop).count() == 0
    assert Ballot.objects.filter(poll__agenda_item__workshop=workshop).count() == 0
    assert [(i.launched_at, i.done_at) for i in items(workshop)] == [(None, None)] * 4
    assert [i.poll.state for i in items(workshop) if i.poll] == ["draft", "draft"]
    assert (workshop.stage_item, workshop.timer_ends_at) == (None, None)
    steps = queries.stage_items(workshop)
    assert queries.next_item(steps, None) == steps[0]


def test_clearing_a_rehearsal_keeps_what_real_people_answered(workshop):
    poll = factories.launched(workshop)
    real, invented = factories.participant(workshop), factories.participant(workshop, rehearsal=True)
    factories.vote(real, poll, "yes")
    factories.vote(invented, poll, "no")
    do(workshop, "close")
    do(workshop, "clear_rehearsal")
    assert list(poll.ballots.values_list("voter", "value")) == [(real.voter, "yes")]
    assert fresh(poll).is_closed
    assert fresh(poll).result["tally"]["counts"] == {"yes": 1, "no": 0}
    assert fresh(workshop).stage_item.poll_id == poll.pk


def test_clearing_a_rehearsal_leaves_a_question_that_real_people_see_and_nobody_has_answered_yet(workshop):
    rehearse(workshop, 0)
    real = factories.participant(workshop)
    second = items(workshop)[3]
    do(workshop, "launch", item=second.pk)
    participation.write([participation.QuestionSeen(workshop.pk, real.voter, second.poll_id)])
    factories.vote(factories.participant(workshop, rehearsal=True), second.poll, None)
    do(workshop, "clear_rehearsal")
    assert fresh(workshop).stage_item == second
    assert fresh(second.poll).is_open
    assert list(second.poll.ballots.values_list("voter", flat=True)) == [real.voter]
    assert items(workshop)[0].poll.is_draft  # it was asked before anybody real had come


def test_clearing_a_rehearsal_leaves_a_question_that_it_never_saw(workshop):
    rehearse(workshop, 0)
    second = items(workshop)[3]
    do(workshop, "launch", item=second.pk)
    do(workshop, "clear_rehearsal")
    assert fresh(workshop).stage_item == second
    assert fresh(second.poll).is_open


def test_clearing_a_rehearsal_after_the_end_leaves_what_was_asked_without_an_answer(workshop):
    rehearse(workshop, 0)
    factories.participant(workshop)
    for item in items(workshop)[1:]:
        do(workshop, "launch", item=item.pk)
    do(workshop, "end")
    was = [(i.launched_at, i.done_at) for i in items(workshop)[1:]]
    do(workshop, "clear_rehearsal")
    assert [(i.launched_at, i.done_at) for i in items(workshop)[1:]] == was
    assert [i.poll.state for i in items(workshop) if i.poll] == ["draft", "closed"]


def test_a_rehearsal_that_was_cleared_is_cleared_once(workshop):
    rehearse(workshop, 0)
    do(workshop, "clear_rehearsal")
    do(workshop, "launch", item=items(workshop)[0].pk)
    was = everything(workshop)[1:3]
    assert do(workshop, "clear_rehearsal") == 0
    assert everything(workshop)[1:3] == was
    assert fresh(workshop).stage_item == items(workshop)[0]


def rehearse(workshop, place):
    """Invented phones answer the question at this place of the agenda, which is closed then."""
    phones = [factories.participant(workshop, rehearsal=True) for _ in range(2)]
    item = items(workshop)[place]
    do(workshop, "launch", item=item.pk)
    for phone in phones:
        factories.vote(phone, item.poll, None)
    do(workshop, "joining")


# --- wrong moments ------------------------------------------------------------------------------------------------------------

DATA = {
    "launch": {"item": 10**9},
    "quick_poll": {"text": "Which?"},
    "timer": {"seconds": 60},
    "head_count": {"people": 3},
    "check_texts": {"refs": [f"text-{10**9}"], "shown": True},
    "decide": {"ref": f"text-{10**9}", "state": "shown"},
}
PLANNED = [
    "end",
    "joining",
    "launch",
    "close",
    "close_in",
    "reopen",
    "reveal",
    "hide",
    "quick_poll",
    "timer",
    "add_time",
    "check_texts",
    "decide",
]
NOTHING_ON_STAGE = [
    "start",
    "launch",
    "close",
    "close_in",
    "reopen",
    "reveal",
    "hide",
    "add_time",
    "check_texts",
    "decide",
]
ENDED = [*PLANNED, "start"]


@pytest.mark.parametrize(
    ("moment", "name"),
    [("planned", n) for n in PLANNED]
    + [("empty", n) for n in NOTHING_ON_STAGE]
    + [("ended", n) for n in ENDED],
)
def test_at_a_wrong_moment_a_gesture_says_so_and_changes_nothing(moment, name):
    workshop = factories.workshop(started=moment != "planned")
    if moment == "ended":
        factories.launched(workshop)
        do(workshop, "end")
    before = everything(workshop)
    with pytest.raises(GestureRejected) as refused:
        do(workshop, name, **DATA.get(name, {}))
    assert str(refused.value).endswith((".", "again."))
    assert everything(workshop) == before


@pytest.mark.parametrize(("first", "name"), [("close", "close"), ("close", "close_in"), ("", "reopen")])
def test_what_is_done_already_is_not_done_twice(workshop, first, name):
    factories.launched(workshop)
    if first:
        do(workshop, first)
    before = everything(workshop)
    with pytest.raises(GestureRejected):
        do(workshop, name)
    assert everything(workshop) == before


def test_what_is_on_stage_is_not_launched_again(workshop):
    factories.launched(workshop)
    before = everything(workshop)
    with pytest.raises(GestureRejected, match="on stage already"):
        do(workshop, "launch", item=fresh(workshop).stage_item_id)
    assert everything(workshop) == before


@pytest.mark.parametrize("name", ["close", "close_in", "reopen", "reveal"])
def test_a_prompt_on_stage_is_no_question(workshop, name):
    do(workshop, "launch", item=items(workshop)[1].pk)
    with pytest.raises(GestureRejected, match="No question is on stage"):
        do(workshop, name)


def test_an_item_of_another_workshop_or_of_the_profile_is_not_launched(workshop):
    profile = factories.poll_item(workshop, profile=True)
    foreign = factories.workshop().agenda.get()
    for item in (profile, foreign):
        with pytest.raises(GestureRejected, match="not on this workshop's agenda"):
            do(workshop, "launch", item=item.pk)


# --- two facilitators -------------------------------------------------------------------------------------------------------------


def test_of_two_who_press_on_the_same_stage_one_wins_and_the_other_is_told(workshop, by):
    first, prompt, *_ = items(workshop)
    rev = fresh(workshop).stage_rev
    do(workshop, "launch", by, item=first.pk, rev=rev)
    before = everything(workshop)
    with pytest.raises(StageMoved) as moved:
        do(workshop, "launch", item=prompt.pk, rev=rev)
    assert (
        str(moved.value)
        == "The stage changed just before you pressed. Nothing was done; look, and press again."
    )
    assert everything(workshop) == before


@pytest.mark.parametrize(
    "name",
    ["start", "end", "joining", "launch", "close", "close_in", "reopen", "reveal", "hide", "quick_poll"],
)
def test_every_gesture_that_moves_the_stage_minds_the_revision(workshop, name):
    factories.launched(workshop)
    before = everything(workshop)
    with pytest.raises(StageMoved):
        do(workshop, name, **DATA.get(name, {}), rev=0)
    assert everything(workshop) == before


@pytest.mark.django_db(transaction=True)
def test_two_threads_with_the_same_revision_launch_one_item(workshop):
    first, prompt, *_ = items(workshop)
    rev, outcomes, together = fresh(workshop).stage_rev, [], threading.Barrier(2, timeout=PATIENCE)

    def press(item):
        together.wait()
        try:
            do(workshop, "launch", item=item.pk, rev=rev)
            outcomes.append("won")
        except StageMoved:
            outcomes.append("told")
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=[item]) for item in (first, prompt)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["told", "won"]
    assert AgendaItem.objects.filter(workshop=workshop, launched_at__isnull=False).count() == 1


def test_every_gesture_is_logged_once_and_moves_the_revision_once(workshop, by):
    poll = factories.launched(workshop)
    before, logged = fresh(workshop).stage_rev, GestureLog.objects.count()
    do(workshop, "close", by)
    do(workshop, "head_count", by, people=3)
    assert fresh(workshop).stage_rev == before + 1
    assert GestureLog.objects.count() == logged + 2
    assert workshop.gestures.get(name="close", by=by).item.poll_id == poll.pk


# --- shapes ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("timer", {"seconds": "abc"}, "Give a time from 5 seconds to 4 hours."),
        ("timer", {"seconds": "4"}, "Give a time from 5 seconds to 4 hours."),
        ("timer", {"seconds": 10**9}, "Give a time from 5 seconds to 4 hours."),
        ("close_in", {"seconds": "soon"}, "Give a time from 5 seconds to 4 hours."),
        ("head_count", {"people": "-1"}, "Write the number of people, such as 23."),
        ("head_count", {"people": "many"}, "Write the number of people, such as 23."),
        ("head_count", {"people": "9" * 400}, "Write the number of people, such as 23."),
        ("quick_poll", {"text": "x" * 8001}, "The question can have up to 2,000 letters."),
        (
            "quick_poll",
            {"text": "x", "options": "x" * 6001},
            "The answers can have up to 6,000 letters together.",
        ),
        ("launch", {}, "That could not be read. Load the page again, and press again."),
        (
            "launch",
            {"item": "1", "user": "2"},
            "That could not be read. Load the page again, and press again.",
        ),
        ("launch", {"item": "NaN"}, "That could not be read. Load the page again, and press again."),
    ],
)
def test_what_cannot_be_read_is_said_in_one_plain_sentence(name, data, sentence):
    with pytest.raises(commands.BadCommand) as bad:
        commands.staff_command(name, data)
    assert str(bad.value) == sentence


def test_a_field_of_a_form_cannot_turn_one_gesture_into_another():
    assert type(commands.staff_command("close", {"t": "end"})).__name__ == "close"


def test_a_choice_that_is_not_offered_is_not_made(workshop):
    question = Question("single_choice", "Which?", options=QUESTIONS["single"].options)
    lines = "\n".join(option.label for option in question.options)
    assert facilitation.quick_question("Which?", lines).options[0].key == "o1"
