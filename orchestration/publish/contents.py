"""What goes into a release: tonight's tables that may go out, the last good version of the others.

Belongs here: composing tables in memory. Does not belong here: file formats and the switch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from expectations.catalogue import Catalogue
from expectations.catalogue.model import TOTAL, PublishedTable, Text
from expectations.suites.build import published_columns
from expectations.verdict import Decision, Verdict
from orchestration.confirm import evidence
from orchestration.publish.release import Release

_NAMES_ONLY = ("indicator_name_de", "indicator_name_en", "area_name")

TITLES = {
    "indicator_value": Text(de="Indikatorwerte", en="Indicator values"),
    "indicator": Text(de="Indikatorenkatalog", en="Catalogue of indicators"),
    "area": Text(de="Gebiete", en="Areas"),
    "period": Text(de="Zeiträume", en="Periods"),
    "breakdown_cell": Text(de="Gliederungen und ihre Ausprägungen", en="Breakdowns and their cells"),
    "verdict": Text(de="Prüfergebnisse", en="Verdicts of the checks"),
}

KEYS = {
    "indicator": ["indicator_id"],
    "area": ["area_code"],
    "period": ["period_start", "period_end"],
    "breakdown_cell": ["breakdown", "cell"],
    "verdict": ["table", "check", "scope"],
}


@dataclass(frozen=True)
class ReleaseTable:
    """One table of a release."""

    name: str
    title: Text
    rows: pa.Table
    key: list[str]


@dataclass(frozen=True)
class Contents:
    """All tables of a release and what the manifest says of the published ones."""

    tables: list[ReleaseTable]
    states: dict[str, dict[str, Any]]
    verdicts: list[Verdict]

    @property
    def digest(self) -> str:
        """Over everything a reader could notice; equal digests need no new release."""
        parts: dict[str, Any] = {t.name: evidence.content_hash(t.rows) for t in self.tables}
        parts["states"] = {
            name: {k: v for k, v in state.items() if k not in ("held_since", "published_by")}
            for name, state in self.states.items()
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def compose(
    connection: duckdb.DuckDBPyConnection,
    catalogue: Catalogue,
    decisions: list[Decision],
    verdicts: Iterable[Verdict],
    release_id: str,
    previous: Release | None,
) -> Contents:
    """Tonight's accepted tables, the others from the previous release, and all dimensions."""
    published: dict[str, pa.Table] = {}
    states: dict[str, dict[str, Any]] = {}
    for decision in decisions:
        declared = catalogue.published[decision.table]
        tonight = evidence.published_table(connection, catalogue, decision.table)
        if decision.published and tonight is not None:
            published[decision.table] = tonight
            states[decision.table] = _published(declared, tonight, release_id)
        else:
            before = (previous.manifest["tables"].get(decision.table) or {}) if previous else {}
            kept = None
            if previous and before.get("rows") is not None:
                kept = _adapted(pq.read_table(previous.parquet(decision.table)), catalogue)
                published[decision.table] = kept
            states[decision.table] = _held(declared, decision, before, release_id)
    tables = [
        ReleaseTable(name, catalogue.published[name].title, rows, _value_key(catalogue))
        for name, rows in published.items()
    ]
    values = _values(catalogue, published)
    rows = list(verdicts)
    dimensions = {
        "indicator_value": values,
        "indicator": _with_previous(connection, "monitoring.dim_indicator", "indicator", previous),
        "area": _used_areas(connection, previous, values),
        "period": _used_periods(connection, previous, values),
        "breakdown_cell": _ordered(connection, "catalogue.breakdown_cell", "breakdown, sort_order"),
        "verdict": _verdict_rows(rows),
    }
    if published:
        tables = [
            *(
                ReleaseTable(name, TITLES[name], content, KEYS.get(name) or _value_key(catalogue))
                for name, content in dimensions.items()
            ),
            *tables,
        ]
    return Contents(tables, states, rows)


def _value_key(catalogue: Catalogue) -> list[str]:
    return ["indicator_id", "area_code", "period_start", "period_end", *catalogue.breakdowns]


def _published(declared: PublishedTable, rows: pa.Table, release_id: str) -> dict[str, Any]:
    return {
        "status": "published",
        "schema_version": declared.schema_version,
        "owner": declared.owner,
        "rows": rows.num_rows,
        "content_hash": evidence.content_hash(rows),
        "published_by": release_id,
    }


def _held(
    declared: PublishedTable, decision: Decision, before: dict[str, Any], release_id: str
) -> dict[str, Any]:
    """A held table: what readers still get of it, since when, and why."""
    return {
        "status": "held",
        "schema_version": before.get("schema_version", declared.schema_version),
        "owner": declared.owner,
        "rows": before.get("rows"),
        "content_hash": before.get("content_hash"),
        "published_by": before.get("published_by"),
        "held_since": before.get("held_since") or release_id,
        "reason_de": decision.reason_de,
        "reason_en": decision.reason_en,
    }


def _adapted(rows: pa.Table, catalogue: Catalogue) -> pa.Table:
    """An older table under today's columns: a breakdown it did not know is `total` throughout."""
    rows = rows.replace_schema_metadata(None)
    columns = {}
    for name in published_columns(catalogue):
        if name in rows.column_names:
            columns[name] = rows[name]
        else:
            columns[name] = pa.array([TOTAL if name in catalogue.breakdowns else None] * rows.num_rows)
    return pa.table(columns)


def _values(catalogue: Catalogue, published: dict[str, pa.Table]) -> pa.Table | None:
    if not published:
        return None
    parts = [
        rows.drop_columns([c for c in _NAMES_ONLY if c in rows.column_names]).replace_schema_metadata(None)
        for rows in published.values()
    ]
    together = pa.concat_tables(parts, promote_options="permissive")
    keys = ["indicator_id", "area_code", "period_end", "period_start", *catalogue.breakdowns]
    return together.sort_by([(key, "ascending") for key in keys]).combine_chunks()


def _ordered(connection: duckdb.DuckDBPyConnection, relation: str, order: str) -> pa.Table:
    return connection.sql(f"select * from {relation} order by {order}").to_arrow_table()


def _with_previous(
    connection: duckdb.DuckDBPyConnection, relation: str, name: str, previous: Release | None
) -> pa.Table:
    """Tonight's dimension; if dbt did not build it, the previous release's."""
    try:
        return _ordered(connection, relation, "1")
    except duckdb.CatalogException:
        if previous is None:
            raise
        return pq.read_table(previous.parquet(name)).replace_schema_metadata(None)


def _used_areas(
    connection: duckdb.DuckDBPyConnection, previous: Release | None, values: pa.Table | None
) -> pa.Table | None:
    if values is None:
        return None
    areas = _with_previous(connection, "conformed.dim_area", "area", previous)
    return _completed(areas, "area", "area_code", previous, values)


def _used_periods(
    connection: duckdb.DuckDBPyConnection, previous: Release | None, values: pa.Table | None
) -> pa.Table | None:
    if values is None:
        return None
    periods = _with_previous(connection, "conformed.dim_period", "period", previous)
    return _completed(periods, "period", "period_end", previous, values)


def _completed(rows: pa.Table, name: str, key: str, previous: Release | None, values: pa.Table) -> pa.Table:
    """The members that values use: tonight's, and for held tables those only they still know."""
    used = values[key].unique()
    rows = rows.filter(pc.is_in(rows[key], used))
    if previous is not None and previous.parquet(name).exists():
        before = pq.read_table(previous.parquet(name)).replace_schema_metadata(None)
        missing = pc.and_(pc.is_in(before[key], used), pc.invert(pc.is_in(before[key], rows[key].unique())))
        before = before.filter(missing)
        rows = pa.concat_tables([rows, before.cast(rows.schema)], promote_options="permissive")
    return rows.sort_by([(key, "ascending")]).combine_chunks()


def _verdict_rows(verdicts: list[Verdict]) -> pa.Table:
    schema = pa.schema([(name, pa.string()) for name in evidence.VERDICT_COLUMNS])
    ordered = sorted(verdicts, key=lambda v: (v.table, v.check, v.scope))
    return pa.Table.from_pylist([v.model_dump(mode="json") for v in ordered], schema=schema)
