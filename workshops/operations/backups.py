"""Backups by the databases' own tools: a copy by SQLite's online backup, or an archive by `pg_dump`.

A backup is one file that holds the database of one moment, and `sqlite3` or `pg_restore` can open it without us. A
server may run while one is made, and must be stopped before one is restored.
"""

from __future__ import annotations

import contextlib
import csv
import os
import secrets
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any, cast

from django.db import DatabaseError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader

Rows = dict[str, int]  # of each table

FIRST_BYTES = {"sqlite": b"SQLite format 3\0", "postgresql": b"PGDMP"}
FILLED_BY_MIGRATE = {"django_migrations", "django_content_type", "auth_permission"}
DROP_TABLES = """DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() LOOP
        EXECUTE format('DROP TABLE %I CASCADE', name);
    END LOOP;
END $$"""


SERVED = "Somebody is connected to this database. Stop the servers first, then restore."


class BackupError(Exception):
    """One plain sentence: what is wrong with a file, a database or a tool."""


def make(target: Path) -> Rows:
    """Write a backup to `target`, whole or not at all, readable by its owner only; returns what it must hold."""
    place = target.absolute().parent
    if not place.is_dir():
        raise BackupError(f"There is no folder {place}.")
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=place) as folder, closing(_connect()) as live:
        file = Path(folder, "backup")
        file.touch(0o600)
        with live.cursor() as cursor:  # counts and saves one snapshot, while others write
            if live.vendor == "sqlite":
                cursor.execute("BEGIN")
                rows = count(live)
                _copy_sqlite(live, file)
                with closing(_connect(file)) as copy, copy.cursor() as written:
                    written.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
            else:
                cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                rows = count(live)
                cursor.execute("SELECT pg_export_snapshot()")
                _run("pg_dump", "--format=custom", f"--snapshot={cursor.fetchone()[0]}", f"--file={file}")
        with file.open("rb+") as written:
            os.fsync(written.fileno())
        os.replace(file, target)
    return rows


def drill(source: Path, saved: Rows) -> None:
    """Restore a backup into a scratch database, which is dropped afterwards, and compare its rows with `saved`."""
    _refuse_unfit(source)
    name = f"vision_drill_{secrets.token_hex(4)}"
    if connection.vendor == "sqlite":
        with tempfile.TemporaryDirectory(prefix=".drill-", dir=source.absolute().parent) as folder:
            found = _restored(source, f"{folder}/{name}")
    else:
        with connection.cursor() as cursor:
            try:
                cursor.execute(f"CREATE DATABASE {name} TEMPLATE template0")
            except DatabaseError as error:
                raise BackupError("A drill needs the right to create a database (CREATEDB).") from error
            try:
                found = _restored(source, name)
            finally:
                cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
    if wrong := [table for table in saved if saved[table] != found.get(table)]:
        told = (f"{table}: {saved[table]} rows saved, {found.get(table, 0)} came back" for table in wrong)
        raise BackupError(f"What came back is not what was saved. {'; '.join(told)}.")


def restore(source: Path, *, replace: bool = False) -> Rows:
    """Put a backup into the configured database, whole or not at all; not over anybody's rows unless `replace`."""
    _refuse_unfit(source)
    if not replace and any(
        rows for table, rows in count(connection).items() if table not in FILLED_BY_MIGRATE
    ):
        raise BackupError("This database is not empty. Restore into an empty one, or say --replace.")
    connection.close()
    return _restored(source, connection.settings_dict["NAME"])


def count(database: BaseDatabaseWrapper) -> Rows:
    """The rows of every table."""
    rows = {}
    with database.cursor() as cursor:
        for table in sorted(database.introspection.table_names(cursor)):
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            (rows[table],) = cursor.fetchone()
    return rows


def refuse_while_others_are_connected() -> None:
    """Raises `BackupError` where another process, or another thread of this one, is in the database.

    A server that runs would go on with rows that are gone, and what it has acknowledged since would be lost.
    """
    if connection.vendor == "postgresql":
        cast(Any, connection).close_pool()  # our own
    with closing(_connect()) as alone, alone.cursor() as cursor:
        if alone.vendor == "sqlite":
            try:
                # SQLite leaves WAL only where there is no other connection.
                cursor.execute("PRAGMA journal_mode=DELETE")
            except DatabaseError:
                raise BackupError(SERVED) from None
        else:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
            if cursor.fetchone()[0]:
                raise BackupError(SERVED)


def _refuse_unfit(source: Path) -> None:
    if not source.is_file():
        raise BackupError(f"There is no file {source}.")
    with source.open("rb") as file:
        first = file.read(16)
    vendor = next((vendor for vendor, own in FIRST_BYTES.items() if first.startswith(own)), "")
    if vendor and vendor != connection.vendor:
        raise BackupError(f"This backup is of {vendor}, and the database here is {connection.vendor}.")
    migrations = _migrations(source) if vendor else set()
    if ("workshops", "0001_initial") not in migrations:
        raise BackupError(f"{source} is not a backup of Vision Workshops.")
    if unknown := sorted(migrations - set(MigrationLoader(None).disk_migrations)):
        raise BackupError(
            f"This backup is newer than this version: {'.'.join(unknown[0])} is not known here."
        )


def _connect(name: str | Path = "") -> BaseDatabaseWrapper:
    """A connection of its own to our database, or to another one beside it; SQLite takes no write lock for reading."""
    other = connection.copy()
    if name:
        other.settings_dict["NAME"] = name
    other.settings_dict["OPTIONS"] = {
        key: value
        for key, value in other.settings_dict["OPTIONS"].items()
        if key.startswith("ssl") or key == "timeout"
    }
    return other


def _restored(source: Path, database: str) -> Rows:
    """In one transaction: the database is what it was, or what the backup holds."""
    if connection.vendor == "sqlite":
        with closing(_connect(source)) as saved:
            _copy_sqlite(saved, database)
    else:
        # Tables of later migrations are not in the archive and may refer to what it replaces: all of them go first.
        # The script stands beside the archive, where there is room; the folder for temporary files may be memory.
        beside = source.absolute().parent
        with tempfile.TemporaryDirectory(dir=beside if os.access(beside, os.W_OK) else None) as folder:
            script = f"--file={folder}/restore.sql"
            _run("pg_restore", "--no-owner", "--no-privileges", script, source)
            once = ["--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"]
            _run("psql", *once, f"--command={DROP_TABLES}", script, database=database)
    with closing(_connect(database)) as restored:
        return count(restored)


def _copy_sqlite(source: BaseDatabaseWrapper, target: str | Path) -> None:
    with closing(_connect(target)) as copy:
        source.ensure_connection()
        copy.ensure_connection()
        source.connection.backup(copy.connection)


def _migrations(source: Path) -> set[tuple[str, str]]:
    """What a backup has been migrated to; says where it is damaged."""
    if connection.vendor == "sqlite":
        with closing(_connect(source)) as saved, saved.cursor() as cursor:
            with contextlib.suppress(DatabaseError):
                cursor.execute("PRAGMA integrity_check(1)")
                if cursor.fetchone() == ("ok",):
                    if "django_migrations" not in saved.introspection.table_names(cursor):
                        return set()
                    cursor.execute("SELECT app, name FROM django_migrations")
                    return set(cursor.fetchall())
            raise BackupError(f"{source} is damaged.")
    # "COPY … (its columns) FROM stdin;", a line for each row, "\."
    lines = iter(
        _run("pg_restore", "--data-only", "--table=django_migrations", "--file=-", source).splitlines()
    )
    columns = next((line.split("(")[1].split(")")[0] for line in lines if line.startswith("COPY ")), "")
    rows = csv.DictReader(iter(lambda: next(lines, "\\."), "\\."), columns.split(", "), delimiter="\t")
    return {(row["app"], row["name"]) for row in rows}


def _run(tool: str, *arguments: str | Path, database: str = "") -> str:
    """What a tool of PostgreSQL prints; the environment tells it the server, for all can see a process's arguments."""
    own = connection.settings_dict
    server = {key: value for key, value in own["OPTIONS"].items() if key.startswith("ssl")}
    server |= {key: own[key] for key in ("HOST", "PORT", "USER", "PASSWORD")}
    server["DATABASE"] = database or own["NAME"]
    environment = {f"PG{key.upper()}": str(value) for key, value in server.items() if value}
    try:
        done = subprocess.run(
            [tool, *arguments], env=os.environ | environment, capture_output=True, text=True, check=True
        )
    except FileNotFoundError:
        raise BackupError(f"{tool} is not installed: it comes with PostgreSQL's client package.") from None
    except subprocess.CalledProcessError as error:
        raise BackupError(f"{tool} failed: {error.stderr.strip()}") from None
    return done.stdout
