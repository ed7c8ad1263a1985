"""The history checker on small groups: a good history has no violation, each promise has a history that breaks it alone."""

from __future__ import annotations

from typing import Any

import pytest

from . import checker
from .record import FAIL, INFO, INVOKE, OK, SAW, Event

HERE, THERE = 1, 2  # two groups
SEATS = [("ann", HERE), ("bob", HERE), ("cyd", THERE)]


class Told:
    """A history by hand: every line is one second later than the one before."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def add(self, who: str, kind: str, do: str, **what: Any) -> Told:
        self.events.append(Event(float(len(self.events)), who, kind, do, **what))
        return self

    def writes(self, who: str, op: str, group: int = HERE) -> Told:
        return self.add(who, INVOKE, "note", op=op, more={"group": group, "text": words(op)})

    def edits(self, who: str, op: str, note: int, rev: int) -> Told:
        return self.add(who, INVOKE, "edit_note", op=op, more={"note": note, "rev": rev, "text": words(op)})

    def takes_back(self, who: str, op: str, note: int) -> Told:
        return self.add(who, INVOKE, "take_back", op=op, more={"note": note})

    def agrees(self, who: str, op: str, note: int, on: bool = True) -> Told:
        return self.add(who, INVOKE, "agree", op=op, more={"note": note, "on": on})

    def acked(self, who: str, do: str, op: str, note: int, rev: int = 1) -> Told:
        return self.add(who, OK, do, op=op, more={"note": note, "rev": rev})

    def silence(self, who: str, do: str, op: str) -> Told:
        return self.add(who, INFO, do, op=op, code="silence")

    def refused(self, who: str, do: str, op: str, code: str) -> Told:
        return self.add(who, FAIL, do, op=op, code=code)

    def look(self, *notes: Any, words: Any = None, agree: Any = ()) -> Told:
        """The database; where `words` are not told they are those of the notes."""
        op = f"look{len(self.events)}"
        known = [said(note[0], note[2], note[3]) for note in notes] if words is None else words
        groups = {"notes": list(notes), "wordings": known, "agreements": list(agree), "seats": SEATS}
        more = {"ballots": [], "polls": {}, "stage": [0, "joining"], **groups}
        return self.add("auditor", INVOKE, "audit", op=op).add("auditor", OK, "audit", op=op, more=more)

    def reads(self, screen: str, voter: str, op: str) -> Told:
        return self.add(screen, SAW, "words", op=op, more={"voter": voter})

    def shows(self, voter: str, group: int, *notes: Any, agreed: Any = ()) -> Told:
        nothing = {"cast": None, "counts": None, "papers": None, "outbox": [], "stage": [0, "joining"]}
        pad = {"group": group, "notes": [list(note) for note in notes], "agreed": list(agreed)}
        return self.add(f"{voter}'s phone", SAW, "screen", more=nothing | {"voter": voter, "pad": pad})


def words(op: str) -> str:
    return f"Words of {op}"


def row(
    number: int, who: str, op: str, text: str = "", rev: int = 1, *, group: int = HERE, gone: bool = False
):
    """A note in the database."""
    return (number, group, who, op, text or words(op), rev, number, gone)


def said(note: int, by: str, op: str, rev: int = 1, *, kept: bool = True):
    """A wording in the database."""
    return (note, rev, words(op), by, op, kept)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def written(told) -> Told:
    """Ann has a note; it was acknowledged as number 5."""
    return told.writes("ann", "a1").acked("ann", "note", "a1", 5)


def only(told: Told, *parts: str) -> None:
    """Exactly one promise is broken, once, and the sentence says what about it."""
    violations = checker.check(told.events)
    assert len(violations) == 1, violations
    assert [part for part in parts if part not in violations[0]] == [], violations


def among(told: Told, *parts: str) -> None:
    """What is broken here breaks more than one promise; one sentence says this."""
    violations = checker.check(told.events)
    assert [each for each in violations if all(part in each for part in parts)], violations


def test_a_good_history_has_no_violation(written):
    written.edits("bob", "b1", 5, 1).acked("bob", "edit_note", "b1", 5, rev=2)
    written.edits("ann", "a2", 5, 1).refused("ann", "edit_note", "a2", "conflict")
    written.agrees("bob", "b2", 5).acked("bob", "agree", "b2", 5)
    written.writes("ann", "a3", THERE).refused("ann", "note", "a3", "forbidden")
    written.writes("cyd", "c1", THERE).silence("cyd", "note", "c1").writes("cyd", "c1", THERE)
    written.acked("cyd", "note", "c1", 6).takes_back("cyd", "c2", 6).acked("cyd", "take_back", "c2", 6)
    written.reads("ann's phone", "ann", "b1").reads("cyd's phone", "cyd", "c1")
    notes = [row(5, "ann", "a1", words("b1"), 2), row(6, "cyd", "c1", group=THERE, gone=True)]
    kept = [
        said(5, "ann", "a1"),
        said(5, "bob", "b1", 2),
        said(5, "ann", "a2", 2, kept=False),
        said(6, "cyd", "c1"),
    ]
    written.look(*notes, words=kept, agree=[(5, "bob")])
    written.shows("ann", HERE, (5, words("b1"), 1)).shows("bob", HERE, (5, words("b1"), 1), agreed=[5])
    written.shows("cyd", THERE)
    assert checker.check(written.events) == []


# --- nothing acknowledged is lost -------------------------------------------------------------------------------


def test_an_acknowledged_note_that_is_not_stored_is_found(written):
    written.look(words=[said(5, "ann", "a1")])
    only(written, "note a1 was acknowledged", "is not stored")


def test_words_of_an_acknowledged_edit_that_are_not_stored_are_found(written):
    written.edits("ann", "a2", 5, 1).acked("ann", "edit_note", "a2", 5, rev=2).look(row(5, "ann", "a1"))
    only(written, "edit_note a2 was acknowledged", "its words are not stored")


def test_an_edit_without_an_answer_may_be_stored_or_not(written):
    written.edits("ann", "a2", 5, 1).silence("ann", "edit_note", "a2").look(row(5, "ann", "a1"))
    kept = [said(5, "ann", "a1"), said(5, "ann", "a2", 2)]
    written.look(row(5, "ann", "a1", words("a2"), 2), words=kept)
    assert checker.check(written.events) == []


def test_words_that_lost_and_are_not_kept_beside_are_found(written):
    written.edits("ann", "a2", 5, 0).refused("ann", "edit_note", "a2", "conflict").look(row(5, "ann", "a1"))
    only(written, "a2 met other words", "not kept beside them")


def test_a_note_that_does_not_say_its_newest_words_is_found(written):
    written.edits("ann", "a2", 5, 1).acked("ann", "edit_note", "a2", 5, rev=2)
    written.look(row(5, "ann", "a1"), words=[said(5, "ann", "a1"), said(5, "ann", "a2", 2)])
    only(written, "Note 5 says 'Words of a1'")


def test_a_note_that_comes_back_is_found(written):
    written.takes_back("ann", "a2", 5).acked("ann", "take_back", "a2", 5).look(row(5, "ann", "a1"))
    only(written, "take_back a2 was acknowledged", "note 5 is there")


def test_a_note_that_its_author_had_not_taken_back_and_is_gone_is_found(written):
    written.takes_back("bob", "b1", 5).refused("bob", "take_back", "b1", "forbidden")
    only(written.look(row(5, "ann", "a1", gone=True)), "Note 5 is gone")


# --- nothing is there that nobody did -----------------------------------------------------------------------------


def test_a_note_that_nobody_wrote_is_found(written):
    kept = [said(5, "ann", "a1")]
    among(
        written.look(row(5, "ann", "a1"), row(9, "ann", "a9"), words=kept),
        "Note 9 (a9)",
        "nobody had sent it",
    )


def test_words_that_nobody_sent_are_found(written):
    kept = [said(5, "ann", "a1"), said(5, "ann", "a9", 2, kept=False)]
    only(written.look(row(5, "ann", "a1"), words=kept), "Wording(note=5, revision=2", "nobody had sent it")


def test_a_note_that_was_stored_before_it_was_sent_is_found(told):
    among(told.look(row(5, "ann", "a1"), words=[]).writes("ann", "a1"), "Note 5 (a1)", "nobody had sent it")


def test_a_note_in_a_group_that_its_author_does_not_sit_in_is_found(told):
    told.writes("ann", "a1", THERE).look(row(5, "ann", "a1", group=THERE), words=[])
    among(told, "is in group 2; its author sits in 1")


def test_an_edit_of_another_groups_note_is_found(written):
    written.edits("cyd", "c1", 5, 1)
    kept = [said(5, "ann", "a1"), said(5, "cyd", "c1", 2)]
    only(written.look(row(5, "ann", "a1", words("c1"), 2), words=kept), "c1 changed note 5", "not theirs")


def test_two_notes_of_one_operation_are_found(written):
    among(written.look(row(5, "ann", "a1"), row(6, "ann", "a1"), words=[]), "a1 made 2 notes")


def test_an_edit_over_words_that_were_not_seen_is_found(written):
    written.edits("bob", "b1", 5, 1).edits("ann", "a2", 5, 1)
    kept = [said(5, "ann", "a1"), said(5, "bob", "b1", 2), said(5, "ann", "a2", 3)]
    only(written.look(row(5, "ann", "a1", words("a2"), 3), words=kept), "a2 had seen wording 1")


# --- agreement ------------------------------------------------------------------------------------------------------


def test_a_person_who_is_counted_twice_is_found(written):
    written.agrees("bob", "b1", 5).acked("bob", "agree", "b1", 5)
    only(written.look(row(5, "ann", "a1"), agree=[(5, "bob"), (5, "bob")]), "counted 2 times for note 5")


@pytest.mark.parametrize("agree", [[], [(5, "bob")]], ids=["lost", "stays"])
def test_an_agreement_that_is_not_what_was_said_last_is_found(written, agree):
    is_lost = not agree
    written.agrees("bob", "b0", 5, not is_lost).acked("bob", "agree", "b0", 5)
    written.agrees("bob", "b1", 5, is_lost).acked("bob", "agree", "b1", 5)
    only(written.look(row(5, "ann", "a1"), agree=agree), "not what they said last")


def test_an_agreement_that_nobody_gave_is_found(written):
    only(written.look(row(5, "ann", "a1"), agree=[(5, "bob")]), "voter bob agrees with note 5 is stored")


def test_a_tap_without_an_answer_may_arrive_late(written):
    written.agrees("bob", "b1", 5).silence("bob", "agree", "b1").agrees("bob", "b1", 5).acked(
        "bob", "agree", "b1", 5
    )
    written.agrees("bob", "b2", 5, False).acked("bob", "agree", "b2", 5).look(row(5, "ann", "a1"))
    written.look(row(5, "ann", "a1"), agree=[(5, "bob")])
    assert checker.check(written.events) == []


# --- screens ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("screen", "voter"), [("cyd's phone", "cyd"), ("wall", "")])
def test_words_on_a_screen_outside_of_their_group_are_found(written, screen, voter):
    only(written.look(row(5, "ann", "a1")).reads(screen, voter, "a1"), screen, "belong to group 1")


def test_words_on_a_screen_that_are_stored_nowhere_are_found(written):
    written.edits("ann", "a2", 5, 1).reads("bob's phone", "bob", "a2").look(row(5, "ann", "a1"))
    only(written, "words of a2, which are not stored")


@pytest.mark.parametrize(
    ("group", "notes", "agreed", "why"),
    [
        (THERE, [], [], "shows group 2"),
        (HERE, [], [], "0 notes; 1 are stored"),
        (HERE, [(5, words("a0"), 1)], [5], "'Words of a0'"),
        (HERE, [(5, words("a1"), 2)], [5], "2] where"),
        (HERE, [(5, words("a1"), 1)], [], "agreed with []; stored is [5]"),
    ],
)
def test_a_pad_that_stays_behind_is_found(written, group, notes, agreed, why):
    written.agrees("bob", "b1", 5).acked("bob", "agree", "b1", 5)
    written.look(row(5, "ann", "a1"), agree=[(5, "bob")]).shows("bob", group, *notes, agreed=agreed)
    only(written, "bob's phone shows", why)


def test_a_pad_in_another_order_is_found(written):
    written.writes("bob", "b1").acked("bob", "note", "b1", 6).look(row(5, "ann", "a1"), row(6, "bob", "b1"))
    only(written.shows("ann", HERE, (6, words("b1"), 0), (5, words("a1"), 0)), "[6, 'Words of b1', 0] where")
