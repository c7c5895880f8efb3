"""What goes into a release: tonight's tables that may go out, the last good version of the others.

Belongs here: composing tables in memory. Does not belong here: file formats and the switch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from expectations.catalogue import Catalogue
from expectations.catalogue.model import TOTAL, Indicator, PublishedTable, Text
from expectations.checks import CHECKS
from expectations.checks.changes import compare
from expectations.verdict import Decision, Verdict
from orchestration.confirm import evidence
from orchestration.publish.derived import DERIVED, DERIVED_KEYS, derive
from orchestration.publish.release import Release

_NAMES_ONLY = ("indicator_name_de", "indicator_name_en", "area_name")

TITLES = {
    "indicator_value": Text(de="Indikatorwerte", en="Indicator values"),
    "indicator": Text(de="Indikatorenkatalog", en="Catalogue of indicators"),
    "area": Text(de="Gebiete", en="Areas"),
    "period": Text(de="Zeiträume", en="Periods"),
    "breakdown_cell": Text(de="Gliederungen und ihre Ausprägungen", en="Breakdowns and their cells"),
    "series_break": Text(de="Zeitreihenbrüche", en="Series breaks"),
    "footnote": Text(de="Fußnoten der Quellen", en="Footnotes of the sources"),
    "official_table": Text(de="Amtliche Tabellen", en="Official tables"),
    "area_successor": Text(
        de="Aufgelöste Kreise und ihre Nachfolger", en="Dissolved districts and their successors"
    ),
    "revision": Text(de="Revisionen der Quellen", en="Revisions of the sources"),
    "pub_findings": Text(de="Befunde", en="Findings"),
    **DERIVED,
    "correction": Text(de="Korrekturen von Quellenfehlern", en="Corrections of source errors"),
    "waiver": Text(de="Befristete Ausnahmen", en="Dated waivers"),
    "verdict": Text(de="Prüfergebnisse", en="Verdicts of the checks"),
}

KEYS = {
    "indicator": ["indicator_id"],
    "area": ["area_code"],
    "period": ["period_start", "period_end"],
    "breakdown_cell": ["breakdown", "cell"],
    "series_break": [],
    "footnote": [],
    "official_table": ["table_code"],
    "area_successor": ["area_code", "successor_code"],
    "revision": [],
    "pub_findings": ["finding_id"],
    **DERIVED_KEYS,
    "correction": ["correction_id"],
    "waiver": ["waiver_id"],
    "verdict": ["table", "check", "scope"],
}


_WHOLE = {
    "series_break": ("catalogue.indicator_break", "all"),
    "footnote": ("conformed.int_genesis__footnote", "table_code, number, area_scope, first_year"),
    "official_table": ("catalogue.official_table", "table_code"),
    "area_successor": ("catalogue.area_successor", "area_code, share desc"),
    "revision": ("conformed.int_genesis__revision", "all"),
}
"""Tables a release takes as they are: their relation in the candidate, and their order."""


_NO_NEWS = (
    "held_since",
    "published_by",
    "definitions",
    "sources",
    "deliveries",
    "waivers",
    "fit_for_machines",
)
"""Of a table's state: what is kept for the next night, not told as news."""

_COMPARING = [check.name for check in CHECKS if check.compares]


@dataclass(frozen=True)
class Built:
    """A published table of the candidate, and the hash that its verdicts must carry.

    `definitions`: by indicator, the fingerprint of its declaration; `sources`: of the deliveries behind it. `deliveries`: by
    register and last day of a period, which delivery it was counted from.
    """

    rows: pa.Table
    content_hash: str
    definitions: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    deliveries: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class ReleaseTable:
    """One table of a release."""

    name: str
    title: Text
    rows: pa.Table
    key: list[str]


@dataclass(frozen=True)
class Contents:
    """All tables of a release and what the manifest says of the published ones.

    `changes`: row by row what is other than in the release before: new, changed, withdrawn, and held back.
    """

    tables: list[ReleaseTable]
    states: dict[str, dict[str, Any]]
    changes: pa.Table

    @property
    def digest(self) -> str:
        """Over everything a reader could notice; equal digests need no new release."""
        known = {n: s["content_hash"] for n, s in self.states.items() if s["status"] == "published"}
        parts: dict[str, Any] = {
            t.name: known.get(t.name) or evidence.content_hash(t.rows) for t in self.tables
        }
        parts["states"] = {
            name: {k: v for k, v in state.items() if k not in _NO_NEWS} for name, state in self.states.items()
        }
        # What a release changes of the one before it is no news once it is out.
        verdicts = next((t.rows for t in self.tables if t.name == "verdict"), None)
        if verdicts is not None:
            news = pc.invert(pc.is_in(verdicts["check"], pa.array(_COMPARING, pa.string())))
            parts["verdict"] = evidence.content_hash(verdicts.filter(news))
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def compose(
    connection: duckdb.DuckDBPyConnection,
    catalogue: Catalogue,
    decisions: list[Decision],
    built: dict[str, Built],
    verdicts: pa.Table,
    release_id: str,
    previous: Release | None,
    public: dict[str, pa.Table] | None = None,
) -> Contents:
    """Tonight's accepted tables, the others from the previous release, and all dimensions.

    `public`: of an internal release the tables as everybody sees them; indices are made of those. Its changes are those of exact
    figures, against the internal release before.

    Where nothing of tonight goes out, the dimensions stay the previous ones, too: they belong to
    the tables they describe.
    """
    out = [d.table for d in decisions if d.published and d.table in built]
    used = _waivers_used(verdicts)
    fresh = {name: built[name].rows for name in out}
    kept: dict[str, pa.Table] = {}
    states: dict[str, dict[str, Any]] = {}
    for decision in decisions:
        declared = catalogue.published[decision.table]
        if decision.table in fresh:
            states[decision.table] = _published(
                declared, built[decision.table], release_id, decision, used.get(decision.table, [])
            )
            continue
        before = (previous.manifest["tables"].get(decision.table) or {}) if previous else {}
        if previous and before.get("rows") is not None:
            kept[decision.table] = _adapted(_of(previous, decision.table), fresh, catalogue)
        states[decision.table] = _held(declared, decision, before, release_id)
    if not fresh and not kept:
        return Contents([], states, evidence.NO_CHANGES)
    values = _values(catalogue, fresh, kept)
    if fresh:
        dimensions = {
            "indicator": _indicators(connection, catalogue, fresh, kept, previous),
            "area": _completed(_ordered(connection, "conformed.dim_area", "1"), "area", previous, values),
            "period": _completed(
                _ordered(connection, "conformed.dim_period", "2, 1"), "period", previous, values
            ),
            "breakdown_cell": _ordered(connection, "catalogue.breakdown_cell", "breakdown, sort_order"),
            **{name: _ordered(connection, *source) for name, source in _WHOLE.items()},
        }
        dimensions["pub_findings"] = _findings(
            connection, catalogue, values, dimensions["area"], release_id, previous
        )
        beside = _beside(connection, catalogue)
        if public is not None:
            beside["public_value"] = _values(catalogue, {name: public[name] for name in fresh}, kept)
        dimensions |= derive(
            {"indicator_value": values, **dimensions, **beside},
            evidence.night_of(connection).municipality,
            list(catalogue.breakdowns),
        )
    else:
        assert previous is not None
        names = ("indicator", "area", "period", "breakdown_cell", *_WHOLE, "pub_findings", *DERIVED)
        dimensions = {name: _of(previous, name) for name in names if previous.parquet(name).exists()}
    corrections = _ordered(connection, "catalogue.correction", "1")
    # Built anew: what lies in memory under a missing value would be another byte every night.
    dimensions["correction"] = pa.Table.from_pylist(corrections.to_pylist(), schema=corrections.schema)
    dimensions["waiver"] = _waivers(catalogue)
    together = {"indicator_value": values, **dimensions, "verdict": verdicts}
    tables = [
        ReleaseTable(name, TITLES[name], rows, KEYS.get(name, _value_key(catalogue)))
        for name, rows in together.items()
    ]
    for name in catalogue.published:
        if name in fresh or name in kept:
            rows = fresh[name] if name in fresh else kept[name]
            title = catalogue.published[name].title
            tables.append(ReleaseTable(name, title, rows, _value_key(catalogue)))
    if public is None:
        return Contents(tables, states, _changes(connection, decisions))
    return Contents(
        tables, states, _changes_inside(catalogue, {name: built[name] for name in fresh}, previous)
    )


def _changes(connection: duckdb.DuckDBPyConnection, decisions: list[Decision]) -> pa.Table:
    """Row by row what this release changes. Of a held table the new figures are not told: they may be wrong."""
    found = evidence.changes(connection)
    held = {d.table: d for d in decisions if not d.published}
    is_held = pc.is_in(found["table"], pa.array(list(held), pa.string()))
    for name, value in (
        ("kind", "held"), ("value_after", None), ("value_from_after", None), ("value_to_after", None), ("why_de", "zurückgehalten: siehe quality/index.html"), ("why_en", "held back: see quality/index.html"),
    ):  # fmt: skip
        column = pc.if_else(is_held, pa.scalar(value, found.schema.field(name).type), found[name])
        found = found.set_column(found.schema.get_field_index(name), name, column)
    return found.sort_by([(name, "ascending") for name in found.column_names[:7]]).combine_chunks()


def _changes_inside(catalogue: Catalogue, built: dict[str, Built], previous: Release | None) -> pa.Table:
    """Row by row what an internal release changes of the internal one before it, exact figures and those below a threshold too.

    The public list names nothing that is or was confidential, and figures that stayed are no change in it. Here the office that
    counts the people sees what a correction changed.
    """
    parts = []
    for name, table in built.items():
        if previous is None or not previous.parquet(name).exists():
            continue
        before = previous.manifest["tables"][name]
        older = pq.read_table(previous.parquet(name)).to_pandas()
        found = compare(older, table.rows.to_pandas(), _value_key(catalogue), confidential=True)
        if found.empty:
            continue
        sources = {**before.get("sources", {}), **table.sources}
        delivered = [s for s in sorted(sources) if before.get("sources", {}).get(s) != table.sources.get(s)]
        german = {
            i.id: f"neue Lieferung: {_of_indicator(catalogue, i, delivered)}"
            for i in catalogue.indicators_of(name)
        }
        english = {
            i.id: f"new delivery: {_of_indicator(catalogue, i, delivered)}"
            for i in catalogue.indicators_of(name)
        }
        for i in catalogue.indicators_of(name):
            if before.get("definitions", {}).get(i.id) != table.definitions.get(i.id):
                german[i.id], english[i.id] = "Definition neu erklärt", "declared anew"
        parts.append(evidence.change_rows(name, found, list(catalogue.breakdowns), german, english))
    if not parts:
        return evidence.NO_CHANGES
    rows = pa.Table.from_pandas(pd.concat(parts), schema=evidence.NO_CHANGES.schema, preserve_index=False)
    rows = rows.replace_schema_metadata(None)
    return rows.sort_by([(name, "ascending") for name in rows.column_names[:7]]).combine_chunks()


def _of_indicator(catalogue: Catalogue, indicator: Indicator, delivered: Iterable[str]) -> str:
    """Which of these sources are behind an indicator."""
    return ", ".join(source for source in delivered if source in catalogue.origins_of(indicator)) or "–"


def _waivers_used(verdicts: pa.Table) -> dict[str, list[str]]:
    """By table the waivers that let a finding pass."""
    found: dict[str, list[str]] = {}
    for row in verdicts.filter(pc.not_equal(verdicts["waiver"], "")).to_pylist():
        found.setdefault(row["table"], []).append(row["waiver"])
    return {name: sorted(set(ids)) for name, ids in found.items()}


def _waivers(catalogue: Catalogue) -> pa.Table:
    """The declared exceptions, each with who answers for it and until when."""
    texts = ("waiver_id", "check", "table", "scope", "reason", "owner")
    schema = pa.schema(
        [*((n, pa.string()) for n in texts), ("made_on", pa.date32()), ("expires", pa.date32())]
    )
    rows = [{**w.model_dump(), "waiver_id": w.id} for _, w in sorted(catalogue.waivers.items())]
    return pa.Table.from_pylist(rows, schema=schema)


def _findings(
    connection: duckdb.DuckDBPyConnection,
    catalogue: Catalogue,
    values: pa.Table,
    areas: pa.Table,
    release_id: str,
    previous: Release | None,
) -> pa.Table:
    """What deserves a look, found in the values that this release tells and in nothing else.

    `first_release`: since when readers have it; a finding that went and came back is new again.
    """
    from expectations.findings import COLUMNS, findings

    names = dict(zip(areas["area_code"].to_pylist(), areas["area_name"].to_pylist(), strict=True))
    home = evidence.night_of(connection).municipality
    frame = findings(values.to_pandas(), catalogue, home, names)
    known = _known_findings(previous)
    frame["first_release"] = [known.get(name, release_id) for name in frame["finding_id"]]
    numbers = {"value", "reference", "difference", "people", "z", "p_value", "q_value"}
    kinds = {"period_end": pa.date32(), "is_implausible": pa.bool_(), **dict.fromkeys(numbers, pa.float64())}
    columns = [*COLUMNS, "first_release"]
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in columns])
    return pa.Table.from_pandas(frame, schema=schema, preserve_index=False).replace_schema_metadata(None)


def _known_findings(previous: Release | None) -> dict[str, str]:
    """The findings that readers have, by the release that first had each."""
    if previous is None or not previous.parquet("pub_findings").exists():
        return {}
    rows = _of(previous, "pub_findings")
    since = (
        rows["first_release"] if "first_release" in rows.column_names else pa.nulls(len(rows), pa.string())
    )
    pairs = zip(rows["finding_id"].to_pylist(), since.to_pylist(), strict=True)
    return {name: release or previous.id for name, release in pairs}


def _beside(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> dict[str, pa.Table]:
    """What derived tables need beside the release's own: told rows, indices, surveys and their answers."""
    told = {n: f"raw.told__{n}" for n, register in catalogue.registers.items() if register.rows_are_told}
    told |= {name: f"catalogue.{name}" for name in ("index_component", "index_outcome", "survey")}
    told["survey_answer"] = "monitoring.fct_survey_answer"
    return {name: _ordered(connection, relation, "all") for name, relation in told.items()}


def verdict_rows(verdicts: Iterable[Verdict], built: dict[str, Built], catalogue_hash: str) -> pa.Table:
    """Verdicts as a table: one row per table, check and scope, with the hashes of what they speak of.

    The run's id stays outside: it would make every night's release another one.
    """
    names = [*evidence.VERDICT_COLUMNS, "content_hash", "catalogue_hash"]
    rows = [
        {
            **{k: str(x).lower() if isinstance(x, bool) else x for k, x in v.model_dump(mode="json").items()},
            "content_hash": built[v.table].content_hash if v.table in built else None,
            "catalogue_hash": catalogue_hash,
        }
        for v in sorted(verdicts, key=lambda v: (v.table, v.check, v.scope))
    ]
    return pa.Table.from_pylist(rows, schema=pa.schema([(name, pa.string()) for name in names]))


def _value_key(catalogue: Catalogue) -> list[str]:
    return ["indicator_id", "area_code", "period_start", "period_end", *catalogue.breakdowns]


def _published(
    declared: PublishedTable, built: Built, release_id: str, decision: Decision, waivers: list[str]
) -> dict[str, Any]:
    return {
        "status": "published",
        "fit_for_machines": decision.fit_for_machines,
        "definitions": built.definitions,
        "sources": built.sources,
        "deliveries": built.deliveries,
        "waivers": waivers,
        "schema_version": declared.schema_version,
        "owner": declared.owner,
        "rows": built.rows.num_rows,
        "content_hash": built.content_hash,
        "published_by": release_id,
    }


def _held(
    declared: PublishedTable, decision: Decision, before: dict[str, Any], release_id: str
) -> dict[str, Any]:
    """A held table: what readers still get of it, since when, and why."""
    return {
        "status": "held",
        "fit_for_machines": before.get("fit_for_machines", False),
        "definitions": before.get("definitions", {}),
        "sources": before.get("sources", {}),
        "deliveries": before.get("deliveries", {}),
        "waivers": before.get("waivers", []),
        "schema_version": before.get("schema_version", declared.schema_version),
        "owner": declared.owner,
        "rows": before.get("rows"),
        "content_hash": before.get("content_hash"),
        "published_by": before.get("published_by"),
        "held_since": before.get("held_since") or release_id,
        "reason_de": decision.reason_de,
        "reason_en": decision.reason_en,
    }


def _of(release: Release, name: str) -> pa.Table:
    """A table of an earlier release."""
    return pq.read_table(release.parquet(name)).replace_schema_metadata(None)


def _aligned(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Rows under another release's columns, by name; what they did not know is empty."""
    return pa.table(
        [
            rows[field.name].cast(field.type)
            if field.name in rows.column_names
            else pa.nulls(rows.num_rows, field.type)
            for field in schema
        ],
        schema=schema,
    )


def _adapted(rows: pa.Table, fresh: dict[str, pa.Table], catalogue: Catalogue) -> pa.Table:
    """A held table under tonight's columns: a breakdown it did not know is `total` throughout."""
    if not fresh:
        return rows
    schema = next(iter(fresh.values())).schema.remove_metadata()
    for name in catalogue.breakdowns:
        if name not in rows.column_names:
            rows = rows.append_column(name, pa.array([TOTAL] * rows.num_rows))
    return _aligned(rows, schema)


def _values(catalogue: Catalogue, fresh: dict[str, pa.Table], kept: dict[str, pa.Table]) -> pa.Table:
    """All values in one table. An indicator that moved to a table let out tonight is taken there."""
    owned = pa.array([i.id for name in fresh for i in catalogue.indicators_of(name)], pa.string())
    older = [rows.filter(pc.invert(pc.is_in(rows["indicator_id"], owned))) for rows in kept.values()]
    parts = [
        rows.drop_columns([c for c in _NAMES_ONLY if c in rows.column_names]).replace_schema_metadata(None)
        for rows in [*fresh.values(), *older]
    ]
    together = pa.concat_tables(parts, promote_options="permissive")
    keys = ["indicator_id", "area_code", "period_end", "period_start", *catalogue.breakdowns]
    return together.sort_by([(key, "ascending") for key in keys]).combine_chunks()


def _indicators(
    connection: duckdb.DuckDBPyConnection,
    catalogue: Catalogue,
    fresh: dict[str, pa.Table],
    kept: dict[str, pa.Table],
    previous: Release | None,
) -> pa.Table:
    """The catalogue of what is served: today's entries, and for held tables those of their version."""
    today = _ordered(connection, "monitoring.dim_indicator", "1")
    chosen = today.filter(pc.is_in(today["published_table"], pa.array(list(fresh), pa.string())))
    if previous is None or not kept:
        return chosen
    before = _of(previous, "indicator")
    wanted = pc.and_(
        pc.is_in(before["published_table"], pa.array(list(kept), pa.string())),
        pc.invert(pc.is_in(before["indicator_id"], chosen["indicator_id"].combine_chunks())),
    )
    parts = [chosen, _aligned(before.filter(wanted), chosen.schema)]
    return pa.concat_tables(parts).sort_by("indicator_id").combine_chunks()


def _ordered(connection: duckdb.DuckDBPyConnection, relation: str, order: str) -> pa.Table:
    return connection.sql(f"select * from {relation} order by {order}").to_arrow_table()


def _completed(rows: pa.Table, name: str, previous: Release | None, values: pa.Table) -> pa.Table:
    """The members that values use: tonight's, and for held tables those only they still know."""
    key = KEYS[name][-1]
    used = values[key].unique()
    rows = rows.filter(pc.is_in(rows[key], used))
    if previous is not None:
        before = _of(previous, name)
        missing = pc.and_(pc.is_in(before[key], used), pc.invert(pc.is_in(before[key], rows[key].unique())))
        rows = pa.concat_tables([rows, _aligned(before.filter(missing), rows.schema)])
    return rows.sort_by([(k, "ascending") for k in KEYS[name]]).combine_chunks()
