"""The load test against a server that runs already: phones come in by its pages and answer what is on stage."""

from __future__ import annotations

import json

import pytest
from django.core.management import call_command

from polls.models import Ballot
from workshops.models import Participant

from ... import factories
from ...browser.server import start_server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.once,
]  # sockets and bytes: the same whatever database stands behind

PHONES = 8


@pytest.fixture
def server(transactional_db, tmp_path):
    made = start_server(tmp_path)
    yield made
    made.stop()


def visit(server, workshop, tmp_path, **options) -> dict:
    file = tmp_path / "out.json"
    given = {"base_url": server.url, "code": workshop.code, "phones": PHONES, "window": 0.5, "json": file}
    try:
        call_command("loadtest", **given | options)
    except SystemExit:  # a busy machine: then the client was slow, and the run says so
        assert [r for r in json.loads(file.read_text())["reasons"] if "load client" not in r] == []
    return json.loads(file.read_text())


def test_a_running_server_is_measured_its_process_weighed_and_its_rows_counted(server, tmp_path, capsys):
    workshop = factories.workshop()
    poll = factories.launched(workshop)
    run = visit(server, workshop, tmp_path)
    assert run["votes"] == {
        "joined": PHONES, "sent": PHONES, "acked": PHONES, "rows": PHONES, "wall": PHONES, "tally": None,
    }  # fmt: skip
    assert Ballot.objects.filter(poll=poll, status="cast").count() == PHONES
    assert run["cpu_seconds"] > 0
    assert run["memory_kib_per_connection"] is not None
    assert {run["phones_without_final_picture"], run["connections_lost"]} == {0}
    said = capsys.readouterr()
    assert "ack_ms p99" in said.out
    assert f"of {PHONES} phones greeted" in said.err or "waiting until every phone shows" in said.err


def test_who_was_there_before_is_not_counted_as_one_of_the_phones(server, tmp_path):
    workshop = factories.workshop()
    poll = factories.launched(workshop)
    factories.vote(factories.participant(workshop), poll, "yes")
    run = visit(server, workshop, tmp_path)
    assert (run["votes"]["rows"], run["votes"]["wall"]) == (PHONES, PHONES)
    assert Ballot.objects.filter(poll=poll, status="cast").count() == PHONES + 1
    # They are told from people: what they answered is cleared with the rehearsal.
    assert Participant.objects.filter(workshop=workshop, rehearsal=True).count() == PHONES
