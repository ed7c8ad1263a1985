"""The load test of small groups: what became of every note is told rightly, and a server that loses one is found out."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from hypothesis import given
from hypothesis import strategies as st

from workshops.actions.groups.notes import NOTES_LIMIT
from workshops.operations.loadtest import figures, groups_trial, notes, report, servers, trial
from workshops.operations.loadtest.notes import Marker
from workshops.operations.loadtest.servers import DAPHNE, Kind

from .loadtest_runs import LOSING, not_about_this_machine

NUMBER = st.integers(0, 10_000)
WORD = Marker(17, 3, 2, 1)


def a_pad(*pieces: tuple[int, Marker]) -> bytes:
    """A picture of a pad as it travels: JSON in which quotes have a backslash."""
    items = "".join(f'<li id=\\"note-{number}\\"><p>{notes.text(word)}</p></li>' for number, word in pieces)
    return f'{{"t":"screen","topic":"group","html":"<ol>{items}</ol>"}}'.encode()


# --- words ------------------------------------------------------------------------------------------------


@given(st.builds(Marker, NUMBER, NUMBER, NUMBER, NUMBER))
def test_a_note_says_where_it_belongs(word):
    assert notes.words(notes.text(word).encode()) == [word]


def test_words_of_people_are_no_words_of_notes():
    assert notes.words(b"g17 p3n2 big17p3n2e1q and g17p3n2e1quiet") == []


def test_a_pad_tells_every_note_in_its_last_wording_and_its_number():
    pad = notes.pad(a_pad((41, WORD), (42, Marker(17, 4, 1, 0))), group=17)
    assert pad.wordings == {(3, 2): 1, (4, 1): 0}
    assert pad.numbers == {41: (3, 2), 42: (4, 1)}
    assert (pad.strayed, pad.doubled) == (0, 0)


def test_a_note_of_another_group_is_seen_on_a_pad():
    assert notes.pad(a_pad((41, WORD), (42, Marker(18, 4, 1, 0))), group=17).strayed == 1


def test_a_note_that_stands_twice_on_a_pad_is_seen():
    assert notes.pad(a_pad((41, WORD), (42, WORD)), group=17).doubled == 1


def test_a_console_that_says_no_number_says_nothing():
    assert notes.counted(b'<section id=\\"breakouts\\" data-notes=\\"12\\">') == 12
    assert notes.counted(b'<section id=\\"breakouts\\">') == -1


# --- fates ------------------------------------------------------------------------------------------------


FINE = {"rows": 1, "lost": 0, "doubled": 0, "unknown": 0, "strayed": 0, "other_words": 0}


@pytest.mark.parametrize(
    ("rows", "changes"),
    [
        ([(17, WORD)], {}),
        ([], {"rows": 0, "lost": 1}),
        ([(17, WORD), (17, WORD)], {"rows": 2, "doubled": 1}),
        ([(17, WORD), (17, Marker(17, 9, 9, 0))], {"rows": 2, "unknown": 1}),
        ([(18, WORD)], {"strayed": 1}),
        ([(17, Marker(17, 3, 2, 0))], {"other_words": 1}),
    ],
)
def test_what_became_of_a_note_is_told(rows, changes):
    stored = [(group, notes.text(word)) for group, word in rows]
    assert notes.fates([list(WORD)], stored) == FINE | changes


def a_run(**changes):
    counted = {"sent": 20, "acked": 20, "agreed": 3, "pads_behind": 0, "seen_elsewhere": 0, "seen_twice": 0}
    fates = FINE | {"rows": 20, "agreements": 3}
    return {"notes": counted | fates | changes.pop("notes", {}), "overview_ms": {"p99": 100.0}} | changes


def test_a_run_in_which_all_notes_are_where_they_belong_is_believed():
    assert list(notes.reasons_against(a_run())) == []


@pytest.mark.parametrize("name", notes.WRONG)
def test_a_note_that_is_not_as_it_should_be_is_a_reason(name):
    assert list(notes.reasons_against(a_run(notes={name: 2}))) == [f"{notes.WRONG[name]}: 2."]


@pytest.mark.parametrize(
    ("name", "words"),
    [("acked", "Notes acknowledged: 19 of 20."), ("agreements", "Agreements in the database: 19 of 3.")],
)
def test_a_number_that_differs_is_a_reason(name, words):
    assert words in list(notes.reasons_against(a_run(notes={name: 19})))


def test_a_run_without_any_note_is_not_believed():
    assert list(notes.reasons_against(a_run(notes={"sent": 0, "acked": 0, "rows": 0})))


def test_a_console_that_never_said_how_many_is_a_reason():
    (reason,) = notes.reasons_against(a_run(overview_ms={"p99": None}))
    assert "console" in reason


# --- a plan -----------------------------------------------------------------------------------------------


def test_nobody_writes_more_notes_than_fit_into_a_pad():
    assert groups_trial.Plan(people=7).most * 7 <= NOTES_LIMIT


@pytest.mark.parametrize(
    "bad", [{"groups": 0}, {"people": 1}, {"seconds": 0.0}, {"every": 0.0}, {"groups": 201}]
)
def test_bad_numbers_are_refused(bad):
    with pytest.raises(CommandError, match="--groups"):
        call_command("loadtest", scenario="groups", **bad)


# --- real runs --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """One fresh database for all runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(groups_trial, "PATIENCE", 5.0)
        patch.setattr(servers, "cores", lambda: (None, None))  # other tests run beside this one
        place = tmp_path_factory.mktemp("groups")
        with trial.prepared(place, print, "groups_room") as made:
            yield place, made


def measured(kind: Kind, room):
    place, made = room
    plan = groups_trial.Plan(groups=3, people=3, seconds=1.5, every=0.75, voters=3)
    return groups_trial.run(kind, plan, place, made, print)


@pytest.mark.slow
def test_three_groups_type_at_once_and_every_number_agrees(room):
    run = measured(DAPHNE, room)
    assert not_about_this_machine(run) == []
    counted = run["notes"]
    assert counted["sent"] == counted["acked"] == counted["rows"] >= 9
    assert (run["groups"], run["joined"]) == (3, 12)
    assert all(run[key]["p99"] > 0 for key in ("ack_ms", "visible_ms", "overview_ms", "vote_ack_ms"))
    assert run["vote_ack_ratio"] == figures.ratio(run["vote_ack_ms"]["p99"], run["vote_ack_alone_ms"]["p99"])
    lines = report.table({"one": run}).splitlines()
    assert [line for line in lines if line.endswith("–")] == []


@pytest.mark.slow
def test_a_server_that_loses_a_note_is_found_out(room):
    run = measured(LOSING, room)
    assert not run["valid"]
    assert any(reason.startswith("Notes in the database:") for reason in run["reasons"])
    assert "notes acknowledged that are not in the database: 1." in " ".join(run["reasons"]).lower()
