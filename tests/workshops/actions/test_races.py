"""Two connections at once, each in a thread of its own: PostgreSQL's row locks, SQLite's one writer.

The first thread has done its part and not yet committed when the second begins.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillWaiting
from contextlib import closing
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from polls import ballot_box, results
from polls.ballot_box import BallotSubmission, Receipt
from polls.lifecycle import InvalidTransition
from polls.models import Ballot, Poll, TextDecision
from polls.types import Question
from polls.types.base import Option
from workshops.actions import facilitation, groups, moderation, participation, rehearsal
from workshops.actions.groups import notes
from workshops.actions.groups.requests import Done
from workshops.actions.participation import QuestionSeen, Vote
from workshops.actions.retention import job as retention
from workshops.models import Group, Participant, Place, Workshop

from ... import factories
from ...patience import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)

LETTERS = Question("single_choice", "Which?", options=tuple(Option(key, key.upper()) for key in "abc"))
WORDS = Question("words", "Which words?")
AT_ONCE = 25  # tries of a race that has no fixed order


@pytest.fixture
def poll():
    return ballot_box.open_poll(factories.poll(LETTERS).pk)


def one_after_the_other(first: Callable[[], Any], second: Callable[[], Any]) -> tuple[Any, Any]:
    """What both return; `second` starts while `first` is done but not committed, and has to wait for it."""
    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            done = first()
            later = other.submit(_alone, second)
            with pytest.raises(StillWaiting):
                later.result(0.3)
        return done, later.result(PATIENCE)


def at_once(*actions: Callable[[], Any]) -> list[Any]:
    """What each returns or raises, started in the same moment."""
    ready = Barrier(len(actions))

    def run(action: Callable[[], Any]) -> Any:
        ready.wait(PATIENCE)
        try:
            return _alone(action)
        except InvalidTransition as error:
            return error

    with ThreadPoolExecutor(len(actions)) as threads:
        return [future.result(PATIENCE) for future in [threads.submit(run, action) for action in actions]]


def _alone(action: Callable[[], Any]) -> Any:
    with closing(connection):
        return action()


def test_two_runs_of_retention_at_once_remove_everything_once_while_people_vote_elsewhere():
    over = factories.workshop(None, WORDS, LETTERS)
    people = [factories.participant(over) for _ in range(30)]
    for place, answer in ((0, ["never read"]), (1, "a")):
        asked = factories.launched(over, place)
        for who in people:
            factories.vote(who, asked, answer)
    facilitation.end(over.pk, None)
    Workshop.objects.filter(pk=over.pk).update(ended_at=timezone.now() - timedelta(days=800))
    here = factories.workshop(over.programme, LETTERS)
    asked, voters = factories.launched(here), [factories.participant(here) for _ in range(AT_ONCE)]

    def run():
        return retention.apply(lambda _said: None).numbers[over.programme_id]

    *numbers, receipts = at_once(run, run, lambda: [factories.vote(who, asked, "a") for who in voters])
    assert numbers[0] + numbers[1] == {"texts": 30, "keys": 30}
    assert all(isinstance(receipt, Receipt) for receipt in receipts)
    mine = Ballot.objects.filter(poll__agenda_item__workshop=over)
    assert mine.values("voter").distinct().count() == 30
    assert not mine.filter(voter__in=[who.voter for who in people]).exists()
    assert [value for value in mine.values_list("value", flat=True) if value != "a"] == [[]] * 30


def cast(poll: Poll, voter: str, value: str, seq: int | None = None) -> Any:
    return ballot_box.cast([BallotSubmission(poll.pk, voter, value, f"{voter}-{value}-{seq}", seq)])[0]


def stored(poll: Poll) -> dict[str, Any]:
    return dict(poll.ballots.values_list("voter", "value"))


# --- close and cast ---------------------------------------------------------------------------------------


def test_an_answer_that_meets_a_close_waits_for_it_and_is_refused(poll):
    cast(poll, "v1", "a")
    closed, late = one_after_the_other(lambda: ballot_box.close_poll(poll.pk), lambda: cast(poll, "v2", "b"))
    assert late.code == "closed"
    assert stored(poll) == {"v1": "a"}
    assert closed.result["tally"]["counts"] == {"a": 1, "b": 0, "c": 0}


def test_a_close_that_meets_an_answer_waits_for_it_and_freezes_it(poll):
    saved, closed = one_after_the_other(lambda: cast(poll, "v1", "a"), lambda: ballot_box.close_poll(poll.pk))
    assert saved.value == "a"
    assert closed.result["counts"]["valid"] == 1
    assert closed.closed_at >= poll.ballots.get().cast_at


def test_a_paper_that_meets_a_close_is_not_issued_after_it(poll):
    closed, issued = one_after_the_other(
        lambda: ballot_box.close_poll(poll.pk), lambda: ballot_box.issue(poll.pk, ["v1"])
    )
    assert (issued, closed.result["counts"]["issued"], stored(poll)) == (0, 0, {})


def test_whatever_the_order_a_frozen_result_is_the_recount_of_what_was_acknowledged():
    for _try in range(AT_ONCE):
        _race_to_the_close(ballot_box.open_poll(factories.poll(LETTERS).pk))


def _race_to_the_close(poll: Poll) -> None:
    *votes, closed = at_once(
        lambda: [cast(poll, f"v{n}", "a") for n in range(3)],
        lambda: [cast(poll, f"v{n}", "b") for n in range(3, 6)],
        lambda: ballot_box.close_poll(poll.pk),
    )
    saved = [outcome for thread in votes for outcome in thread if isinstance(outcome, Receipt)]
    frozen, recount = results.read(closed), results.count(closed)
    assert (frozen.tally, frozen.counts) == (recount.tally, recount.counts)
    assert (frozen.frozen, frozen.counts.cast) == (True, len(saved))


# --- one voter, two processes ---------------------------------------------------------------------------------


def test_of_two_first_answers_of_one_voter_the_newer_stays_when_the_older_comes_second(poll):
    newer, older = one_after_the_other(lambda: cast(poll, "v1", "b", 2), lambda: cast(poll, "v1", "a", 1))
    assert (newer.value, older.code) == ("b", "stale")
    assert stored(poll) == {"v1": "b"}


def test_of_two_first_answers_of_one_voter_the_newer_stays_when_it_comes_second(poll):
    one_after_the_other(lambda: cast(poll, "v1", "a", 1), lambda: cast(poll, "v1", "b", 2))
    assert stored(poll) == {"v1": "b"}
    assert poll.ballots.get().revision == 2


def test_the_same_operation_over_two_connections_has_one_effect_and_one_receipt(poll):
    first, again = one_after_the_other(lambda: cast(poll, "v1", "a", 1), lambda: cast(poll, "v1", "a", 1))
    assert first == again
    assert poll.ballots.get().revision == 1


def test_a_paper_issued_while_it_is_cast_keeps_the_answer(poll):
    one_after_the_other(lambda: cast(poll, "v1", "a"), lambda: ballot_box.issue(poll.pk, ["v1"]))
    assert stored(poll) == {"v1": "a"}


# --- nobody waits in a circle -----------------------------------------------------------------------------------


def test_batches_that_touch_the_same_polls_in_another_order_never_block_each_other():
    workshop = factories.workshop(None, LETTERS)
    one, two = (_open_profile(workshop) for _ in range(2))
    people = [factories.participant(workshop) for _ in range(2)]

    def batch(shown: Poll, voted: Poll) -> Callable[[], Any]:
        items = [QuestionSeen(workshop.pk, who.voter, shown.pk) for who in people]
        items += [Vote(workshop.pk, who.voter, voted.pk, "a") for who in people]
        return lambda: [participation.write(items) for _ in range(3)][-1]

    for _try in range(AT_ONCE):
        first, second = at_once(batch(one, two), batch(two, one))
        assert [getattr(outcome, "value", None) for outcome in first + second] == [None, None, "a", "a"] * 2


def test_the_end_of_a_workshop_and_late_answers_never_block_each_other():
    for _try in range(AT_ONCE // 5):
        workshop = factories.workshop(None, LETTERS)
        profile = _open_profile(workshop)
        stage = factories.launched(workshop)
        who = factories.participant(workshop)
        items = [Vote(workshop.pk, who.voter, poll.pk, "a") for poll in (profile, stage)]
        at_once(
            lambda w=workshop: facilitation.end(w.pk, None),
            lambda i=items: [participation.write(i) for _ in range(4)],
        )
        for poll in Poll.objects.filter(pk__in=[profile.pk, stage.pk]):
            assert results.read(poll).counts.cast == results.count(poll).counts.cast


def test_checking_words_and_closing_their_question_never_block_each_other():
    for _try in range(AT_ONCE // 5):
        workshop = factories.workshop(None, WORDS)
        stage = factories.launched(workshop)
        factories.vote(factories.participant(workshop), stage, ["calm", "cosy"])
        words = factories.refs(stage, "calm", "cosy")
        at_once(
            lambda w=workshop, r=words: moderation.check_texts(w.pk, None, r, True),
            lambda w=workshop, r=words: moderation.check_texts(w.pk, None, r[::-1], False),
            lambda w=workshop: facilitation.close(w.pk, None),
        )
        assert TextDecision.objects.filter(text__poll=stage).count() == 4
        assert len({factories.text(stage, word).state for word in ("calm", "cosy")}) == 1


def two_scribes() -> tuple[Workshop, list[Participant], list[Group]]:
    """Three groups at work, and a scribe in each of the first two."""
    workshop = factories.workshop()
    people = [factories.participant(workshop) for _ in range(2)]
    facilitation.launch(workshop.pk, None, factories.prompt_item(workshop).pk)
    groups.make(workshop.pk, None, "self_chosen", groups=3)
    groups.open_round(workshop.pk, None)
    made = list(Group.objects.order_by("number"))
    for who, group in zip(people, made[:2], strict=True):
        notes.write([notes.Choose(workshop.pk, who.voter, f"sit-{group.pk}", group.pk)])
        notes.write([notes.Scribe(workshop.pk, who.voter, f"scribe-{group.pk}", group.pk, True)])
    return workshop, people, made


def test_people_who_change_groups_in_another_order_never_block_each_other():
    workshop, people, (one, two, three) = two_scribes()

    def sit(*moves: tuple[int, Group]) -> list[Any]:
        return notes.write(
            [notes.Choose(workshop.pk, people[who].voter, f"{who}-{to.pk}", to.pk) for who, to in moves]
        )

    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            done = sit((0, three))
            later = other.submit(_alone, lambda: sit((1, three), (0, two)))
            with pytest.raises(StillWaiting):
                later.result(0.5)
            done += sit((1, one))  # who waits has nothing that this needs
        done += later.result(PATIENCE)
    assert all(isinstance(outcome, Done) for outcome in done)


def test_a_facilitator_who_moves_people_and_people_who_change_groups_never_block_each_other():
    workshop, people, (_, _, three) = two_scribes()
    first, second = [Place.objects.get(voter=who.voter).pk for who in people]

    def choose() -> list[Any]:
        return notes.write(
            [notes.Choose(workshop.pk, who.voter, f"on-{who.voter}", three.pk) for who in people]
        )

    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            groups.move(workshop.pk, None, [second], three.pk)
            later = other.submit(_alone, choose)
            with pytest.raises(StillWaiting):
                later.result(0.5)
            groups.move(workshop.pk, None, [first], three.pk)
        assert all(isinstance(outcome, Done) for outcome in later.result(PATIENCE))


def test_an_answer_of_a_rehearsal_that_meets_its_clearing_leaves_nothing_behind():
    for _try in range(AT_ONCE // 5):
        workshop = factories.workshop(None, LETTERS)
        profile = _open_profile(workshop)
        stage = factories.launched(workshop)
        who = factories.participant(workshop, rehearsal=True)
        real = factories.participant(workshop)
        factories.vote(real, stage, "b")
        items = [Vote(workshop.pk, who.voter, poll.pk, "a") for poll in (stage, profile)]
        at_once(
            lambda w=workshop: rehearsal.clear_rehearsal(w.pk, None),
            lambda i=items: [participation.write(i) for _ in range(4)],
        )
        assert (stored(stage), stored(profile)) == ({real.voter: "b"}, {})


def _open_profile(workshop) -> Poll:
    return ballot_box.open_poll(factories.poll_item(workshop, LETTERS, profile=True).poll_id)
