"""The load test itself: its figures, its verdicts, and that it finds a server which loses a vote."""

from __future__ import annotations

import importlib
import json
import random
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from hypothesis import given
from hypothesis import strategies as st

from workshops.operations.loadtest import figures, frames, pictures, report, servers, trial, visitors
from workshops.operations.loadtest.servers import DAPHNE, REFERENCE, Kind

from .loadtest_runs import LOSING, not_about_this_machine


def a_run(**changes):
    votes = {"joined": 20, "sent": 20, "acked": 20, "rows": 20, "tally": 20, "wall": 20}
    votes |= changes.pop("votes", {})
    client = {"busy": 0.2, "lag_p99_ms": 3.0} | changes.pop("client", {})
    return {"phones": 20, "phones_without_final_picture": 0, "votes": votes, "client": client} | changes


# --- figures ------------------------------------------------------------------------------------------


def test_a_percentile_is_a_value_that_so_many_do_not_exceed():
    values = list(range(1, 101))
    assert [figures.percentile(values, share) for share in (0.5, 0.95, 0.99, 1)] == [50, 95, 99, 100]
    assert figures.percentile([7], 0.99) == 7
    assert figures.percentile([], 0.5) is None


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_one_of_the_values_and_covers_its_share(values, share):
    found = figures.percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-6


def test_durations_are_told_in_milliseconds():
    assert figures.spread([0.001, 0.002, 0.0304], 50, 99) == {"p50": 2.0, "p99": 30.4}


def test_medians_are_taken_of_numbers_and_leave_words_and_gaps_alone():
    runs = [{"label": "a", "ack": {"p50": n}, "rows": None, "cpu": c} for n, c in ((1, 4), (9, None), (2, 6))]
    assert figures.medians(runs) == {"label": "a", "ack": {"p50": 2}, "rows": None, "cpu": 5}


def test_a_ratio_to_nothing_is_unknown():
    assert figures.ratio(3, 2) == 1.5
    assert figures.ratio(3, 0) is None
    assert figures.ratio(None, 2) is None


# --- verdicts -----------------------------------------------------------------------------------------


def test_a_run_in_which_all_numbers_agree_is_valid():
    assert figures.reasons_against(a_run()) == []


@pytest.mark.parametrize("name", figures.COUNTED)
def test_a_number_that_falls_short_is_a_reason(name):
    assert figures.reasons_against(a_run(votes={name: 19})) == [f"{figures.COUNTED[name]}: 19 of 20."]


def test_a_ballot_too_many_is_a_reason():
    assert figures.reasons_against(a_run(votes={"rows": 21})) == ["Rows in the database: 21 of 20."]


def test_what_nobody_counted_is_no_reason():
    assert figures.reasons_against(a_run(votes={"rows": None, "tally": None, "wall": None})) == []


@pytest.mark.parametrize(
    ("client", "words"), [({"busy": 0.9}, "busy for 90%"), ({"lag_p99_ms": 80.0}, "late by 80 ms")]
)
def test_a_saturated_client_is_a_reason(client, words):
    (reason,) = figures.reasons_against(a_run(client=client))
    assert words in reason


def test_a_client_that_was_saturated_while_phones_joined_is_a_reason():
    (reason,) = figures.reasons_against(a_run(client_busy_joining=0.9))
    assert "busy for 90% of the time while phones joined" in reason


def test_a_phone_without_the_final_picture_is_a_reason():
    (reason,) = figures.reasons_against(a_run(phones_without_final_picture=1))
    assert reason == "Phones that never saw the final picture: 1."


def test_answers_that_were_refused_are_a_reason():
    (reason,) = figures.reasons_against(a_run(refused={"invalid": 2, "busy": 3}))
    assert reason == "Answers refused: 2 invalid."


# --- the wire -----------------------------------------------------------------------------------------


def unmasked(frame: bytes) -> bytes:
    size, start = frame[1] & 0x7F, 2
    if size == 126:
        size, start = int.from_bytes(frame[2:4], "big"), 4
    key, body = frame[start : start + 4], frame[start + 4 :]
    assert len(body) == size
    return bytes(byte ^ key[place % 4] for place, byte in enumerate(body))


@given(st.binary(max_size=400))
def test_a_masked_frame_carries_its_payload(payload):
    assert unmasked(frames.masked(payload)) == payload


@given(st.lists(st.integers(0, 70_000), min_size=1, max_size=3), st.randoms())
def test_frames_are_read_however_the_network_cuts_them(sizes, rng: random.Random):
    payloads = [bytes([65 + place]) * size for place, size in enumerate(sizes)]
    wire = b"".join(_server_frame(payload) for payload in payloads)
    heard, rest = [], b""
    for piece in _cut(wire, rng):
        rest, at = rest + piece, 0
        while frame := frames.read(rest, at):
            _opcode, payload, at = frame
            heard.append(payload)
        rest = rest[at:]
    assert (heard, rest) == (payloads, b"")


def _server_frame(payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return bytes([0x81, size]) + payload
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


def _cut(wire: bytes, rng: random.Random) -> list[bytes]:
    places = sorted(rng.randrange(len(wire) + 1) for _ in range(5))
    return [wire[a:b] for a, b in zip([0, *places], [*places, len(wire)], strict=True)]


def test_pictures_of_the_compared_servers_are_read_like_ours():
    assert frames.ballot_on_stage(pictures.stage(7).encode()) == 7
    assert frames.total(pictures.tally(17, 40, wall=True).encode()) == 17
    assert frames.total(pictures.tally(17, 40).encode()) == 17
    for text, head in [(pictures.tally(1, 2), frames.TALLY), (pictures.stage(1), frames.STAGE),
                       (pictures.ack("op", 1, 1, "a"), frames.ACK)]:  # fmt: skip
        assert text.encode().startswith(head)


def test_an_answer_that_needs_words_is_not_chosen():
    html = b'<input name=\\"choice\\" value=\\"calm\\"><input name=\\"choice\\" value=\\"~other\\">'
    assert frames.choices(html) == ["calm"]


# --- reports -----------------------------------------------------------------------------------------


def test_a_wide_table_goes_on_below():
    names = [f"a server with a long name {number}" for number in range(9)]
    lines = report.table({name: a_run() for name in names}).splitlines()
    assert max(map(len, lines)) <= report.WIDE
    assert [name for name in names if not any(name in line for line in lines)] == []
    assert len([line for line in lines if line.startswith("votes sent")]) == len(
        [line for line in lines if line.startswith("phones ")]
    )


@pytest.mark.parametrize(
    ("votes", "words"),
    [
        ({}, "Valid: rows = acknowledged = result = on the wall, and"),
        ({"tally": None}, "Valid: rows = acknowledged = on the wall, and"),
        ({"rows": None, "tally": None, "wall": None}, "Rows could not be counted from here."),
    ],
)
def test_a_verdict_claims_only_what_was_counted(votes, words):
    assert words in report.verdict(a_run(valid=True, votes=votes))


def test_the_table_says_what_is_not_known():
    lines = report.table({"one": a_run(votes={"rows": None})}).splitlines()
    assert next(line for line in lines if line.startswith("votes rows")).split()[-1] == "–"
    assert next(line for line in lines if line.startswith("votes sent")).split()[-1] == "20"


@pytest.mark.parametrize(
    ("value", "words"), [(None, "–"), (20, "20"), (1234.5, "1,234"), (9.5, "9.50"), (0.0047, "0.0047")]
)
def test_a_number_is_shown_with_the_digits_that_matter(value, words):
    assert report.shown(value) == words


# --- real runs ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """One fresh database for all runs; servers look for the launched question at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIVE_POLL_SECONDS", "0.3")
        patch.setattr(trial, "PATIENCE", 3.0)
        patch.setattr(servers, "cores", lambda: (None, None))  # other tests run beside this one
        place = tmp_path_factory.mktemp("loadtest")
        with trial.prepared(place, print) as made:
            yield place, made


def measured(kind: Kind, room, phones=20):
    place, made = room
    return trial.run(kind, phones, 0.5, place, made, print)


@pytest.mark.slow
def test_twenty_phones_vote_and_every_number_agrees(room):
    run = measured(DAPHNE, room)
    assert not_about_this_machine(run) == []
    assert run["votes"] == {"joined": 20, "sent": 20, "acked": 20, "rows": 20, "tally": 20, "wall": 20}
    assert run["ack_ms"]["p50"] > 0
    assert run["cpu_seconds"] > 0


@pytest.mark.slow
def test_phones_only_come_in_where_nobody_is_to_vote(room):
    place, made = room
    run = trial.run_joining(DAPHNE, 20, place, made, print)
    assert (run["valid"], run["votes"]) == (True, {"joined": 20})
    assert run["handshakes_per_second"] >= run["joins_per_second"] > 0
    assert "ack_ms" not in run


@pytest.mark.slow
def test_a_server_that_loses_a_row_is_found_out(room):
    run = measured(LOSING, room)
    assert not run["valid"]
    assert "Rows in the database: 19 of 20." in run["reasons"]


def test_the_specimen_is_there_to_be_measured():
    specimen = importlib.import_module("workshops.operations.loadtest.specimen")
    assert callable(specimen.application)


@pytest.mark.slow
def test_the_reference_acknowledges_and_counts(room):
    pytest.importorskip("picows", reason="picows is not here: make bench installs it.")
    run = measured(REFERENCE, room)
    assert not_about_this_machine(run) == []


# --- the command --------------------------------------------------------------------------------------


def test_another_machine_is_not_measured_by_mistake():
    with pytest.raises(CommandError, match="is another machine"):
        call_command("loadtest", base_url="http://workshops.example.org", code="ABC")


def test_a_running_server_is_measured_for_one_workshop():
    with pytest.raises(CommandError, match="needs --code"):
        call_command("loadtest", base_url="http://127.0.0.1:9")


def test_a_server_that_does_not_answer_is_said_so(db):
    with pytest.raises(CommandError, match="does not answer"):
        call_command("loadtest", base_url="http://127.0.0.1:9", code="ABC", phones=1)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"phones": 0}, "--phones"),
        ({"window": -1.0}, "--window"),
        ({"compare": True, "rounds": 0}, "--rounds"),
        ({"compare": True, "specimen_phones": 0}, "--specimen-phones"),
        ({"compare": True, "base_url": "http://127.0.0.1:9"}, "start their own"),
        ({"scenario": "groups", "base_url": "http://127.0.0.1:9"}, "start their own"),
        ({"json": Path("nowhere/at/all.json")}, "no folder"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_anything_starts(bad, words):
    with pytest.raises(CommandError, match=words):
        call_command("loadtest", **bad)


def test_a_run_that_may_not_be_believed_ends_with_a_failure(monkeypatch, tmp_path, capsys):
    run = {"label": "x", "valid": False, "reasons": ["Rows in the database: 19 of 20."]} | a_run(
        votes={"rows": 19}
    )
    monkeypatch.setattr(visitors, "run", lambda *args, **options: run)
    with pytest.raises(SystemExit) as end:
        call_command("loadtest", base_url="http://127.0.0.1:9", code="ABC", json=tmp_path / "out.json")
    assert end.value.code == 1
    assert json.loads((tmp_path / "out.json").read_text())["reasons"] == ["Rows in the database: 19 of 20."]
    assert "NOT VALID" in capsys.readouterr().out
