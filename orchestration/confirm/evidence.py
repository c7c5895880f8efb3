"""The candidate as the gate sees it: what to judge, what to judge it by, and its fingerprint.

Belongs here: reading the candidate into a `Subject`, keeping verdicts beside the data.
Does not belong here: any opinion about a value.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from expectations.catalogue import Catalogue
from expectations.checks.base import CorrectionResult, Delivery, Revisions, StructuralTest, Subject
from expectations.verdict import Verdict
from orchestration.collect.landing import landing_of
from orchestration.compute.dbt import manifest, structural_tests_behind
from orchestration.compute.increment import has_table
from orchestration.resources.home import Home
from orchestration.settings import Settings

VERDICT_COLUMNS = list(Verdict.model_fields)


class CandidateError(RuntimeError):
    """There is no candidate that could be judged or published."""


@dataclass(frozen=True)
class Night:
    """Which night made the candidate, by which catalogue, for which city."""

    night_id: str
    catalogue_hash: str
    municipality: str


def connect(home: Home) -> duckdb.DuckDBPyConnection:
    """The candidate for reading and for writing evidence. Raises CandidateError if there is none."""
    if not home.candidate.exists():
        raise CandidateError(f"{home.candidate} does not exist: run a night first")
    return duckdb.connect(str(home.candidate))


def night_of(connection: duckdb.DuckDBPyConnection) -> Night:
    """The night the candidate belongs to. Raises CandidateError if it is only half loaded."""
    if not has_table(connection, "raw", "night"):
        raise CandidateError("the candidate is incomplete: the night that made it did not finish")
    rows = connection.execute("select night_id, catalogue_hash, municipality from raw.night").fetchall()
    return Night(*rows[0])


def published_table(
    connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, name: str
) -> pa.Table | None:
    """A published table of the candidate in its fixed order of rows; None if dbt did not build it."""
    if not has_table(connection, "published", name):
        return None
    keys = ["indicator_id", "area_code", "period_end", "period_start", *catalogue.breakdowns]
    return connection.sql(f"select * from published.{name} order by {', '.join(keys)}").to_arrow_table()


def content_hash(table: pa.Table) -> str:
    """sha256 of a table's content: the same rows in the same order give the same hash."""
    buffer = io.BytesIO()
    pq.write_table(table.combine_chunks().replace_schema_metadata(None), buffer, compression="none")
    return hashlib.sha256(buffer.getbuffer()).hexdigest()


def subject(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    settings: Settings,
    catalogue: Catalogue,
    name: str,
    table: pa.Table | None,
    moment: dt.datetime,
) -> Subject:
    """Everything the checks of one published table look at."""
    measures = {m.id for i in catalogue.indicators_of(name) for m in catalogue.measures_of(i)}
    return Subject(
        table=name,
        catalogue=catalogue,
        home_area=settings.municipality.code,
        today=pd.Timestamp(moment).tz_convert(None),
        frame=None if table is None else _frame(table),
        measures=_measures(connection, sorted(measures)),
        deliveries=_deliveries(connection, home, settings, catalogue, name),
        tests=_tests(connection, home, name),
        corrections=_corrections(connection, catalogue),
        told=_told_indicators(home),
        reconciled=_measures(
            connection, catalogue.measures_reconciled(name), area=settings.municipality.code
        ),
    )


def record(
    connection: duckdb.DuckDBPyConnection,
    night: Night,
    name: str,
    table_hash: str | None,
    catalogue_hash: str,
    verdicts: Iterable[Verdict],
) -> None:
    """Replace the verdicts on one table; they carry the hashes of what they speak of."""
    rows = [
        {
            "night_id": night.night_id,
            "content_hash": table_hash,
            "catalogue_hash": catalogue_hash,
            **verdict.model_dump(mode="json"),
        }
        for verdict in verdicts
    ]
    columns = ["night_id", "content_hash", "catalogue_hash", *VERDICT_COLUMNS]
    frame = pd.DataFrame(rows, columns=columns).astype("str")
    connection.execute("create schema if not exists evidence")
    connection.register("incoming", frame)
    connection.execute("create table if not exists evidence.verdict as select * from incoming limit 0")
    connection.execute('delete from evidence.verdict where "table" = $name', {"name": name})
    connection.execute("insert into evidence.verdict by name select * from incoming")
    connection.unregister("incoming")


def verdicts_on(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    night: Night,
    table_hash: str | None,
    catalogue_hash: str,
) -> tuple[list[Verdict], str | None]:
    """The recorded verdicts on a table, and why they do not speak of this content (None: they do)."""
    if not has_table(connection, "evidence", "verdict"):
        return [], "no checks were run"
    frame = connection.execute(
        'select * from evidence.verdict where "table" = $name order by rowid', {"name": name}
    ).df()
    if frame.empty:
        return [], "no checks were run on this table"
    verdicts = [
        Verdict.model_validate({c: row[c] for c in VERDICT_COLUMNS}) for row in frame.to_dict("records")
    ]
    wanted = {
        "night": (frame["night_id"], night.night_id),
        "content": (frame["content_hash"], table_hash or "nan"),
        "catalogue": (frame["catalogue_hash"], catalogue_hash),
    }
    for what, (found, expected) in wanted.items():
        if not (found.fillna("nan") == expected).all():
            return verdicts, f"the checks were run on another {what}"
    return verdicts, None


def _frame(table: pa.Table) -> pd.DataFrame:
    """A long table for pandas: codes and names recur by the thousand, so they are categories."""
    return table.to_pandas(strings_to_categorical=True)


def _measures(connection: duckdb.DuckDBPyConnection, ids: list[str], area: str | None = None) -> pd.DataFrame:
    if not has_table(connection, "monitoring", "fct_measure"):
        return pd.DataFrame({"measure_id": []})
    return _frame(
        connection.execute(
            "select * from monitoring.fct_measure where list_contains($ids, measure_id) "
            "and ($area is null or area_code = $area)",
            {"ids": ids, "area": area},
        ).to_arrow_table()
    )


def _deliveries(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    settings: Settings,
    catalogue: Catalogue,
    published: str,
) -> dict[str, Delivery]:
    refused: dict[str, list[str]] = {}
    outstanding: dict[str, list[str]] = {}
    for reception in landing_of(home, settings.official_statistics, catalogue).receptions():
        reasons = {"refused": refused, "late": outstanding}.get(reception.status)
        if reasons is not None and reception.table_code and reception.reason:
            reasons.setdefault(reception.table_code, []).append(reception.reason)
    revised = _revisions(connection, home, published)
    unreadable = dict(connection.execute("select table_code, reason from raw.unreadable").fetchall())
    rows = connection.execute(
        """
        with ends as (
            -- The districts decide: Länder and Germany often come a round earlier.
            select snapshot_id, coalesce(
                max(period_end) filter (where value is not null and area_level = 'district'),
                max(period_end) filter (where value is not null)
            ) as newest
            from raw.genesis_observation group by snapshot_id
        )
        select s.table_code, count(*), arg_max(s.file_name, s.age_rank), max(e.newest),
            arg_max(cast(s.stand as date), s.age_rank)
        from raw.genesis_snapshot s left join ends e using (snapshot_id)
        group by s.table_code"""
    ).fetchall()
    found = {
        code: Delivery(
            code,
            count,
            file,
            pd.Timestamp(newest) if newest else None,
            str(stand) if stand else None,
            refused.get(code, []),
            unreadable.get(code),
            outstanding.get(code, []),
            revised.get(code),
        )
        for code, count, file, newest, stand in rows
    }
    for code in {*refused, *unreadable, *outstanding}:
        lost = Delivery(
            code,
            0,
            refused=refused.get(code, []),
            unreadable=unreadable.get(code),
            outstanding=outstanding.get(code, []),
        )
        found.setdefault(code, lost)
    return found


def _revisions(connection: duckdb.DuckDBPyConnection, home: Home, published: str) -> dict[str, Revisions]:
    """What deliveries changed of each official table since a published table was last let out.

    Nothing was told before the first publication, so nothing counts as changed then; no revisions
    at all if dbt did not get that far.
    """
    if not has_table(connection, "conformed", "int_genesis__revision"):
        return {}
    told = _told_before(home, published)
    rows = connection.execute(
        """
        with newest as (
            select table_code, arg_max(snapshot_id, age_rank) as snapshot_id
            from raw.genesis_snapshot group by table_code
        ),
        cells as (
            select snapshot_id, count(*) as cells from raw.genesis_observation group by snapshot_id
        ),
        changed as (
            select r.table_code, coalesce(cast(cast(r.stand_after as date) as varchar), 'unknown') as day,
                count(*) as changed,
                list(r.area_code || ', ' || r.period_label || ', ' || r.measure_code || ': ' ||
                    r.value_before || ' → ' || coalesce(cast(r.value_after as varchar), r.sign_after, '∅')
                    order by r.area_code <> 'DG', r.area_code, r.period_end, r.items)[:4] as examples
            from conformed.int_genesis__revision r
            inner join raw.genesis_snapshot s on s.snapshot_id = r.snapshot_after
            where r.change_kind in ('value', 'withdrawn') and $is_told
                and not list_contains($told, s.sha256)
            group by r.table_code, day
        )
        select n.table_code, coalesce(c.cells, 0), g.day, g.changed, g.examples
        from newest n left join cells c using (snapshot_id)
        left join changed g on g.table_code = n.table_code
        order by n.table_code, g.day""",
        {"is_told": told is not None, "told": sorted(told or ())},
    ).fetchall()
    found: dict[str, Revisions] = {}
    for code, cells, day, changed, examples in rows:
        entry = found.setdefault(code, Revisions({}, cells, []))
        if day is not None:
            entry.changed[day] = changed
            entry.examples.extend(examples)
    return found


def _told_indicators(home: Home) -> frozenset[str]:
    """The indicators that readers have values of now."""
    path = home.current / "parquet" / "indicator_value.parquet"
    if not path.exists():
        return frozenset()
    rows = duckdb.sql(
        f"select distinct indicator_id from read_parquet('{path}') where value is not null"
    ).fetchall()
    return frozenset(row[0] for row in rows)


def _told_before(home: Home, published: str) -> set[str] | None:
    """The deliveries (sha256) behind a table's last publication; None if there was none."""
    path = home.current / "manifest.json"
    if not path.exists():
        return None
    manifest = json.loads(path.read_text(encoding="utf-8"))
    release = (manifest["tables"].get(published) or {}).get("published_by")
    if release is None:
        return None
    own = home.releases / release / "manifest.json"
    if own.exists():
        manifest = json.loads(own.read_text(encoding="utf-8"))
    return {source["sha256"] for source in manifest["sources"]}


def _tests(connection: duckdb.DuckDBPyConnection, home: Home, name: str) -> list[StructuralTest]:
    nodes = manifest(home)
    results: dict[str, tuple[str, int | None]] = {}
    if has_table(connection, "evidence", "dbt_result"):
        rows = connection.execute("select unique_id, status, failures from evidence.dbt_result").fetchall()
        results = {unique_id: (status, failures) for unique_id, status, failures in rows}
    return [
        StructuralTest(nodes["nodes"][test]["name"], *results.get(test, (None, None)))
        for test in sorted(structural_tests_behind(nodes, name))
    ]


def _corrections(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> dict[str, CorrectionResult]:
    if not has_table(connection, "conformed", "int_genesis__observation"):
        return {}
    same = " and ".join(f"o.{name} = k.{name}" for name in catalogue.breakdowns)
    rows = connection.execute(
        f"""
        select k.correction_id, o.table_code is not null, o.delivered_value, k.found_value
        from catalogue.correction k left join conformed.int_genesis__observation o
            on o.table_code = k.table_code and o.measure_code = k.measure_code
            and o.area_code = k.area_code and o.period_end = k.period_end and {same}"""
    ).fetchall()
    return {row[0]: CorrectionResult(*row) for row in rows}
