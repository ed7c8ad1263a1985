"""Backups that prove themselves: the database of one moment in one file, with what it must hold when it comes back.

The file is a ZIP with the database (`data`: SQLite's own copy, or `pg_dump` in its custom format) and
`manifest.json`: the migrations it has, and per table the number of rows and a checksum that does not depend on
their order. A restore counts again and refuses to call anything else a success.

A server may run while a backup is made: SQLite is copied by its online backup, PostgreSQL is dumped and counted
in one snapshot. Stop the servers before a restore.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import sqlite3
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

FORMAT = 1
NAME = "vision-workshops backup"

#: Called after every restore of real data, in this order, in the restored database. Withdrawals made after the
#: backup belong here (trust.md F35): whoever keeps their list re-applies it before anybody reads.
AFTER_RESTORE: list[Callable[[], None]] = []


class BackupError(Exception):
    """One plain sentence: what is wrong with a file, a database or a tool."""


@dataclass(frozen=True)
class Table:
    rows: int
    checksum: str  # of the rows, whatever their order


@dataclass(frozen=True)
class Manifest:
    vendor: str  # "sqlite" or "postgresql"
    made_at: str
    migrations: list[str]  # "app.name", sorted: the schema's version
    tables: dict[str, Table]
    data_sha256: str

    def as_json(self) -> str:
        return json.dumps({"what": NAME, "format": FORMAT, **asdict(self)}, indent=1, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        data = json.loads(text)
        if data.pop("what", "") != NAME or data.pop("format", 0) != FORMAT:
            raise BackupError("This is not a backup that this version can read.")
        tables = {name: Table(**table) for name, table in data.pop("tables").items()}
        return cls(tables=tables, **data)


# --- making one -----------------------------------------------------------------------------------------


def make(target: Path) -> Manifest:
    """Write a backup of the database to `target`, whole or not at all, readable by its owner only."""
    target = target.absolute()
    if not target.parent.is_dir():
        raise BackupError(f"There is no folder {target.parent}.")
    with _workplace(target.parent) as place:
        data = place / "data"
        manifest = _sqlite_copy(data) if connection.vendor == "sqlite" else _postgres_dump(data)
        packed = place / "backup.zip"
        _pack(packed, data, manifest)
        os.replace(packed, target)
    return manifest


def _pack(packed: Path, data: Path, manifest: Manifest) -> None:
    with open(os.open(packed, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "wb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            archive.writestr("manifest.json", manifest.as_json())
            archive.write(data, "data")
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def _workplace(beside: Path) -> Iterator[Path]:
    """A private folder on the same disk, gone afterwards whatever happens; elsewhere where nothing may be written."""
    writable = beside if os.access(beside, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=writable) as place:
        yield Path(place)


def _manifest(tables: dict[str, Table], data: Path, migrations: list[str]) -> Manifest:
    return Manifest(
        connection.vendor, timezone.now().isoformat(timespec="seconds"), migrations, tables, _sha256(data)
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# --- reading one ----------------------------------------------------------------------------------------


@contextlib.contextmanager
def opened(source: Path) -> Iterator[tuple[Manifest, Path]]:
    """The manifest and the unpacked database of a backup whose checksum is right."""
    if not source.is_file():
        raise BackupError(f"There is no file {source}.")
    # Beside the file, where there is room for as much again: a place for passing things may be memory.
    with _workplace(source.absolute().parent) as place:
        try:
            with zipfile.ZipFile(source) as archive:
                manifest = Manifest.from_json(archive.read("manifest.json").decode())
                data = Path(archive.extract("data", place))
        except (zipfile.BadZipFile, KeyError, ValueError, TypeError, EOFError) as error:
            raise BackupError(f"{source} is not a whole backup of ours.") from error
        if _sha256(data) != manifest.data_sha256:
            raise BackupError(f"{source} is damaged: its contents do not match their checksum.")
        yield manifest, data


def restore(source: Path, *, replace: bool = False) -> Manifest:
    """Put a backup into the configured database and check every table. Refuses to overwrite unless `replace`."""
    with opened(source) as (manifest, data):
        _refuse_unfit(manifest)
        if not replace and not is_empty():
            raise BackupError("This database is not empty. Restore into an empty one, or say --replace.")
        if connection.vendor == "sqlite":
            _sqlite_restore(data, manifest)
        else:
            _postgres_restore(data, connection.settings_dict, manifest)
        _compare(manifest, tables_now())
    for hook in AFTER_RESTORE:
        hook()
    return manifest


def _refuse_unfit(manifest: Manifest) -> None:
    if manifest.vendor != connection.vendor:
        raise BackupError(
            f"This backup is of {manifest.vendor}, and the database here is {connection.vendor}."
        )
    from django.db.migrations.loader import MigrationLoader

    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    if unknown := sorted(set(manifest.migrations) - known):
        raise BackupError(f"This backup is newer than this version: {unknown[0]} is not known here.")


def drill(source: Path) -> Manifest:
    """Restore a backup into a scratch database, compare every table, throw the scratch away."""
    with opened(source) as (manifest, data):
        if manifest.vendor == "sqlite":
            with contextlib.closing(sqlite3.connect(f"file:{data}?mode=ro", uri=True)) as scratch:
                _refuse_broken(scratch)
                _compare(manifest, _sqlite_tables(scratch))
        else:
            with _scratch_database() as database:
                _postgres_restore(data, database, manifest)
                _compare(manifest, _postgres_tables_of(database))
    return manifest


def _compare(manifest: Manifest, found: dict[str, Table]) -> None:
    wrong = [
        _difference(name, table, found.get(name))
        for name, table in sorted(manifest.tables.items())
        if found.get(name) != table
    ]
    if wrong:
        raise BackupError("What came back is not what was saved. " + "; ".join(wrong) + ".")


def _difference(name: str, saved: Table, found: Table | None) -> str:
    if found is None:
        return f"{name} is missing"
    if found.rows == saved.rows:
        return f"{name} has other contents"
    return f"{name}: {saved.rows} rows in the backup, {found.rows} found"


def is_empty() -> bool:
    """No row of anybody's: what migrations write by themselves does not count."""
    own = {"django_migrations", "django_content_type", "auth_permission"}
    with connection.cursor() as cursor:
        for table in set(connection.introspection.table_names(cursor)) - own:
            cursor.execute(f"SELECT 1 FROM {connection.ops.quote_name(table)} LIMIT 1")
            if cursor.fetchone():
                return False
    return True


def tables_now() -> dict[str, Table]:
    """Every table of the configured database, counted and summed."""
    if connection.vendor == "sqlite":
        with contextlib.closing(_sqlite_plain()) as database:
            return _sqlite_tables(database)
    with connection.cursor() as cursor:
        return _postgres_tables(cursor.execute, cursor.fetchall, cursor.fetchone)


# --- SQLite ---------------------------------------------------------------------------------------------


def _sqlite_plain() -> sqlite3.Connection:
    """A connection of our own to the database, which gives values as they are stored."""
    return sqlite3.connect(connection.settings_dict["NAME"], timeout=settings.BUSY_SECONDS)


def _sqlite_copy(data: Path) -> Manifest:
    with contextlib.closing(_sqlite_plain()) as live, contextlib.closing(sqlite3.connect(data)) as copy:
        live.backup(copy)
        _refuse_broken(copy)
        tables = _sqlite_tables(copy)
        migrations = sorted(".".join(row) for row in copy.execute("SELECT app, name FROM django_migrations"))
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
    return _manifest(tables, data, migrations)


def _refuse_broken(database: sqlite3.Connection) -> None:
    if (said := database.execute("PRAGMA integrity_check(1)").fetchone()[0]) != "ok":
        raise BackupError(f"The SQLite file is broken: {said}")


def _sqlite_tables(database: sqlite3.Connection) -> dict[str, Table]:
    listed = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    return {name: _sqlite_table(database, name) for (name,) in database.execute(listed).fetchall()}


def _sqlite_table(database: sqlite3.Connection, name: str) -> Table:
    rows = total = 0
    for row in database.execute(f'SELECT * FROM "{name}"'):
        rows += 1
        total += int.from_bytes(hashlib.md5(repr(row).encode(), usedforsecurity=False).digest()[:8], "big")
    return Table(rows, f"{total % 2**64:016x}")


def _sqlite_restore(data: Path, manifest: Manifest) -> None:
    """Checked first, then copied page by page in one transaction: who has the database open sees one or the other."""
    with contextlib.closing(sqlite3.connect(data)) as source:
        _refuse_broken(source)
        _compare(manifest, _sqlite_tables(source))
        connection.close()
        with contextlib.closing(_sqlite_plain()) as live:
            source.backup(live)


# --- PostgreSQL -----------------------------------------------------------------------------------------


def _postgres_dump(data: Path) -> Manifest:
    """Dump and count in one snapshot, so both speak of the same moment."""
    connection.close()
    try:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute("SELECT pg_export_snapshot()")
            snapshot = cursor.fetchone()[0]
            arguments = [
                "--format=custom",
                "--no-owner",
                "--no-privileges",
                f"--snapshot={snapshot}",
                f"--file={data}",
            ]
            _run("pg_dump", connection.settings_dict, *arguments)
            tables = _postgres_tables(cursor.execute, cursor.fetchall, cursor.fetchone)
            cursor.execute("SELECT app || '.' || name FROM django_migrations ORDER BY 1")
            migrations = sorted(name for (name,) in cursor.fetchall())
            cursor.execute("ROLLBACK")
    finally:
        connection.close()
    return _manifest(tables, data, migrations)


def _postgres_restore(data: Path, database: dict[str, Any], manifest: Manifest) -> None:
    """In one transaction: the database is what it was, or what the backup holds.

    Tables of later migrations refer to tables that a restore replaces, so they go first, by the same script.
    """
    script = data.with_name("restore.sql")
    arguments = ["--clean", "--if-exists", "--no-owner", "--no-privileges", f"--file={script}"]
    _run("pg_restore", None, *arguments, str(data))
    strangers = _not_in(manifest) if database is connection.settings_dict else []
    drops = script.with_name("drops.sql")
    drops.write_text(
        "".join(f"DROP TABLE {connection.ops.quote_name(name)} CASCADE;\n" for name in strangers)
    )
    once = ["--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"]
    _run("psql", database, *once, f"--file={drops}", f"--file={script}")


def _not_in(manifest: Manifest) -> list[str]:
    """Tables here that the backup does not know."""
    with connection.cursor() as cursor:
        names = sorted(set(connection.introspection.table_names(cursor)) - set(manifest.tables))
    connection.close()
    return names


def _run(tool: str, database: dict[str, Any] | None, *arguments: str) -> None:
    """PostgreSQL's own tool; the password goes by the environment, which other users of the machine cannot read."""
    if shutil.which(tool) is None:
        raise BackupError(f"{tool} is not installed: it comes with PostgreSQL's client package.")
    password = (database or {}).get("PASSWORD") or os.environ.get("PGPASSWORD", "")
    command = [tool, *arguments, *(["--dbname", _address(database)] if database else [])]
    done = subprocess.run(
        command, env=os.environ | {"PGPASSWORD": password}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BackupError(f"{tool} failed: {done.stderr.strip().splitlines()[-1:] or done.returncode}")


def _address(database: dict[str, Any]) -> str:
    from psycopg.conninfo import make_conninfo

    options = {key: value for key, value in database["OPTIONS"].items() if key.startswith("ssl")}
    parts = {
        "host": database["HOST"],
        "port": database["PORT"],
        "user": database["USER"],
        "dbname": database["NAME"],
    }
    return make_conninfo("", **{key: value for key, value in parts.items() if value}, **options)


@contextlib.contextmanager
def _scratch_database() -> Iterator[dict[str, Any]]:
    """A database beside ours with a name of its own; needs the right to create one."""
    from django.db import Error

    name = f"vision_drill_{secrets.token_hex(4)}"
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    except Error as error:
        raise BackupError("A drill needs the right to create a database: ALTER ROLE … CREATEDB.") from error
    try:
        yield {**connection.settings_dict, "NAME": name}
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _postgres_tables_of(database: dict[str, Any]) -> dict[str, Table]:
    import psycopg

    with (
        psycopg.connect(_address(database), password=database["PASSWORD"]) as scratch,
        scratch.cursor() as cursor,
    ):
        cursor.execute("SET TIME ZONE 'UTC'")
        return _postgres_tables(cursor.execute, cursor.fetchall, cursor.fetchone)


def _postgres_tables(execute: Callable, fetchall: Callable, fetchone: Callable) -> dict[str, Table]:
    """Summed by the server: no row travels. MD5, because it is the same in every version of PostgreSQL."""
    execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1")
    tables = {}
    for (name,) in fetchall():
        execute(
            "SELECT count(*), coalesce(sum(('x' || substr(md5(t::text), 1, 15))::bit(60)::bigint), 0)"
            f' FROM "{name}" AS t'
        )
        rows, total = fetchone()
        tables[name] = Table(rows, f"{int(total) % 2**64:016x}")
    return tables


__all__ = ["AFTER_RESTORE", "BackupError", "Manifest", "Table", "drill", "is_empty", "make", "restore"]
