"""Is a release still what it was written as, and what to do where it is not.

Belongs here: hashing, counting, tidying up after a kill. Does not belong here: what a release should tell (the gate).
"""

from __future__ import annotations

import datetime as dt

import duckdb
import pyarrow.parquet as pq

from orchestration.publish.release import MANIFEST, Release, ReleaseStore


def wrong_in(release: Release) -> list[str]:
    """What is other than the manifest says: files, files nobody wrote, rows of tables, and the mart beside its Parquet."""
    wrong = [] if release.is_purged else release.damage()
    known = {MANIFEST} if release.is_purged else {*release.manifest["files"], MANIFEST}
    strangers = [
        p.relative_to(release.folder).as_posix() for p in sorted(release.folder.rglob("*")) if p.is_file()
    ]
    wrong += [f"{name}: not in the manifest" for name in strangers if name not in known]
    if wrong or release.is_purged:
        return wrong
    rows = {
        p.stem: pq.ParquetFile(p).metadata.num_rows
        for p in sorted((release.folder / "parquet").glob("*.parquet"))
    }
    for name, state in release.manifest["tables"].items():
        if state["rows"] is not None and rows.get(name) != state["rows"]:
            wrong.append(f"{name}: found {rows.get(name)} rows, expected {state['rows']}")
    with duckdb.connect(str(release.folder / "mart.duckdb"), read_only=True) as mart:
        in_mart = {
            name: mart.execute(f'select count(*) from "{name}"').fetchall()[0][0]
            for (name,) in mart.execute("select table_name from duckdb_tables()").fetchall()
        }
    return wrong + [
        f"mart.duckdb, {name}: found {in_mart.get(name)} rows, expected {rows.get(name)}"
        for name in sorted({*in_mart, *rows}) if in_mart.get(name) != rows.get(name)
    ]  # fmt: skip


def repaired(store: ReleaseStore, moment: dt.datetime) -> list[str]:
    """Remove leftovers, and serve the newest whole release if the served one is not whole; what was done, in words."""
    done = [f"entfernt / removed: {name}" for name in store.clean()]
    served = store.current()
    if served is not None and not served.damage():
        return done
    withdrawn = store.withdrawn()
    whole = [r for r in store.all() if r.id not in withdrawn and not r.damage()]
    if not whole:
        return [*done, "keine unversehrte Veröffentlichung / no whole release is left"]
    newest = max(whole, key=lambda r: (r.manifest["created_at"], r.id))
    store.serve(newest, moment)
    return [*done, f"jetzt / now: {newest.id}"]
