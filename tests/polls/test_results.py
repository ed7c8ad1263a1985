"""The one read path: recounts, frozen denominators, pooling, the room's view."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polls import ballot_box, results, text_decisions
from polls.models import Ballot, ComparabilityMark, Measure, Poll
from polls.results import Counts, NotComparable
from polls.types import POLL_TYPES, Question
from polls.types.base import Option
from workshops.actions import facilitation, participation

from .. import factories
from ..factories import YES_NO, vote
from ..poll_samples import QUESTIONS

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
    assert results.read(fresh(poll), rehearsal=True).tally["counts"] == {"yes": 1, "no": 1}
    assert results.pool([fresh(poll)]).tally["counts"] == {"yes": 1, "no": 0}


def test_who_passed_or_was_taken_out_is_in_no_base():
    assert Counts(issued=20, cast=10, passed=1, excluded=2, withdrawn=3).valid == 4


def test_answers_given_after_a_reveal_are_counted_one_by_one(workshop, poll):
    early, *late = people(workshop, 3)
    vote(early, poll, "yes")
    ballot_box.show_result(poll.pk, True)
    for who in late:
        vote(who, poll, "yes")
    assert results.read(fresh(poll)).counts.after_reveal == 2


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


def test_a_measure_written_after_the_close_counts_no_rehearsal(workshop, poll):
    vote(factories.participant(workshop), poll, "yes")
    vote(factories.participant(workshop, rehearsal=True), poll, "yes")
    closed = ballot_box.close_poll(poll.pk)
    Measure.objects.create(
        instrument=poll.version.instrument,
        key="calm",
        label="Calm",
        kind="merge",
        definition={"members": ["yes"]},
    )
    for result in (results.read(closed), results.pool([fresh(poll)])):
        assert [(share.hits, share.valid) for share in result.measures] == [(1, 1)]


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
        ballot_box.cast(
            [ballot_box.BallotSubmission(poll.pk, f"v{n}", value) for n, value in enumerate(values)]
        )
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


def test_measures_are_pooled_like_the_answers_that_they_are_counted_from():
    polls = closed_polls(["yes", "no", None], ["yes", "yes"])
    instrument = polls[0].version.instrument
    calm = {"label": "Calm", "kind": "merge", "definition": {"members": ["yes"]}}
    Measure.objects.create(instrument=instrument, key="calm", **calm)
    (share,) = results.pool(polls).measures
    assert (share.key, share.hits, share.valid) == ("calm", 3, 4)


def asked_next(before, question, *values):
    """The same instrument, asked and closed in its next version; one voter for every answer."""
    version = before.version.instrument.versions.create(
        number=before.version.number + 1, definition=question.as_json()
    )
    poll = ballot_box.open_poll(Poll.objects.create(version=version).pk)
    outcomes = ballot_box.cast(
        [ballot_box.BallotSubmission(poll.pk, f"v{n}", value) for n, value in enumerate(values)]
    )
    assert {outcome.status for outcome in outcomes} <= {"cast", "passed"}
    return fresh(ballot_box.close_poll(poll.pk, joined=len(values)))


def asked_first(question, *values):
    poll = ballot_box.open_poll(factories.poll(question).pk)
    ballot_box.cast([ballot_box.BallotSubmission(poll.pk, f"v{n}", value) for n, value in enumerate(values)])
    return fresh(ballot_box.close_poll(poll.pk, joined=len(values)))


def marked(earlier, later, kind="typo"):
    ComparabilityMark.objects.create(earlier=earlier.version, later=later.version, kind=kind)


def offering(question, *keys):
    return replace(question, options=tuple(Option(key, key.title()) for key in keys))


def figures_of(polls):
    return {each.key: (each.hits, each.valid) for each in results.pool(polls).figures}


def test_a_changed_question_is_not_added_up_until_somebody_says_that_it_asks_the_same():
    (older,) = closed_polls(["yes"])
    newer = asked_next(older, replace(YES_NO, text="Is it calm enough?"), "no")
    with pytest.raises(NotComparable, match="do not ask the same"):
        results.pool([older, newer])
    marked(older, newer)
    pooled = results.pool([older, newer])
    assert (pooled.question.text, pooled.tally["n"]) == ("Is it calm enough?", 2)


def test_what_looks_otherwise_is_added_up_and_the_newest_wording_is_printed():
    (older,) = closed_polls(["yes"])
    newer = asked_next(older, replace(YES_NO, help="Think of mornings.", options=YES_NO.options[::-1]), "yes")
    pooled = results.pool([newer, older])
    assert [(each.key, each.hits) for each in pooled.figures] == [("no", 0), ("yes", 2)]
    assert pooled.question.help == "Think of mornings."


def test_an_added_option_counts_only_people_who_could_choose_it():
    (older,) = closed_polls(["yes", "no", "no"])
    newer = asked_next(older, offering(YES_NO, "yes", "no", "maybe"), "maybe", "yes")
    marked(older, newer, "option")
    assert figures_of([older, newer]) == {"yes": (2, 5), "no": (2, 5), "maybe": (1, 2)}
    headings, rows = results.pool([older, newer]).table
    assert [str(heading) for heading in headings] == ["Answer", "People", "Could choose it"]
    assert rows[2] == ["Maybe", 1, 2]


def test_a_removed_option_stays_in_the_figures_of_those_who_could_choose_it():
    older = asked_first(offering(YES_NO, "yes", "no", "maybe"), "maybe", "yes")
    newer = asked_next(older, YES_NO, "yes", "no", "no")
    marked(older, newer)
    assert figures_of([older, newer]) == {"yes": (2, 5), "no": (2, 5), "maybe": (1, 2)}
    assert results.pool([older, newer]).question.label("maybe") == "Maybe"


def test_a_measure_counts_people_who_could_choose_all_of_it():
    (older,) = closed_polls(["yes", "no", "no"])
    instrument = older.version.instrument
    for key, members in (("sure", ["yes", "no"]), ("calm", ["yes", "maybe"])):
        Measure.objects.create(
            instrument=instrument, key=key, label=key, kind="merge", definition={"members": members}
        )
    newer = asked_next(older, offering(YES_NO, "yes", "no", "maybe"), "maybe", "yes", "no")
    marked(older, newer, "option")
    pooled = results.pool([older, newer])
    assert {each.key: (each.hits, each.valid) for each in pooled.measures} == {"sure": (5, 6), "calm": (2, 3)}
    assert [[share.key for share in part.measures] for _pk, part in pooled.parts] == [
        ["sure"],
        ["sure", "calm"],
    ]


def test_an_own_answer_that_came_later_has_its_own_base():
    (older,) = closed_polls(["yes", "no"])
    newer = asked_next(older, replace(YES_NO, settings={"other": True}), {"other": "It depends"}, "yes")
    marked(older, newer, "option")
    assert figures_of([older, newer]) == {"yes": (2, 4), "no": (1, 4), "other": (1, 2)}


def test_points_for_an_added_option_are_a_mean_of_those_who_could_give_it_any():
    older = asked_first(points_out_of(10), {"yes": 10}, {"yes": 4, "no": 6})
    newer = asked_next(older, offering(points_out_of(10), "yes", "no", "maybe"), {"maybe": 10})
    marked(older, newer, "option")
    assert figures_of([older, newer]) == {"yes": (2, 3), "no": (1, 3), "maybe": (1, 1)}
    means = {row["key"]: row["mean"] for row in results.pool([older, newer]).picture["rows"]}
    assert means == {"yes": "5", "no": "2", "maybe": "10"}


def test_places_in_rankings_of_other_lengths_are_shares_of_the_rivals_that_were_beaten():
    ranking = replace(YES_NO, type="ranking")
    older = asked_first(ranking, ["yes", "no"], ["yes", "no"])
    newer = asked_next(older, offering(ranking, "yes", "no", "maybe"), ["maybe", "no", "yes"])
    marked(older, newer, "option")
    pooled = results.pool([older, newer])
    assert figures_of([older, newer]) == {"yes": (2, 3), "no": (0, 3), "maybe": (1, 1)}
    # Of 2 × 1 + 1 × 2 rivals "yes" beat 2, and "no" beat 1; "maybe" beat both of its own.
    rows = {row["key"]: (row["place"], row["share"]) for row in pooled.picture["rows"]}
    assert rows == {"maybe": (1, 100), "yes": (2, 50), "no": (3, 25)}
    assert POLL_TYPES["ranking"].concordance(pooled.tally, pooled.question) is None


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
        Question("single_choice", "Is it calm?", options=(Option("yes", "Yes"), Option("no", "No, never"))),
    ],
)
def test_questions_that_offer_other_answers_do_not_add_up(other):
    (older,) = closed_polls(["yes"])
    with pytest.raises(NotComparable):
        results.pool([older, asked_next(older, other)])


def test_the_same_question_in_two_banks_does_not_add_up():
    with pytest.raises(NotComparable):
        results.pool([*closed_polls(["yes"]), *closed_polls(["no"])])


def number_in(unit):
    return Question("number", "How long?", settings={"unit": unit})


def points_out_of(budget):
    return Question("points", "What for?", options=YES_NO.options, settings={"budget": budget})


def scale_of(points, *lines):
    items = {"items": [{"key": line, "label": line} for line in lines]} if lines else {}
    return Question("scale", "How true?", settings={"points": points, **items})


@pytest.mark.parametrize(
    ("older", "newer", "answers"),
    [
        (number_in("minutes"), number_in("hours"), (90, 2)),
        (points_out_of(10), points_out_of(100), ({"yes": 5, "no": 5}, {"yes": 5, "no": 95})),
        (scale_of(5), scale_of(7), (5, 5)),
        (scale_of(["Not", "Very"]), scale_of(["Very", "Not"]), (1, 1)),
        (scale_of(5, "calm", "light"), scale_of(5, "calm", "warm"), ({"calm": 1}, {"calm": 1})),
    ],
    ids=["minutes and hours", "budgets", "lengths of a scale", "words of a scale", "lines of a block"],
)
def test_answers_on_different_measures_do_not_add_up(older, newer, answers):
    first = asked_first(older, answers[0])
    polls = [first, asked_next(first, newer, answers[1])]
    for poll in polls:
        assert results.pool([poll]).tally["n"] == 1
    with pytest.raises(NotComparable, match="do not ask the same"):
        results.pool(polls)


@pytest.mark.parametrize(
    ("older", "newer", "answers"),
    [
        (points_out_of(10), points_out_of(100), ({"yes": 5, "no": 5}, {"yes": 5, "no": 95})),
        (scale_of(5), scale_of(7), (5, 5)),
        (YES_NO, scale_of(5), ("yes", 5)),
    ],
    ids=["budgets", "lengths of a scale", "types"],
)
def test_nobodys_word_adds_up_what_cannot_be_counted_together(older, newer, answers):
    first = asked_first(older, answers[0])
    second = asked_next(first, newer, answers[1])
    marked(first, second)
    with pytest.raises(NotComparable, match="do not ask the same"):
        results.pool([first, second])


# --- words before the wall ---------------------------------------------------------------------------------------


def test_the_room_sees_only_words_that_somebody_has_let_through_and_the_base_stays_whole():
    poll = ballot_box.open_poll(factories.poll(QUESTIONS["words"]).pk)
    ballot_box.cast(
        [
            ballot_box.BallotSubmission(poll.pk, "v1", ["Calm"]),
            ballot_box.BallotSubmission(poll.pk, "v2", ["Rude"]),
        ]
    )
    result = results.read(fresh(poll))
    text_decisions.decide([factories.text(poll, "Calm").pk], "shown")
    seen = results.for_the_room(poll, result, results.moderation_of([poll]), lambda text: False)
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
