"""Registers in databases: read only, by the fastest route there is, batch by batch.

Belongs here: a query's rows as batches of text. Does not belong here: what a text means (door.py).
ADBC streams Arrow from PostgreSQL and SQLite; any other database is streamed by SQLAlchemy, in
batches of a fixed schema.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from expectations.catalogue.registers import Query, Register
from orchestration.collect.registers.door import Arrival, as_text, schema
from orchestration.collect.registers.problems import DatabaseError, RefusedError, refused

BATCH = 50_000

BATCH_BYTES = 1 << 22
"""About so much at once from PostgreSQL: the server, the door's reading and its checks then work side by side."""

_BATCH_HINT = "adbc.postgresql.batch_size_hint_bytes"

DELIVERED_ON = "lieferung_stichtag"
"""The reference day's column in a table that mirrors a register's delivery, for registers without a query."""


def query_of(register: Register) -> Query:
    """How a register is read: as declared, or from a table of its own name with the delivered columns."""
    if register.query is not None:
        return register.query
    columns = ", ".join(f'"{c.name}"' for c in register.kept)
    return Query(
        rows=f'select {columns} from "{register.id}" where "{DELIVERED_ON}" = :reference',
        references=f'select distinct "{DELIVERED_ON}" from "{register.id}"',
    )


def references(url: str, register: Register) -> list[dt.date]:
    """The reference days a database offers, oldest first. Raises DatabaseError if it does not answer."""
    query = query_of(register)
    with _told(url), _connected(url, query.db_schema) as connection:
        found = [row[0] for row in connection.execute(sa.text(query.references))]
    return sorted(_day(value, register) for value in found if value is not None)


def read_database(url: str, register: Register, reference: dt.date) -> Arrival:
    """One reference day of a register; its batches raise DatabaseError and RefusedError."""
    query = query_of(register)
    # A day of ours, not a text from outside: safe to stand in the query of every driver.
    sql = re.sub(r":reference\b", f"'{reference.isoformat()}'", query.rows)
    source = (
        _with_adbc if sa.make_url(url).get_backend_name() in ("postgresql", "sqlite") else _with_sqlalchemy
    )
    fixed = None if register.reference.column else reference
    return Arrival(_as_declared(register, source(url, sql, query.db_schema)), fixed, ".")


def _as_declared(register: Register, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The kept columns by their delivered names, as text, with row numbers from 1."""
    first = 1
    for batch in batches:
        names = batch.schema.names
        missing = [c.name for c in register.kept if c.name not in names]
        if missing:
            raise refused(
                "columns",
                f"{', '.join(missing)} im Ergebnis der Abfrage",
                f"{', '.join(missing)} in the query's result",
            )
        rows = pa.array(np.arange(first, first + batch.num_rows))
        columns = [_text(batch.column(c.name)) for c in register.kept]
        yield pa.RecordBatch.from_arrays([rows, *columns], schema=schema(register))
        first += batch.num_rows


def _text(column: pa.Array) -> pa.Array:
    if pa.types.is_floating(column.type):
        # 3.0 of a database without whole numbers is 3; other numbers keep their decimals.
        return pc.replace_substring_regex(pc.cast(column, pa.string()), r"\.0$", "")
    return column if pa.types.is_string(column.type) else pc.cast(column, pa.string())


def _with_adbc(url: str, sql: str, db_schema: str | None) -> Iterator[pa.RecordBatch]:
    parts = sa.make_url(url)
    with _told(url):
        if parts.get_backend_name() == "sqlite":
            from adbc_driver_sqlite import dbapi as sqlite

            connection: Any = sqlite.connect(f"file:{parts.database}?mode=ro")
            # It takes a column's type from the first rows; texts that are never null have one throughout.
            with connection.cursor() as cursor:
                cursor.execute(f"select * from ({sql}) limit 0")
                names = [column[0] for column in cursor.description]
            columns = ", ".join(f"""coalesce(cast("{name}" as text), '') as "{name}\"""" for name in names)
            sql = f"select {columns} from ({sql})"
        else:
            from adbc_driver_postgresql import dbapi as postgresql

            plain = parts.set(drivername="postgresql").render_as_string(hide_password=False)
            connection = postgresql.connect(plain)
        with connection, connection.cursor() as cursor:
            for statement in _read_only(parts.get_backend_name(), db_schema):
                cursor.execute(statement)
            if parts.get_backend_name() == "postgresql":
                cursor.adbc_statement.set_options(**{_BATCH_HINT: str(BATCH_BYTES)})
            cursor.execute(sql)
            yield from cursor.fetch_record_batch()


def _with_sqlalchemy(url: str, sql: str, db_schema: str | None) -> Iterator[pa.RecordBatch]:
    """The route that every driver knows; all columns as text, so that no first batch decides a type."""
    with _told(url), _connected(url, db_schema) as connection:
        result = connection.execute(sa.text(sql))
        names = list(result.keys())
        for rows in result.partitions(BATCH):  # without a size: one by one
            columns = [pa.array([as_text(row[n]) for row in rows], pa.string()) for n in range(len(names))]
            yield pa.RecordBatch.from_arrays(columns, names=names)


def _read_only(backend: str, db_schema: str | None) -> list[str]:
    """What is said first in a transaction, so that it can't write and finds the register's tables."""
    if backend != "postgresql":
        return []
    path = [f'set local search_path to "{db_schema}", public'] if db_schema else []
    return ["set transaction read only", *path]


@contextmanager
def _connected(url: str, db_schema: str | None) -> Iterator[sa.Connection]:
    """A connection of SQLAlchemy that streams and does not write; an SQLite file is never made."""
    parts = sa.make_url(url)
    if parts.get_backend_name() == "sqlite":
        parts = parts.set(database=f"file:{parts.database}", query={"mode": "ro", "uri": "true"})
    engine = sa.create_engine(parts)
    try:
        with engine.connect() as connection:
            for statement in _read_only(parts.get_backend_name(), db_schema):
                connection.execute(sa.text(statement))
            # Only now: a cursor of the server takes queries, no settings.
            yield connection.execution_options(stream_results=True, yield_per=BATCH)
    finally:
        engine.dispose()


def _day(value: Any, register: Register) -> dt.date:
    if isinstance(value, dt.date):
        return value.date() if isinstance(value, dt.datetime) else value
    try:
        return dt.date.fromisoformat(str(value)[:10])
    except ValueError:
        raise DatabaseError(
            f"{register.id}: the query of reference days gives something that is no day"
        ) from None


@contextmanager
def _told(url: str) -> Iterator[None]:
    """Whatever a driver says may hold the password or a record: only what and where is told on."""
    try:
        yield
    except (RefusedError, DatabaseError, GeneratorExit):
        raise
    except Exception as error:
        host = sa.make_url(url)
        place = f"{host.get_backend_name()} at {host.host or host.database or 'localhost'}"
        raise DatabaseError(f"{place}: {type(error).__name__}") from None
