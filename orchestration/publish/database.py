"""Releases in a database, for dashboards: loaded beside the served one, proved, and switched by one row.

    <schema>_store.<table>__v<major>   all releases kept; the column release_id says which
    <schema>_store.served              which release readers have of every table: what a switch writes
    <schema>_store.history             when readers had which release
    <schema>.release                   which release that is, for whoever asks
    <schema>.<table>                   the stable view of it; <table>_v<major> for who waits for no breaking change
    <schema>.release_history           since when and until when readers had a release, for what was published on a day
    <schema>.<table>_history           the table in every release that is kept and was not taken back

A switch is one transaction over rows of `served`, so a statement sees one release in all tables (its snapshot), a transaction of
REPEATABLE READ for as long as it lasts, and no reader's lock is waited for (only new columns need one, for seconds). PostgreSQL
takes rows as Arrow by COPY into a table of the release's own, which then becomes a partition; SQLite takes them in batches.

Belongs here: tables, views, roles and the switch. Does not belong here: which release is served (publish/release.py).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import sqlalchemy as sa

from orchestration.publish.release import Release, Span, at_rest
from orchestration.settings import DatabaseTarget

LOG = logging.getLogger("bildungsmonitor")

BATCH = 20_000
"""Rows of one insert, where there is no COPY."""

BITE = 200
"""Rows that COPY sends at once: few enough that the server stores some while the next are made ready. With all at once, or a
thousand, one waits for the other, and loading takes half as long again (tests/benchmarks/publishing.py)."""

ROW = "_row"
"""The place of a row in its table of the release; it stands in no view."""

HISTORY = "release_history"
"""The view of when readers had which release."""

_NOTE = "view "
"""What stands before a view's name where `release` says what it was made of."""

_KINDS: dict[str, Any] = {
    "string": sa.Text(), "double": sa.Double(), "bool": sa.Boolean(), "date32[day]": sa.Date(), "int32": sa.Integer(),
    "int64": sa.BigInteger(), "timestamp[us]": sa.DateTime(),
}  # fmt: skip


class TargetError(RuntimeError):
    """A database could not be brought to the served release; it serves what it served before."""


class Target:
    """One database that releases are published to. Raises TargetError, never naming a password."""

    def __init__(self, target: DatabaseTarget) -> None:
        self.declared = target
        try:
            self.url = sa.make_url(target.url.get_secret_value())
        except sa.exc.ArgumentError:
            raise TargetError("publication.databases: found no address that SQLAlchemy can read") from None
        if "password" in self.url.query:
            raise TargetError(
                "publication.databases: found a password behind the ?, expected it before the @"
            )
        self.is_postgresql = self.url.get_backend_name() == "postgresql"
        # Without schemas (SQLite), names begin with them.
        self.schema = target.db_schema
        self._store = f"{self.schema}_store"
        self._has_schemas = self.url.get_backend_name() != "sqlite"
        with self._told():
            self._engine = sa.create_engine(self.url, hide_parameters=True)

    def __enter__(self) -> Target:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.dispose()

    @property
    def name(self) -> str:
        """The database without its password, and the schema."""
        return f"{self.url.render_as_string(hide_password=True)} ({self.schema})"

    def served(self) -> str | None:
        """The release that readers have now; None before the first one."""
        with self._told(), self._engine.connect() as connection:
            return self._served(connection)

    def serve(
        self, release: Release, moment: dt.datetime, spans: Sequence[Span] = (), rest_seconds: float = 0
    ) -> bool:
        """Load a release if it is not there, prove it, switch to it, remove old ones. False if it was served already.

        Only releases for the audience that this database is declared for, into schemas that never had others. `spans`: when
        readers had which release, as its store knows it. `rest_seconds`: before and after the switch.
        """
        if release.audience != self.declared.audience:
            raise TargetError(
                f"{self.name}: found a release for '{release.audience}' readers, expected one for '{self.declared.audience}'"
            )
        with self._told():
            with self._engine.begin() as connection:
                self._prepare(connection)
                self._stay_apart(connection)
                if self._served(connection) == release.id and self._is_whole(connection, release):
                    return False
            with self._engine.connect() as connection:
                loaded = self._is_whole(connection, release)
            if not loaded:
                self._clean(release)
                self._load(release)
            with at_rest(rest_seconds), self._engine.begin() as connection:
                self._impatient(connection)
                self._switch(connection, release, moment)
                self._remember(connection, spans)
            self._prune(release)
            return True

    # --- what stands where -----------------------------------------------------------------------------------

    def _place(self, schema: str, name: str) -> tuple[str, str | None]:
        """What a relation is called there, and in which schema; without schemas names begin with them."""
        return (name, schema) if self._has_schemas else (f"{schema}__{name}", None)

    def _quoted(self, schema: str, name: str) -> str:
        called, within = self._place(schema, name)
        return f'"{within}"."{called}"' if within else f'"{called}"'

    def _of_store(self, name: str) -> str:
        return self._quoted(self._store, name)

    def _of_view(self, name: str) -> str:
        return self._quoted(self.schema, name)

    def _put(self, connection: sa.Connection, table: str, key: str, *values: str | None) -> None:
        """One row of `release` or `served`, in place of the one of that key. Both have three columns, the key first."""
        name = self._of_store(table)
        first = {"release": "release_id", "served": "stored_table"}[table]
        connection.execute(sa.text(f"delete from {name} where {first} = :key"), {"key": key})
        connection.execute(
            sa.text(f"insert into {name} values (:key, :a, :b)"), {"key": key, "a": values[0], "b": values[1]}
        )

    def _names(self, release: Release) -> dict[str, str]:
        """Stored table by table of the release: its name and the major of its version."""
        return {name: f"{name}__v{_major(release, name)}" for name in _tables(release)}

    def _prepare(self, connection: sa.Connection) -> None:
        """Schemas and the three tables about releases, if they are not there."""
        if self._has_schemas:
            for schema in (self.schema, self._store):
                connection.execute(sa.text(f'create schema if not exists "{schema}"'))
        connection.execute(sa.text(
            f"create table if not exists {self._of_store('release')} (release_id varchar(40) primary key, loaded_at varchar(40), facts text)"
        ))  # fmt: skip
        connection.execute(sa.text(
            f"create table if not exists {self._of_store('served')} (stored_table varchar(120) primary key, release_id varchar(40), at varchar(40))"
        ))  # fmt: skip
        self._history().create(connection, checkfirst=True)

    def _history(self) -> sa.Table:
        """When readers had which release: a row per span, moments in UTC."""
        name, within = self._place(self._store, "history")
        return sa.Table(
            name, sa.MetaData(), sa.Column("release_id", sa.String(40)), sa.Column("served_from", sa.DateTime()),
            sa.Column("served_until", sa.DateTime()), sa.Column("is_withdrawn", sa.Boolean()), schema=within,
        )  # fmt: skip

    def _stay_apart(self, connection: sa.Connection) -> None:
        """Raises TargetError where releases for another audience stand in these schemas already."""
        rows = connection.execute(
            sa.text(f"select facts from {self._of_store('release')} where loaded_at is not null")
        ).fetchall()
        for (facts,) in rows:
            if (found := json.loads(str(facts)).get("audience", "public")) != self.declared.audience:
                raise TargetError(
                    f"{self.name}: found releases for '{found}' readers in it, expected those for '{self.declared.audience}'"
                )

    def _served(self, connection: sa.Connection) -> str | None:
        if not self._exists(connection, "served"):
            return None
        found = connection.execute(
            sa.text(f"select release_id from {self._of_store('served')} where stored_table = '*'")
        ).scalar()
        return None if found is None else str(found)

    def _exists(self, connection: sa.Connection, name: str) -> bool:
        called, within = self._place(self._store, name)
        return sa.inspect(connection).has_table(called, schema=within)

    def _is_whole(self, connection: sa.Connection, release: Release) -> bool:
        """Is it written down as loaded? That is done only after every table was proved."""
        found = connection.execute(
            sa.text(f"select facts from {self._of_store('release')} where release_id = :id"),
            {"id": release.id},
        ).fetchone()
        return found is not None and json.loads(found[0])["digest"] == release.manifest["content_digest"]

    # --- loading ---------------------------------------------------------------------------------------------

    def _load(self, release: Release) -> None:
        """All tables of a release into the store. It is written down as loaded last."""
        for table, stored in self._names(release).items():
            rows = pq.read_table(release.parquet(table)).replace_schema_metadata(None)
            if self.is_postgresql:
                self._copy(release, stored, rows)
            else:
                self._insert(release, stored, rows)
        facts = json.dumps({
            "digest": release.manifest["content_digest"], "tables": list(_tables(release)), "audience": release.audience,
        })  # fmt: skip
        with self._engine.begin() as connection:
            at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
            self._put(connection, "release", release.id, at, facts)

    def _copy(self, release: Release, stored: str, rows: pa.Table) -> None:
        """PostgreSQL: COPY into a table of the release's own, read back, made a partition."""
        part = f"{stored}:{release.id}"
        with self._engine.begin() as connection:
            self._impatient(connection)
            self._grow(connection, stored, rows.schema)
            connection.execute(sa.text(f"drop table if exists {self._of_store(part)}"))
            # The check saves PostgreSQL from looking through the rows when the table becomes a partition, the default
            # saves us from sending the same word with each of them.
            connection.execute(sa.text(
                f"create table {self._of_store(part)} (like {self._of_store(stored)}, check (release_id = '{_id(release)}'))"
            ))  # fmt: skip
            connection.execute(sa.text(
                f"alter table {self._of_store(part)} alter column release_id set default '{_id(release)}'"
            ))  # fmt: skip
        numbered = rows.add_column(0, ROW, pa.array(np.arange(rows.num_rows, dtype=np.int32)))
        from adbc_driver_postgresql import dbapi

        plain = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with dbapi.connect(plain) as connection, connection.cursor() as cursor:
            cursor.adbc_ingest(part, numbered.to_reader(BITE), mode="append", db_schema_name=self._store)
            self._read_back(cursor, stored, part, rows)
            connection.commit()
        with self._engine.begin() as connection:
            connection.execute(sa.text(
                f"alter table {self._of_store(stored)} attach partition {self._of_store(part)} for values in ('{_id(release)}')"
            ))  # fmt: skip
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text(f"analyze {self._of_store(part)}"))

    def _read_back(self, cursor: Any, stored: str, part: str, rows: pa.Table) -> None:
        """Raises TargetError unless the server has exactly these rows."""
        listed = ", ".join(f'"{name}"' for name in [ROW, *rows.column_names])
        cursor.execute(f"select {listed} from {self._of_store(part)}")
        found = cursor.fetch_arrow_table()
        # A server puts rows where there is room: their own numbers say which is which. Most often they are in order.
        if not np.array_equal(found[ROW].to_numpy(), np.arange(found.num_rows)):
            found = found.take(pc.sort_indices(found[ROW]))
        _prove(stored, rows, found)

    def _insert(self, release: Release, stored: str, rows: pa.Table) -> None:
        """SQLite, and what speaks its SQL: batches through SQLAlchemy, then counted."""
        with self._engine.begin() as connection:
            self._grow(connection, stored, rows.schema)
            value = {"id": release.id}
            connection.execute(sa.text(f"delete from {self._of_store(stored)} where release_id = :id"), value)
            table, first = self._table(stored, rows.schema), 0
            for batch in rows.to_batches(BATCH):
                records = [
                    {"release_id": release.id, ROW: first + n, **row}
                    for n, row in enumerate(batch.to_pylist())
                ]
                connection.execute(table.insert(), records)
                first += batch.num_rows
            found = connection.execute(
                sa.text(f"select count(*) from {self._of_store(stored)} where release_id = :id"), value
            ).scalar()
            if found != rows.num_rows:
                raise TargetError(f"{stored}: found {found} rows after loading, expected {rows.num_rows}")

    def _table(self, stored: str, schema: pa.Schema) -> sa.Table:
        columns = [sa.Column(field.name, _KINDS[str(field.type)]) for field in schema]
        name, within = self._place(self._store, stored)
        return sa.Table(
            name, sa.MetaData(), sa.Column("release_id", sa.String(40), nullable=False),
            sa.Column(ROW, sa.Integer()), *columns, schema=within,
        )  # fmt: skip

    def _grow(self, connection: sa.Connection, stored: str, schema: pa.Schema) -> None:
        """The stored table with all columns of these rows; others it has from elsewhere stay.

        Raises TargetError where a column has another type: that is a breaking change, which needs another major version.
        """
        table = self._table(stored, schema)
        if not self._exists(connection, stored):
            text = str(sa.schema.CreateTable(table).compile(self._engine)).strip()
            suffix = " partition by list (release_id)" if self.is_postgresql else ""
            connection.execute(sa.text(text + suffix))
            if not self.is_postgresql:
                connection.execute(
                    sa.text(
                        f'create index "{self._place(self._store, stored)[0]}__release" on {self._of_store(stored)} (release_id)'
                    )
                )
            return
        found = sa.inspect(connection).get_columns(table.name, schema=table.schema)
        there = {column["name"]: column["type"] for column in found}
        for column in table.columns:
            kind = column.type.compile(self._engine.dialect)
            if column.name not in there:
                connection.execute(
                    sa.text(f'alter table {self._of_store(stored)} add column "{column.name}" {kind}')
                )
            elif (before := there[column.name].compile(self._engine.dialect)) != kind:
                raise TargetError(
                    f"{stored}, column {column.name}: found {kind}, expected {before} as before; another type is another major "
                    "version of the table (schema_version)"
                )

    def _impatient(self, connection: sa.Connection) -> None:
        """New columns need a lock: a reader who never ends his transaction is not waited for, and nobody waits behind us."""
        if self.is_postgresql:
            connection.execute(sa.text("set local lock_timeout = '15s'"))

    # --- switching -------------------------------------------------------------------------------------------

    def _switch(self, connection: sa.Connection, release: Release, moment: dt.datetime) -> None:
        """Views that are not as they should be, then the pointers: all in one transaction."""
        names, made = self._names(release), self._made(connection)
        self._about_releases(connection, made)
        for table, stored in names.items():
            schema = pq.read_schema(release.parquet(table))
            columns, comments = schema.names, _comments(schema)
            pointed = f"= (select release_id from {self._of_store('served')} where stored_table = '{stored}')"
            for view in (table, _versioned(stored)):
                self._view(connection, view, stored, columns, pointed, comments, made.get(view))
            kept = (
                f"in (select release_id from {self._of_view(HISTORY)} where is_loaded and not is_withdrawn)"
            )
            past = f"{table}_history"
            self._view(connection, past, stored, ["release_id", *columns], kept, comments, made.get(past))
        served = self._of_store("served")
        oldest = moment - dt.timedelta(days=self.declared.old_version_days)
        pointers = connection.execute(sa.text(f"select stored_table, at from {served}")).fetchall()
        for pointer, at in ((str(p), str(a)) for p, a in pointers):
            # What this release does not have, or has in an older version only, is shown no more. Older versions stay for a time.
            table, _, major = pointer.rpartition("__v")
            if pointer == "*":
                continue
            is_withdrawn = table not in names or int(major) > _major(release, table)
            is_past = pointer not in names.values() and dt.datetime.fromisoformat(at) < oldest
            if is_withdrawn or is_past:
                connection.execute(sa.text(f"delete from {served} where stored_table = :t"), {"t": pointer})
            if is_past:
                self._drop_view(connection, _versioned(pointer))
        for pointer in ("*", *sorted(names.values())):
            self._put(connection, "served", pointer, release.id, moment.isoformat())
        if self.is_postgresql and self.declared.reader:
            versions = [_versioned(stored) for stored in names.values()]
            histories = [f"{name}_history" for name in names]
            self._grant(connection, self.declared.reader, ["release", HISTORY, *names, *versions, *histories])

    def _about_releases(self, connection: sa.Connection, made: dict[str, dict[str, Any]]) -> None:
        """The views that tell which release is served, and which was, if they are not there."""
        history, release, served = (self._of_store(name) for name in ("history", "release", "served"))
        loaded = f"exists (select 1 from {release} r where r.release_id = h.release_id and r.loaded_at is not null)"
        for view, table, listed, body, text in (
            (
                "release", "served", ["release_id", "at"], f"{served} where stored_table = '*'",
                "Der Stand, den alle Tabellen zeigen, und seit wann / The release that all tables show, and since when",
            ),
            (
                HISTORY, "history", ["release_id", "served_from", "served_until", "is_withdrawn", "is_loaded"],
                f"(select h.*, {loaded} as is_loaded from {history} h) as known",
                "Wann welcher Stand galt (UTC) / When readers had which release (UTC)",
            ),
        ):  # fmt: skip
            if view not in made:
                body = f"select {', '.join(listed)} from {body}"
                self._create_view(connection, view, body, {"table": table, "columns": listed})
                self._comment(connection, view, {"": text})

    def _remember(self, connection: sa.Connection, spans: Sequence[Span]) -> None:
        """The history as the store of releases knows it now, in the place of what was known before."""
        history = self._history()
        connection.execute(history.delete())
        rows = [
            {
                "release_id": span.release_id, "served_from": _utc(span.since),
                "served_until": span.until and _utc(span.until), "is_withdrawn": span.is_withdrawn,
            }
            for span in spans
        ]  # fmt: skip
        if rows:
            connection.execute(history.insert(), rows)

    def _view(
        self,
        connection: sa.Connection,
        view: str,
        stored: str,
        columns: list[str],
        which: str,
        comments: dict[str, str],
        before: dict[str, Any] | None,
    ) -> None:
        """A view over a stored table, of the releases that `which` says in SQL.

        Touched only if it has new columns, another table or (PostgreSQL) other comments than `before`. New columns come last,
        so that PostgreSQL replaces the view and drops nothing that was built on it.
        """
        # A column that is there once stays within its major version; where a release does not have it, it is empty.
        known: list[str] = before["columns"] if before is not None and before["table"] == stored else []
        shape = {"table": stored, "columns": [*known, *(name for name in columns if name not in known)]}
        now = {**shape, "comments": hashlib.sha256(json.dumps(comments).encode()).hexdigest()}
        if before == now:
            return
        if before is not None and shape.items() <= before.items():
            self._put(connection, "release", f"{_NOTE}{view}", None, json.dumps(now))
        else:
            listed = ", ".join(f'"{name}"' for name in shape["columns"])
            body = f"select {listed} from {self._of_store(stored)} where release_id {which}"
            self._create_view(connection, view, body, now, replace=self.is_postgresql and bool(known))
        self._comment(connection, view, comments)

    def _comment(self, connection: sa.Connection, view: str, comments: dict[str, str]) -> None:
        """Where a database keeps comments: of each column, and under the empty name of the view."""
        if not self.is_postgresql:
            return
        for column, text in comments.items():
            what = f'column {self._of_view(view)}."{column}"' if column else f"view {self._of_view(view)}"
            quoted = text.replace("'", "''").replace("%", "%%")  # the driver looks for parameters
            connection.exec_driver_sql(f"comment on {what} is '{quoted}'")

    def _create_view(
        self, connection: sa.Connection, view: str, body: str, made: dict[str, Any], replace: bool = False
    ) -> None:
        """The view, and a note of what it was made of."""
        name = self._of_view(view)
        if not replace:
            connection.execute(sa.text(f"drop view if exists {name}"))
        connection.execute(sa.text(f"create {'or replace ' if replace else ''}view {name} as {body}"))
        self._put(connection, "release", f"{_NOTE}{view}", None, json.dumps(made))

    def _drop_view(self, connection: sa.Connection, view: str) -> None:
        """The view and its note. If others have built on it, it stays, and is empty."""
        try:
            with connection.begin_nested():
                connection.execute(sa.text(f"drop view if exists {self._of_view(view)}"))
                connection.execute(
                    sa.text(f"delete from {self._of_store('release')} where release_id = :note"),
                    {"note": f"{_NOTE}{view}"},
                )
        except sa.exc.DatabaseError:
            LOG.warning("publish | %s: other views need %s, it stays, empty", self.name, view)

    def _made(self, connection: sa.Connection) -> dict[str, dict[str, Any]]:
        """View by view that is there: of what table and columns it was made."""
        notes = connection.execute(
            sa.text(f"select release_id, facts from {self._of_store('release')} where loaded_at is null")
        ).fetchall()
        there = set(sa.inspect(connection).get_view_names(schema=self.schema if self._has_schemas else None))
        made = {str(note).removeprefix(_NOTE): json.loads(str(facts)) for note, facts in notes}
        return {view: facts for view, facts in made.items() if self._place(self.schema, view)[0] in there}

    def _grant(self, connection: sa.Connection, reader: str, views: list[str]) -> None:
        """The reader's role may read the views and nothing else."""
        there = connection.execute(
            sa.text("select 1 from pg_roles where rolname = :r"), {"r": reader}
        ).fetchone()
        if there is None:
            connection.execute(sa.text(f'create role "{reader}" nologin'))
        connection.execute(sa.text(f'grant usage on schema "{self.schema}" to "{reader}"'))
        for view in views:
            connection.execute(sa.text(f'grant select on {self._of_view(view)} to "{reader}"'))

    # --- tidying up ------------------------------------------------------------------------------------------

    def _loaded(self, connection: sa.Connection) -> list[str]:
        rows = connection.execute(sa.text(
            f"select release_id from {self._of_store('release')} where loaded_at is not null order by loaded_at, release_id"
        ))  # fmt: skip
        return [str(row[0]) for row in rows]

    def _pointed_at(self, connection: sa.Connection) -> set[str]:
        return {
            str(r[0])
            for r in connection.execute(sa.text(f"select release_id from {self._of_store('served')}"))
        }

    def _clean(self, release: Release) -> None:
        """Remove what a killed load of this very release left behind. What is left of others goes with `_prune`."""
        if not self.is_postgresql:
            return
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("set statement_timeout = '30s'"))
            for part, release_id, is_attached in self._parts(connection):
                if release_id == release.id:
                    self._drop(connection, part, is_attached)

    def _prune(self, release: Release) -> None:
        """Keep the newest so many releases, and those that an older major version still points at."""
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if self.is_postgresql:
                # A reader who never ends his transaction is waited for so long; the next night tries again.
                connection.execute(sa.text("set statement_timeout = '30s'"))
            loaded = self._loaded(connection)
            kept = {*loaded[-self.declared.keep :], *self._pointed_at(connection), release.id}
            gone = [name for name in loaded if name not in kept]
            for name in gone:
                # First it is no whole release any more, then its rows go.
                connection.execute(
                    sa.text(f"delete from {self._of_store('release')} where release_id = :id"), {"id": name}
                )
            if self.is_postgresql:
                for part, release_id, is_attached in self._parts(connection):
                    if release_id not in kept:
                        try:
                            self._drop(connection, part, is_attached)
                        except sa.exc.OperationalError:
                            LOG.warning(
                                "publish | %s: a reader holds %s, it is removed another night",
                                self.name,
                                part,
                            )
                return
            for stored in self._stored(connection):
                connection.execute(
                    sa.text(f"delete from {self._of_store(stored)} where release_id not in :kept").bindparams(
                        sa.bindparam("kept", expanding=True)
                    ),
                    {"kept": sorted(kept)},
                )

    def forget(self, release_id: str) -> bool:
        """Destroy a release's rows, in every version of its tables; False if there were none. Raises TargetError if it is served."""
        with self._told():
            with self._engine.begin() as connection:
                self._prepare(connection)
                if self._served(connection) == release_id:
                    raise TargetError(f"{self.name}: {release_id} is served here")
                known = release_id in self._loaded(connection)
                for table, column in (("served", "release_id"), ("release", "release_id")):
                    connection.execute(
                        sa.text(f"delete from {self._of_store(table)} where {column} = :id"),
                        {"id": release_id},
                    )
            with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                if self.is_postgresql:
                    connection.execute(sa.text("set statement_timeout = '30s'"))
                    for part, of, is_attached in self._parts(connection):
                        if of == release_id:
                            self._drop(connection, part, is_attached)
                    return known
                # Deleted rows would stay in the file's free pages.
                connection.execute(sa.text("pragma secure_delete = on"))
                for stored in self._stored(connection):
                    connection.execute(
                        sa.text(f"delete from {self._of_store(stored)} where release_id = :id"),
                        {"id": release_id},
                    )
                connection.execute(sa.text("vacuum"))
            return known

    def _stored(self, connection: sa.Connection) -> list[str]:
        """The tables that rows are stored in, where there are no partitions."""
        prefix, within = self._place(self._store, "")
        names = sa.inspect(connection).get_table_names(schema=within)
        return [n.removeprefix(prefix) for n in names if re.fullmatch(re.escape(prefix) + r".+__v\d+", n)]

    def _parts(self, connection: sa.Connection) -> list[tuple[str, str, bool]]:
        """Every release's own table in PostgreSQL: its name, its release, and whether it is a partition."""
        rows = connection.execute(sa.text(
            "select c.relname, exists (select from pg_inherits i where i.inhrelid = c.oid) from pg_class c "
            "join pg_namespace n on n.oid = c.relnamespace where n.nspname = :s and c.relkind = 'r' and c.relname like '%\\_\\_v%:%' order by 1"
        ), {"s": self._store})  # fmt: skip
        return [(str(name), str(name).split(":", 1)[1], bool(attached)) for name, attached in rows]

    def _drop(self, connection: sa.Connection, part: str, is_attached: bool) -> None:
        """Without a lock that readers would wait for."""
        if is_attached:
            stored = part.split(":", 1)[0]
            pending = connection.execute(sa.text(
                "select inhdetachpending from pg_inherits where inhrelid = cast(:p as regclass)"
            ), {"p": f'"{self._store}"."{part}"'}).scalar()  # fmt: skip
            how = "finalize" if pending else "concurrently"
            connection.execute(sa.text(
                f"alter table {self._of_store(stored)} detach partition {self._of_store(part)} {how}"
            ))  # fmt: skip
        connection.execute(sa.text(f"drop table {self._of_store(part)}"))

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Errors of any driver as one of ours, without statement, parameters or password."""
        try:
            yield
        except TargetError:
            raise
        except Exception as error:
            reason = str(getattr(error, "orig", None) or error).strip().split("\n")[0]
            password = self.url.password
            raise TargetError(
                f"{self.name}: {reason.replace(password, '***') if password else reason}"
            ) from None


def _prove(stored: str, rows: pa.Table, found: pa.Table) -> None:
    """Raises TargetError unless the rows that were read back are the ones that were written."""
    if found.num_rows != rows.num_rows:
        raise TargetError(f"{stored}: found {found.num_rows} rows after loading, expected {rows.num_rows}")
    for name in rows.column_names:
        if not found[name].combine_chunks().cast(rows[name].type).equals(rows[name].combine_chunks()):
            raise TargetError(f"{stored}, column {name}: what was read back is not what was written")


def _tables(release: Release) -> list[str]:
    """Every table of a release."""
    return sorted(path.stem for path in (release.folder / "parquet").glob("*.parquet"))


def _comments(schema: pa.Schema) -> dict[str, str]:
    """What the file says of each column, and under the empty name of the table."""
    about = {"": schema.metadata or {}, **{field.name: field.metadata or {} for field in schema}}
    return {name: said[b"description"].decode() for name, said in about.items() if b"description" in said}


def _major(release: Release, table: str) -> int:
    """The major of a table's version; 1 for what has none of its own."""
    state = release.manifest["tables"].get(table) or {}
    return int(str(state.get("schema_version", "1")).split(".")[0])


def _versioned(stored: str) -> str:
    """The view of one major version: pub_leavers_v1 of pub_leavers__v1."""
    return stored.replace("__v", "_v")


def _utc(moment: dt.datetime) -> dt.datetime:
    """As a database without time zones keeps it."""
    return moment.astimezone(dt.UTC).replace(tzinfo=None)


def _id(release: Release) -> str:
    """The release's id, safe to stand in a statement."""
    if not re.fullmatch(r"[0-9TZ-]+", release.id):
        raise TargetError(f"found release '{release.id}', expected a moment like 20261127T020000Z")
    return release.id
