"""The restore drill: what was saved comes back, row for row, and nothing is overwritten by mistake."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from polls.models import Ballot
from workshops import backups
from workshops.models import Workshop

from . import factories
from .browser.server import database_url


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
    backups.make(tmp_path / "backup.zip")
    return tmp_path / "backup.zip"


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


def test_a_backup_says_what_it_holds_and_is_for_its_owner_only(saved):
    with zipfile.ZipFile(saved) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    assert manifest["vendor"] == connection.vendor
    assert manifest["tables"]["polls_ballot"]["rows"] == 3
    assert "polls.0001_initial" in manifest["migrations"]
    assert saved.stat().st_mode & 0o077 == 0
    assert [path.name for path in saved.parent.iterdir() if path.name.startswith(".backup")] == []


def test_the_drill_restores_into_a_scratch_database_and_compares(room, tmp_path, capsys):
    call_command("backup", tmp_path / "backup.zip", "--drill")
    assert "every table is the same" in capsys.readouterr().out
    assert Ballot.objects.count() == 3


def test_a_backup_comes_back_into_an_empty_database(saved, elsewhere):
    done = manage(elsewhere, "restore", saved)
    assert done.returncode == 0, done.stderr
    assert "all as saved" in done.stdout
    again = saved.with_name("again.zip")
    assert manage(elsewhere, "backup", again).returncode == 0
    with zipfile.ZipFile(saved) as one, zipfile.ZipFile(again) as other:
        first, second = (json.loads(archive.read("manifest.json"))["tables"] for archive in (one, other))
    assert first == second


def test_a_database_with_rows_is_not_overwritten_unless_told(saved):
    Workshop.objects.update(title="Since then")
    with pytest.raises(backups.BackupError, match="not empty"):
        backups.restore(saved)
    assert Workshop.objects.get().title == "Since then"
    backups.restore(saved, replace=True)
    assert Workshop.objects.get().title == "Tatsächlich – 'calm'"
    factories.workshop()  # new rows get new numbers: sequences came back too
    assert Workshop.objects.count() == 2


@pytest.mark.parametrize("missing", ["pg_restore", "psql"])
def test_a_restore_that_cannot_be_made_touches_nothing(saved, monkeypatch, missing):
    if connection.vendor != "postgresql":
        pytest.skip("a restore on SQLite needs no tool")
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE of_a_later_version (words text)")
    there = shutil.which
    monkeypatch.setattr(backups.shutil, "which", lambda tool: None if tool == missing else there(tool))
    try:
        with pytest.raises(backups.BackupError, match=f"{missing} is not installed"):
            backups.restore(saved, replace=True)
        assert "of_a_later_version" in connection.introspection.table_names()
        monkeypatch.undo()
        backups.restore(saved, replace=True)
        assert "of_a_later_version" not in connection.introspection.table_names()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS of_a_later_version")


def test_what_must_happen_after_a_restore_happens_once_the_data_is_there(saved, monkeypatch):
    seen = []
    monkeypatch.setattr(backups, "AFTER_RESTORE", [lambda: seen.append(Ballot.objects.count())])
    backups.restore(saved, replace=True)
    assert seen == [3]


def rewritten(saved: Path, change) -> Path:
    """The backup with another manifest."""
    other = saved.with_name("other.zip")
    with zipfile.ZipFile(saved) as source, zipfile.ZipFile(other, "w") as target:
        manifest = json.loads(source.read("manifest.json"))
        change(manifest)
        target.writestr("manifest.json", json.dumps(manifest))
        target.writestr("data", source.read("data"))
    return other


def test_a_damaged_backup_is_refused_and_nothing_is_touched(saved):
    other = rewritten(saved, lambda manifest: manifest.update(data_sha256="0" * 64))
    with pytest.raises(backups.BackupError, match="damaged"):
        backups.restore(other, replace=True)
    assert Ballot.objects.count() == 3


def test_a_row_too_few_is_noticed(saved):
    other = rewritten(saved, lambda manifest: manifest["tables"]["polls_ballot"].update(rows=4))
    with pytest.raises(backups.BackupError, match="polls_ballot: 4 rows in the backup, 3 found"):
        backups.drill(other)


def test_a_changed_value_is_noticed(saved, tmp_path):
    before = backups.tables_now()
    Ballot.objects.filter(status="cast").update(revision=99)
    after = backups.tables_now()
    assert [name for name in before if before[name] != after[name]] == ["polls_ballot"]


def test_a_backup_of_a_later_version_is_refused(saved):
    other = rewritten(saved, lambda manifest: manifest["migrations"].append("polls.9999_later"))
    with pytest.raises(backups.BackupError, match=r"polls\.9999_later"):
        backups.restore(other, replace=True)


def test_a_backup_of_another_kind_of_database_is_refused(saved):
    other = rewritten(saved, lambda manifest: manifest.update(vendor="oracle"))
    with pytest.raises(backups.BackupError, match="oracle"):
        backups.restore(other, replace=True)


@pytest.mark.parametrize("content", [b"", b"not a zip"])
def test_a_file_that_is_no_backup_is_said_in_one_sentence(transactional_db, tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(backups.BackupError, match="not a whole backup"):
        backups.restore(tmp_path / "file")


def test_a_file_that_is_not_there_is_said(transactional_db, tmp_path):
    with pytest.raises(backups.BackupError, match="There is no file"):
        backups.restore(tmp_path / "nothing")


def test_a_copy_is_made_while_votes_come_in(room, tmp_path):
    """A transaction that is open meanwhile is not in it, in part or whole."""
    if connection.vendor != "sqlite":
        pytest.skip("the snapshot of pg_dump is PostgreSQL's own promise")
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM polls_ballot")
        backups.make(tmp_path / "backup.zip")
        other.execute("ROLLBACK")
    with backups.opened(tmp_path / "backup.zip") as (manifest, _data):
        assert manifest.tables["polls_ballot"].rows == 3
