"""What machines ask: alive, ready, metrics. And log lines, which name nobody."""

from __future__ import annotations

import json
import logging
import sys

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.db import OperationalError, connection, connections

from config import logging_formatters
from config.asgi import application
from workshops.actions import participation
from workshops.live import engine, health, metrics, write_batcher
from workshops.live import hub as hubs

from ... import factories

TOKEN = "a token of this test only"


@pytest.fixture(autouse=True)
async def _fresh(monkeypatch):
    """Nothing seen before, and the engine left alone: these pages stand in front of it."""
    monkeypatch.setattr(health, "_state", health._State())
    monkeypatch.setattr(engine, "ensure_running", lambda: None)
    yield
    health._state._thread.shutdown()
    await sync_to_async(connections.close_all)()


async def ask(path, method="GET", **headers):
    """Status and text of an answer."""
    scope = {
        "type": "http", "method": method, "path": path, "query_string": b"", "client": None,
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    wire = ApplicationCommunicator(application, scope)
    await wire.send_input({"type": "http.request"})
    start, body = await wire.receive_output(5), await wire.receive_output(5)
    return start["status"], body["body"].decode()


async def test_a_process_is_alive_whatever_its_database_does(monkeypatch):
    monkeypatch.setattr(health._State, "_ask_database", lambda self: pytest.fail("asked the database"))
    assert await ask("/healthz") == (200, "alive\n")


@pytest.mark.django_db(transaction=True)
async def test_a_process_with_its_tables_is_ready(settings):
    status, body = await ask("/readyz")
    layer = "ok" if settings.REDIS_URL else "in memory"
    assert (status, json.loads(body)) == (
        200,
        {"ready": True, "process": "serving", "database": "ok", "layer": layer},
    )


async def test_a_database_that_is_gone_takes_the_process_out_of_the_round_and_back(monkeypatch):
    def gone(self):
        raise OperationalError("password authentication failed for user vision at 10.0.0.7")

    with monkeypatch.context() as patch:
        patch.setattr(health._State, "_ask_database", gone)
        status, body = await ask("/readyz")
    assert (status, json.loads(body)["database"]) == (503, "unreachable")
    assert "10.0.0.7" not in body
    monkeypatch.setattr(health._State, "_ask_database", lambda self: "ok")
    health._state._seen_at -= health.FRESH_SECONDS
    assert (await ask("/readyz"))[0] == 200


async def test_tables_that_are_missing_are_said(monkeypatch):
    monkeypatch.setattr(health._State, "_ask_database", lambda self: "migrations missing")
    status, body = await ask("/readyz")
    assert (status, json.loads(body)["database"]) == (503, "migrations missing")


@pytest.mark.django_db
def test_a_disk_without_room_takes_the_process_out_of_the_round(monkeypatch, tmp_path):
    if connection.vendor != "sqlite":
        pytest.skip("a database server has a disk of its own")
    monkeypatch.setitem(connection.settings_dict, "NAME", str(tmp_path / "vision.sqlite3"))
    monkeypatch.setattr(health.connection, "close", lambda: None)
    state = health._State()
    assert state._ask_database() == "ok"
    monkeypatch.setattr(health, "LEAST_ROOM", 2**60)
    assert state._ask_database() == "disk full"


async def test_a_lost_layer_is_said_and_refuses_nobody(monkeypatch, settings):
    settings.REDIS_URL = "redis://:secret-word@127.0.0.1:1/0"
    monkeypatch.setattr(health._State, "_ask_database", lambda self: "ok")
    status, body = await ask("/readyz")
    assert (status, json.loads(body)["layer"]) == (200, "degraded")
    assert "secret-word" not in body


async def test_a_process_about_to_stop_is_not_ready(monkeypatch):
    monkeypatch.setattr(health._State, "_ask_database", lambda self: "ok")
    monkeypatch.setattr(write_batcher, "is_taking", lambda: False)
    status, body = await ask("/readyz")
    assert (status, json.loads(body)["process"]) == (503, "stopping")


async def test_many_who_ask_at_once_cost_one_look(monkeypatch):
    looks = []
    monkeypatch.setattr(health._State, "_ask_database", lambda self: looks.append(1) or "ok")
    for _ in range(5):
        await ask("/readyz")
    assert looks == [1]


async def test_without_a_token_there_are_no_metrics(settings):
    settings.METRICS_TOKEN = ""
    assert (await ask("/metrics", authorization="Bearer "))[0] == 404


async def test_metrics_want_the_token(settings):
    settings.METRICS_TOKEN = TOKEN
    assert [(await ask("/metrics", authorization=shown))[0] for shown in ("", "Bearer wrong", TOKEN)] == [
        403
    ] * 3
    assert (await ask("/metrics", authorization=f"Bearer {TOKEN}"))[0] == 200


async def test_only_reading_is_answered():
    assert (await ask("/healthz", "POST"))[0] == 405
    assert await ask("/healthz", "HEAD") == (200, "")


def value(name, **labels):
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0


async def test_votes_are_counted_by_outcome_and_timed():
    class Refused:
        code = "closed"

    before = [value("vision_votes_total", outcome=name) for name in ("acked", "closed", "busy")]
    timed = value("vision_ack_seconds_count")
    made = write_batcher.WriteBatcher(
        lambda items: [{"kept": object(), "late": Refused()}[item] for item in items]
    )
    await made.submit("kept")
    await made.submit("late")
    await made.stop()
    with pytest.raises(write_batcher.Busy):
        await made.submit("kept")
    made._writer.shutdown()
    after = [value("vision_votes_total", outcome=name) for name in ("acked", "closed", "busy")]
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 1, 1]
    assert value("vision_ack_seconds_count") - timed == 2


@pytest.mark.django_db
def test_metrics_name_nobody():
    workshop = factories.workshop()
    who, poll = factories.participant(workshop), factories.launched(workshop)
    participation.write([participation.Vote(workshop.pk, who.voter, poll.pk, "yes", "op1", 1)])
    text = health.generate_latest(metrics.REGISTRY).decode()
    labels = {
        part.split("=")[0]
        for line in text.splitlines()
        if "{" in line
        for part in line[line.index("{") + 1 : line.index("}")].split(",")
    }
    assert labels <= {"audience", "outcome", "group", "why", "le"}
    assert not any(name in text for name in (workshop.code, workshop.wall_key, who.voter))


async def test_sockets_are_counted_by_audience(monkeypatch):
    monkeypatch.setattr(hubs, "everyone", lambda: [hubs_like("wall"), hubs_like("phone"), hubs_like("phone")])
    assert value("vision_sockets", audience="phone") == 2
    assert value("vision_sockets", audience="console") == 0


def hubs_like(audience):
    return type("Connection", (), {"audience": hubs.Audience(audience)})()


# --- log lines --------------------------------------------------------------------------------------------


SECRETS = [
    "/w/KTR4HM/vote/", "/wall/0123456789abcdef0123456789abcdef/", "/workshops/KTR4HM/console/", "/live/phone/KTR4HM/",
    "anna@example.org", "192.0.2.17", "2001:db8:0:1::17", "0123456789abcdef0123456789abcdef", "/w/x/?token=KTR4HM",
    "/accounts/password/reset/key/3-abc-def/", "/invitation/s3cret/",
]  # fmt: skip


@pytest.mark.parametrize(
    "formatter",
    [logging_formatters.TextFormatter(), logging_formatters.JsonFormatter()],
    ids=["text", "json"],
)
@pytest.mark.parametrize("said", SECRETS)
def test_a_log_line_names_nobody(formatter, said):
    record = logging.LogRecord("django.request", logging.WARNING, "", 1, "Not Found: %s", (said,), None)
    line = formatter.format(record)
    assert "~" in line
    for name in ("KTR4HM", "0123456789abcdef", "anna@", "192.0.2", "2001:db8", "3-abc-def", "s3cret"):
        assert name not in line


def test_a_pseudonym_is_the_same_each_time_and_another_with_another_key(settings):
    first = logging_formatters.pseudonym("KTR4HM")
    assert first == logging_formatters.pseudonym("KTR4HM") != logging_formatters.pseudonym("KTR4HN")
    settings.SECRET_KEY = "another"
    assert first != logging_formatters.pseudonym("KTR4HM")


@pytest.mark.parametrize(
    "formatter",
    [logging_formatters.TextFormatter(), logging_formatters.JsonFormatter()],
    ids=["text", "json"],
)
def test_an_exception_is_told_without_its_words(formatter):
    words = ["Key (voter)=(somebody) exists", "the answer was: our babies"]
    try:
        try:
            raise ValueError(words[0])
        except ValueError as error:
            raise RuntimeError(words[1]) from error
    except RuntimeError:
        record = logging.LogRecord("polls", logging.ERROR, "", 1, "not written", (), sys.exc_info())
    line = formatter.format(record)
    assert "ValueError" in line
    assert "RuntimeError" in line
    assert "test_health.py" in line
    assert "somebody" not in line
    assert "our babies" not in line


def test_a_json_line_is_one_object():
    record = logging.LogRecord("workshops", logging.INFO, "", 1, "two\nlines", (), None)
    line = logging_formatters.JsonFormatter().format(record)
    assert "\n" not in line
    assert sorted(json.loads(line)) == ["at", "level", "logger", "message", "process"]
