"""More people than a server can take at once, in their full number: ten thousand at the door, two thousand who come
back. The runs are the load test's; what they take is for it to say, on a machine that has nothing else to do."""

from __future__ import annotations

import resource

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from workshops.loadtest import comeback, doors, floods_trial, report, servers, trial
from workshops.loadtest.servers import DAPHNE, UVICORN

from .test_loadtest import not_about_this_machine

CALM = {"busy": 0.2, "lag_p99_ms": 3.0}


# --- what a browser does at the door ------------------------------------------------------------------------


def test_an_answer_is_read_with_its_wait_and_its_cookie():
    answer = doors.read(
        b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nSet-Cookie: seat=1.a; Path=/\r\n\r\n<p>"
    )
    assert (answer.status, answer.retry_after, answer.cookie, answer.body) == (503, 7.0, "seat=1.a", "<p>")
    assert doors.read(b"HTTP/1.1 200 OK\r\n\r\n").retry_after is None


@pytest.mark.parametrize("data", [b"", b"HTTP/1.1 200 OK\r\nServ", b"\r\n\r\n", b"HTTP/1.1\r\n\r\n"])
def test_half_an_answer_is_none(data):
    with pytest.raises(ConnectionError):
        doors.read(data)


def test_somebody_who_ticks_everything_sends_everything_that_the_page_asks():
    page = (
        '<input type="hidden" name="csrfmiddlewaretoken" value="t&amp;t"><input type="hidden" name="once" value="o">'
        '<input type="checkbox" name="consent" value="read"><input type="checkbox" name="consent" value="pooled">'
        '<button name="observe" value="yes">'
    )
    assert doors.consent(page) == "csrfmiddlewaretoken=t%26t&once=o&consent=read&consent=pooled"


def test_the_fullest_tenth_of_a_second_is_counted():
    assert comeback.busiest([0.01, 0.05, 0.11, 0.12, 0.19, 0.31]) == 3
    assert comeback.busiest([]) == 0


# --- verdicts -----------------------------------------------------------------------------------------------


def joins(**changes):
    run = {
        "server": "daphne", "client": CALM, "answers": {"200": 9, "302": 5, "503": 90}, "joined": 10, "voters": 10,
        "people": 5, "came_in": 5, "connections_lost": 0, "told_to_wait": 90, "come": 100,
        "vote_ack_ms": {"p99": 12.0}, "memory_grown_mib": 9.0,
    }  # fmt: skip
    return floods_trial.judged_joins(run | changes)


def returned(**changes):
    run = {
        "client": CALM, "phones": 10, "joined": 10, "back": 10, "left": 0, "lost_again": 0, "tries_at_once": 1,
        "votes": {"sent": 10, "acked": 10, "rows": 10, "tally": 10}, "back_s": {"p100": 3.0},
    }  # fmt: skip
    return floods_trial.judged_return(run | changes)


def test_a_run_in_which_everything_agrees_is_believed_and_meets_its_goals():
    for run in (joins(), returned()):
        assert (run["valid"], [goal["met"] for goal in run["goals"]]) == (True, [True, True])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"answers": {"503 without Retry-After": 1}}, "without Retry-After"),
        ({"answers": {"500": 1}}, "500"),
        ({"people": 6}, "People in the database who came in: 6 of 5."),
        ({"joined": 9}, "Voters who are in: 9 of 10."),
        ({"connections_lost": 1}, "Connections lost: 1."),
        ({"told_to_wait": 0}, "this was no crowd"),
        ({"refused": {"closed": 1}}, "1 closed"),
    ],
)
def test_what_should_not_be_at_the_door_is_a_reason(changes, words):
    (reason,) = joins(**changes)["reasons"]
    assert words in reason


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


@pytest.mark.parametrize(
    ("come", "server", "most"), [(100, "uvicorn", 30), (10_000, "uvicorn", 40), (10_000, "daphne", 120)]
)
def test_the_goal_for_a_crowd_is_that_for_as_many_who_vote(come, server, most):
    goal, _memory = joins(come=come, server=server)["goals"]
    assert goal["bound"] == most


@pytest.mark.parametrize("bad", [{"voters": 0}, {"seconds": 0.0}])
def test_a_crowd_of_nobody_is_refused(bad):
    with pytest.raises(CommandError, match="--voters"):
        call_command("loadtest", scenario="joins", **bad)


# --- in their full number -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """One fresh database for all runs."""
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files < 8192:
        pytest.skip(f"Only {files} files may be open at once here.")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(servers, "cores", lambda: (None, None))  # other tests run beside this one
        place = tmp_path_factory.mktemp("floods")
        with trial.prepared(place, print) as made:
            yield place, made


def without_gaps(run):
    lines = report.table({"one": run}, floods_trial.ROWS[run["scenario"]]).splitlines()
    return [line for line in lines if line.endswith("–")] == []


@pytest.mark.fault("F24")
@pytest.mark.parametrize("kind", [DAPHNE, UVICORN], ids=lambda kind: kind.name)
def test_ten_thousand_come_within_ten_seconds_and_who_is_in_goes_on_voting(kind, room):
    run = floods_trial.run_joins(kind, floods_trial.Plan(10_000, 10.0, 100), *room, print)
    # Beside other tests a connection may break before the server has it; whatever it answers is what it should be.
    broken = {words: number for words, number in run["answers"].items() if "Error" in words}
    assert sum(broken.values()) < 500
    run = floods_trial.judged_joins(run | {"answers": {**run["answers"], **dict.fromkeys(broken, 0)}})
    assert not_about_this_machine(run) == []
    assert run["come"] == 10_000
    assert 0 < run["came_in"] == run["people"] < 10_000
    assert run["memory_grown_mib"] < floods_trial.MEMORY_MIB
    assert without_gaps(run)


@pytest.mark.fault("F25")
@pytest.mark.parametrize("kind", [DAPHNE, UVICORN], ids=lambda kind: kind.name)
def test_two_thousand_lose_their_server_and_come_back_spread_out_and_stay(kind, room):
    run = floods_trial.run_return(kind, floods_trial.Plan(2000), *room, print)
    assert not_about_this_machine(run) == []
    assert run["back"] == 2000
    assert run["tries_at_once"] < 2000 * floods_trial.AT_ONCE
    assert without_gaps(run)
