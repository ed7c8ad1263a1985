"""The one read path: recounts, frozen denominators, pooling, the room's view."""

from __future__ import annotations

import pytest

from polls import ballot_box, results
from polls.models import Ballot, Measure, Poll, TextCheck
from polls.results import Counts, NotComparable
from polls.types import POLL_TYPES, Question
from polls.types.base import Option
from workshops.actions import facilitation, participation

from . import factories
from .factories import YES_NO, vote
from .poll_samples import QUESTIONS

pytestmark = pytest.mark.django_db


@pytest.fixture
def workshop():
    return factories.workshop()


@pytest.fixture
def poll(workshop):
    return factories.launched(workshop)


def people(workshop, number, **options):
    return [factories.participant(workshop, **options) for _ in range(number)]


def fresh(poll):
    return Poll.objects.select_related("version").get(pk=poll.pk)


def test_an_open_poll_is_recounted_at_every_look(workshop, poll):
    one, two = people(workshop, 2)
    vote(one, poll, "yes")
    assert results.read(fresh(poll)).tally["counts"] == {"yes": 1, "no": 0}
    vote(one, poll, "no")
    vote(two, poll, "no")
    assert results.read(fresh(poll)).tally["counts"] == {"yes": 0, "no": 2}


def test_the_close_freezes_every_denominator(workshop, poll):
    voters = people(workshop, 5)
    ballot_box.issue(poll.pk, [voters[3].voter])
    for who, value in zip(voters, ["yes", "yes", None], strict=False):
        vote(who, poll, value)
    facilitation.head_count(workshop.pk, None, 7)
    facilitation.close(workshop.pk, None)
    assert results.read(fresh(poll)).counts == Counts(attended=7, joined=5, issued=4, cast=3, passed=1)
    assert fresh(poll).result["counts"]["valid"] == 2


def test_what_happens_after_the_close_does_not_change_the_frozen_numbers(workshop, poll):
    one, two = people(workshop, 2)
    vote(one, poll, "yes")
    facilitation.close(workshop.pk, None)
    before = results.read(fresh(poll))
    people(workshop, 3)
    facilitation.head_count(workshop.pk, None, 99)
    vote(two, poll, "no")
    participation.leave(one)
    Ballot.objects.filter(poll=poll).delete()
    assert results.read(fresh(poll)) == before


def test_somebody_who_left_before_the_close_was_still_asked(workshop, poll):
    one, _two = people(workshop, 2)
    vote(one, poll, "yes")
    participation.leave(one)
    facilitation.close(workshop.pk, None)
    counts = results.read(fresh(poll)).counts
    assert (counts.joined, counts.cast) == (2, 1)


def test_a_rehearsal_is_in_the_rooms_view_and_nowhere_else(workshop, poll):
    (real,), (invented,) = people(workshop, 1), people(workshop, 1, rehearsal=True)
    vote(real, poll, "yes")
    vote(invented, poll, "no")
    assert results.read(fresh(poll)).tally["counts"] == {"yes": 1, "no": 0}
    assert results.read(fresh(poll), rehearsal=True).tally["counts"] == {"yes": 1, "no": 1}
    facilitation.close(workshop.pk, None)
    frozen = fresh(poll).result
    assert frozen["tally"]["counts"] == {"yes": 1, "no": 0}
    assert (frozen["counts"]["joined"], frozen["counts"]["cast"]) == (1, 1)
    assert results.pool([fresh(poll)]).tally["counts"] == {"yes": 1, "no": 0}


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_type_survives_freezing_and_thawing_without_a_ballot(name):
    poll = ballot_box.open_poll(factories.poll(QUESTIONS[name]).pk)
    closed = ballot_box.close_poll(poll.pk, joined=0, attended=None)
    counted, frozen = results.count(fresh(poll), joined=0), results.read(fresh(closed))
    assert (frozen.tally, frozen.counts, frozen.measures) == (counted.tally, counted.counts, counted.measures)
    assert frozen.frozen


def test_a_measure_written_after_the_close_is_counted_from_the_ballots(workshop, poll):
    (one,) = people(workshop, 1)
    vote(one, poll, "yes")
    facilitation.close(workshop.pk, None)
    Measure.objects.create(
        instrument=poll.version.instrument,
        key="calm",
        label="Calm",
        kind="merge",
        definition={"members": ["yes"]},
    )
    assert [(share.key, share.hits, share.valid) for share in results.read(fresh(poll)).measures] == [
        ("calm", 1, 1)
    ]


def test_a_measure_changed_after_the_close_is_counted_anew_so_that_old_and_new_polls_pool(workshop, poll):
    definitions = {"kind": "merge", "key": "calm", "label": "Calm", "instrument": poll.version.instrument}
    Measure.objects.create(**definitions, number=1, definition={"members": ["yes"]})
    for value in ("yes", "no", "no"):
        vote(factories.participant(workshop), poll, value)
    closed = ballot_box.close_poll(poll.pk)
    assert [(share.hits, share.number) for share in results.read(closed).measures] == [(1, 1)]
    Measure.objects.create(**definitions, number=2, definition={"members": ["yes", "no"]})
    assert [(share.hits, share.number) for share in results.read(closed).measures] == [(3, 2)]


def test_reading_an_open_poll_takes_two_queries_whatever_its_size(workshop, poll, django_assert_num_queries):
    voters = people(workshop, 12)
    for who in voters:
        vote(who, poll, "yes")
    poll = fresh(poll)
    with django_assert_num_queries(2):
        assert results.read(poll).tally["n"] == 12


# --- pooling --------------------------------------------------------------------------------------------------


def closed_polls(*answers):
    """Closed polls of one instrument version, one per list of answers."""
    first = factories.poll(YES_NO)
    polls = [first, *(Poll.objects.create(version=first.version) for _ in answers[1:])]
    for poll, values in zip(polls, answers, strict=True):
        ballot_box.open_poll(poll.pk)
        ballot_box.cast([ballot_box.Paper(poll.pk, f"v{n}", value) for n, value in enumerate(values)])
        ballot_box.close_poll(poll.pk, joined=len(values))
    return [fresh(poll) for poll in polls]


def test_pooled_results_are_the_sum_of_their_parts():
    polls = closed_polls(["yes", "no", None], ["yes"], [])
    pooled = results.pool(polls)
    assert pooled.tally["counts"] == {"yes": 2, "no": 1}
    assert (pooled.counts.joined, pooled.counts.cast, pooled.counts.passed, pooled.counts.valid) == (
        4,
        4,
        1,
        3,
    )
    assert [pk for pk, _part in pooled.parts] == [poll.pk for poll in polls]


def test_one_unknown_number_of_people_makes_the_sum_unknown():
    assert (Counts(joined=3, attended=4) + Counts(joined=2)) == Counts(joined=5, attended=None)


def test_an_open_poll_is_not_pooled():
    polls = closed_polls(["yes"], ["no"])
    ballot_box.open_poll(polls[1].pk)
    assert results.pool([fresh(poll) for poll in polls]).tally["counts"] == {"yes": 1, "no": 0}


def test_nothing_closed_is_nothing_to_pool():
    with pytest.raises(NotComparable):
        results.pool([factories.poll()])


@pytest.mark.parametrize(
    "other",
    [
        Question("multiple_choice", "Is it calm?", options=YES_NO.options),
        Question("single_choice", "Is it calm?", options=(*YES_NO.options, Option("maybe", "Maybe"))),
        Question("single_choice", "Is it calm?", options=tuple(reversed(YES_NO.options))),
    ],
)
def test_questions_that_offer_other_answers_do_not_add_up(other):
    polls = []
    for question in (YES_NO, other):
        poll = ballot_box.open_poll(factories.poll(question).pk)
        polls.append(fresh(ballot_box.close_poll(poll.pk)))
    with pytest.raises(NotComparable):
        results.pool(polls)


# --- words before the wall ---------------------------------------------------------------------------------------


def test_the_room_sees_only_words_that_somebody_has_let_through_and_the_base_stays_whole():
    poll = ballot_box.open_poll(factories.poll(QUESTIONS["words"]).pk)
    ballot_box.cast([ballot_box.Paper(poll.pk, "v1", ["Calm"]), ballot_box.Paper(poll.pk, "v2", ["Rude"])])
    result = results.read(fresh(poll))
    words = POLL_TYPES["words"].texts(result.tally, result.question)
    TextCheck.objects.create(
        poll=poll, key=next(key for key, text, _n in words if text == "Calm"), shown=True
    )
    seen = results.for_the_room(poll, result, results.decided([poll]), lambda text: False)
    assert [text for _key, text, _n in POLL_TYPES["words"].texts(seen.tally, seen.question)] == ["Calm"]
    assert seen.tally["n"] == 2


def test_the_turnout_is_that_of_the_whole_count_with_a_rehearsal_and_without(workshop, poll):
    voters = people(workshop, 4)
    ballot_box.issue(poll.pk, [voters[3].voter])
    for who, value in zip(voters, ["yes", "no", None], strict=False):
        vote(who, poll, value)
    for who in people(workshop, 2, rehearsal=True):
        vote(who, poll, "yes")
    for rehearsal in (False, True):
        assert (
            results.turnout(fresh(poll), rehearsal=rehearsal)
            == results.count(poll, rehearsal=rehearsal).counts
        )
    assert results.turnout(fresh(poll)) == Counts(issued=4, cast=3, passed=1)
