"""What one release tells otherwise than another: cells new, changed and withdrawn, and other columns.

Belongs here: comparing the files of two releases. Does not belong here: why it changed (changes.parquet of each release
says so for the one before it), printing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import duckdb

from expectations.catalogue.base import TOTAL
from orchestration.publish.release import Release

_NO_NEWS = ("retrieved_at",)
"""Columns that are other ones every night and say nothing else."""


@dataclass(frozen=True)
class TableDifference:
    """One table: how many rows are new, changed (by column) and withdrawn; columns added, gone, or of another type.

    `cells`: the first changed ones, each with `kind`, its key, and (old, new) by column.
    """

    table: str
    new: int = 0
    changed: int = 0
    withdrawn: int = 0
    changed_columns: dict[str, int] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    cells: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_nothing(self) -> bool:
        return not (self.new or self.changed or self.withdrawn or self.columns)


def differences(old: Release, new: Release, cells: int = 0) -> list[TableDifference]:
    """By table, the published ones and everything beside them; `cells`: so many rows of each in full.

    A table that only one of them has is new or withdrawn as a whole.
    """
    keys = {**_keys(old), **_keys(new)}
    found = []
    with duckdb.connect() as connection:
        for name in sorted(keys):
            there = [release.parquet(name).exists() for release in (old, new)]
            if all(there):
                found.append(_of_table(connection, name, keys[name], old, new, cells))
            elif any(there):
                rows = connection.execute(
                    "select count(*) from read_parquet(?)", [str((new if there[1] else old).parquet(name))]
                ).fetchall()[0][0]
                what = {"(table)": "new" if there[1] else "withdrawn"}
                found.append(
                    TableDifference(name, rows if there[1] else 0, 0, 0 if there[1] else rows, {}, what)
                )
    return [one for one in found if not one.is_nothing]


def _keys(release: Release) -> dict[str, list[str]]:
    """By table, the columns of its key, as the release's data package has them."""
    package = json.loads((release.folder / "datapackage.json").read_text(encoding="utf-8"))
    return {
        resource["path"].removeprefix("csv/").removesuffix(".csv"): resource["schema"].get("primaryKey", [])
        for resource in package["resources"]
    }


def _of_table(
    connection: duckdb.DuckDBPyConnection, name: str, key: list[str], old: Release, new: Release, cells: int
) -> TableDifference:
    sides = [connection.read_parquet(str(release.parquet(name))) for release in (old, new)]
    before, after = (dict(zip(side.columns, map(str, side.types), strict=True)) for side in sides)
    columns = {
        column: "new" if column not in before else "withdrawn" if column not in after else f"{before[column]} → {after[column]}"
        for column in [*after, *(c for c in before if c not in after)]
        if before.get(column) != after.get(column)
    }  # fmt: skip
    for n, (there, other) in enumerate(((before, after), (after, before))):
        # A breakdown that one of them does not know is `total` there.
        for column in key:
            if column not in there and other.get(column) == "VARCHAR":
                sides[n] = sides[n].project(f"*, '{TOTAL}' as \"{column}\"")
                there[column] = "VARCHAR"
    for alias, side in zip(("old", "new"), sides, strict=True):
        side.create_view(alias, replace=True)
    key = [c for c in key if before.get(c) == after.get(c) and c in before]
    both = [c for c in after if before.get(c) == after[c] and c not in key and c not in _NO_NEWS]
    if not key:
        return _without_key(connection, name, both, columns)
    on = " and ".join(f'o."{c}" is not distinct from n."{c}"' for c in key)
    # A marker on each side: the columns of a key may be empty.
    joined = f"(select *, 1 as _is from old) as o full join (select *, 1 as _is from new) as n on {on}"
    differs = [f'o."{c}" is distinct from n."{c}"' for c in both]
    any_differs = " or ".join(differs) or "false"
    shown_key = ", ".join(f'coalesce(o."{c}", n."{c}") as "{c}"' for c in key)
    counts = ", ".join(f"count(*) filter (where o._is = 1 and n._is = 1 and {d})" for d in differs)
    row = connection.execute(
        f"""select count(*) filter (where o._is is null), count(*) filter (where o._is = 1 and n._is = 1 and ({any_differs})),
            count(*) filter (where n._is is null){", " + counts if counts else ""} from {joined}"""
    ).fetchall()[0]
    by_column = {c: int(n) for c, n in zip(both, row[3:], strict=True) if n}
    rows: list[dict[str, Any]] = []
    if cells:
        values = ", ".join(f'o."{c}" as "old {c}", n."{c}" as "new {c}"' for c in both)
        rows = connection.execute(
            f"""select case when o._is is null then 'new' when n._is is null then 'withdrawn' else 'changed' end as kind,
                {shown_key}{", " + values if values else ""} from {joined}
            where o._is is null or n._is is null or {any_differs} order by {", ".join(f'"{c}"' for c in key)} limit {int(cells)}"""
        ).to_arrow_table().to_pylist()  # fmt: skip
    shown = [
        {"kind": r["kind"], **{c: r[c] for c in key},
         "columns": {c: (r[f"old {c}"], r[f"new {c}"]) for c in both if r[f"old {c}"] != r[f"new {c}"]}}
        for r in rows
    ]  # fmt: skip
    return TableDifference(name, int(row[0]), int(row[1]), int(row[2]), by_column, columns, shown)


def _without_key(
    connection: duckdb.DuckDBPyConnection, name: str, both: list[str], columns: dict[str, str]
) -> TableDifference:
    """Rows that are in one of them only: without a key nothing is the same row with another value."""
    listed = ", ".join(f'"{c}"' for c in both) or "1"
    new, gone = (
        connection.execute(
            f"select count(*) from (select {listed} from {a} except all select {listed} from {b})"
        ).fetchall()[0][0]
        for a, b in (("new", "old"), ("old", "new"))
    )
    return TableDifference(name, int(new), 0, int(gone), {}, columns)
