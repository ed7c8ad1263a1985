"""Opening and closing a questionnaire, by hand and by the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from polls.ballot_box import Receipt, Refusal
from polls.lifecycle import Reveal
from polls.models import Poll
from polls.types import Question
from workshops.actions import facilitation, log
from workshops.actions.authoring import questionnaires
from workshops.actions.log import Stale, UndoRefused
from workshops.actions.stage import GestureRejected
from workshops.models import Mode, Workshop
from workshops.screens import questionnaire

from .... import factories

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def polls(of):
    return list(Poll.objects.filter(agenda_item__workshop=of).order_by("agenda_item__position"))


def planned(**fields):
    return factories.questionnaire(None, factories.YES_NO, factories.YES_NO, opened=False, **fields)


def status(of):
    return Workshop.objects.get(pk=of.pk).status


def test_opening_opens_every_question_until_the_same_moment():
    made = planned(closes_at=timezone.now() + HOUR)
    questionnaires.open_now(made.pk, None)
    made.refresh_from_db()
    assert made.is_running
    assert [(poll.is_open, poll.closes_at) for poll in polls(made)] == [(True, made.closes_at)] * 2


def test_nobody_sees_a_result_before_the_close_whatever_a_question_says():
    made = planned()
    live, secret = polls(made)
    Poll.objects.filter(pk=live.pk).update(reveal=Reveal.LIVE)
    Poll.objects.filter(pk=secret.pk).update(reveal=Reveal.NEVER)
    questionnaires.open_now(made.pk, None)
    assert [poll.is_revealed for poll in polls(made)] == [False, False]
    factories.vote(factories.participant(made), live, "yes")
    questionnaires.close_now(made.pk, None)
    assert [poll.is_revealed for poll in polls(made)] == [True, False]
    assert live.ballots.get().after_reveal is False


@pytest.mark.parametrize("closes_at", [None, -HOUR])
def test_it_does_not_open_without_a_moment_to_close(closes_at):
    made = planned(closes_at=closes_at and timezone.now() + closes_at)
    with pytest.raises(GestureRejected, match="Say first when it closes"):
        questionnaires.open_now(made.pk, None)
    assert status(made) == "planned"


def test_an_unfinished_question_is_named():
    unfinished = Question("single_choice", "Which room?", options=())
    made = factories.questionnaire(None, unfinished, opened=False)
    with pytest.raises(GestureRejected, match=r"has to be finished before people can be asked.*Which room"):
        questionnaires.open_now(made.pk, None)


def test_a_question_added_since_is_asked_once_somebody_says_so():
    made = factories.questionnaire()
    item = factories.poll_item(made)
    who = factories.participant(made)
    assert questionnaire.load(made, factories.token_of(who)).total == 1
    questionnaires.ask_added(made.pk, None)
    assert questionnaire.load(made, factories.token_of(who)).total == 2
    assert isinstance(factories.vote(who, item.poll, "yes"), Receipt)
    with pytest.raises(GestureRejected, match="asked already"):
        questionnaires.ask_added(made.pk, None)


def test_people_agree_to_what_the_programme_says_on_the_day_it_opens():
    made = planned()
    newest = factories.sheet(made.programme)
    questionnaires.open_now(made.pk, None)
    made.refresh_from_db()
    assert made.sheet == newest
    questionnaires.close_now(made.pk, None)
    factories.sheet(made.programme)  # who answers after it opens again agrees to the same as those before
    questionnaires.open_now(made.pk, None, timezone.now() + HOUR)
    made.refresh_from_db()
    assert made.sheet == newest


@pytest.mark.parametrize("by_the_clock", [False, True])
def test_it_does_not_open_while_there_is_nothing_to_agree_to(by_the_clock):
    made = planned(opens_at=timezone.now() - HOUR if by_the_clock else None)
    made.programme.sheets.update(items=factories.SHEET_ITEMS[2:])
    if by_the_clock:
        assert questionnaires.open_and_close_what_is_due() == []
    else:
        with pytest.raises(GestureRejected, match="Something on the"):
            questionnaires.open_now(made.pk, None)
    assert status(made) == "planned"


def test_pressed_twice_it_opens_once():
    made = planned()
    questionnaires.open_now(made.pk, None)
    with pytest.raises(GestureRejected, match="open already"):
        questionnaires.open_now(made.pk, None)


def test_closing_freezes_results_with_their_denominators():
    made = planned()
    questionnaires.open_now(made.pk, None)
    first, second = polls(made)
    factories.vote(factories.participant(made), first, "yes")
    questionnaires.close_now(made.pk, None)
    first, second = polls(made)
    assert (first.result["counts"]["joined"], first.result["counts"]["cast"]) == (1, 1)
    assert second.result["counts"]["issued"] == 0
    assert status(made) == "ended"


def test_a_closed_one_opens_again_and_keeps_its_answers():
    made = planned()
    questionnaires.open_now(made.pk, None)
    who = factories.participant(made)
    first, second = polls(made)
    factories.vote(who, first, "yes")
    questionnaires.close_now(made.pk, None)
    questionnaires.open_now(made.pk, None, timezone.now() + 2 * HOUR)
    assert isinstance(factories.vote(who, second, "no"), Receipt)
    first, second = polls(made)
    assert (first.is_open, first.is_revealed, first.result) == (True, False, None)
    assert first.ballots.get().value == "yes"
    assert second.ballots.get().after_reveal is True  # they could have seen results before


def test_an_answer_after_the_closing_moment_is_refused_before_any_clock_has_closed_it():
    with time_machine.travel(NOON, tick=False) as clock:
        made = planned(closes_at=NOON + HOUR)
        questionnaires.open_now(made.pk, None)
        first, _second = polls(made)
        who = factories.participant(made)
        assert isinstance(factories.vote(who, first, "yes"), Receipt)
        clock.shift(HOUR)
        late = factories.vote(who, first, "no")
    assert isinstance(late, Refusal)
    assert (late.code, late.message) == ("closed", "Closed before your answer arrived.")
    assert first.ballots.get().value == "yes"


def test_the_clock_opens_and_closes_it():
    with time_machine.travel(NOON, tick=False) as clock:
        made = planned(opens_at=NOON + HOUR, closes_at=NOON + 3 * HOUR)
        assert not questionnaires.is_something_due()
        clock.shift(HOUR)
        assert questionnaires.is_something_due()
        assert questionnaires.open_and_close_what_is_due() == [made.pk]
        assert status(made) == "running"
        assert questionnaires.open_and_close_what_is_due() == []
        clock.shift(2 * HOUR)
        assert facilitation.is_something_due()  # its questions count down as well
        assert facilitation.close_what_is_due() == []
        assert questionnaires.open_and_close_what_is_due() == [made.pk]
    assert status(made) == "ended"


def test_what_would_already_be_closed_is_not_opened_by_the_clock():
    made = planned(opens_at=timezone.now() - 2 * HOUR, closes_at=timezone.now() - HOUR)
    assert questionnaires.open_and_close_what_is_due() == []
    assert status(made) == "planned"


def test_one_that_cannot_open_keeps_no_other_from_it(caplog):
    moment = {"opens_at": timezone.now() - HOUR}
    unfinished = factories.questionnaire(
        None, Question("single_choice", "Which?", options=()), opened=False, **moment
    )
    good = planned(**moment)
    assert questionnaires.open_and_close_what_is_due() == [good.pk]
    assert status(unfinished) == "planned"
    assert f"questionnaire {unfinished.pk} does not open" in caplog.text


def test_a_page_catches_up_where_no_clock_runs():
    with time_machine.travel(NOON, tick=False) as clock:
        made = planned(opens_at=NOON + HOUR, closes_at=NOON + 2 * HOUR)
        assert questionnaires.catch_up(made).is_planned
        clock.shift(HOUR)
        assert questionnaires.catch_up(made).is_running
        clock.shift(HOUR)
        assert questionnaires.catch_up(made).has_ended


def test_catching_up_costs_no_query_where_nothing_is_due(django_assert_num_queries):
    made = planned(opens_at=timezone.now() + HOUR)
    with django_assert_num_queries(0):
        questionnaires.catch_up(made)


# --- times ---------------------------------------------------------------------------------------------------------


def test_extending_an_open_one_moves_the_deadline_of_every_question_and_is_logged():
    made = planned()
    questionnaires.open_now(made.pk, None)
    later = timezone.now() + timedelta(days=3)
    by = factories.staff(made.programme)
    questionnaires.set_times(made, by, opens_at=None, closes_at=later)
    assert [poll.closes_at for poll in polls(made)] == [later, later]
    assert log.sentence(made.log.first()) == f"Changed when {made} opens and closes"


def test_undo_gives_the_former_moment_back_to_every_question():
    before = (timezone.now() + HOUR).replace(microsecond=0)
    made = planned(closes_at=before)
    questionnaires.open_now(made.pk, None)
    by = factories.staff(made.programme)
    questionnaires.set_times(made, by, opens_at=None, closes_at=before + HOUR)
    log.undo(log.last_undoable(by, programme=made.programme), by)
    made.refresh_from_db()
    assert [made.closes_at, *(poll.closes_at for poll in polls(made))] == [before] * 3


def test_undo_refuses_once_it_was_opened():
    made = planned()
    by = factories.staff(made.programme)
    questionnaires.set_times(made, by, opens_at=None, closes_at=timezone.now() + HOUR)
    entry = log.last_undoable(by, programme=made.programme)
    questionnaires.open_now(made.pk, by)
    with pytest.raises(UndoRefused, match="was changed after this"):
        log.undo(entry, by)


def test_the_second_of_two_who_change_the_times_is_told():
    made = planned()
    seen = made.opens_at, made.closes_at
    questionnaires.set_times(made, None, opens_at=None, closes_at=timezone.now() + HOUR, seen=seen)
    with pytest.raises(Stale):
        questionnaires.set_times(made, None, opens_at=None, closes_at=timezone.now() + 2 * HOUR, seen=seen)


def test_an_open_one_cannot_be_set_to_close_in_the_past():
    made = factories.questionnaire()
    with pytest.raises(GestureRejected, match="a moment to come"):
        questionnaires.set_times(made, None, opens_at=None, closes_at=timezone.now() - HOUR)


# --- the other way of taking part ----------------------------------------------------------------------------------


def test_a_planned_workshop_becomes_a_questionnaire_and_live_again():
    made = factories.workshop(started=False)
    questionnaires.set_mode(made, None, Mode.QUESTIONNAIRE)
    assert made.is_questionnaire
    questionnaires.set_mode(made, None, Mode.LIVE)
    assert not made.is_questionnaire


def test_one_that_has_begun_stays_what_it_is():
    made = factories.workshop()
    with pytest.raises(GestureRejected, match="has begun already"):
        questionnaires.set_mode(made, None, Mode.QUESTIONNAIRE)


def test_a_questionnaire_has_no_stage_and_a_live_workshop_no_link():
    made, live = planned(), factories.workshop(started=False)
    for press in (lambda: facilitation.start(made.pk, None), lambda: questionnaires.open_now(live.pk, None)):
        with pytest.raises(GestureRejected, match="no stage"):
            press()
