"""What a night has to compute anew, and the proof that the rest is as it was (decision 0019).

Belongs here: fingerprints of what the candidate is made of, and of what was made of it. Does not belong
here: loading (candidate.py) and running dbt (dbt.py). What depends on what is said in SQL: int_change__*.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import duckdb
import pandas as pd
import pyarrow as pa

from orchestration.compute.dbt import project_hash
from orchestration.resources.home import Home
from orchestration.settings import PROJECT

MOST_INCREMENTS = 6
"""Nights in a row that compute a part only; the next one computes everything from nothing."""

_CODE = ("orchestration", "expectations")

_PARTS = {
    "conformed.int_genesis__observation": ("table_code", "source"),
    "conformed.int_genesis__revision": ("table_code", "source"),
    "monitoring.fct_measure": ("measure_id", "measure"),
    "monitoring.fct_indicator_value": ("indicator_id", "indicator"),
    "monitoring.fct_published_value": ("indicator_id", "indicator"),
}
"""The models whose parts are proved: the column that tells the part, and what decides whether it changed."""


@dataclass(frozen=True)
class Inputs:
    """Fingerprints of what a candidate is made of.

    `whole`: what every part depends on (code, catalogue, city, areas). `sources`: by official table or
    register, the deliveries in use; a source that has none is not in it.
    """

    whole: str
    sources: dict[str, str]


@dataclass(frozen=True)
class Plan:
    """What a night computes. `changed`: sources with other deliveries; all of them if it `is_full`."""

    is_full: bool
    changed: list[str]
    reason: str


@dataclass(frozen=True)
class Proof:
    """What became of the parts: computed tonight, proved unchanged, or changed though nothing should have."""

    computed: int
    """Indicators."""
    unchanged: int
    """Indicators."""
    broken: list[str]
    """Models and parts, in words."""


def fingerprint(*parts: object) -> str:
    """Of texts, numbers, mappings of them, and tables; the same on every machine."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, pa.Table):
            digest.update(part.to_pandas().to_csv(index=False).encode())
        else:
            digest.update(json.dumps(part, sort_keys=True, default=str).encode())
        digest.update(b"\0")
    return digest.hexdigest()


def code_hash() -> str:
    """Over whatever may change what is computed: the dbt project, all our Python, and the engine."""
    files = sorted(f for folder in _CODE for f in (PROJECT / folder).rglob("*.py"))
    hashes = {str(f.relative_to(PROJECT)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}
    return fingerprint(project_hash(), duckdb.__version__, hashes)


def planned(home: Home, inputs: Inputs) -> Plan:
    """Compare the inputs with those of the candidate that is there."""

    def full(reason: str) -> Plan:
        return Plan(True, sorted(inputs.sources), reason)

    if not home.candidate.exists():
        return full("there is no mart yet")
    try:
        with duckdb.connect(str(home.candidate), read_only=True) as connection:
            if not _is_complete(connection):
                return full("the last computation did not come to its end")
            whole, increments = connection.execute(
                "select whole, increments from evidence.computation"
            ).fetchall()[0]
            before = dict(
                connection.execute("select source_id, fingerprint from evidence.source_in_use").fetchall()
            )
    except duckdb.Error as error:
        return full(f"the last mart can't be read ({type(error).__name__})")
    if whole != inputs.whole:
        return full("code, catalogue, city or areas are other ones")
    if increments >= MOST_INCREMENTS:
        return full(f"{increments} nights in a row computed a part only")
    names = {*before, *inputs.sources}
    changed = sorted(n for n in names if before.get(n) != inputs.sources.get(n))
    return Plan(False, changed, "sources delivered something else" if changed else "no source changed")


def begin(connection: duckdb.DuckDBPyConnection, inputs: Inputs, plan: Plan) -> None:
    """Say what is being computed. Until `complete` says so, nothing of it may be built on."""
    connection.execute("create schema if not exists evidence")
    connection.execute(
        "create table if not exists evidence.computation (whole varchar, increments integer, is_full boolean, is_complete boolean)"
    )
    before = connection.execute("select increments from evidence.computation").fetchall()
    increments = 0 if plan.is_full else int(before[0][0]) + bool(plan.changed)
    connection.execute("delete from evidence.computation")
    connection.execute(
        "insert into evidence.computation values (?, ?, ?, false)", [inputs.whole, increments, plan.is_full]
    )
    in_use = pd.DataFrame(sorted(inputs.sources.items()), columns=["source_id", "fingerprint"], dtype="str")
    changed = pd.DataFrame({"source_id": plan.changed}, dtype="str")
    if not plan.is_full:  # dbt says anew what is changed, if it runs at all
        for kind in ("source", "measure", "indicator"):
            connection.execute(f"delete from change.int_change__{kind}")
    for name, frame in (("evidence.source_in_use", in_use), ("raw.changed_source", changed)):
        connection.register("incoming", frame)
        connection.execute(f"create or replace table {name} as select * from incoming")
        connection.unregister("incoming")


def begun(home: Home) -> tuple[list[str], bool]:
    """What is being computed: the changed sources, and whether everything is made from nothing."""
    with duckdb.connect(str(home.candidate), read_only=True) as connection:
        changed = connection.execute("select source_id from raw.changed_source order by 1").fetchall()
        is_full = connection.execute("select is_full from evidence.computation").fetchall()[0][0]
    return [row[0] for row in changed], bool(is_full)


_BEFORE = {
    "area_year_before": ("conformed.int_genesis__area_year", {"area_code": "varchar", "year": "bigint"}),
    "area_before": (
        "conformed.dim_area",
        {
            "area_code": "varchar", "area_name": "varchar", "area_level": "varchar",
            "parent_area_code": "varchar", "valid_from": "date", "valid_to": "date",
        },
    ),
}  # fmt: skip
"""Tables of schema raw that keep what was known of areas: the relation it stands in, and the columns."""


def remember_areas(connection: duckdb.DuckDBPyConnection, plan: Plan) -> None:
    """Keep what was known of areas, so that dbt can tell what became another (int_change__*)."""
    for name, (relation, columns) in _BEFORE.items():
        if plan.is_full:
            typed = ", ".join(f"{column} {kind}" for column, kind in columns.items())
            connection.execute(f"create table raw.{name} ({typed})")
        else:
            connection.execute(
                f"create or replace table raw.{name} as select {', '.join(columns)} from {relation}"
            )


def complete(home: Home, published: Iterable[str]) -> Proof:
    """Prove the parts that were not computed against the last computation, and keep tonight's fingerprints.

    With a part broken, nothing is kept: the caller computes everything from nothing.
    """
    models = {**_PARTS, **{f"published.{name}": ("indicator_id", "indicator") for name in published}}
    with duckdb.connect(str(home.candidate)) as connection:
        connection.execute(f"create temp table part_now as {_parts(models)}")
        connection.execute(f"create temp table part_changed as {_changed_parts(models)}")
        rows: list[tuple[str, str, bool]] = []
        if has_table(connection, "evidence", "part"):
            rows = connection.execute(
                """
                select model, part,
                    n.rows is not distinct from b.rows and n.content is not distinct from b.content
                from part_now as n full join evidence.part as b using (model, part)
                anti join part_changed using (model, part)
                order by model, part"""
            ).fetchall()
        broken = [f"{model} {part}" for model, part, same in rows if not same]
        computed = connection.execute(
            "select count(*) from part_now semi join part_changed using (model, part) where model = ?",
            [_COUNTED],
        ).fetchall()[0][0]
        if not broken:
            connection.execute("create or replace table evidence.part as select * from part_now")
            connection.execute("update evidence.computation set is_complete = true")
    return Proof(int(computed), sum(same and model == _COUNTED for model, _, same in rows), broken)


_COUNTED = "monitoring.fct_published_value"
"""The model whose parts are the indicators that a night is told to have computed."""


def _parts(models: Mapping[str, tuple[str, str]]) -> str:
    """One row per model and part: how many rows, and a sum over all of them of their hashes."""
    return " union all ".join(
        f"select '{model}' as model, {column} as part, count(*) as rows, "
        f"cast(sum(cast(hash(t) as hugeint)) as varchar) as content from {model} as t group by {column}"
        for model, (column, _) in models.items()
    )


def _changed_parts(models: Mapping[str, tuple[str, str]]) -> str:
    """One row per model and part that tonight computes. Sources, measures and indicators may share names."""
    return " union all ".join(
        f"select '{model}' as model, {change}_id as part from change.int_change__{change}"
        for model, (_, change) in models.items()
    )


def has_table(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> bool:
    """Is there a table or view of this name?"""
    rows = connection.execute(
        "select 1 from information_schema.tables where table_schema = $schema and table_name = $name",
        {"schema": schema, "name": name},
    ).fetchall()
    return bool(rows)


def _is_complete(connection: duckdb.DuckDBPyConnection) -> bool:
    if not has_table(connection, "evidence", "computation"):
        return False
    rows = connection.execute("select is_complete from evidence.computation").fetchall()
    return bool(rows) and bool(rows[0][0])
