"""What leaves the vault: the counts that the catalogue declares, and nothing else.

Belongs here: single records → the cells of a measure, zeros included. Does not belong here: which of
them may be told to whom (disclosure).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from expectations.catalogue import Catalogue
from expectations.catalogue.base import TOTAL, ages_of
from expectations.catalogue.model import Measure
from expectations.catalogue.protection import rounding_of
from expectations.catalogue.registers import (
    ANY_TEXT,
    HOME_LEVEL,
    ColumnType,
    LocalLevel,
    Register,
    RegisterSource,
)
from orchestration.collect.registers.areas import Areas
from orchestration.collect.registers.door import Span, period_before, span_of
from orchestration.collect.registers.vault import quoted

NAMED_FROM = 3
"""A name of an area that nobody knows is told once it stands in this many records."""


@dataclass(frozen=True)
class CountTask:
    """Deliveries to be counted: of each the file with its records, its register and its span; what they are counted by."""

    deliveries: list[tuple[Path, Register, Span]]
    catalogue: Catalogue
    areas: Areas


@dataclass(frozen=True)
class Counted:
    """What left the vault of one delivery.

    `counts`: one row per measure, area and combination of cells. `unmatched`: how many records stand at places that
    nobody knows, by the place's name. `open_rows`: the rows of a register in which nobody is named.
    """

    counts: pa.Table
    unmatched: dict[str, int]
    open_rows: pa.Table | None


def count_deliveries(task: CountTask) -> list[Counted]:
    """Count some deliveries; a task for a worker. Their records are read where they lie and written nowhere."""
    found = []
    with duckdb.connect(config={"temp_directory": "", "threads": 1}) as connection:
        lay_out(connection, task.areas)
        for records, register, span in task.deliveries:
            connection.execute(f"attach '{quoted(records)}' as delivered (read_only)")
            found.append(_counted(connection, register, span, task))
            connection.execute("detach delivered")
    return found


def _counted(
    connection: duckdb.DuckDBPyConnection, register: Register, span: Span, task: CountTask
) -> Counted:
    catalogue, areas, records = task.catalogue, task.areas, "delivered.admitted"
    measures = catalogue.measures_from(register.id)
    tables = [count(connection, records, register, m, catalogue, areas, span) for m in measures]
    # Several measures place their records alike.
    sources = [m.register_ for m in measures if m.register_ is not None]
    unknown: dict[str, int] = {}
    for column, level in sorted({(s.area, s.levels[0]) for s in sources if s.area}):
        unknown |= unmatched(connection, records, register, column, level, span.end)
    return Counted(pa.concat_tables(tables), unknown, told_rows(connection, records, register))


def lay_out(connection: duckdb.DuckDBPyConnection, areas: Areas) -> None:
    """Put the map beside the records, for all counts of a night."""
    days = ("valid_from", "valid_to")
    for name, rows, fields in (
        ("known_place", areas.places, ("system", "value", "code", "level", *days)),
        ("known_area", list(areas.areas.values()), ("code", "level", *days)),
    ):
        kinds = {field: pa.date32() if field in days else pa.string() for field in fields}
        table = pa.table({f: pa.array([getattr(row, f) for row in rows], kind) for f, kind in kinds.items()})
        connection.register("incoming", table)
        connection.execute(f"create or replace temp table {name} as select * from incoming")
        connection.unregister("incoming")


def count(
    connection: duckdb.DuckDBPyConnection,
    records: str,
    register: Register,
    measure: Measure,
    catalogue: Catalogue,
    areas: Areas,
    span: Span,
) -> pa.Table:
    """One row per area and combination of cells: the city always, every declared level beside it.

    The map must have been laid out on the same connection.
    """
    source = measure.register_
    assert source is not None, "only measures of registers are counted"
    delivered_on = span.end  # the map of that day places the records, whatever period they are of
    if source.of_period_before:
        span = period_before(register, span)
    elif source.in_year:
        span = span_of(register.model_copy(update={"period": "calendar_year"}), span.end)
    base, values = _base(records, source, span)
    cells_of = {f"cells_{name}": _cells(register, source, catalogue, name) for name in source.by}
    names = list(catalogue.breakdowns)
    number = (
        "count(distinct b.counted)" if source.count.startswith("distinct:") else "coalesce(sum(b.counted), 0)"
    )
    joins = "".join(f' join cells_{n} on cells_{n}.value is not distinct from b."by_{n}"' for n in source.by)
    grid = "".join(f" cross join (select distinct cell from cells_{n}) as g_{n}(cell)" for n in source.by)
    cells = "".join(f', cells_{n}.cell as "{n}"' for n in source.by)
    matches = "".join(f' and c."{n}" = g_{n}.cell' for n in source.by)
    shown = ", ".join(f'g_{n}.cell as "{n}"' if n in source.by else f"'{TOTAL}' as \"{n}\"" for n in names)
    is_protected = rounding_of(catalogue, measure) > 1
    places, areas_shown = _places(records, register, source, areas, delivered_on, is_protected)
    for name, pairs in cells_of.items():
        connection.register(name, pairs)
    table = connection.execute(
        f"""with base as materialized ({base}),
        place as materialized (select distinct place from base),
        places as materialized ({places}),
        areas_shown as ({areas_shown} union select area_code, area_level from places),
        counted as (
            select p.area_code, p.area_level{cells}, {number} as value
            from base as b join places as p on p.place is not distinct from b.place{joins}
            group by all
        )
        select '{measure.id}' as measure_id, a.area_code, a.area_level, {shown},
               coalesce(c.value, 0)::double as value
        from areas_shown as a{grid}
        left join counted as c on c.area_code = a.area_code and c.area_level = a.area_level{matches}
        order by all""",
        values,
    ).to_arrow_table()
    for name in cells_of:
        connection.unregister(name)
    period = {
        "period_start": pa.array([span.start] * len(table), pa.date32()),
        "period_end": pa.array([span.end] * len(table), pa.date32()),
        "period_label": pa.array([span.label] * len(table), pa.string()),
    }
    for name, column in period.items():
        table = table.append_column(name, column)
    return table


def told_rows(connection: duckdb.DuckDBPyConnection, records: str, register: Register) -> pa.Table | None:
    """The rows of a register in which nobody is named, if it is declared that they are told."""
    if not register.rows_are_told or register.personal:
        return None
    columns = ", ".join(
        f'"{c.id}"::varchar as "{c.id}"' if c.type is ColumnType.CODE else f'"{c.id}"' for c in register.kept
    )
    return connection.execute(f"select {columns} from {records} order by all").to_arrow_table()


def _base(records: str, source: RegisterSource, span: Span) -> tuple[str, dict[str, list[str]]]:
    """The records that count, put together as far as the question allows: SQL and its parameters."""
    conditions: list[str] = ["true"]
    values: dict[str, list[str]] = {}
    for n, name in enumerate(source.where):
        if (limits := source.span(name)) is not None:
            for bound, comparison in zip(limits, (">=", "<="), strict=True):
                if bound is not None:
                    conditions.append(f'"{name}" {comparison} {bound}')
        elif source.wanted(name) == [ANY_TEXT]:
            conditions.append(f"coalesce(\"{name}\"::varchar, '') <> ''")
        else:
            conditions.append(f'list_contains($wanted_{n}, "{name}"::varchar)')
            values[f"wanted_{n}"] = source.wanted(name)
    if source.running is not None:
        begins, ends = source.running
        conditions.append(f"coalesce(\"{begins}\" <= date '{span.end}', true)")
        conditions.append(f"coalesce(\"{ends}\" >= date '{span.start}', true)")
    place = f'"{source.area}"' if source.area else "null::varchar"
    by = "".join(f', "{column}" as "by_{name}"' for name, column in source.by.items())
    where = " and ".join(conditions)
    column = source.counted_column
    if source.count.startswith("distinct:"):
        sql = f'select distinct {place} as place{by}, "{column}" as counted from {records} where {where} and "{column}" is not null'
    else:
        # Decimals add up to the same sum in any order of rows, doubles do not.
        number = f'sum("{column}"::decimal(18, 6))' if column else "count(*)"
        sql = f"select {place} as place{by}, {number} as counted from {records} where {where} group by all"
    return sql, values


def _cells(register: Register, source: RegisterSource, catalogue: Catalogue, name: str) -> pa.Table:
    """Which cells a value counts in: the total, its own, and with ages every span it lies in."""
    declared = register.column(source.by[name])
    if declared.type is ColumnType.CODE:
        words = list(dict.fromkeys(declared.codes.values()))
        pairs: list[tuple[str | int | None, str]] = [
            (None, TOTAL),
            *((w, TOTAL) for w in words),
            *((w, w) for w in words),
        ]
        # A "darunter" cell is part of the cell it belongs to.
        subset = {c.id: c.subset_of for c in catalogue.breakdowns[name].cells if c.subset_of}
        pairs += [(w, parent) for w in words if (parent := subset.get(w)) is not None]
        kind = pa.string()
    else:
        ages = range(-1, 131)
        pairs = [(None, TOTAL), *((age, TOTAL) for age in ages)]
        for cell in source.ages:
            low, high = ages_of(cell) or (0, 0)
            pairs += [(age, cell) for age in ages if low <= age < high]
        kind = pa.int64()
    pairs = list(dict.fromkeys(pairs))
    return pa.table({"value": pa.array([v for v, _ in pairs], kind), "cell": [c for _, c in pairs]})


def _places(
    records: str, register: Register, source: RegisterSource, areas: Areas, day: dt.date, is_protected: bool
) -> tuple[str, str]:
    """SQL of which areas each delivered place counts in, and of which areas are shown, zeros included."""
    city = f"'{areas.city}' as area_code, '{HOME_LEVEL}' as area_level"
    places, shown = [f"select place, {city} from place"], [f"select {city}"]
    if source.area is None:
        return places[0], shown[0]
    system = register.column(source.area).system
    for level in source.levels:
        known = f"k.system = '{system}' and k.level = '{level}' and date '{day}' between k.valid_from and k.valid_to"
        places.append(
            f"""select p.place, coalesce(k.code, '{areas.unassigned(level)}'), '{level}'
            from place as p left join known_place as k on k.value = p.place and {known}"""
        )
        # Always there, or its row would say that somebody's place is unknown, however few they are.
        if is_protected and areas.unassigned(level) in areas.areas:
            shown.append(f"select '{areas.unassigned(level)}', '{level}'")
        # A school without any record is not one that has none: it may be of another kind. One that is in
        # the delivery has none of what is counted, if none of its records counts.
        shown.append(
            f"""select k.code, '{level}' from {records} as r
            join known_place as k on k.value = r."{source.area}" and {known}"""
            if level == "school"
            else f"""select code, level from known_area
            where level = '{level}' and date '{day}' between valid_from and valid_to"""
        )
    return " union all ".join(places), " union ".join(shown)


def unmatched(
    connection: duckdb.DuckDBPyConnection,
    records: str,
    register: Register,
    column: str,
    level: LocalLevel,
    day: dt.date,
) -> dict[str, int]:
    """Places in a column that no area of a level is called: name → records; in registers of persons from three."""
    lost = connection.execute(
        f"""select r."{column}", count(*) from {records} as r
        where r."{column}" is not null and not exists (
            select 1 from known_place as k
            where k.value = r."{column}" and k.system = '{register.column(column).system}'
                and k.level = '{level}' and date '{day}' between k.valid_from and k.valid_to
        ) group by 1 order by 1"""
    ).fetchall()
    told: dict[str, int] = {}
    for value, times in lost:
        name = value if not register.personal or times >= NAMED_FROM else "–"
        told[name] = told.get(name, 0) + times
    return told
