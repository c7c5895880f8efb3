"""Small releases for tests of what is done with releases."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.publish.release import Release, ReleaseStore

FIRST = dt.datetime(2026, 9, 1, 2, tzinfo=dt.UTC)

Row = tuple[str, str, float | None]


def add(
    store: ReleaseStore,
    at: dt.datetime,
    rows: list[Row],
    version: str = "1.0.0",
    both: bool = False,
    description: str | None = None,
    **more: object,
) -> Release:
    """A release with one small table, or `both` with the same rows, served. `description`: of the table and of `value`. `more`:
    further columns, the same in every row."""
    names = ["pub_leavers", "pub_schools"] if both else ["pub_leavers"]
    table = pa.table(
        {
            "indicator_id": [r[0] for r in rows], "area_code": [r[1] for r in rows],
            "value": pa.array([r[2] for r in rows], pa.float64()),
            **{name: [value] * len(rows) for name, value in more.items()},
        }
    )  # fmt: skip

    if description is not None:
        said = {"description": description}
        fields = [f.with_metadata(said) if f.name == "value" else f for f in table.schema]
        table = table.cast(pa.schema(fields, metadata=said))

    def write(folder: Path) -> None:
        (folder / "parquet").mkdir()
        key = {"primaryKey": ["indicator_id", "area_code"]}
        for name in names:
            pq.write_table(table, folder / "parquet" / f"{name}.parquet")
        package = {"resources": [{"path": f"csv/{name}.csv", "schema": key} for name in names]}
        (folder / "datapackage.json").write_text(json.dumps(package))
        with duckdb.connect(str(folder / "mart.duckdb")) as mart:
            mart.register("rows", table)
            for name in names:
                mart.execute(f"create table {name} as select * from rows")

    digest = hashlib.sha256(repr(rows).encode()).hexdigest()
    state = {"status": "published", "rows": len(rows), "schema_version": version, "content_hash": digest}
    facts = {
        "created_at": at.isoformat(), "municipality": {"name": "Koblenz"}, "notice": None, "licence": "dl-de/by-2-0",
        "content_digest": digest + version, "tables": dict.fromkeys(names, state),
    }  # fmt: skip
    release = store.add(f"{at:%Y%m%dT%H%M%SZ}", write, facts)
    store.serve(release, at)
    return release
