"""The services that fault tests stop and start do what their names say."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psycopg
import pytest
import redis

from .. import services

pytestmark = [pytest.mark.stack, pytest.mark.slow]


@pytest.fixture(params=[services.Redis, services.Postgres], ids=["redis", "postgres"])
def service(request) -> Iterator[services.Service]:
    made = request.param()
    try:
        with services.or_skip():
            made.start()
        yield made
    finally:
        made.close()


def says(service: services.Service, seconds: float) -> bool:
    """Does it answer a question within so many seconds?"""
    try:
        if isinstance(service, services.Redis):
            with service.client(seconds) as client:
                return bool(client.ping())
        with psycopg.connect(service.server_url, connect_timeout=max(1, round(seconds))) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except (redis.RedisError, psycopg.Error):
        return False


def test_a_service_is_stopped_killed_and_started_on_the_same_port(service):
    for end in (service.stop, service.kill):
        assert says(service, 5)
        end()
        assert not says(service, 1)
        service.start()
    assert says(service, 5)


def test_a_paused_service_takes_connections_and_answers_nothing_until_it_resumes(service):
    service.pause()
    asked = time.monotonic()
    assert not says(service, 2)
    assert time.monotonic() - asked > 0.9, "a stopped service would have refused at once"
    service.resume()
    assert says(service, 5)


def test_what_a_killed_postgres_has_committed_is_there_after_the_start():
    made = services.Postgres()
    try:
        with services.or_skip():
            made.start()
        url = made.create("kept")
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE words AS SELECT 'calm' AS word")
        made.kill()
        made.start()
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT word FROM words").fetchall() == [("calm",)]
    finally:
        made.close()
    assert not made.place.exists()


def test_what_is_not_installed_is_said_in_plain_words(monkeypatch):
    monkeypatch.delenv("REQUIRE_SERVICES", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-program is not installed"), services.or_skip():
        services.program("no-such-program", "Nothing")
    monkeypatch.setenv("REQUIRE_SERVICES", "1")
    with pytest.raises(pytest.fail.Exception), services.or_skip():
        services.program("no-such-program", "Nothing")
