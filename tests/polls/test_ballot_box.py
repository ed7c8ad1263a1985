"""The one write path: what is accepted, what is refused, and what holds whatever comes in which order."""

from __future__ import annotations

from datetime import timedelta

import hypothesis
import pytest
import time_machine
from django.utils import timezone
from hypothesis import strategies as st

from polls import ballot_box, results
from polls.ballot_box import BallotSubmission, Receipt, Refusal
from polls.lifecycle import InvalidTransition, Reveal
from polls.models import Ballot, Poll
from polls.types import Question
from polls.types.base import Option

from .. import factories

pytestmark = pytest.mark.django_db

LETTERS = Question("single_choice", "Which?", options=tuple(Option(key, key.upper()) for key in "abc"))


@pytest.fixture
def poll():
    return ballot_box.open_poll(factories.poll(LETTERS).pk)


def cast(poll, voter, value, op="", seq=None):
    return ballot_box.cast([BallotSubmission(poll.pk, voter, value, op, seq)])[0]


def stored(poll):
    return {ballot.voter: ballot.value for ballot in poll.ballots.all()}


# --- one ballot, whatever happens ------------------------------------------------------------------------


def test_an_answer_is_stored_and_its_receipt_says_it_in_words(poll):
    receipt = cast(poll, "v1", "a", "op1", 1)
    assert receipt == Receipt(poll.pk, "op1", 1, 1, "cast", "a", "A", {"choice": ["a"]}, ["a"])
    assert stored(poll) == {"v1": "a"}


def test_a_pass_is_stored_as_a_pass_without_a_value(poll):
    receipt = cast(poll, "v1", None)
    assert (receipt.status, receipt.value, receipt.said) == ("passed", None, "Pass")
    assert Ballot.objects.filter(poll=poll, status="passed", value__isnull=True).count() == 1


def test_twenty_quick_taps_leave_one_ballot_and_no_error(poll):
    outcomes = ballot_box.cast([BallotSubmission(poll.pk, "v1", "a", f"op{n}", n) for n in range(1, 21)])
    assert [type(outcome) for outcome in outcomes] == [Receipt] * 20
    assert stored(poll) == {"v1": "a"}


def test_twenty_taps_over_twenty_batches_leave_one_ballot(poll):
    for n in range(1, 21):
        cast(poll, "v1", "abc"[n % 3], f"op{n}", n)
    assert stored(poll) == {"v1": "c"}
    assert poll.ballots.get().revision == 20


def test_the_same_operation_twice_has_one_effect_and_the_same_receipt(poll):
    first = cast(poll, "v1", "a", "op1", 1)
    assert cast(poll, "v1", "a", "op1", 1) == first
    assert poll.ballots.get().revision == 1


def test_the_same_operation_twice_in_one_batch_has_one_effect(poll):
    first, again = ballot_box.cast([BallotSubmission(poll.pk, "v1", "a", "op1", 1)] * 2)
    assert first == again
    assert poll.ballots.get().revision == 1


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1), (1, 3, 2), (3, 1, 2)])
def test_of_answers_that_arrive_in_any_order_the_highest_sequence_wins(poll, order):
    values = {1: "a", 2: "b", 3: "a"}
    outcomes = [cast(poll, "v1", values[seq], f"op{seq}", seq) for seq in order]
    assert stored(poll) == {"v1": "a"}
    assert poll.ballots.get().seq == 3
    highest = [max(order[: n + 1]) for n in range(3)]
    codes = [getattr(outcome, "code", "ok") for outcome in outcomes]
    assert codes == ["ok" if seq == top else "stale" for seq, top in zip(order, highest, strict=True)]


def test_a_lower_sequence_in_the_same_batch_is_stale(poll):
    first, second = ballot_box.cast(
        [BallotSubmission(poll.pk, "v1", "a", "o1", 2), BallotSubmission(poll.pk, "v1", "b", "o2", 1)]
    )
    assert (first.value, second.code) == ("a", "stale")
    assert stored(poll) == {"v1": "a"}


def test_of_two_answers_with_the_same_sequence_the_first_stays(poll):
    cast(poll, "v1", "a", "op1", 1)
    assert cast(poll, "v1", "b", "op2", 1).code == "stale"
    first, second = ballot_box.cast(
        [BallotSubmission(poll.pk, "v2", "a", "op3", 1), BallotSubmission(poll.pk, "v2", "b", "op4", 1)]
    )
    assert (first.value, second.code) == ("a", "stale")
    assert stored(poll) == {"v1": "a", "v2": "a"}


def test_a_form_without_a_sequence_comes_after_the_last_answer(poll):
    cast(poll, "v1", "a", "op1", 7)
    assert cast(poll, "v1", "b").seq == 8
    assert stored(poll) == {"v1": "b"}


def test_a_bad_paper_harms_no_other_in_its_batch(poll):
    outcomes = ballot_box.cast(
        [
            BallotSubmission(poll.pk, "v1", "a"),
            BallotSubmission(poll.pk, "v2", "no such"),
            BallotSubmission(10**9, "v3", "a"),
            BallotSubmission(poll.pk, "v4", None),
        ]
    )
    assert [getattr(outcome, "code", "ok") for outcome in outcomes] == ["ok", "invalid", "forbidden", "ok"]
    assert stored(poll) == {"v1": "a", "v4": None}


def test_a_refused_change_leaves_the_earlier_answer(poll):
    cast(poll, "v1", "a")
    assert cast(poll, "v1", "no such").code == "invalid"
    assert stored(poll) == {"v1": "a"}


def test_a_refused_first_answer_leaves_no_ballot(poll):
    assert cast(poll, "v1", "no such").code == "invalid"
    assert stored(poll) == {}


def test_an_answer_that_may_not_be_changed_is_kept():
    question = Question("single_choice", "Once?", options=LETTERS.options, settings={"change": False})
    poll = ballot_box.open_poll(factories.poll(question).pk)
    first = cast(poll, "v1", "a", "op1", 1)
    refusal = cast(poll, "v1", "b", "op2", 2)
    assert (refusal.code, refusal.message) == ("invalid", "An answer to this question cannot be changed.")
    assert cast(poll, "v1", "a", "op1", 1) == first
    assert stored(poll) == {"v1": "a"}


def test_a_ballot_that_was_issued_takes_its_first_answer_also_where_that_is_the_last():
    question = Question("single_choice", "Once?", options=LETTERS.options, settings={"change": False})
    poll = ballot_box.open_poll(factories.poll(question).pk)
    ballot_box.issue(poll.pk, ["v1"])
    assert cast(poll, "v1", "a", "op1", 0).status == "cast"
    assert cast(poll, "v1", "b", "op2", 1).code == "invalid"


def test_no_papers_are_no_trouble(db):
    assert ballot_box.cast([]) == []


def test_a_large_batch_takes_as_many_queries_as_a_small_one(poll, django_assert_num_queries):
    cast(poll, "v0", "a")  # a process reads each version's question once, at its first answer
    with django_assert_num_queries(4):  # polls, ballots, reveals, upsert
        ballot_box.cast([BallotSubmission(poll.pk, "v1", "a")])
    with django_assert_num_queries(4):
        ballot_box.cast([BallotSubmission(poll.pk, f"w{n}", "a") for n in range(50)])


# --- closed is closed -------------------------------------------------------------------------------------


def test_a_draft_takes_no_answer():
    draft = factories.poll(LETTERS)
    assert cast(draft, "v1", "a").code == "closed"
    assert Poll.objects.get(pk=draft.pk).late == 0  # that is for answers after the close


def test_after_the_close_an_answer_is_refused_and_the_earlier_one_stays(poll):
    cast(poll, "v1", "a", "op1", 1)
    ballot_box.close_poll(poll.pk)
    assert cast(poll, "v1", "b", "op2", 2) == Refusal(
        poll.pk, "op2", "closed", "Closed before your answer arrived."
    )
    assert stored(poll) == {"v1": "a"}


def test_a_retry_after_the_close_gets_the_receipt_of_what_was_stored_before(poll):
    first = cast(poll, "v1", "a", "op1", 1)
    ballot_box.close_poll(poll.pk)
    assert cast(poll, "v1", "a", "op1", 1) == first


def test_a_frame_replayed_after_reopening_has_no_effect(poll):
    cast(poll, "v1", "a", "op1", 1)
    cast(poll, "v1", "b", "op2", 2)
    ballot_box.close_poll(poll.pk)
    ballot_box.open_poll(poll.pk)
    before = poll.ballots.values().get()
    assert cast(poll, "v1", "a", "op1", 1).code == "stale"
    assert cast(poll, "v1", "b", "op2", 2).revision == 2
    assert poll.ballots.values().get() == before


def test_from_the_announced_moment_no_answer_is_taken_close_or_no_close(poll):
    ballot_box.close_in(poll.pk, 20)
    assert isinstance(cast(poll, "v1", "a"), Receipt)
    with time_machine.travel(timezone.now() + timedelta(seconds=21)):
        assert cast(poll, "v2", "a").code == "closed"
    assert Poll.objects.get(pk=poll.pk).is_open


def test_at_the_announced_moment_itself_it_is_too_late(poll):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        ballot_box.close_in(poll.pk, 20)
        clock.shift(timedelta(seconds=20) - timedelta(microseconds=1))
        assert isinstance(cast(poll, "v1", "a"), Receipt)
        clock.shift(timedelta(microseconds=1))
        assert cast(poll, "v2", "a").code == "closed"


def test_reopening_forgets_the_frozen_result_and_the_countdown(poll):
    ballot_box.close_in(poll.pk, 20)
    ballot_box.close_poll(poll.pk)
    again = ballot_box.open_poll(poll.pk)
    assert (again.result, again.closed_at, again.closes_at) == (None, None, None)


def test_reopening_keeps_the_moment_of_the_first_opening(poll):
    ballot_box.close_poll(poll.pk)
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        assert ballot_box.open_poll(poll.pk).opened_at == poll.opened_at


def test_a_reset_poll_is_as_if_never_asked(poll):
    never_asked = Poll.objects.filter(pk=factories.poll(LETTERS).pk).values().get()
    ballot_box.issue(poll.pk, ["v1"])
    ballot_box.show_result(poll.pk, True)
    ballot_box.show_words_at_once(poll.pk, True)
    ballot_box.close_poll(poll.pk)
    cast(poll, "v1", "a")
    assert Poll.objects.get(pk=poll.pk).late == 1
    ballot_box.reset_poll(poll.pk)
    own = {"id", "version_id"}
    reset = Poll.objects.filter(pk=poll.pk).values().get()
    assert {key: reset[key] for key in reset if key not in own} == {
        key: never_asked[key] for key in never_asked if key not in own
    }
    assert (poll.ballots.count(), poll.reveal_moments.count()) == (0, 0)


@pytest.mark.parametrize(
    "gesture", [ballot_box.close_poll, lambda pk: ballot_box.close_in(pk, 20), ballot_box.reset_poll]
)
def test_a_draft_can_only_be_opened(gesture):
    draft = factories.poll(LETTERS)
    with pytest.raises(InvalidTransition):
        gesture(draft.pk)
    assert Poll.objects.get(pk=draft.pk).is_draft


def test_what_is_open_cannot_be_opened_again(poll):
    with pytest.raises(InvalidTransition):
        ballot_box.open_poll(poll.pk)


def test_a_poll_with_ballots_is_never_reset(poll):
    cast(poll, "v1", "a")
    with pytest.raises(ValueError, match="cannot be reset"):
        ballot_box.reset_poll(poll.pk)
    assert Poll.objects.get(pk=poll.pk).is_open


# --- papers issued ----------------------------------------------------------------------------------------


def test_a_paper_is_issued_once_and_keeps_its_answer(poll):
    ballot_box.issue(poll.pk, ["v1", "v2"])
    cast(poll, "v1", "a")
    ballot_box.issue(poll.pk, ["v1", "v3"])
    assert stored(poll) == {"v1": "a", "v2": None, "v3": None}


def test_a_ballot_that_a_rehearsal_was_issued_is_counted_there_alone(poll):
    ballot_box.issue(poll.pk, ["v1", "v2"], rehearsals=["v2"])
    assert results.turnout(poll).issued == 1
    assert results.turnout(poll, rehearsal=True).issued == 2


def test_only_an_open_poll_issues_papers(poll):
    ballot_box.close_poll(poll.pk)
    assert ballot_box.issue(poll.pk, ["v1"]) == 0
    assert stored(poll) == {}


def test_a_paper_remembers_when_it_was_issued_not_when_it_was_cast(poll):
    with time_machine.travel(timezone.now() - timedelta(minutes=1), tick=False):
        ballot_box.issue(poll.pk, ["v1"])
    cast(poll, "v1", "a")
    ballot = poll.ballots.get()
    assert ballot.cast_at - ballot.issued_at >= timedelta(seconds=59)


def test_own_papers_are_ones_own_and_only_what_was_cast(poll):
    ballot_box.issue(poll.pk, ["v1", "v2"])
    cast(poll, "v2", "b")
    assert ballot_box.receipts_of("v1", [poll.pk]) == {}
    assert {pk: paper.value for pk, paper in ballot_box.receipts_of("v2", [poll.pk]).items()} == {
        poll.pk: "b"
    }


def test_an_invented_workshops_ballots_move_to_its_day_and_an_unanswered_one_stays_unanswered(poll):
    ballot_box.issue(poll.pk, ["v1", "v2"])
    cast(poll, "v1", "a")
    ballot_box.close_poll(poll.pk)
    began = timezone.now() - timedelta(days=300)
    ballot_box.backdate(poll.pk, opened_at=began, closed_at=began + timedelta(minutes=5))
    ballots = {ballot.voter: ballot for ballot in poll.ballots.all()}
    assert {ballot.issued_at for ballot in ballots.values()} == {began}
    assert began < ballots["v1"].cast_at < began + timedelta(minutes=5)
    assert ballots["v2"].cast_at is None
    moved = Poll.objects.get(pk=poll.pk)
    assert (moved.opened_at, moved.closed_at, moved.revealed_at) == (
        began,
        *[began + timedelta(minutes=5)] * 2,
    )
    assert [moment.at for moment in poll.reveal_moments.all()] == [began + timedelta(minutes=5)]


# --- who could see the result ------------------------------------------------------------------------------


def after_reveal(poll):
    return {ballot.voter: ballot.after_reveal for ballot in poll.ballots.all()}


def test_an_answer_before_any_reveal_is_unmarked_and_one_after_it_is_marked(poll):
    cast(poll, "v1", "a")
    ballot_box.show_result(poll.pk, True)
    cast(poll, "v2", "a")
    ballot_box.show_result(poll.pk, False)
    cast(poll, "v3", "a")
    assert after_reveal(poll) == {"v1": False, "v2": True, "v3": True}


def test_an_answer_changed_after_a_reveal_is_marked(poll):
    cast(poll, "v1", "a")
    ballot_box.show_result(poll.pk, True)
    cast(poll, "v1", "b")
    assert after_reveal(poll) == {"v1": True}


def test_where_results_run_live_every_answer_is_marked():
    poll = ballot_box.open_poll(factories.poll(LETTERS, reveal=Reveal.LIVE).pk)
    cast(poll, "v1", "a")
    assert after_reveal(poll) == {"v1": True}


def test_where_voters_see_the_result_after_voting_only_a_change_is_marked():
    poll = ballot_box.open_poll(factories.poll(LETTERS, reveal=Reveal.AFTER_VOTE).pk)
    cast(poll, "v1", "a")
    cast(poll, "v2", "a")
    cast(poll, "v2", "b")
    assert after_reveal(poll) == {"v1": False, "v2": True}


@pytest.mark.parametrize(
    ("reveal", "shown"),
    [
        (Reveal.AFTER_CLOSE, [True]),
        (Reveal.AFTER_VOTE, [True]),
        (Reveal.LIVE, [True]),
        (Reveal.NEVER, []),
    ],
)
def test_a_reveal_follows_the_policy_and_is_recorded(reveal, shown):
    poll = ballot_box.open_poll(factories.poll(LETTERS, reveal=reveal).pk)
    ballot_box.close_poll(poll.pk)
    assert list(poll.reveal_moments.values_list("shown", flat=True)) == shown
    assert Poll.objects.get(pk=poll.pk).is_revealed == bool(shown)


def test_reopening_hides_a_result_that_the_close_had_shown(poll):
    ballot_box.close_poll(poll.pk)
    assert ballot_box.open_poll(poll.pk).is_revealed is False
    assert list(poll.reveal_moments.values_list("shown", "why")) == [(True, "policy"), (False, "policy")]


def test_showing_twice_is_recorded_once(poll):
    ballot_box.show_result(poll.pk, True)
    ballot_box.show_result(poll.pk, True)
    assert poll.reveal_moments.count() == 1


# --- any interleaving ---------------------------------------------------------------------------------------

voters = st.sampled_from(["v1", "v2", "v3"])
papers = st.builds(
    lambda voter, value, op, seq: ("cast", voter, value, op, seq),
    voters,
    st.sampled_from(["a", "b", "c", None, "no such"]),
    st.sampled_from(["", "o1", "o2", "o3", "o4"]),
    st.none() | st.integers(0, 6),
)
steps = st.one_of(
    papers,
    st.lists(papers, max_size=4).map(lambda batch: ("batch", batch)),
    st.tuples(st.just("issue"), voters),
    st.sampled_from([("close",), ("reopen",), ("show",), ("hide",)]),
)


def recount(poll):
    """From the rows alone, by a way that shares nothing with `polls.results`."""
    cast_ones = [ballot for ballot in poll.ballots.all() if ballot.status != "issued"]
    chosen = [ballot.value for ballot in cast_ones if ballot.status == "cast"]
    counts = {key: chosen.count(key) for key in "abc"}
    return len(cast_ones), len(cast_ones) - len(chosen), {"n": len(chosen), "counts": counts, "other": {}}


def check(poll):
    poll = Poll.objects.select_related("version").get(pk=poll.pk)
    result, (n_cast, n_passed, tally) = results.read(poll), recount(poll)
    assert result.tally == tally
    assert (result.counts.cast, result.counts.passed) == (n_cast, n_passed)
    assert result.counts.valid == n_cast - n_passed == tally["n"]
    assert result.counts.issued == poll.ballots.count() == poll.ballots.values("voter").distinct().count()
    assert result.frozen == poll.is_closed


def perform(poll, step):
    match step:
        case ("cast", voter, value, op, seq):
            cast(poll, voter, value, op, seq)
        case ("batch", batch):
            ballot_box.cast([BallotSubmission(poll.pk, *rest) for _name, *rest in batch])
        case ("issue", voter):
            ballot_box.issue(poll.pk, [voter])
        case ("close",):
            ballot_box.close_poll(poll.pk)
        case ("reopen",):
            ballot_box.open_poll(poll.pk)
        case ("show",) | ("hide",):
            ballot_box.show_result(poll.pk, step == ("show",))


@hypothesis.settings(max_examples=60, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
@hypothesis.given(story=st.lists(steps, max_size=14))
def test_whatever_is_done_in_whatever_order_the_numbers_are_a_recount(story, db):
    poll = ballot_box.open_poll(factories.poll(LETTERS).pk)
    highest = {}
    for step in story:
        try:
            perform(poll, step)
        except InvalidTransition:
            continue
        check(poll)
        for ballot in poll.ballots.all():
            assert ballot.seq >= highest.get(ballot.voter, 0), "an older answer has replaced a newer one"
            highest[ballot.voter] = ballot.seq
