"""Prepared statements: SQL that the ORM compiles once and that is then only executed (a compiled-query cache).

For the live path alone. There a query takes 30 µs to run and ten times as long to compile, a batch of votes needs
six of them, and hundreds of batches come a second. Each is written as an ordinary queryset, in the dialect of the
database, and its rows pass the same field converters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet

Values = Sequence[Any]


class Prepared:
    """`build(*lists)` gives a `values_list` queryset over lists for `__in`; `rows(*lists)` runs it.

    SQL has a placeholder per listed value, so lists are padded to the next power of two with their last value and each
    length is compiled once. Every list holds plain numbers or plain strings; `types` has one type per list.
    """

    def __init__(self, build: Callable[..., QuerySet], *types: type[int] | type[str]) -> None:
        self._build, self._types = build, types
        self._compiled: dict[tuple[Any, ...], _Statement] = {}

    def rows(self, *lists: Values) -> list[tuple[Any, ...]]:
        """One tuple per row; nothing, without a query, where a list is empty."""
        if not all(lists):
            return []
        database = _database()
        padded = [_padded(values) for values in lists]
        key = (database.vendor, *map(len, padded))
        statement = self._compiled.get(key)
        if statement is None:
            statement = self._compiled[key] = self._compile([len(values) for values in padded])
        return statement.run(database, [value for values in padded for value in values])

    def _compile(self, lengths: list[int]) -> _Statement:
        """Compile with sentinel values that no real parameter equals, to learn the position of each parameter.

        Raises `TypeError` where the queryset does not use every list as it is given.
        """
        numbers = iter(range(-1, -sum(lengths) - 1, -1))
        sentinels = [
            [kind(f"{next(numbers)}") for _ in range(length)]
            for kind, length in zip(self._types, lengths, strict=True)
        ]
        compiler = self._build(*sentinels).query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        positions = {value: index for index, value in enumerate(v for values in sentinels for v in values)}
        sources = tuple((positions.get(value), value) for value in parameters)
        if {source for source, _value in sources} - {None} != set(positions.values()):
            raise TypeError("a prepared query must use every list as it is given")
        chosen = [expression for expression, _sql, _alias in compiler.select[: compiler.col_count]]
        return _Statement(_Sql(sql), sources, tuple(compiler.get_converters(chosen).items()))


class _Sql:
    """A statement that is executed many times, in the dialect of the database it was compiled for.

    Django's cursor wrapper costs ten times what SQLite needs for a small query, so on SQLite it is bypassed, except
    while queries are logged or wrapped (`queries_logged`, `execute_wrappers`). Errors are Django's all the same.
    """

    def __init__(self, sql: str) -> None:
        self._sql = sql
        self._native_sql = ""  # with SQLite's own placeholders; empty on other databases
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                self._native_sql = cursor.cursor.convert_query(sql)

    def rows(self, database: BaseDatabaseWrapper, values: Values) -> list[tuple[Any, ...]]:
        """Execute it with these values and fetch every row."""
        if self._may_bypass_cursor(database):
            with database.wrap_database_errors:
                return database.connection.execute(self._native_sql, values).fetchall()
        with database.cursor() as cursor:
            cursor.execute(self._sql, values)
            return cursor.fetchall()

    def write(self, database: BaseDatabaseWrapper, rows: Sequence[Values]) -> None:
        """Execute it once with each row of values (`executemany`)."""
        if self._may_bypass_cursor(database):
            with database.wrap_database_errors:
                database.connection.executemany(self._native_sql, rows)
            return
        with database.cursor() as cursor:
            cursor.executemany(self._sql, rows)

    def _may_bypass_cursor(self, database: Any) -> bool:
        if not self._native_sql or database.queries_logged or database.execute_wrappers:
            return False
        if database.connection is None:
            database.ensure_connection()
        database.validate_no_broken_transaction()
        return True


@dataclass(frozen=True, slots=True)
class _Statement:
    sql: _Sql
    #: for every parameter the index of its value among the arguments, or `None` and a constant
    sources: tuple[tuple[int | None, Any], ...]
    converters: tuple[tuple[int, tuple[list[Callable], Any]], ...]

    def run(self, database: BaseDatabaseWrapper, arguments: list[Any]) -> list[tuple[Any, ...]]:
        rows = self.sql.rows(
            database, [value if index is None else arguments[index] for index, value in self.sources]
        )
        return [self._read(database, row) for row in rows] if self.converters else rows

    def _read(self, database: BaseDatabaseWrapper, row: tuple[Any, ...]) -> tuple[Any, ...]:
        read = list(row)
        for column, (convert, expression) in self.converters:
            for function in convert:
                read[column] = function(read[column], expression, database)
        return tuple(read)


def _database() -> BaseDatabaseWrapper:
    """This thread's connection itself: the proxy `django.db.connection` looks it up at every attribute access."""
    return connections[DEFAULT_DB_ALIAS]


def _padded(values: Values) -> list[Any]:
    values = list(values)
    return values + [values[-1]] * ((1 << (len(values) - 1).bit_length()) - len(values))


class Upsert:
    """`INSERT … ON CONFLICT (unique) DO UPDATE`, or `DO NOTHING` without an update; both databases speak it."""

    def __init__(self, model: type[models.Model], *, unique: Values, update: Values) -> None:
        self._model, self._unique, self._update = model, unique, update
        self._fields = _written(model)
        self._compiled: dict[str, _Sql] = {}  # by database vendor

    def write(self, rows: Iterable[Any]) -> None:
        """Insert these rows, or update those that exist; any object with the model's attribute names will do."""
        database = _database()
        statement = self._compiled.get(database.vendor)
        if statement is None:
            statement = self._compiled[database.vendor] = _Sql(self._sql())
        statement.write(database, self._values(database, rows))

    def _values(self, database: BaseDatabaseWrapper, rows: Iterable[Any]) -> list[list[Any]]:
        """Every row's values, in the order of the columns and converted for this database."""
        read = attrgetter(*(field.attname for field in self._fields))
        converters = [
            (column, convert)
            for column, field in enumerate(self._fields)
            if (convert := _converter(field, database))
        ]
        values = [list(read(row)) for row in rows]
        for row in values:
            for column, convert in converters:
                row[column] = convert(row[column])
        return values

    def _column(self, name: str) -> str:
        field = self._model._meta.get_field(name)
        assert isinstance(field, models.Field)
        assert field.column
        return field.column

    def _sql(self) -> str:
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
    """A prepared `INSERT` of one row that returns its primary key, on either database."""

    def __init__(self, model: type[models.Model]) -> None:
        self._model, self._fields = model, _written(model)

    def write(self, row: models.Model) -> int:
        """Insert this new object, with its `auto_now` times; returns its primary key."""
        values = [field.get_db_prep_save(field.pre_save(row, True), connection) for field in self._fields]
        with connection.cursor() as cursor:
            cursor.execute(self._sql, values)
            return cursor.fetchone()[0] if _has_returning() else cursor.lastrowid

    @property
    def _sql(self) -> str:
        quote, meta = connection.ops.quote_name, self._model._meta
        names = ", ".join(quote(str(field.column)) for field in self._fields)
        placeholders = ", ".join(["%s"] * len(self._fields))
        returning = f" RETURNING {quote(str(meta.pk and meta.pk.column))}" if _has_returning() else ""
        return f"INSERT INTO {quote(meta.db_table)} ({names}) VALUES ({placeholders}){returning}"


def _written(model: type[models.Model]) -> list[models.Field]:
    return [field for field in model._meta.concrete_fields if not field.primary_key]


def _has_returning() -> bool:
    return connection.features.can_return_columns_from_insert


def _converter(field: models.Field, database: BaseDatabaseWrapper) -> Callable[[Any], Any] | None:
    """The conversion of a field's Python value for this database, memoised; `None` where none is needed."""
    if not isinstance(field, models.JSONField | models.DateTimeField):
        return None
    cache: dict[Any, Any] = {}

    def convert(value: Any) -> Any:
        if type(value) not in (str, datetime):  # others are equal without being the same: 1, 1.0 and True
            return field.get_db_prep_save(value, database)
        if value not in cache:
            cache[value] = field.get_db_prep_save(value, database)
        return cache[value]

    return convert
