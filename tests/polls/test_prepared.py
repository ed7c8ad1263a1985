"""Queries whose SQL is kept say what the ORM says, for every length of their lists and every kind of value."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from polls.models import Ballot, Poll
from polls.prepared import Prepared, Upsert

from .. import factories

pytestmark = pytest.mark.django_db

COLUMNS = ("poll_id", "voter", "value", "issued_at", "after_reveal")
NOON = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)


def ballots(polls, voters):
    found = Ballot.objects.filter(poll__in=polls, voter__in=voters, revision__gte=0)
    return found.order_by("poll", "voter").values_list(*COLUMNS)


@pytest.fixture
def poll():
    return factories.poll()


def ballot(poll: Poll, voter: str, value=None) -> Ballot:
    return Ballot(poll=poll, voter=voter, value=value, issued_at=NOON, status="cast")


@pytest.mark.parametrize("people", [1, 2, 3, 4, 5, 8, 9, 17])
def test_rows_are_those_of_the_orm_whatever_the_number_of_values(poll, people):
    Ballot.objects.bulk_create(ballot(poll, f"v{n}", {"choice": n}) for n in range(20))
    voters = [f"v{n}" for n in range(people)]
    assert Prepared(ballots, int, str).rows([poll.pk], voters) == list(ballots([poll.pk], voters))


def test_sql_is_built_once_for_each_length(poll, monkeypatch):
    built = []
    query = Prepared(lambda polls, voters: built.append(1) or ballots(polls, voters), int, str)
    for voters in (["a"], ["b"], ["a", "b", "c"], ["a", "b", "c", "d"], ["x", "y", "z"]):
        query.rows([poll.pk], voters)
    assert len(built) == 2


def test_an_empty_list_finds_nothing_and_asks_nothing(poll, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert Prepared(ballots, int, str).rows([poll.pk], []) == []


def test_a_query_that_does_not_use_a_list_as_it_is_given_is_refused(poll):
    with pytest.raises(TypeError, match="as it is given"):
        Prepared(lambda polls: Poll.objects.filter(pk=polls[0]).values_list("pk"), int).rows([1, 2])


def upsert() -> Upsert:
    return Upsert(Ballot, unique=["poll", "voter"], update=["value", "status"])


def test_an_upsert_inserts_and_changes_and_keeps_kinds_of_values_apart(poll):
    ballot(poll, "v0", "old").save()
    values = {"v0": "new", "v1": 1, "v2": True, "v3": 1.0, "v4": None, "v5": "1", "v6": ["a", 1, {"b": None}]}
    upsert().write([ballot(poll, voter, value) for voter, value in values.items()])
    stored = dict(Ballot.objects.values_list("voter", "value"))
    assert stored == values
    assert [type(stored[v]) for v in ("v1", "v2", "v5")] == [int, bool, str]
    assert set(Ballot.objects.values_list("issued_at", flat=True)) == {NOON}


def test_an_upsert_without_an_update_leaves_what_is_there(poll):
    ballot(poll, "v0", "old").save()
    Upsert(Ballot, unique=["poll", "voter"], update=[]).write([ballot(poll, "v0", "new"), ballot(poll, "v1")])
    assert dict(Ballot.objects.values_list("voter", "value")) == {"v0": "old", "v1": None}


def test_a_value_that_looks_like_sql_is_a_value(poll):
    odd = "v'; DROP TABLE polls_ballot; -- %s ? :x"[:32]
    upsert().write([ballot(poll, odd, odd)])
    assert Prepared(ballots, int, str).rows([poll.pk], [odd]) == list(ballots([poll.pk], [odd]))


def test_queries_are_seen_by_whoever_counts_them(poll):
    with CaptureQueriesContext(
        connection,
    ) as seen:
        Prepared(ballots, int, str).rows([poll.pk], ["v1"])
    assert len(seen) == 1
