"""Queries whose SQL is written once: the ORM builds it the first time, afterwards it is only run.

For the live path alone. There a query takes 30 µs to run and ten times as long to build, a batch of votes needs
six of them, and hundreds of batches come a second. The queries stay what they are elsewhere: a queryset, read by
the same converters, in the dialect of the database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from operator import attrgetter
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet

Values = Sequence[Any]


class Prepared:
    """`build(*lists)` gives a `values_list` queryset over lists for `__in`; `rows(*lists)` runs it.

    SQL has a mark per listed value, so lists are filled up to the next power of two with their last value and each
    length is built once. Every list holds plain numbers or plain strings, told by `of`.
    """

    def __init__(self, build: Callable[..., QuerySet], *of: type[int] | type[str]) -> None:
        self._build, self._of = build, of
        self._built: dict[tuple[Any, ...], _Statement] = {}

    def rows(self, *lists: Values) -> list[tuple[Any, ...]]:
        """One tuple per row; nothing, without a query, where a list is empty."""
        if not all(lists):
            return []
        database = _database()
        filled = [_filled(values) for values in lists]
        key = (database.vendor, *map(len, filled))
        statement = self._built.get(key)
        if statement is None:
            statement = self._built[key] = self._compile([len(values) for values in filled])
        return statement.run(database, [value for values in filled for value in values])

    def _compile(self, lengths: list[int]) -> _Statement:
        """Build with stand-ins that no real parameter equals, to learn where each value goes."""
        numbers = iter(range(-1, -sum(lengths) - 1, -1))
        stand_ins = [
            [kind(f"{next(numbers)}") for _ in range(length)]
            for kind, length in zip(self._of, lengths, strict=True)
        ]
        compiler = self._build(*stand_ins).query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        place = {value: place for place, value in enumerate(v for values in stand_ins for v in values)}
        sources = tuple((place.get(value), value) for value in parameters)
        if {source for source, _value in sources} - {None} != set(place.values()):
            raise TypeError("a prepared query must use every list as it is given")
        chosen = [expression for expression, _sql, _alias in compiler.select[: compiler.col_count]]
        return _Statement(_Sql(sql), sources, tuple(compiler.get_converters(chosen).items()))


class _Sql:
    """A statement that is run many times, for the database that it was written for.

    Django's cursor costs ten times what SQLite needs for a small query, so there it is passed by; not while somebody
    looks at what it runs, and errors are Django's all the same.
    """

    def __init__(self, sql: str) -> None:
        self._sql = sql
        self._plain = ""  # in SQLite's own words
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                self._plain = cursor.cursor.convert_query(sql)

    def rows(self, database: BaseDatabaseWrapper, values: Values) -> list[tuple[Any, ...]]:
        """Run it with these values; what it finds."""
        if self._may_pass_by(database):
            with database.wrap_database_errors:
                return database.connection.execute(self._plain, values).fetchall()
        with database.cursor() as cursor:
            cursor.execute(self._sql, values)
            return cursor.fetchall()

    def write(self, database: BaseDatabaseWrapper, rows: Sequence[Values]) -> None:
        """Run it once with each row of values."""
        if self._may_pass_by(database):
            with database.wrap_database_errors:
                database.connection.executemany(self._plain, rows)
            return
        with database.cursor() as cursor:
            cursor.executemany(self._sql, rows)

    def _may_pass_by(self, database: Any) -> bool:
        if not self._plain or database.queries_logged or database.execute_wrappers:
            return False
        if database.connection is None:
            database.ensure_connection()
        database.validate_no_broken_transaction()
        return True


@dataclass(frozen=True, slots=True)
class _Statement:
    sql: _Sql
    #: for every parameter the place of its value in what is given, or `None` and the value itself
    sources: tuple[tuple[int | None, Any], ...]
    converters: tuple[tuple[int, tuple[list[Callable], Any]], ...]

    def run(self, database: BaseDatabaseWrapper, given: list[Any]) -> list[tuple[Any, ...]]:
        rows = self.sql.rows(database, [value if at is None else given[at] for at, value in self.sources])
        return [self._read(database, row) for row in rows] if self.converters else rows

    def _read(self, database: BaseDatabaseWrapper, row: tuple[Any, ...]) -> tuple[Any, ...]:
        read = list(row)
        for column, (convert, expression) in self.converters:
            for function in convert:
                read[column] = function(read[column], expression, database)
        return tuple(read)


def _database() -> BaseDatabaseWrapper:
    """This thread's connection itself: the usual name for it looks it up again at every touch."""
    return connections[DEFAULT_DB_ALIAS]


def _filled(values: Values) -> list[Any]:
    values = list(values)
    return values + [values[-1]] * ((1 << (len(values) - 1).bit_length()) - len(values))


class Upsert:
    """`INSERT … ON CONFLICT (unique) DO UPDATE`, or `DO NOTHING` without an update; both databases speak it."""

    def __init__(self, model: type[models.Model], *, unique: Values, update: Values) -> None:
        self._model, self._unique, self._update = model, unique, update
        self._built: dict[str, _Sql] = {}  # for each kind of database

    def write(self, rows: Iterable[Any]) -> None:
        """Insert these, or change what stands there; anything with the model's attribute names will do."""
        database = _database()
        statement = self._built.get(database.vendor)
        if statement is None:
            statement = self._built[database.vendor] = _Sql(self._text())
        statement.write(database, self._written(database, rows))

    def _written(self, database: BaseDatabaseWrapper, rows: Iterable[Any]) -> list[list[Any]]:
        """Every row's values, in the order of the columns and as this database takes them."""
        read = attrgetter(*(field.attname for field in self._fields))
        odd = [(n, write) for n, field in enumerate(self._fields) if (write := _writer(field, database))]
        written = [list(read(row)) for row in rows]
        for row in written:
            for place, write in odd:
                row[place] = write(row[place])
        return written

    @cached_property
    def _fields(self) -> list[models.Field]:
        return [field for field in self._model._meta.concrete_fields if not field.primary_key]

    def _column(self, name: str) -> str:
        field = self._model._meta.get_field(name)
        assert isinstance(field, models.Field)
        assert field.column
        return field.column

    def _text(self) -> str:
        quote, column = connection.ops.quote_name, self._column
        names = [quote(column(field.name)) for field in self._fields]
        unique = [quote(column(name)) for name in self._unique]
        changes = [f"{c} = EXCLUDED.{c}" for c in (quote(column(name)) for name in self._update)]
        action = f"UPDATE SET {', '.join(changes)}" if changes else "NOTHING"
        return (
            f"INSERT INTO {quote(self._model._meta.db_table)} ({', '.join(names)})"
            f" VALUES ({', '.join(['%s'] * len(names))})"
            f" ON CONFLICT ({', '.join(unique)}) DO {action}"
        )


class Insert:
    """`INSERT` of one row; both databases tell its number."""

    def __init__(self, model: type[models.Model]) -> None:
        self._model = model

    def write(self, row: models.Model) -> int:
        """Insert this new object, with its automatic times; its number."""
        values = [field.get_db_prep_save(field.pre_save(row, True), connection) for field in self._fields]
        with connection.cursor() as cursor:
            cursor.execute(self._sql, values)
            return cursor.fetchone()[0] if _returns_numbers() else cursor.lastrowid

    @cached_property
    def _fields(self) -> list[models.Field]:
        return [field for field in self._model._meta.concrete_fields if not field.primary_key]

    @property
    def _sql(self) -> str:
        quote, meta = connection.ops.quote_name, self._model._meta
        names = ", ".join(quote(str(field.column)) for field in self._fields)
        marks = ", ".join(["%s"] * len(self._fields))
        number = f" RETURNING {quote(str(meta.pk and meta.pk.column))}" if _returns_numbers() else ""
        return f"INSERT INTO {quote(meta.db_table)} ({names}) VALUES ({marks}){number}"


def _returns_numbers() -> bool:
    return connection.features.can_return_columns_from_insert


def _writer(field: models.Field, database: BaseDatabaseWrapper) -> Callable[[Any], Any] | None:
    """How an attribute becomes a value of this database, where it is not one as it is; what repeats is remembered."""
    if not isinstance(field, models.JSONField | models.DateTimeField):
        return None
    written: dict[Any, Any] = {}

    def write(value: Any) -> Any:
        if type(value) not in (str, datetime):  # others are equal without being the same: 1, 1.0 and True
            return field.get_db_prep_save(value, database)
        if value not in written:
            written[value] = field.get_db_prep_save(value, database)
        return written[value]

    return write
