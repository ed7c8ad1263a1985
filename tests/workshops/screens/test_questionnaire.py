"""Where somebody is in a questionnaire: the next question without an answer, how far they are, where they go on."""

from __future__ import annotations

import pytest

from workshops.models import AgendaItem
from workshops.screens import queries, questionnaire

from ... import factories

KINDS = {"?": "poll", "_": "pause", "!": "prompt"}


def way(plan: str, answered=(), seen=()):
    """`plan`: ? a question, _ a pause, ! a prompt; the other two are numbers of questions, from 1."""
    items = [AgendaItem(kind=KINDS[kind], title=f"{kind}{place}") for place, kind in enumerate(plan)]
    for number, item in enumerate((item for item in items if item.kind == "poll"), 1):
        item.poll_id = number
    return questionnaire.way(items, {number: object() for number in answered}, {*seen})


def number(step):
    return step.number if step else None


@pytest.mark.parametrize(
    ("plan", "answered", "seen", "expected"),
    [
        ("???", [], [], 1),  # nothing yet
        ("???", [], [1], 1),  # looked at the first, and went
        ("???", [1], [1], 2),
        ("???", [1, 2], [1, 2, 3], 3),  # looked at the third, and went
        ("???", [1], [1, 2, 3], 3),  # skipped the second
        ("???", [1, 3], [1, 2, 3], None),  # skipped the second and went to the end
        ("???", [1, 2, 3], [1, 2, 3], None),
        ("?!?_?", [1], [1], 2),  # prompts and pauses have no number
        ("____", [], [], None),
        ("", [], [], None),
        ("???", [2], [], 3),  # an answer says that it was seen, whatever became of its paper
    ],
)
def test_people_go_on_where_they_were(plan, answered, seen, expected):
    assert number(way(plan, answered, seen).resume()) == expected


@pytest.mark.parametrize(
    ("answered", "after", "expected"),
    [([], 1, 2), ([2], 1, 3), ([2, 3], 1, None), ([], 3, None), ([1, 3], 0, 2), ([], 0, 1)],
)
def test_after_an_answer_comes_the_next_question_without_one(answered, after, expected):
    assert number(way("???", answered).next_open(after)) == expected


def test_progress_counts_questions_and_no_pauses():
    went = way("_??!?_", [1, 3])
    assert (went.answered, went.total) == (2, 3)


def test_a_pause_becomes_a_text_before_the_question_that_follows():
    went = way("_?__?!_")
    assert [[text.title for text in step.texts] for step in went.steps] == [["_0"], ["_2", "_3"]]
    assert [text.title for text in went.texts] == ["_6"]


@pytest.mark.parametrize("asked", [0, -1, 4, 10**9])
def test_a_number_that_no_question_has_leads_to_none(asked):
    assert way("???").step(asked) is None


@pytest.mark.django_db
def test_turnout_counts_people_by_how_far_they_got():
    made = factories.questionnaire(None, factories.YES_NO, factories.YES_NO)
    first, second = (item.poll for item in made.agenda.order_by("position"))
    both, one, _none, rehearsing = (factories.participant(made, rehearsal=place == 3) for place in range(4))
    factories.vote(both, first, "yes")
    factories.vote(both, second, "no")
    factories.vote(one, first, "no")
    factories.vote(rehearsing, first, "no")
    got = questionnaire.turnout(made)
    assert (got.joined, got.began, got.finished) == (3, 2, 1)
    assert [(row.seen, row.answered, row.passed) for row in got.rows] == [(2, 2, 0), (1, 1, 0)]
    assert queries.people_who_answered(made) == 2


@pytest.mark.django_db
@pytest.mark.parametrize("questions", [1, 3])
def test_turnout_takes_the_same_queries_however_many_questions(questions, django_assert_num_queries):
    made = factories.questionnaire(None, *[factories.YES_NO] * questions)
    with django_assert_num_queries(4):
        questionnaire.turnout(made)


@pytest.mark.django_db
@pytest.mark.parametrize("questions", [1, 3])
def test_a_way_takes_the_same_queries_however_many_questions(questions, django_assert_num_queries):
    made = factories.questionnaire(None, *[factories.YES_NO] * questions)
    who = factories.participant(made)
    with django_assert_num_queries(3):
        questionnaire.load(made, factories.token_of(who))
