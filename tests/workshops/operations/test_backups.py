"""The restore drill: what was saved comes back, table by table, and nothing is overwritten by mistake."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from polls.models import Ballot
from workshops.models import Workshop
from workshops.operations import backups

from ... import factories
from ...browser.server import database_url, start_server


@pytest.fixture
def room(transactional_db):
    """A workshop in which three people answered."""
    workshop = factories.workshop(title="Tatsächlich – 'calm'")
    poll = factories.launched(workshop)
    for value in ("yes", "no", None):
        factories.vote(factories.participant(workshop), poll, value)
    return workshop


@pytest.fixture
def saved(room, tmp_path) -> Path:
    backups.make(tmp_path / "today.backup")
    return tmp_path / "today.backup"


@pytest.fixture
def elsewhere(tmp_path):
    """The address of another, migrated, empty database on the same stack; its server is this test's."""
    if connection.vendor == "sqlite":
        url = f"sqlite:///{tmp_path}/elsewhere.sqlite3"
        manage(url, "migrate", "--verbosity=0")
        yield url
        return
    name = f"vision_elsewhere_{os.getpid()}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    url = urlsplit(database_url())._replace(path=f"/{name}").geturl()
    manage(url, "migrate", "--verbosity=0")
    yield url
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def manage(url: str, *command: str | Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    return subprocess.run(
        [sys.executable, "manage.py", *map(str, command)],
        cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_backup_is_one_file_for_its_owner_only(room, tmp_path):
    rows = backups.make(tmp_path / "today.backup")
    assert rows["polls_ballot"] == 3
    assert (tmp_path / "today.backup").stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.glob("*backup*")] == ["today.backup"]


def test_the_databases_own_tool_reads_a_backup(saved):
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(saved)) as database:
            assert database.execute("SELECT count(*) FROM polls_ballot").fetchone() == (3,)
    else:
        listed = subprocess.run(["pg_restore", "--list", saved], capture_output=True, text=True, check=True)
        assert "TABLE DATA public polls_ballot" in listed.stdout


def test_the_drill_restores_into_a_scratch_database_and_compares(room, tmp_path, capsys):
    call_command("backup", tmp_path / "today.backup", "--drill")
    assert "every table has its rows again" in capsys.readouterr().out
    assert Ballot.objects.count() == 3
    assert [path.name for path in tmp_path.glob("*backup*")] == ["today.backup"]


def test_the_drill_says_which_rows_did_not_come_back(saved):
    with pytest.raises(backups.BackupError, match="polls_ballot: 4 rows saved, 3 came back"):
        backups.drill(saved, backups.count(connection) | {"polls_ballot": 4})


def test_a_backup_comes_back_into_an_empty_database(saved, elsewhere):
    done = manage(elsewhere, "restore", saved)
    assert done.returncode == 0, done.stderr
    rows = backups.count(connection)
    assert f"Restored {sum(rows.values())} rows in {len(rows)} tables" in done.stdout
    call_command("dumpdata", stdout=(here := StringIO()))
    assert json.loads(manage(elsewhere, "dumpdata").stdout) == json.loads(here.getvalue()) != []


def test_a_database_with_rows_is_not_overwritten_unless_told(saved):
    Workshop.objects.update(title="Since then")
    with pytest.raises(backups.BackupError, match="not empty"):
        backups.restore(saved)
    assert Workshop.objects.get().title == "Since then"
    backups.restore(saved, replace=True)
    assert Workshop.objects.get().title == "Tatsächlich – 'calm'"
    factories.workshop()  # new rows get new numbers: sequences came back too
    assert Workshop.objects.count() == 2


@pytest.fixture
def later_table():
    """A table of a later version, which refers to one of ours."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE of_a_later_version (poll bigint REFERENCES polls_poll (id))")
    yield "of_a_later_version"
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS of_a_later_version")


def test_a_restore_takes_tables_of_a_later_version_away(saved, later_table):
    backups.restore(saved, replace=True)
    assert later_table not in connection.introspection.table_names()
    assert Ballot.objects.count() == 3


@pytest.mark.outage
def test_a_restore_over_a_running_server_is_refused(saved, tmp_path):
    server = start_server(tmp_path)
    connection.close()
    try:
        done = manage(database_url(), "restore", saved, "--replace")
    finally:
        server.stop()
    assert "Stop the servers first" in done.stderr


@pytest.mark.parametrize("missing", ["pg_restore", "psql"])
def test_a_restore_that_cannot_be_made_touches_nothing(saved, later_table, tmp_path, monkeypatch, missing):
    if connection.vendor != "postgresql":
        pytest.skip("a restore on SQLite needs no tool")
    (tmp_path / "bin").mkdir()
    for tool in {"pg_restore", "psql"} - {missing}:
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(backups.BackupError, match=f"{missing} is not installed"):
        backups.restore(saved, replace=True)
    assert later_table in connection.introspection.table_names()


def test_a_damaged_backup_is_refused_and_nothing_is_touched(saved):
    whole = saved.read_bytes()
    saved.write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(backups.BackupError, match=r"is damaged|pg_restore failed"):
        backups.restore(saved, replace=True)
    assert Ballot.objects.count() == 3


def test_a_backup_of_a_later_version_is_refused(room, tmp_path):
    recorder = MigrationRecorder(connection)
    recorder.record_applied("polls", "9999_later")
    backups.make(tmp_path / "later.backup")
    recorder.record_unapplied("polls", "9999_later")
    with pytest.raises(backups.BackupError, match=r"newer than this version: polls\.9999_later"):
        backups.restore(tmp_path / "later.backup", replace=True)


@pytest.mark.parametrize("vendor", sorted(backups.FIRST_BYTES))
def test_a_backup_of_another_kind_of_database_is_refused(transactional_db, tmp_path, vendor):
    if vendor == connection.vendor:
        pytest.skip("this kind is ours")
    (tmp_path / "file").write_bytes(backups.FIRST_BYTES[vendor])
    with pytest.raises(backups.BackupError, match=f"This backup is of {vendor}"):
        backups.restore(tmp_path / "file", replace=True)


@pytest.mark.parametrize("content", [b"", b"not a backup", None])
def test_a_file_that_is_no_backup_is_said_in_one_sentence(transactional_db, tmp_path, content):
    """Also where it is a database, but of something else."""
    file = tmp_path / "file"
    if content is not None:
        file.write_bytes(content)
    elif connection.vendor == "sqlite":
        with closing(sqlite3.connect(file)) as other:
            other.execute("CREATE TABLE birds (name text)")
    else:
        nothing = ["--format=custom", "--exclude-table=*", f"--file={file}", f"--dbname={database_url()}"]
        subprocess.run(["pg_dump", *nothing], check=True)
    with pytest.raises(backups.BackupError, match="not a backup of Vision Workshops"):
        backups.restore(file)


def test_a_file_or_folder_that_is_not_there_is_said(transactional_db, tmp_path):
    with pytest.raises(backups.BackupError, match="There is no file"):
        backups.restore(tmp_path / "nothing")
    with pytest.raises(backups.BackupError, match="There is no folder"):
        backups.make(tmp_path / "nowhere" / "today.backup")


def test_a_copy_is_made_while_votes_come_in(room, tmp_path):
    """A transaction that is open meanwhile is not in it, in part or whole."""
    if connection.vendor != "sqlite":
        pytest.skip("the snapshot of pg_dump is PostgreSQL's own promise")
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM polls_ballot")
        rows = backups.make(tmp_path / "today.backup")
        other.execute("ROLLBACK")
    assert rows["polls_ballot"] == 3
    backups.drill(tmp_path / "today.backup", rows)
