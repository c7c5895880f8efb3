"""Writes mart.duckdb, in a process of its own that has seen nothing but the release's Parquet files.

DuckDB leaves bytes of its memory unset in blocks of strings (measured: the gap before a nearly full
dictionary), so that a mart written by the night's process could carry a piece of a record that never
was to leave the house, and would be another file each night (docs/decisions/0006). Here there is
nothing to leak, and the allocator clears what it hands out.

Run as a program: the order, one JSON object, on standard input (`MartOrder`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, TypedDict

import duckdb

_STORAGE = "v1.0.0"
"""Format of mart.duckdb: every DuckDB since 1.0 reads it, whichever version wrote it."""

_COMPRESSION = {
    "VARCHAR": "dictionary",
    **dict.fromkeys(("BIGINT", "BOOLEAN", "DATE", "DOUBLE", "INTEGER"), "uncompressed"),
}
"""The others keep by chance what lies in memory under a missing value (docs/decisions/0006)."""

_CLEARED_MEMORY = {"DUCKDB_JE_MALLOC_CONF": "zero:true"}
"""DuckDB's own allocator on Linux; elsewhere the file is as harmless, but not the same every night."""


class MartTable(TypedDict):
    """A table of the mart: its rows from a Parquet file, its comments."""

    name: str
    rows: str
    comment: str
    columns: dict[str, str]


class MartOrder(TypedDict):
    """What to write, and where to: the path must not exist."""

    path: str
    tables: list[MartTable]


class MartError(RuntimeError):
    """The mart could not be written; the text ends with what the writer said."""


def write_mart(path: Path, tables: list[MartTable]) -> None:
    """mart.duckdb at `path`, from Parquet files: the same files give the same bytes (on Linux).

    Raises MartError with what the writing process said.
    """
    order: MartOrder = {"path": str(path), "tables": tables}
    done = subprocess.run(
        [sys.executable, "-I", __file__],
        input=json.dumps(order), env={**os.environ, **_CLEARED_MEMORY},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise MartError(f"{path} could not be written: {done.stderr[-2000:]}")


def _write(order: MartOrder) -> None:
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(f"attach {_text(order['path'])} as mart (storage_version '{_STORAGE}')")
        connection.execute("use mart")
        for table in order["tables"]:
            rows = f"read_parquet({_text(table['rows'])})"
            described = connection.execute(f"describe select * from {rows}").fetchall()
            columns = ", ".join(_column(name, kind) for name, kind, *_ in described)
            connection.execute(f'create table "{table["name"]}" ({columns})')
            connection.execute(f'insert into "{table["name"]}" select * from {rows}')
            connection.execute(f'comment on table "{table["name"]}" is {_text(table["comment"])}')
            for name, *_ in described:
                comment = _text(table["columns"][name])
                connection.execute(f'comment on column "{table["name"]}"."{name}" is {comment}')
        connection.execute("checkpoint")
        connection.execute("use memory")
        connection.execute("detach mart")


def _column(name: str, kind: str) -> str:
    compression = f" using compression {_COMPRESSION[kind]}" if kind in _COMPRESSION else ""
    return f'"{name}" {kind}{compression}'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


if __name__ == "__main__":
    order: Any = json.load(sys.stdin)
    _write(order)
