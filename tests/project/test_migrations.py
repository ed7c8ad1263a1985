"""Migrations that are safe while a workshop runs: the server that is there must live with the new tables, and no
statement may hold everybody up.

`django-migration-linter` reads the SQL of every migration but the first of each app, whose tables nobody uses yet.
Where an operation is meant all the same, `IgnoreMigration()` from `django_migration_linter` is its first operation,
with a comment that says when it may run. Locks are bounded too: see `lock_timeout` in `config/settings.py`.
"""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations import AddIndex
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django_migration_linter import MigrationLinter
from django_migration_linter.sql_analyser import get_sql_analyser_class

OURS = ["polls", "workshops", "visions"]


def linter(**options) -> MigrationLinter:
    return MigrationLinter(
        no_cache=True, no_output=True, ignore_initial_migrations=True, include_apps=OURS, **options
    )


@pytest.mark.django_db(transaction=True)  # SQLite writes no schema within a transaction that checks keys
def test_no_migration_breaks_the_server_that_still_runs():
    # SQLite adds a column by copying the table, and the linter does not see that this one has a default.
    leave = [] if connection.vendor == "postgresql" else ["NOT_NULL"]
    checked = linter(
        warnings_as_errors_tests=["CREATE_INDEX", "CREATE_INDEX_EXCLUSIVE", "REINDEX"],
        exclude_migration_tests=leave,
    )
    checked.lint_all_migrations()
    checked.print_summary()
    assert checked.nb_erroneous == 0


@pytest.mark.django_db
def test_what_is_no_transaction_does_one_thing_only():
    """Between two statements of it somebody may vote, also on SQLite: a table that is copied would lose the vote."""
    ours = [
        migration
        for (app, _), migration in MigrationLoader(connection).disk_migrations.items()
        if app in OURS
    ]
    unsafe = [each for each in ours if not each.atomic and len(each.operations) > 1]
    copied = [each for each in ours if not each.atomic and not isinstance(each.operations[0], AddIndex)]
    assert unsafe + copied == []


def findings(sql: list[str]) -> list[str]:
    """What the linter would say of these statements on PostgreSQL."""
    analyser = get_sql_analyser_class("postgresql")([])
    analyser.analyse(sql)
    return sorted(issue.code for issue in analyser.errors + analyser.warnings)


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ('ALTER TABLE "polls_ballot" DROP COLUMN "seq" CASCADE', "DROP_COLUMN"),
        ('ALTER TABLE "polls_ballot" RENAME COLUMN "seq" TO "number"', "RENAME_COLUMN"),
        ('ALTER TABLE "polls_ballot" ADD COLUMN "weight" integer NOT NULL', "NOT_NULL"),
        ('ALTER TABLE "polls_ballot" ALTER COLUMN "seq" TYPE integer USING "seq"::integer', "ALTER_COLUMN"),
        ('CREATE INDEX "by_time" ON "polls_ballot" ("cast_at")', "CREATE_INDEX"),
    ],
)
def test_the_check_knows_what_locks_or_breaks(statement, code):
    assert code in findings([statement])


@pytest.mark.parametrize(
    "statement",
    [
        'ALTER TABLE "polls_ballot" ADD COLUMN "weight" integer NULL',
        'CREATE INDEX CONCURRENTLY "by_time" ON "polls_ballot" ("cast_at")',
    ],
)
def test_the_check_lets_harmless_ones_pass(statement):
    assert findings([statement]) == []


@pytest.mark.django_db(transaction=True)
def test_a_migration_waits_for_a_lock_no_longer_than_a_vote():
    if connection.vendor != "postgresql":
        pytest.skip("on SQLite every writer waits as DATABASE_BUSY_SECONDS says")
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("5s",)


@pytest.mark.django_db
@pytest.mark.parametrize("command", ["migrate", "serve"])
def test_a_database_of_an_earlier_version_is_refused_in_one_sentence(command):
    MigrationRecorder(connection).record_applied("polls", "0002_late_answers_and_words_taken_out")
    with pytest.raises(CommandError, match=r"^This database was made by an earlier version, .* made it\.$"):
        call_command(command, verbosity=0)
