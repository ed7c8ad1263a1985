"""What people's own words cost: nothing where there are none, and the same for one person as for many."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from polls import ballot_box, results, text_decisions
from polls.ballot_box import BallotSubmission, Receipt
from polls.models import Poll, Text
from polls.types import Question

from .. import factories
from ..poll_samples import QUESTIONS

pytestmark = pytest.mark.django_db

WORDS = Question("words", "In a word?", settings={"max_entries": 3})


def opened(question: Question) -> Poll:
    return ballot_box.open_poll(factories.poll(question).pk)


def cast(poll: Poll, *values) -> list[str]:
    """Everybody answers in one batch; the statements that it took."""
    papers = [BallotSubmission(poll.pk, f"v{n}", value) for n, value in enumerate(values)]
    with CaptureQueriesContext(connection) as queries:
        outcomes = ballot_box.cast(papers)
    assert all(isinstance(outcome, Receipt) for outcome in outcomes)
    return [query["sql"] for query in queries]


def about_texts(statements: list[str]) -> list[str]:
    return [sql.split(" times: ")[-1].split()[0] for sql in statements if "polls_text" in sql]


def test_an_answer_without_words_reads_and_writes_no_text_first_or_changed():
    poll = opened(factories.YES_NO)
    for answers in (["yes"] * 3, ["no"] * 3):
        assert about_texts(cast(poll, *answers)) == []
    statement = opened(QUESTIONS["statement"])
    assert about_texts(cast(statement, {"choice": "agree"})) == []


def test_first_answers_in_words_cost_one_statement_more_and_changed_ones_three_however_many_they_are():
    for people in (1, 9):
        poll = opened(WORDS)
        first = about_texts(cast(poll, *([f"calm {n}", "warm"] for n in range(people))))
        assert first == ["INSERT"]
        assert Text.objects.filter(poll=poll).count() == 2 * people
        changed = about_texts(cast(poll, *([f"loud {n}", "warm"] for n in range(people))))
        assert changed == ["SELECT", "UPDATE", "INSERT"]
        assert about_texts(cast(poll, *([f"loud {n}", "warm"] for n in range(people)))) == []


def test_a_result_costs_the_same_for_one_text_as_for_twenty():
    def queries(poll: Poll) -> int:
        with CaptureQueriesContext(connection) as counted:
            found = results.moderation_of([poll])
            results.for_the_room(poll, results.read(poll), found, lambda words: False)
        return len(counted)

    poll = opened(WORDS)
    cast(poll, ["calm"])
    text_decisions.decide([Text.objects.get().pk], "redacted", replacement="quiet")
    few = queries(poll)
    cast(poll, *([f"calm {n}", "warm"] for n in range(20)))
    numbers = list(Text.objects.filter(standing="current").values_list("pk", flat=True))
    text_decisions.decide(numbers[:10], "shown")
    text_decisions.decide(numbers[10:], "redacted", replacement="loud")
    assert queries(poll) == few


@pytest.mark.parametrize("second", [["calm", "warm"], ["loud"]])
def test_of_two_answers_in_one_batch_the_words_of_the_second_are_stored_once(second):
    poll = opened(WORDS)
    papers = [BallotSubmission(poll.pk, "v1", value) for value in (["calm", "warm"], second)]
    ballot_box.cast(papers)
    assert list(Text.objects.order_by("field").values_list("words", "revision")) == [(w, 1) for w in second]


def test_a_rehearsals_texts_go_with_its_ballots():
    poll = opened(WORDS)
    ballot_box.cast([BallotSubmission(poll.pk, f"v{n}", ["calm"], rehearsal=bool(n)) for n in range(2)])
    ballot_box.delete_rehearsal_ballots([poll.pk])
    assert list(Text.objects.values_list("voter", "rehearsal")) == [("v0", False)]
