"""Many people at once: a crowd that joins, a hall that comes back. The full numbers are the load test's commands."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from workshops.operations.loadtest import (
    browser,
    comeback,
    joins_trial,
    report,
    return_trial,
    servers,
    trial,
)
from workshops.operations.loadtest.servers import DAPHNE, UVICORN

from .loadtest_runs import not_about_this_machine

CALM = {"busy": 0.2, "lag_p99_ms": 3.0}


# --- what a browser does on its way in ----------------------------------------------------------------------


def test_an_answer_is_read_with_its_wait_and_its_cookies():
    answer = browser.read_head(
        b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nSet-Cookie: a=1.a; Path=/\r\nSet-Cookie: b=2\r\n\r\n"
    )
    assert (answer.status, answer.retry_after, answer.cookies) == (503, 7.0, {"a": "1.a", "b": "2"})
    assert browser.read_head(b"HTTP/1.1 200 OK\r\n\r\n").retry_after is None


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", b"HTTP/1.1\r\n\r\n"])
def test_half_an_answer_is_none(data):
    with pytest.raises(ConnectionError):
        browser.read_head(data)


def test_somebody_who_ticks_everything_sends_everything_that_the_page_asks():
    page = (
        '<form method="post" data-straight><input type="hidden" name="csrfmiddlewaretoken" value="t&amp;t">'
        '<input type="hidden" name="once" value="o"><label><input type="checkbox" name="consent" value="read"></label>'
        '<input class="input" name="free"><button name="observe" value="yes"></form>'
        '<form method="get" action="/w/A/"></form>'
    )
    consent, look = browser.forms(page)
    assert consent == ("post", "", [("csrfmiddlewaretoken", "t&t"), ("once", "o"), ("consent", "read")], True)
    assert look == ("get", "/w/A/", [], False)


def test_the_way_on_is_the_first_address_that_ends_so():
    page = '<a href="/help/">Help</a> <a class="button" href="/w/ABC234/consent/">Join</a>'
    assert browser.link_to(page, "/consent/") == "/w/ABC234/consent/"
    assert browser.link_to(page, "/profile/") is None


def test_the_fullest_tenth_of_a_second_is_counted():
    assert comeback.busiest([0.01, 0.05, 0.11, 0.12, 0.19, 0.31]) == 3
    assert comeback.busiest([]) == 0


# --- verdicts -----------------------------------------------------------------------------------------------


WAY = {"client": CALM, "answers": {"200": 9, "302": 5}, "gave_up": {}}
CROWD = WAY | {"come": 10, "came_in": 10, "everybody_in_s": 12.0, "refused": {}, "connections_lost": 0}


def joins(crowd=None, rate=None, **changes):
    run = {
        "rounds": [WAY | (rate or {})], "crowd": CROWD | (crowd or {}), "joined": 10, "voters": 10,
        "times_as_many": 8.5, "ack_ratio": 1.5,
    }  # fmt: skip
    return joins_trial.judged(run | changes)


def returned(**changes):
    run = {
        "client": CALM, "phones": 10, "joined": 10, "back": 10, "left": 0, "lost_again": 0, "tries_at_once": 1,
        "votes": {"sent": 10, "acked": 10, "rows": 10, "tally": 10}, "back_s": {"p100": 3.0},
    }  # fmt: skip
    return return_trial.judged(run | changes)


def test_a_run_in_which_everything_agrees_is_believed_and_meets_its_goals():
    for run in (joins(), returned()):
        assert (run["valid"], {goal["met"] for goal in run["goals"]}) == (True, {True})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"crowd": {"answers": {"503 without Retry-After": 1}}}, "without Retry-After"),
        ({"rate": {"answers": {"500": 1}}}, "500"),
        ({"rate": {"gave_up": {"NoWay: no form": 2}}}, "no form"),
        ({"crowd": {"came_in": 9}}, "People who came in: 9 of 10."),
        ({"joined": 9}, "Voters who are in: 9 of 10."),
        ({"crowd": {"connections_lost": 1}}, "Connections lost: 1."),
        ({"crowd": {"refused": {"closed": 1}}}, "1 closed"),
    ],
)
def test_what_should_not_be_on_the_way_in_is_a_reason(changes, words):
    (reason,) = joins(**changes)["reasons"]
    assert words in reason


@pytest.mark.parametrize(
    "changes", [{"times_as_many": 7.9}, {"ack_ratio": 2.1}, {"crowd": {"everybody_in_s": 41.0}}]
)
def test_a_goal_that_is_missed_is_said_and_fails_nothing(changes):
    run = joins(**changes)
    assert (run["valid"], [goal["met"] for goal in run["goals"]].count(False)) == (True, 1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"back": 9}, "Phones that came back: 9 of 10."),
        ({"lost_again": 2}, "Phones thrown out again: 2."),
        ({"left": 1}, "a dead server: 1."),
        ({"votes": {"rows": 9}}, "Rows in the database: 9 of 10."),
    ],
)
def test_what_should_not_be_after_a_return_is_a_reason(changes, words):
    (reason,) = returned(**changes)["reasons"]
    assert words in reason


@pytest.mark.parametrize("bad", [{"voters": 0}, {"seconds": 0.0}])
def test_a_crowd_of_nobody_is_refused(bad):
    with pytest.raises(CommandError, match="--voters"):
        call_command("loadtest", scenario="joins", **bad)


@pytest.mark.parametrize("bad", [{"against": Path("/nowhere")}, {"phones": -1}, {"rounds": -1}])
def test_a_run_of_joins_that_cannot_be_is_refused_before_anything_is_started(bad):
    with pytest.raises(CommandError):
        call_command("loadtest", scenario="joins", **bad)


# --- in small number ----------------------------------------------------------------------------------------


@pytest.fixture
def beside_others(monkeypatch):
    monkeypatch.setattr(servers, "cores", lambda: (None, None))  # other tests run beside this one


def without_gaps(run):
    unknown = [line for line in report.table({"one": run}).splitlines() if line.endswith("–")]
    return [line for line in unknown if not line.startswith(("other_", "times_as_many"))] == []


@pytest.mark.fault("F24")
@pytest.mark.parametrize("kind", [DAPHNE, UVICORN], ids=lambda kind: kind.name)
@pytest.mark.slow
def test_a_crowd_goes_the_whole_way_in_and_everybody_is_in_and_nobody_gets_an_error(
    kind, beside_others, tmp_path
):
    plan = joins_trial.Plan(people=300, seconds=2.0, voters=10, rounds=1, rate_seconds=2.0)
    run = joins_trial.run(kind, plan, tmp_path, print)
    assert not_about_this_machine(run) == []
    assert run["crowd"]["came_in"] == 300
    assert run["rate"]["requests_per_person"] == 4
    assert without_gaps(run)


@pytest.mark.fault("F24")
@pytest.mark.slow
def test_a_crowd_that_is_larger_than_the_queue_waits_on_a_page_that_comes_back_by_itself(
    beside_others, tmp_path, monkeypatch
):
    monkeypatch.setenv("PARTICIPANT_QUEUE", "10")
    plan = joins_trial.Plan(people=300, seconds=0.5, voters=5, rounds=0)
    run = joins_trial.run(UVICORN, plan, tmp_path, print)
    assert not_about_this_machine(run) == []
    assert run["told_to_wait"] > 0
    assert run["crowd"]["came_in"] == 300


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """One fresh database for all runs."""
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files < 4096:
        pytest.skip(f"Only {files} files may be open at once here.")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(servers, "cores", lambda: (None, None))
        place = tmp_path_factory.mktemp("return")
        with trial.prepared(place, print) as made:
            yield place, made


@pytest.mark.fault("F25")
@pytest.mark.parametrize("kind", [DAPHNE, UVICORN], ids=lambda kind: kind.name)
@pytest.mark.slow
def test_everybody_who_loses_their_server_comes_back_spread_out_and_stays(kind, room):
    run = return_trial.run(kind, 500, *room, print)
    assert not_about_this_machine(run) == []
    assert run["back"] == 500
    assert run["tries_at_once"] < 500 * return_trial.AT_ONCE * 2
    assert without_gaps(run)
