"""A small read-only HTTP service over the releases, for whoever can use neither a file nor SQL.

    GET /                                       a page to look around
    GET /releases                               what is kept
    GET /releases/{release}                     one release; `current` is the one that is served
    GET /releases/on/{day}                      the one that was served at the end of a day
    GET /releases/{release}/tables/{table}      what stands in a table
    GET /releases/{release}/tables/{table}/rows filtered, sorted, in pages; JSON, CSV or Parquet
    GET /releases/{release}/files/{path}        any file of the release, whole or in ranges

Every request reads one release from beginning to end; the answer names it (`X-Release`). No part of a request becomes SQL: names are
looked up among the table's columns, values are bound. Belongs here: HTTP. Does not belong here: what a release is.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import os
import threading
import time
import urllib.parse
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi import Path as InPath
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from pydantic import BaseModel

from orchestration.publish.release import HISTORY, PURGES, Release, ReleaseStore

CURRENT = "current"
MOST_ROWS = 20_000
"""In one answer; whoever wants more takes the file."""

_MOST_FILTERS = 20
_MOST_VALUES = 200
_OPEN_RELEASES = 4
KEPT_SECONDS = 300
"""So long a cache may answer for a release without asking whether it was withdrawn."""
_GLANCE = 0.1
_TRUSTED = 1.0
"""Seconds: between two looks at what is served, and how long one of them holds."""
_RESERVED = ("columns", "sort", "limit", "offset", "format")
_COMPARISONS = {"": "=", "gte": ">=", "lte": "<="}
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "DOUBLE", "FLOAT")
_MEDIA = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}

ReleaseName = Annotated[
    str,
    InPath(
        pattern=r"^(current|[0-9]{8}T[0-9]{6}Z(-[0-9]{1,3})?)$", description="A release's id, or `current`."
    ),
]
TableName = Annotated[str, InPath(pattern=r"^[a-z][a-z0-9_]{0,60}$")]


class Problem(BaseModel):
    """What is wrong with a request: what was found, what was expected."""

    detail: str


class ReleaseFacts(BaseModel):
    """One release. `notice` is there where figures are invented."""

    release: str
    created_at: str
    served: bool
    withdrawn: str | None
    notice: str | None
    tables: list[str]


class TableFacts(BaseModel):
    """One table: its columns by name and type, its key, rows, and what the gate said of it."""

    release: str
    table: str
    title_de: str | None
    title_en: str | None
    description: str | None
    rows: int
    columns: dict[str, str]
    descriptions: dict[str, str]
    schema_version: str | None
    status: str | None


class Page(BaseModel):
    """Rows of a table. `total`: how many the filters leave; `next`: where the following page is."""

    release: str
    table: str
    notice: str | None
    total: int
    limit: int
    offset: int
    next: str | None
    rows: list[dict[str, Any]]


_PROBLEMS: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "No such release, table or file."},
    410: {"model": Problem, "description": "The release was withdrawn; the answer says why."},
    429: {"model": Problem, "description": "Too many requests; `Retry-After` says when."},
}
_WRONG: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "A filter, column or order that the table does not have."}
}
_UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "Not changed since (`If-None-Match`)."}}


@dataclass(frozen=True)
class Opened:
    """A release and its mart, open for reading. A file that was removed stays readable while it is open."""

    release: Release
    mart: duckdb.DuckDBPyConnection
    columns: Mapping[str, Mapping[str, str]]
    """Table by table, column by column: the type."""

    def run(self, sql: str, values: Sequence[Any] = ()) -> duckdb.DuckDBPyConnection:
        """A query on a cursor of its own: requests run side by side."""
        return self.mart.cursor().execute(sql, list(values))


class Releases:
    """The store, with the last few releases kept open.

    Within `followed`, a new release is opened ahead of requests by a thread that looks every tenth of a second; for so long
    `current` is the one before, so nobody waits for a switch. What was last seen to be served is not answered for longer than
    a second without looking again.
    """

    def __init__(self, folder: Path) -> None:
        self.store = ReleaseStore(folder)
        self._open: OrderedDict[str, Opened] = OrderedDict()
        self._lock = threading.Lock()
        self._opening = threading.Lock()
        self._seen: tuple[float, str] | None = None
        """When `current` was last looked at, and the release it named then, which is open."""
        self._withdrawn: tuple[Any, dict[str, str]] = (None, {})
        """The logs as they were last read, and what was withdrawn by them."""

    def opened(self, name: str) -> Opened:
        """The release of that name. Raises HTTPException 404, or 410 for one that was withdrawn."""
        seen = self._seen
        if name == CURRENT and seen is not None and time.monotonic() - seen[0] < _TRUSTED:
            name = seen[1]
        elif (reason := self.withdrawn().get(name)) is not None:
            self._close(name)
            raise HTTPException(410, f"release '{name}' was withdrawn: {reason}")
        try:
            return self._opened(os.readlink(self.store.folder / CURRENT) if name == CURRENT else name)
        except (OSError, ValueError):
            raise HTTPException(404, f"found release '{name}', expected one of /releases") from None

    def withdrawn(self) -> dict[str, str]:
        """What was withdrawn, and why; the logs are read again when they have changed."""
        paths = [self.store.folder / log for log in (HISTORY, PURGES)]
        state = [(s.st_mtime_ns, s.st_size) if (s := _stat(path)) else None for path in paths]
        if self._withdrawn[0] != state:
            self._withdrawn = (state, self.store.withdrawn())
        return self._withdrawn[1]

    def _close(self, release_id: str) -> None:
        """Let go of a release's files: an open file keeps its figures on the disk."""
        with self._lock:
            opened = self._open.pop(release_id, None)
        if opened is not None:
            opened.mart.close()

    @contextmanager
    def followed(self) -> Iterator[None]:
        """Look at `current` again and again, meanwhile."""
        stop = threading.Event()

        def follow() -> None:
            while not stop.wait(_GLANCE):
                began = time.monotonic()
                try:
                    release_id = os.readlink(self.store.folder / CURRENT)
                    self._opened(release_id)
                    for name in self.withdrawn():
                        if name != release_id:
                            self._close(name)
                except Exception:
                    self._seen = None  # requests find out themselves what is the matter, and say it
                else:
                    self._seen = began, release_id

        thread = threading.Thread(target=follow, name="follow-current", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            self._seen = None

    def _opened(self, release_id: str) -> Opened:
        """An open release, opened if it was not. Raises OSError or ValueError if it can't be read."""
        if (known := self._known(release_id)) is not None:
            return known
        with self._opening:
            # Another may have opened it while this one waited.
            if (known := self._known(release_id)) is not None:
                return known
            release = self.store.read(release_id)
            opened = Opened(release, *_mart(release))
            with self._lock:
                self._open[release_id] = opened
                while len(self._open) > _OPEN_RELEASES:
                    self._open.popitem(last=False)
            return opened

    def _known(self, release_id: str) -> Opened | None:
        """What a release says never changes: an open one is not read again."""
        with self._lock:
            if release_id in self._open:
                self._open.move_to_end(release_id)
            return self._open.get(release_id)


def _mart(release: Release) -> tuple[duckdb.DuckDBPyConnection, dict[str, dict[str, str]]]:
    """An instance of its own, which after this reads nothing but the mart and can't be told otherwise; its tables' columns."""
    mart = duckdb.connect()
    mart.execute(f"attach {_quoted(str(release.folder / 'mart.duckdb'))} as mart (read_only)")
    mart.execute("set memory_limit = '1GB'")
    mart.execute("set threads = 2")
    mart.execute("set enable_external_access = false")
    mart.execute("set lock_configuration = true")
    columns: dict[str, dict[str, str]] = {}
    for table, column, kind in mart.execute(
        "select table_name, column_name, data_type from duckdb_columns() where database_name = 'mart' and not internal"
        " order by table_name, column_index"
    ).fetchall():
        columns.setdefault(table, {})[column] = kind
    return mart, columns


def service(releases: Path, requests_per_minute: int = 600) -> FastAPI:
    """The application over a folder of releases."""
    held = Releases(releases)

    @asynccontextmanager
    async def following(_: FastAPI) -> AsyncIterator[None]:
        with held.followed():
            yield

    app = FastAPI(
        title="bildungsmonitor", version="1", docs_url=None, redoc_url=None, lifespan=following,
        description="Indikatoren des kommunalen Bildungsmonitorings, nur zum Lesen. / Indicators of a city's education monitoring, read only.",
    )  # fmt: skip
    limiter, rate = MovingWindowRateLimiter(MemoryStorage()), parse(f"{requests_per_minute}/minute")

    @app.middleware("http")
    async def guarded(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        host = request.client.host if request.client else "unknown"
        if not limiter.hit(rate, host):
            return JSONResponse(
                {"detail": f"more than {requests_per_minute} requests a minute"}, 429, {"Retry-After": "60"}
            )
        response = await answer(request)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
        )
        return response

    @app.get("/", response_class=HTMLResponse, include_in_schema=False)
    def start(request: Request) -> HTMLResponse:
        opened = held.opened(CURRENT)
        tables = [_facts(opened, name) for name in opened.columns]
        from orchestration.publish.formats import rendered

        return HTMLResponse(
            rendered("service.html", release=opened.release.manifest, tables=tables), headers=_named(opened)
        )

    @app.get("/releases", responses=_PROBLEMS)
    def all_releases() -> list[ReleaseFacts]:
        """Every release that is kept, the oldest first."""
        served, withdrawn = held.store.current(), held.withdrawn()
        return [_release(r, served, withdrawn) for r in held.store.all()]

    @app.get("/releases/on/{day}", responses=_PROBLEMS, response_class=RedirectResponse, status_code=307)
    def on(day: dt.date) -> RedirectResponse:
        """Leads to the release that readers had at the end of a day (UTC)."""
        found = held.store.served_on(day)
        if found is None or not (held.store.folder / found).exists():
            raise HTTPException(
                404, f"found {day}, expected a day on which something was served that is still kept"
            )
        return RedirectResponse(f"/releases/{found}", 307)

    @app.get("/releases/{release}", responses=_PROBLEMS)
    def one_release(release: ReleaseName) -> ReleaseFacts:
        """What a release is, and its tables."""
        opened = held.opened(release)
        return _release(opened.release, held.store.current(), held.withdrawn())

    @app.get("/releases/{release}/tables/{table}", responses=_PROBLEMS)
    def one_table(release: ReleaseName, table: TableName) -> TableFacts:
        """What stands in a table."""
        opened = held.opened(release)
        return _facts(opened, _known(opened, table))

    @app.get(
        "/releases/{release}/tables/{table}/rows", response_model=Page, responses={**_PROBLEMS, **_WRONG, **_UNCHANGED}
    )  # fmt: skip
    def rows(
        request: Request,
        release: ReleaseName,
        table: TableName,
        columns: Annotated[
            str | None, Query(max_length=2000, description="Names with commas between; all without it.")
        ] = None,
        sort: Annotated[
            str | None,
            Query(max_length=500, description="Names with commas between; `-` before one: downwards."),
        ] = None,
        limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 1000,
        offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
        format: Annotated[Literal["json", "csv", "parquet"], Query()] = "json",
    ) -> Response:
        """Rows of a table. Any column is a filter: `area_code=07111`, several values for any of them, `value__gte=10`,
        `period_end__lte=2025-12-31`. A filter with an empty value asks for what is missing."""
        opened = held.opened(release)
        asked = _Asked.of(opened, _known(opened, table), request, columns, sort)
        tag = _tag(opened, table, request.url.query, format)
        headers = {**_named(opened), "ETag": tag, "Cache-Control": _cache(release)}
        if tag in [t.strip() for t in request.headers.get("if-none-match", "").split(",")]:
            return Response(status_code=304, headers=headers)
        total = opened.run(f'select count(*) from mart."{table}"{asked.where}', asked.values).fetchall()[0][0]
        found = opened.run(
            f'select {asked.columns} from mart."{table}"{asked.where}{asked.order} limit {int(limit)} offset {int(offset)}',
            asked.values,
        ).to_arrow_table()
        headers["X-Total-Rows"] = str(total)
        if format != "json":
            headers["Content-Disposition"] = f'attachment; filename="{table}.{format}"'
            return Response(_file(found, format), media_type=_MEDIA[format], headers=headers)
        following = None
        if offset + found.num_rows < total:
            query = [(k, v) for k, v in request.query_params.multi_items() if k not in ("offset", "limit")]
            query += [("limit", str(limit)), ("offset", str(offset + limit))]
            following = f"/releases/{opened.release.id}/tables/{table}/rows?{urllib.parse.urlencode(query)}"
        page = Page(
            release=opened.release.id, table=table, notice=opened.release.manifest["notice"], total=total, limit=limit,
            offset=offset, next=following, rows=found.to_pylist(),
        )  # fmt: skip
        return Response(page.model_dump_json(), media_type=_MEDIA["json"], headers=headers)

    @app.get(
        "/releases/{release}/files/{path:path}", response_class=FileResponse,
        responses={**_PROBLEMS, **_UNCHANGED, 206: {"description": "A range."}, 400: {"description": "No range at all."}, 416: {"description": "No such range."}},
    )  # fmt: skip
    def file(request: Request, release: ReleaseName, path: str) -> Response:
        """A file of the release, as the manifest lists them; ranges are answered."""
        opened = held.opened(release)
        facts = opened.release.manifest["files"].get(path)
        if facts is None:
            raise HTTPException(404, f"found file '{path}', expected one of the release's manifest")
        headers = {**_named(opened), "ETag": f'"{facts["sha256"]}"', "Cache-Control": _cache(release)}
        if headers["ETag"] in [t.strip() for t in request.headers.get("if-none-match", "").split(",")]:
            return Response(status_code=304, headers=headers)
        return FileResponse(opened.release.folder / path, headers=headers)

    return app


@dataclass(frozen=True)
class _Asked:
    """A request as SQL of known names and bound values."""

    columns: str
    where: str
    order: str
    values: list[Any]

    @classmethod
    def of(
        cls, opened: Opened, table: str, request: Request, columns: str | None, sort: str | None
    ) -> _Asked:
        """Raises HTTPException 400, naming what was found and what was expected."""
        known = opened.columns[table]
        chosen = _names(columns, known) if columns else list(known)
        filters: dict[str, list[str]] = {}
        for key, value in request.query_params.multi_items():
            if key not in _RESERVED:
                filters.setdefault(key, []).append(value)
        if len(filters) > _MOST_FILTERS or sum(map(len, filters.values())) > _MOST_VALUES:
            raise HTTPException(
                400,
                f"found {len(filters)} filters, expected at most {_MOST_FILTERS} with {_MOST_VALUES} values",
            )
        parts: list[str] = []
        values: list[Any] = []
        for key, wanted in filters.items():
            name, _, how = key.partition("__")
            if name not in known or how not in _COMPARISONS:
                raise HTTPException(
                    400, f"found filter '{key}', expected a column of {table}, alone or with __gte or __lte"
                )
            typed = [_typed(name, known[name], text) for text in wanted]
            if how and None in typed:
                raise HTTPException(400, f"found no value of '{key}', expected one to compare with")
            if how:
                parts += [f'"{name}" {_COMPARISONS[how]} ?' for _ in typed]
                values += typed
                continue
            there = [v for v in typed if v is not None]
            either = [f'"{name}" in ({", ".join("?" * len(there))})'] if there else []
            either += [f'"{name}" is null'] if None in typed else []
            parts.append(f"({' or '.join(either)})")
            values += there
        order = [f'"{n}" desc nulls last' if down else f'"{n}" nulls last' for n, down in _order(sort, known)]
        return cls(
            ", ".join(f'"{name}"' for name in chosen),
            f" where {' and '.join(parts)}" if parts else "",
            # Pages must not overlap: rows that are alike stay in the order in which they lie.
            f" order by {', '.join([*order, 'rowid'])}",
            values,
        )  # fmt: skip


def _names(text: str, known: Mapping[str, str]) -> list[str]:
    found = [name.strip() for name in text.split(",")]
    if unknown := [name for name in found if name not in known]:
        raise HTTPException(400, f"found column '{unknown[0]}', expected some of {', '.join(known)}")
    return list(dict.fromkeys(found))


def _order(text: str | None, known: Mapping[str, str]) -> list[tuple[str, bool]]:
    if not text:
        return []
    found = [(name.strip().removeprefix("-"), name.strip().startswith("-")) for name in text.split(",")]
    _names(",".join(name for name, _ in found), known)
    return found


def _typed(name: str, kind: str, text: str) -> Any:
    """A filter's value as the column has it; None for an empty text, which asks for what is missing."""
    if text == "":
        return None
    try:
        if kind in _NUMBERS:
            number = float(text)
            if number != number or abs(number) > 1e300:
                raise ValueError
            return number
        if kind == "DATE":
            return dt.date.fromisoformat(text)
        if kind.startswith("TIMESTAMP"):
            return dt.datetime.fromisoformat(text).replace(tzinfo=None)
        if kind == "BOOLEAN":
            return {"true": True, "false": False}[text.lower()]
    except (ValueError, KeyError, OverflowError):
        raise HTTPException(400, f"{name}: found '{text}', expected a {kind.lower()}") from None
    return text


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _known(opened: Opened, table: str) -> str:
    if table not in opened.columns:
        raise HTTPException(404, f"found table '{table}', expected one of {', '.join(opened.columns)}")
    return table


def _release(release: Release, served: Release | None, withdrawn: Mapping[str, str]) -> ReleaseFacts:
    tables = sorted(path.stem for path in (release.folder / "parquet").glob("*.parquet"))
    return ReleaseFacts(
        release=release.id, created_at=release.manifest["created_at"], served=served is not None and served.id == release.id,
        withdrawn=withdrawn.get(release.id), notice=release.manifest["notice"], tables=tables,
    )  # fmt: skip


def _facts(opened: Opened, table: str) -> TableFacts:
    schema = pq.read_schema(opened.release.parquet(table))
    said = {k.decode(): v.decode() for k, v in (schema.metadata or {}).items()}
    state = opened.release.manifest["tables"].get(table) or {}
    rows = pq.ParquetFile(opened.release.parquet(table)).metadata.num_rows
    return TableFacts(
        release=opened.release.id, table=table, title_de=said.get("title_de"), title_en=said.get("title_en"),
        description=said.get("description"), rows=rows, columns=dict(opened.columns[table]),
        descriptions={f.name: (f.metadata or {}).get(b"description", b"").decode() for f in schema},
        schema_version=state.get("schema_version"), status=state.get("status"),
    )  # fmt: skip


def _file(found: pa.Table, form: str) -> bytes:
    """The rows as a file; CSV as the release's own."""
    data = io.BytesIO()
    if form == "parquet":
        pq.write_table(found, data, compression="zstd")
    else:
        from orchestration.publish.formats import write_csv

        write_csv(data, found)
    return data.getvalue()


def _named(opened: Opened) -> dict[str, str]:
    return {"X-Release": opened.release.id}


def _cache(release: str) -> str:
    """What a release says never changes, but it may be withdrawn: nobody keeps it for long without asking again."""
    return "no-cache" if release == CURRENT else f"public, max-age={KEPT_SECONDS}, must-revalidate"


def _tag(opened: Opened, table: str, query: str, form: str) -> str:
    digest = opened.release.manifest["files"][f"parquet/{table}.parquet"]["sha256"]
    return (
        f'"{hashlib.sha256(repr((opened.release.id, digest, table, query, form)).encode()).hexdigest()[:32]}"'
    )
