"""Publishing many rows: PostgreSQL against bare COPY and pandas, files against bare COPY in DuckDB. All in one run.

    python -m tests.benchmarks.publishing --rows 10000000

Rows like those of pub_* (nine columns of text, a day, numbers, with missing values). Ours in PostgreSQL is everything from the
Parquet file to the partition, without and with reading it back. The bare COPY is psycopg's, of the same rows as CSV that lie ready in
memory, into a table without an index. pandas' `to_sql(method="multi")` gets a sample of them, as it would need hours; its
figure is rows a second. Prints seconds, rows a second, and ratios.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import psycopg
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import sqlalchemy as sa

from orchestration.publish import database
from orchestration.publish.column_texts import ColumnTexts
from orchestration.publish.mart_file import write_mart
from orchestration.publish.release import Release
from orchestration.resources.clock import now
from orchestration.settings import DEFAULT_CONFIG, DatabaseTarget, load_settings
from tests.support.servers import postgresql

SAMPLE = 20_000


def rows_like_ours(count: int) -> pa.Table:
    rng = np.random.default_rng(7111)
    texts = {
        "indicator_id": [f"indicator_{n:03d}" for n in range(120)], "area_code": [f"07{n:03d}" for n in range(400)],
        "sex": ["total", "male", "female"], "age_group": [f"ALT{n:03d}" for n in range(60)], "unit": ["persons", "percent"],
        "status": ["reported", "confidential"],
    }  # fmt: skip
    columns: dict[str, pa.Array] = {
        name: pa.DictionaryArray.from_arrays(rng.integers(0, len(words), count, dtype=np.int32), pa.array(words)).cast(pa.string())
        for name, words in texts.items()
    }  # fmt: skip
    columns["period_end"] = pa.array(rng.integers(14_000, 20_500, count, dtype=np.int32), pa.int32()).cast(
        pa.date32()
    )
    for name in ("value", "numerator"):
        columns[name] = pa.array(np.round(rng.gamma(2, 500, count), 1), mask=rng.random(count) < 0.1)
    return pa.table(columns)


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def into_postgresql(rows: pa.Table, release: Release, url: str) -> None:
    count = rows.num_rows
    with database.Target(DatabaseTarget.model_validate({"url": url, "keep": 2})) as target:
        with target._engine.begin() as connection:
            target._prepare(connection)
        proved = timed(lambda: target._copy(release, "pub_t__v1", pq.read_table(release.parquet("pub_t"))))
        with target._engine.begin() as connection:
            connection.execute(sa.text(f"drop table {target._of_store('pub_t__v1')} cascade"))
        plain_load = _without_reading_back(target, release)
    data = io.BytesIO()
    pa_csv.write_csv(rows, data, pa_csv.WriteOptions(include_header=False))
    text = data.getvalue()
    plain = url.replace("+psycopg", "")
    columns = ", ".join(f'"{f.name}" {_kind(f.type)}' for f in rows.schema)

    def bare() -> None:
        with psycopg.connect(plain) as connection:
            connection.execute(f"create table bare ({columns})")  # type: ignore[arg-type]
            with connection.cursor() as cursor, cursor.copy("copy bare from stdin (format csv)") as copy:
                for start in range(0, len(text), 1 << 20):
                    copy.write(text[start : start + (1 << 20)])

    bare_seconds = timed(bare)
    engine = sa.create_engine(url)
    few: pd.DataFrame = rows.slice(0, SAMPLE).to_pandas()
    with engine.begin() as connection:
        multi = timed(lambda: few.to_sql("multi", connection, index=False, method="multi", chunksize=1000))
    engine.dispose()
    print(
        f"PostgreSQL, {count:,} rows: ours {plain_load:.1f} s ({count / plain_load:,.0f}/s), read back and compared {proved:.1f} s"
    )
    print(
        f"  bare COPY of CSV {bare_seconds:.1f} s: ratio {plain_load / bare_seconds:.2f} (goal 1.3), with reading back {proved / bare_seconds:.2f}"
    )
    ours, theirs = count / proved, SAMPLE / multi
    print(
        f"  pandas to_sql(multi) {theirs:,.0f} rows/s of {SAMPLE:,}: ours with reading back is {ours / theirs:.1f} times as fast (goal 5)"
    )


def _without_reading_back(target: database.Target, release: Release) -> float:
    """The same route without its last step."""
    whole = database.Target._read_back
    database.Target._read_back = lambda *_: None  # type: ignore[method-assign]
    try:
        return timed(lambda: target._copy(release, "pub_t__v1", pq.read_table(release.parquet("pub_t"))))
    finally:
        database.Target._read_back = whole  # type: ignore[method-assign]


def _kind(kind: pa.DataType) -> str:
    return {"string": "text", "double": "double precision", "date32[day]": "date"}[str(kind)]


def into_files(rows: pa.Table, folder: Path) -> None:
    from orchestration.publish.contents import ReleaseTable
    from orchestration.publish.formats import Text, _write_parquet
    from orchestration.publish.imprint import Imprint

    imprint = Imprint.of(load_settings(DEFAULT_CONFIG), now(), synthetic=True, audience="public")
    table = ReleaseTable("pub_t", Text(de="t", en="t"), rows, [])
    words = dict.fromkeys(rows.column_names, "a column")
    parquet = timed(lambda: _write_parquet(folder / "t.parquet", table, ColumnTexts(words), imprint))
    mart = timed(lambda: write_mart(folder / "t.duckdb", [
        {"name": "pub_t", "rows": str(folder / "t.parquet"), "comment": "t", "columns": words}
    ]))  # fmt: skip
    with duckdb.connect() as connection:
        connection.execute("set threads = 1")  # as ours: the same rows give the same bytes
        connection.register("incoming", rows)
        bare = timed(
            lambda: connection.execute(
                f"copy incoming to '{folder}/bare.parquet' (format parquet, compression zstd)"
            )
        )
        connection.execute(f"attach '{folder}/bare.duckdb' as bare")
        stored = timed(
            lambda: connection.execute(f"create table bare.t as from '{folder}/t.parquet'; checkpoint bare")
        )
    print(f"Parquet: ours {parquet:.1f} s, DuckDB's COPY {bare:.1f} s: ratio {parquet / bare:.2f} (goal 1.3)")
    print(
        f"mart.duckdb: ours {mart:.1f} s, DuckDB's create table {stored:.1f} s: ratio {mart / stored:.2f} (goal 1.3)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    publish_many(parser.parse_args().rows)


def publish_many(count: int) -> None:
    """Both targets, one after the other."""
    rows = rows_like_ours(count)
    with postgresql("publishing") as (folder, url):
        (folder / "20261127T020000Z" / "parquet").mkdir(parents=True)
        release = Release(folder / "20261127T020000Z", {"tables": {}, "content_digest": "t"})
        pq.write_table(rows, release.parquet("pub_t"), compression="zstd")
        into_files(rows, folder)
        into_postgresql(rows, release, url)


if __name__ == "__main__":
    main()
