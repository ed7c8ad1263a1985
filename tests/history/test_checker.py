"""The history checker itself: a good history has no violation, and each promise has a history that breaks it alone."""

from __future__ import annotations

from typing import Any

import pytest

from . import checker, record
from .record import FAIL, INFO, INVOKE, OK, SAW, Event

POLL, OTHER = 7, 8


class Told:
    """A history by hand: every line is one second later than the one before."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def add(self, who: str, kind: str, do: str, **what: Any) -> Told:
        self.events.append(Event(float(len(self.events)), who, kind, do, **what))
        return self

    def sends(self, voter: str, op: str, seq: int, value: str, poll: int = POLL) -> Told:
        return self.add(voter, INVOKE, "vote", op=op, poll=poll, seq=seq, value=value)

    def acked(self, voter: str, op: str, seq: int, value: str, rev: int = 1, poll: int = POLL) -> Told:
        receipt = {"rev": rev, "seq": seq, "value": value}
        return self.add(voter, OK, "vote", op=op, poll=poll, more=receipt)

    def refused(self, voter: str, op: str, code: str) -> Told:
        return self.add(voter, FAIL, "vote", op=op, poll=POLL, code=code)

    def gesture(self, do: str, kind: str = OK, poll: int = POLL, **more: Any) -> Told:
        op = f"g{len(self.events)}"
        self.add("console", INVOKE, do, op=op, poll=poll, more=more)
        return self.add("console", kind, do, op=op)

    def look(self, *rows: dict[str, Any], state: str = "open", frozen: dict[str, int] | None = None) -> Told:
        op = f"look{len(self.events)}"
        self.add("auditor", INVOKE, "audit", op=op)
        polls = {str(POLL): {"state": state, "result": result(frozen, len(rows))}}
        stage = [POLL, "ballot" if state == "open" else "closed"]
        more = {"ballots": list(rows), "polls": polls, "stage": stage}
        return self.add("auditor", OK, "audit", op=op, more=more)

    def shows(self, who: str, *, state: str = "ballot", **what: Any) -> Told:
        nothing = {"cast": None, "counts": None, "papers": None, "voter": "", "outbox": []}
        return self.add(who, SAW, "screen", more=nothing | {"stage": [POLL, state]} | what)


def row(voter: str, op: str, seq: int, value: str, revision: int = 1) -> dict[str, Any]:
    return {"poll": POLL, "voter": voter, "op": op, "seq": seq, "value": value, "revision": revision}


def issued(voter: str) -> dict[str, Any]:
    return row(voter, "", 0, "", 0) | {"value": None}


def result(counts: dict[str, int] | None, papers: int) -> dict[str, Any] | None:
    if counts is None:
        return None
    return {"tally": {"counts": counts}, "counts": {"cast": sum(counts.values()), "issued": papers}}


@pytest.fixture
def told() -> Told:
    return Told()


def only(told: Told, *words: str) -> None:
    """Exactly one promise is broken, once, and the sentence says what about it."""
    violations = checker.check(told.events)
    assert len(violations) == 1, violations
    assert [word for word in words if word not in violations[0]] == [], violations


def test_a_good_history_has_no_violation(told):
    told.gesture("launch", poll=0, item=POLL)
    told.sends("ann", "a1", 1, "yes").acked("ann", "a1", 1, "yes")
    told.sends("ann", "a2", 2, "no").sends("bob", "b1", 1, "yes").look(row("ann", "a1", 1, "yes"))
    told.acked("ann", "a2", 2, "no", rev=2).add("bob", INFO, "vote", op="b1", poll=POLL)
    told.sends("ann", "a2", 2, "no").acked("ann", "a2", 2, "no", rev=2)
    told.gesture("close").sends("ann", "a3", 3, "yes").refused("ann", "a3", "closed")
    rows = [row("ann", "a2", 2, "no", 2), row("bob", "b1", 1, "yes"), issued("cyd")]
    told.look(*rows, state="closed", frozen={"yes": 1, "no": 1})
    told.shows("wall", state="closed", cast=2, counts={"yes": 1, "no": 1})
    told.shows("ann's phone", state="closed", voter="ann", papers={POLL: [2, "no"]})
    assert checker.check(told.events) == []


def test_a_history_survives_its_file(told, tmp_path):
    told.sends("ann", "a1", 1, "yes").acked("ann", "a1", 1, "yes").look(row("ann", "a1", 1, "yes"))
    record.save(told.events, tmp_path / "deep" / "history.jsonl")
    assert record.load(tmp_path / "deep" / "history.jsonl") == told.events


# --- nothing acknowledged is lost -------------------------------------------------------------------------------


def test_an_acknowledged_vote_that_is_not_stored_is_found(told):
    told.sends("ann", "a1", 1, "yes").acked("ann", "a1", 1, "yes").look()
    only(told, "a1", "acknowledged", "is not stored")


def test_an_acknowledged_vote_under_an_older_one_is_found(told):
    told.sends("ann", "a1", 1, "yes").sends("ann", "a2", 2, "no").acked("ann", "a2", 2, "no")
    told.look(row("ann", "a1", 1, "yes"))
    only(told, "a2", "what is stored is 'yes'")


def test_a_later_vote_without_an_answer_may_stand_in_place_of_an_acknowledged_one(told):
    told.sends("ann", "a1", 1, "yes").acked("ann", "a1", 1, "yes").sends("ann", "a2", 2, "no")
    told.look(row("ann", "a2", 2, "no", 2)).look(row("ann", "a2", 2, "no", 2))
    assert checker.check(told.events) == []


def test_a_vote_may_be_stored_before_it_is_acknowledged_but_not_after(told):
    told.sends("ann", "a1", 1, "yes").look().acked("ann", "a1", 1, "yes").look(row("ann", "a1", 1, "yes"))
    assert checker.check(told.events) == []


# --- nothing is stored that nobody sent ---------------------------------------------------------------------------


def test_a_ballot_that_nobody_cast_is_found(told):
    told.look(row("eve", "e1", 1, "yes"))
    only(told, "eve", "which nobody had sent")


def test_a_ballot_with_another_value_than_was_sent_is_found(told):
    told.sends("ann", "a1", 1, "yes").look(row("ann", "a1", 1, "no"))
    only(told, "sent was 'yes'")


def test_a_ballot_that_was_stored_before_it_was_sent_is_found(told):
    told.look(row("ann", "a1", 1, "yes")).sends("ann", "a1", 1, "yes").look(row("ann", "a1", 1, "yes"))
    only(told, "which nobody had sent")


def test_a_ballot_of_one_voter_under_the_key_of_another_is_found(told):
    told.sends("ann", "a1", 1, "yes").look(row("bob", "a1", 1, "yes"))
    only(told, "bob", "which nobody had sent")


def test_a_refused_value_that_is_stored_is_found(told):
    told.sends("ann", "a1", 1, "maybe").refused("ann", "a1", "invalid").look(row("ann", "a1", 1, "maybe"))
    only(told, "refused as invalid")


def test_a_retry_with_a_second_effect_is_found(told):
    told.sends("ann", "a1", 1, "yes").sends("ann", "a1", 1, "yes").look(
        row("ann", "a1", 1, "yes", revision=2)
    )
    only(told, "one had two effects")


# --- one ballot, recounts ---------------------------------------------------------------------------------------------


def test_two_ballots_of_one_voter_are_found(told):
    told.sends("ann", "a1", 1, "yes").look(issued("ann"), row("ann", "a1", 1, "yes"))
    only(told, "ann", "2 ballots")


@pytest.mark.parametrize("frozen", [{"yes": 2}, {"no": 1}, {}])
def test_a_frozen_result_that_is_not_the_recount_is_found(told, frozen):
    told.sends("ann", "a1", 1, "yes").look(row("ann", "a1", 1, "yes"), state="closed", frozen=frozen)
    only(told, "its frozen result is")


def test_a_closed_poll_without_a_result_is_found(told):
    only(told.look(state="closed"), "has no frozen result")


def test_an_open_poll_with_a_frozen_result_is_found(told):
    only(told.look(state="open", frozen={}), "is not closed and has a frozen result")


# --- closed is closed --------------------------------------------------------------------------------------------------


def test_an_acknowledgement_of_what_was_sent_after_the_close_is_found(told):
    told.gesture("close").sends("ann", "a1", 1, "yes").acked("ann", "a1", 1, "yes")
    told.look(row("ann", "a1", 1, "yes"), state="closed", frozen={"yes": 1})
    only(told, "closed at 1.000 s", "answer a1 sent at 2.000 s")


def test_an_acknowledgement_after_a_launch_that_closed_the_poll_is_found(told):
    told.gesture("launch", item=OTHER).sends("ann", "a1", 1, "yes").acked("ann", "a1", 1, "yes")
    told.look(row("ann", "a1", 1, "yes"), state="closed", frozen={"yes": 1})
    only(told, "answer a1")


@pytest.mark.parametrize("kind", [OK, INFO])
def test_a_reopening_between_also_one_without_an_answer_excuses_it(told, kind):
    told.gesture("close").gesture("reopen", kind).sends("ann", "a1", 1, "yes").acked("ann", "a1", 1, "yes")
    told.look(row("ann", "a1", 1, "yes"))
    assert checker.check(told.events) == []


def test_a_refused_reopening_does_not_excuse_it(told):
    told.gesture("close").gesture("reopen", FAIL).sends("ann", "a1", 1, "yes").acked("ann", "a1", 1, "yes")
    told.look(row("ann", "a1", 1, "yes"), state="closed", frozen={"yes": 1})
    only(told, "answer a1")


def test_a_vote_that_was_on_its_way_when_it_closed_may_be_acknowledged(told):
    told.sends("ann", "a1", 1, "yes").gesture("close").acked("ann", "a1", 1, "yes")
    told.look(row("ann", "a1", 1, "yes"), state="closed", frozen={"yes": 1})
    assert checker.check(told.events) == []


def test_a_value_that_changes_while_closed_is_found(told):
    told.sends("ann", "a1", 1, "yes").sends("ann", "a2", 2, "yes").gesture("close")
    told.look(row("ann", "a1", 1, "yes"), state="closed", frozen={"yes": 1})
    told.look(row("ann", "a2", 2, "yes", 2), state="closed", frozen={"yes": 1})
    only(told, "changed while closed")


def test_a_close_that_was_answered_and_is_gone_is_found(told):
    only(told.gesture("close").look(state="open"), "closed at 1.000 s, open at")


# --- receipts, screens ---------------------------------------------------------------------------------------------------


def test_two_receipts_of_one_operation_are_found(told):
    told.sends("ann", "a1", 1, "yes").acked("ann", "a1", 1, "yes", rev=1).acked("ann", "a1", 1, "yes", rev=2)
    told.look(row("ann", "a1", 1, "yes"))
    only(told, "had the receipts")


def test_a_receipt_for_something_else_is_found(told):
    told.sends("ann", "a1", 1, "yes").acked("ann", "a1", 1, "no").look(row("ann", "a1", 1, "yes"))
    only(told, "had the receipt {")


def test_a_vote_that_waits_for_ever_is_found(told):
    told.sends("ann", "a1", 1, "yes").look().shows("ann's phone", voter="ann", papers={}, outbox=["a1"])
    only(told, "answer a1 was never stored nor refused")


@pytest.mark.parametrize(
    "shown",
    [
        {"cast": 0},
        {"counts": {"no": 1}},
        {"voter": "ann", "papers": {}},
        {"voter": "ann", "papers": {POLL: [1, "no"]}},
        {"voter": "bob", "papers": {POLL: [1, "yes"]}},
        {"state": "closed"},
    ],
    ids=str,
)
def test_a_screen_that_stays_behind_is_found(told, shown):
    told.sends("ann", "a1", 1, "yes").look(row("ann", "a1", 1, "yes")).shows("a screen", **shown)
    only(told, "a screen shows")


def test_a_screen_that_counts_what_nobody_sent_is_found(told):
    told.shows("wall", cast=1).sends("ann", "a1", 1, "yes").look(row("ann", "a1", 1, "yes"))
    told.shows("wall", cast=1)
    only(told, "wall said at 0.000 s that 1 had answered; at most 0")


def test_a_history_in_which_nobody_looked_is_no_proof(told):
    only(told.sends("ann", "a1", 1, "yes"), "was never looked at")
