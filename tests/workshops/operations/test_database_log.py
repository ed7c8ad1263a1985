"""A server says at its start that the database's own log would hold what nobody meant to keep."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection

from workshops.management.commands import serve
from workshops.operations import database_log

pytestmark = pytest.mark.django_db
LOUD = {
    "log_min_error_statement": "error",  # PostgreSQL's own default
    "log_statement": "all",
    "log_min_duration_statement": "0",
    "log_min_duration_sample": "100",
}
QUIET = {name: min(values) for name, values in database_log.QUIET.items()}


class Cursor:
    """Answers as a PostgreSQL with these settings."""

    def __init__(self, **settings: str) -> None:
        self.settings = settings

    def __enter__(self) -> Cursor:
        return self

    def __exit__(self, *_error: object) -> None: ...

    def execute(self, *_statement: object) -> None: ...

    def fetchall(self) -> list[tuple[str, str]]:
        return list(self.settings.items())


@pytest.fixture
def postgres(monkeypatch):
    def set_up(**settings: str) -> None:
        monkeypatch.setattr(connection, "vendor", "postgresql")
        monkeypatch.setattr(connection, "cursor", lambda: Cursor(**(QUIET | settings)))

    return set_up


@pytest.mark.parametrize("name", sorted(LOUD))
def test_each_setting_that_logs_statements_is_named(postgres, name):
    postgres(**{name: LOUD[name]})
    assert database_log.loud_settings() == [f"{name}={LOUD[name]}"]


def test_settings_that_log_no_statement_are_none_to_speak_of(postgres):
    postgres()
    assert database_log.loud_settings() == []


def test_a_server_warns_once_as_it_starts(postgres, monkeypatch, caplog):
    postgres(log_statement="all")
    monkeypatch.setattr(serve, "refuse_earlier_schema", lambda: None)
    monkeypatch.setattr(serve.Command, "serve", lambda *_said, **_more: None)
    call_command("serve")
    [said] = [record.getMessage() for record in caplog.records if record.name == database_log.__name__]
    assert "log_statement=all" in said


def test_the_database_of_this_run_can_be_asked():
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SHOW log_min_error_statement")
            now = cursor.fetchone()[0]
        said = f"log_min_error_statement={now}" in database_log.loud_settings()
        assert said == (now not in database_log.QUIET["log_min_error_statement"])
    else:
        assert database_log.loud_settings() == []
