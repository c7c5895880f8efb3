"""The candidate as the gate sees it: what to judge, what to judge it by, and its fingerprint.

Belongs here: reading the candidate into a `Subject`, keeping verdicts beside the data.
Does not belong here: any opinion about a value.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from expectations.catalogue import Catalogue
from expectations.catalogue.model import TOTAL, Indicator
from expectations.checks.base import (
    CorrectionResult,
    Delivery,
    RegisterState,
    Revisions,
    StructuralTest,
    Subject,
    Told,
    registers_behind,
)
from expectations.checks.changes import changed_rows, explained_by
from expectations.verdict import Verdict
from orchestration.collect.landing import landing_of
from orchestration.collect.registers.landing import register_landing
from orchestration.compute.dbt import manifest, structural_tests_behind
from orchestration.compute.increment import has_table
from orchestration.confirm.city_parts import lone_institutions, parts_of_city
from orchestration.confirm.opened import unprotected_figures
from orchestration.resources.files import file_hash
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
    table_hash: str | None = None,
) -> Subject:
    """Everything the checks of one published table look at but what can be worked out of it (`opened`).

    `table_hash`: its content's, where it is known already.
    """
    served = _served(home, settings)
    state = served[1]["tables"].get(name, {}) if served else {}
    frame = None if table is None else _frame(table)
    in_use = _sources_in_use(connection)
    behind = [t.code for t in catalogue.tables_behind(name)]
    return Subject(
        table=name,
        catalogue=catalogue,
        home_area=settings.municipality.code,
        today=pd.Timestamp(moment).tz_convert(None),
        frame=frame,
        measures=_measures(connection, catalogue.measures_with_rules(name)),
        deliveries=_deliveries(connection, home, settings, catalogue, behind, _told_before(home, name)),
        tests=_tests(connection, home, name),
        corrections=_corrections(connection, catalogue),
        told=_told_indicators(home),
        before=_before(
            served[0], name, state, frame, table_hash or (content_hash(table) if table else None), in_use
        )
        if served
        else None,
        registers=_registers(
            connection, home, settings, catalogue, registers_behind(catalogue, name), in_use
        ),
        footnotes=_footnotes(connection, behind),
        used_waivers=frozenset(state.get("waivers", ())),
        reconciled=_measures(
            connection, catalogue.measures_reconciled(name), area=settings.municipality.code
        ),
        rated=_measures(connection, catalogue.measures_of_rates(name), undivided=list(catalogue.breakdowns)),
        unprotected=unprotected_figures(connection, catalogue, name),
        parts_of_city=parts_of_city(connection, catalogue, name, settings.municipality.code),
        lone_institutions=lone_institutions(connection, catalogue, name, settings.municipality.code),
    )


def _served(home: Home, settings: Settings) -> tuple[Path, dict[str, Any]] | None:
    """The release that readers have now, if it is of this city."""
    path = home.current / "manifest.json"
    if not path.exists():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    return (home.current, found) if found["municipality"]["code"] == settings.municipality.code else None


def _sources_in_use(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    if not has_table(connection, "evidence", "source_in_use"):
        return {}
    return dict(connection.execute("select source_id, fingerprint from evidence.source_in_use").fetchall())


def sources_behind(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, name: str) -> dict[str, str]:
    """The fingerprints of the deliveries in use of every source behind a published table."""
    behind = {o for i in catalogue.indicators_of(name) for o in catalogue.origins_of(i)}
    return {n: f for n, f in sorted(_sources_in_use(connection).items()) if n in behind}


def deliveries_behind(
    connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, name: str
) -> dict[str, dict[str, str]]:
    """By register behind a published table and last day of a period: the delivery it is counted from, as a short hash."""
    behind = {o for i in catalogue.indicators_of(name) for o in catalogue.origins_of(i)} & set(
        catalogue.registers
    )
    if not behind or not has_table(connection, "raw", "register_measure"):
        return {}
    rows = connection.execute(
        """select distinct register_id, period_end::date::varchar, left(sha256(delivery_id), 12) from raw.register_measure
        where list_contains($registers, register_id) order by all""",
        {"registers": sorted(behind)},
    ).fetchall()
    found: dict[str, dict[str, str]] = {}
    for register, end, delivery in rows:
        found.setdefault(register, {})[end] = delivery
    return found


def _before(
    folder: Path,
    name: str,
    state: dict[str, Any],
    frame: pd.DataFrame | None,
    table_hash: str | None,
    in_use: dict[str, str],
) -> Told | None:
    """What readers have of the table. The very rows of tonight stand for themselves: nothing is read twice."""
    path = folder / "parquet" / f"{name}.parquet"
    if state.get("rows") is None or not path.exists():
        return None
    columns = tuple(pq.read_schema(path).names)
    content = file_hash(path)
    if frame is not None and state.get("content_hash") == table_hash:
        rows = frame
    else:
        rows = _frame(pq.read_table(path).replace_schema_metadata(None))
    used = state.get("sources", {})
    pairs = rows[["indicator_id", "unit"]].drop_duplicates().astype("object")
    names = rows[["area_code", "area_name"]].drop_duplicates("area_code").astype("object").dropna()
    return Told(
        rows=rows,
        definitions=state.get("definitions", {}),
        units=dict(zip(pairs["indicator_id"], pairs["unit"], strict=True)),
        delivered=frozenset(n for n in {*used, *in_use} if used.get(n) != in_use.get(n)),
        schema_version=state["schema_version"],
        columns=columns,
        area_names=dict(zip(names["area_code"], names["area_name"], strict=True)),
        content_hash=content,
    )


_LEAST_RECORDS = 50
"""A delivery of fewer says nothing by how much it grew."""


def _registers(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    settings: Settings,
    catalogue: Catalogue,
    names: list[str],
    in_use: dict[str, str],
) -> dict[str, RegisterState]:
    """What is known of the registers behind a table, from their counts and from last night's door."""
    if settings.registers.source == "none":
        return {}
    landing = register_landing(home, settings)
    arrived_file = landing.folder / "arrived.json"
    arrived = json.loads(arrived_file.read_text(encoding="utf-8")) if arrived_file.exists() else []
    reasons: dict[tuple[str, str], list[str]] = {}
    for entry in arrived:
        reasons.setdefault((entry["register"], entry["status"]), []).extend(entry["reasons"])
    snapshots = landing.snapshots()
    deliveries = Counter(s.register for s in snapshots)
    found = {}
    for name in names:
        mine = [s for s in snapshots if s.register == name]  # the newest period comes last
        told = [json.loads((s.folder / "delivery.json").read_text(encoding="utf-8")) for s in mine[-2:]]
        facts: dict[str, Any] = told[-1] if told else {}
        found[name] = RegisterState(
            deliveries[name] or int(name in in_use),
            reasons.get((name, "refused"), []),
            reasons.get((name, "late"), []),
            *_shares(facts, told[0] if len(told) > 1 else {}, catalogue.registers[name].rounding),
        )
    return found


def _shares(newest: Mapping[str, Any], before: Mapping[str, Any], base: int) -> tuple[float | None, float]:
    """How much a delivery grew against the one before, and the share of its records without an area.

    From here on everything may be read by everybody: both are whole percentages of rounded counts (decision 0033).
    """

    def count(number: int | None) -> int:
        return round((number or 0) / base) * base

    rows, earlier = count(newest.get("rows")), count(before.get("rows"))
    lost = count(sum((newest.get("unmatched") or {}).values()))
    growth = round(rows / earlier - 1, 2) if earlier and max(rows, earlier) >= _LEAST_RECORDS else None
    return growth, round(lost / rows, 2) if rows else 0.0


def _footnotes(connection: duckdb.DuckDBPyConnection, codes: list[str]) -> tuple[str, ...]:
    if not has_table(connection, "conformed", "int_genesis__footnote"):
        return ()
    rows = connection.execute(
        "select distinct note from conformed.int_genesis__footnote where list_contains($codes, table_code) order by 1",
        {"codes": codes},
    ).fetchall()
    return tuple(row[0] for row in rows if row[0])


CHANGE_COLUMNS = {
    "table": "varchar", "kind": "varchar", "indicator_id": "varchar", "area_code": "varchar", "period_end": "date",
    "period_start": "date", "cells": "varchar", "period_label": "varchar", "value_before": "double",
    "value_after": "double", "value_from_before": "double", "value_to_before": "double", "value_from_after": "double",
    "value_to_after": "double", "status_before": "varchar", "status_after": "varchar", "why_de": "varchar", "why_en": "varchar",
}  # fmt: skip
"""What is kept of every change; `cells` names the cells that are not the total."""

_ARROW = {"varchar": pa.string(), "date": pa.date32(), "double": pa.float64()}
NO_CHANGES = pa.table({n: pa.array([], _ARROW[t]) for n, t in CHANGE_COLUMNS.items()})


def record_changes(
    connection: duckdb.DuckDBPyConnection, judged: Subject, verdicts: Iterable[Verdict]
) -> None:
    """Keep what the table would change of what readers have, and why: one row per changed figure."""
    columns = ", ".join(f'"{n}" {t}' for n, t in CHANGE_COLUMNS.items())
    connection.execute("create schema if not exists evidence")
    connection.execute(f"create table if not exists evidence.change ({columns})")
    connection.execute('delete from evidence.change where "table" = $name', {"name": judged.table})
    if judged.frame is None or judged.before is None or judged.frame.empty:
        return
    found = changed_rows(judged)
    if found.empty:
        return
    waived = {v.scope: v.waiver for v in verdicts if v.waiver}
    german: dict[str, str] = {}
    english: dict[str, str] = {}
    for indicator in judged.indicators:
        german[indicator.id], english[indicator.id] = _why(judged, indicator, waived)
    rows = change_rows(judged.table, found, judged.names, german, english)
    connection.register("incoming", rows)
    connection.execute("insert into evidence.change by name select * from incoming")
    connection.unregister("incoming")


def change_rows(
    table: str,
    found: pd.DataFrame,
    breakdowns: Sequence[str],
    german: Mapping[str, str],
    english: Mapping[str, str],
) -> pd.DataFrame:
    """Changed figures of a table (`checks.changes.compare`) as a list of changes has them; `german`, `english`: why, by indicator."""
    names = found["indicator_id"].astype("object")
    cells = [
        ", ".join(f"{n}={row[n]}" for n in breakdowns if row[n] != TOTAL)
        for row in found[list(breakdowns)].astype("object").to_dict("records")
    ]
    return pd.DataFrame({
        "table": table, "kind": found["kind"], "indicator_id": names, "area_code": found["area_code"],
        "period_end": found["period_end"], "period_start": found["period_start"], "cells": cells,
        "period_label": found["period_label"], "value_before": found["value_before"], "value_after": found["value"],
        **{f"{end}_before": found[f"{end}_before"] for end in ("value_from", "value_to")},
        **{f"{end}_after": found[end] for end in ("value_from", "value_to")},
        "status_before": found["status_before"], "status_after": found["status"],
        "why_de": names.map(german), "why_en": names.map(english),
    })[list(CHANGE_COLUMNS)]  # fmt: skip


def _why(judged: Subject, indicator: Indicator, waived: dict[str, str]) -> tuple[str, str]:
    """Why figures of an indicator are others, in both languages."""
    behind = [
        judged.catalogue.tables[t]
        for m in judged.catalogue.measures_of(indicator)
        for t in m.origins
        if t in judged.catalogue.tables
    ]
    waiver = waived.get(indicator.id) or next((waived[t.code] for t in behind if t.code in waived), None)
    reason = explained_by(judged, indicator) or ""
    kind, _, what = reason.partition(": ")
    told = {
        "definition": ("Definition neu erklärt", "declared anew"),
        "source": (f"neue Lieferung: {what}", f"new delivery: {what}"),
    }.get(kind, ("nicht erklärt", "not explained"))
    if waiver:
        return f"{told[0]}; Ausnahme {waiver}", f"{told[1]}; waiver {waiver}"
    return told


def changes(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Everything tonight's tables would change of what readers have, as `record_changes` kept it."""
    if not has_table(connection, "evidence", "change"):
        return NO_CHANGES
    names = ", ".join(f'"{n}"' for n in CHANGE_COLUMNS)
    return connection.execute(f"select {names} from evidence.change").to_arrow_table().cast(NO_CHANGES.schema)


def served_release(home: Home) -> str | None:
    """The id of the release that readers have."""
    return os.readlink(home.current) if home.current.is_symlink() else None


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


def all_verdicts(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Every recorded verdict as plain rows. Raises CandidateError if no checks were run."""
    if not has_table(connection, "evidence", "verdict"):
        raise CandidateError("no checks were run")
    return (
        connection.execute('select * from evidence.verdict order by "table", rowid').df().to_dict("records")
    )


def _frame(table: pa.Table) -> pd.DataFrame:
    """A long table for pandas: codes and names recur by the thousand, so they are categories."""
    return table.to_pandas(strings_to_categorical=True)


_UNREAD = ("area_level", "period_start", "status", "sign", "source_table", "retrieved_at")
"""Columns of fct_measure that no check reads: they would be read and sent to workers for nothing."""


def _measures(
    connection: duckdb.DuckDBPyConnection,
    ids: list[str],
    area: str | None = None,
    undivided: Iterable[str] = (),
) -> pd.DataFrame:
    """Rows of fct_measure with what checks read; `undivided`: only where these breakdowns are not broken down."""
    if not ids or not has_table(connection, "monitoring", "fct_measure"):
        return pd.DataFrame({"measure_id": []})
    totals = "".join(f" and {name} = '{TOTAL}'" for name in undivided)
    return _frame(
        connection.execute(
            f"select * exclude ({', '.join(_UNREAD)}) from monitoring.fct_measure where list_contains($ids, measure_id) "
            f"and ($area is null or area_code = $area){totals}",
            {"ids": ids, "area": area},
        ).to_arrow_table()
    )


def _deliveries(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    settings: Settings,
    catalogue: Catalogue,
    codes: list[str],
    told: set[str] | None,
) -> dict[str, Delivery]:
    """What is known of official tables. `told`: the deliveries (sha256) readers have figures of; None: none yet."""
    refused: dict[str, list[str]] = {}
    outstanding: dict[str, list[str]] = {}
    for reception in landing_of(home, settings.official_statistics, catalogue).receptions():
        reasons = {"refused": refused, "late": outstanding}.get(reception.status)
        if reasons is not None and reception.table_code and reception.reason:
            reasons.setdefault(reception.table_code, []).append(reception.reason)
    revised = _revisions(connection, catalogue, codes, told)
    unreadable = dict(connection.execute("select table_code, reason from raw.unreadable").fetchall())
    rows = connection.execute(
        """
        with chosen as (
            select *, row_number() over (partition by table_code order by age_rank desc) as nth,
                list_contains($told, sha256) as is_told
            from raw.genesis_snapshot where list_contains($codes, table_code)
        ),
        ends as (
            -- The districts decide: Länder and Germany often come a round earlier.
            select o.snapshot_id, coalesce(
                max(o.period_end) filter (where value is not null and area_level = 'district'),
                max(o.period_end) filter (where value is not null)
            ) as newest
            from raw.genesis_observation o inner join chosen using (snapshot_id) group by o.snapshot_id
        ),
        last_two as (
            -- Only what came since the last publication is held against what was told then.
            select a.table_code, a.snapshot_id as now_id, b.snapshot_id as before_id
            from chosen a inner join chosen b on b.table_code = a.table_code and a.nth = 1 and b.nth = 2
            where not a.is_told and b.is_told
        ),
        figures as (
            select t.table_code, o.snapshot_id = t.now_id as is_now, o.period_end, count(o.value) as figures
            from last_two t inner join raw.genesis_observation o on o.snapshot_id in (t.now_id, t.before_id)
            group by all
        ),
        shared as (
            select n.table_code, sum(n.figures) as now, sum(b.figures) as before
            from figures n inner join figures b
                on b.table_code = n.table_code and b.period_end = n.period_end and n.is_now and not b.is_now
            group by n.table_code
        )
        select s.table_code, count(*), arg_max(s.file_name, s.age_rank), max(e.newest),
            arg_max(cast(s.stand as date), s.age_rank), any_value(h.now), any_value(h.before),
            max(e.newest) filter (where s.nth = 1 and not s.is_told), max(e.newest) filter (where s.is_told)
        from chosen s left join ends e using (snapshot_id) left join shared h on h.table_code = s.table_code
        group by s.table_code""",
        {"codes": codes, "told": sorted(told or ())},
    ).fetchall()
    twins = _twins(connection, codes)
    found = {
        code: Delivery(
            code, count, file, pd.Timestamp(newest) if newest else None, str(stand) if stand else None,
            refused.get(code, []), unreadable.get(code), outstanding.get(code, []), revised.get(code),
            now or 0, before, pd.Timestamp(last) if last else None, pd.Timestamp(earlier) if earlier else None,
            twins.get(code, []),
        )
        for code, count, file, newest, stand, now, before, last, earlier in rows
    }  # fmt: skip
    for code in {*refused, *unreadable, *outstanding}:
        lost = Delivery(
            code, 0, refused=refused.get(code, []), unreadable=unreadable.get(code),
            outstanding=outstanding.get(code, []),
        )  # fmt: skip
        found.setdefault(code, lost)
    return found


def _twins(connection: duckdb.DuckDBPyConnection, codes: list[str]) -> dict[str, list[str]]:
    """Tables of which two deliveries of the same day and minute of state say different things, with the cells."""
    same = connection.execute(
        """
        select a.table_code, a.snapshot_id, b.snapshot_id, a.file_name, b.file_name
        from raw.genesis_snapshot a inner join raw.genesis_snapshot b
            on a.table_code = b.table_code and a.stand = b.stand and a.age_rank < b.age_rank
        where list_contains($codes, a.table_code)""",
        {"codes": codes},
    ).fetchall()
    found: dict[str, list[str]] = {}
    for code, one, other, first, second in same:
        count = connection.execute(
            """
            select count(*) from (
                select * exclude (snapshot_id) from raw.genesis_observation where snapshot_id = $one
            ) a inner join (
                select * exclude (snapshot_id) from raw.genesis_observation where snapshot_id = $other
            ) b on a.area_code = b.area_code and a.period_end = b.period_end and a.period_start = b.period_start
                and a.measure_code = b.measure_code and a.item_1_code is not distinct from b.item_1_code
                and a.item_2_code is not distinct from b.item_2_code and a.item_3_code is not distinct from b.item_3_code
                and a.item_4_code is not distinct from b.item_4_code and a.item_5_code is not distinct from b.item_5_code
            where a.value <> b.value""",
            {"one": one, "other": other},
        ).fetchall()[0][0]
        if count:
            found.setdefault(code, []).append(f"{first} / {second} ({count})")
    return found


def _revisions(
    connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, codes: list[str], told: set[str] | None
) -> dict[str, Revisions]:
    """What deliveries changed of official tables since a published table was last let out, and whether it was declared.

    Nothing was told before the first publication, so nothing counts as changed then; no revisions
    at all if dbt did not get that far.
    """
    if not has_table(connection, "conformed", "int_genesis__revision"):
        return {}
    facts = connection.execute(
        """
        with newest as (
            select table_code, arg_max(snapshot_id, age_rank) as snapshot_id
            from raw.genesis_snapshot where list_contains($codes, table_code) group by table_code
        )
        select n.table_code, count(o.snapshot_id),
            (select list(distinct p.period_end order by p.period_end desc) from raw.genesis_observation p
                inner join raw.genesis_snapshot s using (snapshot_id)
                where s.table_code = n.table_code and list_contains($told, s.sha256) and p.value is not null)
        from newest n left join raw.genesis_observation o using (snapshot_id) group by n.table_code""",
        {"codes": codes, "told": sorted(told or ())},
    ).fetchall()
    # From what was told to what is said now: a mistake that its sender has repaired meanwhile is no change.
    changes = connection.execute(
        """
        with since as (
            select r.table_code, r.measure_code, r.area_code, r.period_label, r.period_end, r.items,
                first(r.value_before order by s.age_rank) as before, last(r.value_after order by s.age_rank) as after,
                first(r.sign_before order by s.age_rank) as sign_before,
                last(r.sign_after order by s.age_rank) as sign_after,
                cast(last(r.stand_after order by s.age_rank) as date) as day
            from conformed.int_genesis__revision r
            inner join raw.genesis_snapshot s on s.snapshot_id = r.snapshot_after
            where $is_told and not list_contains($told, s.sha256) and list_contains($codes, r.table_code)
            group by r.table_code, r.measure_code, r.unit, r.area_code, r.period_start, r.period_label, r.period_end, r.items
        )
        select table_code, day, period_end,
            coalesce(sign_before, '') = 'p' or coalesce(sign_after, '') = 'r' as is_marked,
            count(*), list(area_code || ', ' || period_label || ', ' || measure_code || ': ' || before || ' → ' ||
                coalesce(cast(after as varchar), sign_after, '∅') order by area_code <> 'DG', area_code, items)[:4]
        from since
        where before is not null and before is distinct from after
            and not (before = 0 and after is null and sign_after = '-')
        group by all order by 1, 2, 3, 4""",
        {"is_told": told is not None, "told": sorted(told or ()), "codes": codes},
    ).fetchall()
    found: dict[str, Revisions] = {}
    for code, cells, ends in facts:
        official = catalogue.tables[code]
        revises = catalogue.statistic_of(official).revises
        open_ends = set((ends or [])[: revises.newest_periods if revises else 0])
        undeclared = declared = accepted = 0
        examples: list[str] = []
        days = []
        for _, day, period_end, is_marked, count, shown in (c for c in changes if c[0] == code):
            by_day = any(
                entry.stand == day and entry.covers(period_end) for entry in official.accepted_revisions
            )
            days.append(str(day or "unknown"))
            if by_day or is_marked or period_end in open_ends:
                declared += count
                accepted += count if by_day else 0
                examples += shown
            else:
                undeclared += count
                examples = [*shown, *examples]
        found[code] = Revisions(
            undeclared, declared, accepted, tuple(dict.fromkeys(days)), cells, examples[:8]
        )
    return found


def _told_indicators(home: Home) -> frozenset[str]:
    """The indicators that readers have values of now."""
    path = home.current / "parquet" / "indicator_value.parquet"
    if not path.exists():
        return frozenset()
    rows = duckdb.sql(
        f"select distinct indicator_id from read_parquet('{path}') where value is not null or status = 'range'"
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
