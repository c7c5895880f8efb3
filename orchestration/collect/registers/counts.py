"""What leaves the vault: the counts that the catalogue declares, and nothing else.

Belongs here: single records → the cells of a measure, zeros included. Does not belong here: which of
them may be told to whom (disclosure).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa

from expectations.catalogue import Catalogue
from expectations.catalogue.base import TOTAL, ages_of
from expectations.catalogue.model import Measure
from expectations.catalogue.registers import ANY_TEXT, HOME_LEVEL, ColumnType, Register, RegisterSource
from orchestration.collect.registers.areas import Areas
from orchestration.collect.registers.door import Span

NAMED_FROM = 3
"""A name of an area that nobody knows is told once it stands in this many records."""


@dataclass
class Counted:
    """The cells of one measure in one delivery, and what could not be placed."""

    table: pa.Table
    unmatched: dict[str, int] = field(default_factory=dict)


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
) -> Counted:
    """One row per area and combination of cells: the city always, every declared level beside it.

    The map must have been laid out on the same connection.
    """
    source = measure.register_
    assert source is not None, "only measures of registers are counted"
    _base(connection, records, source)
    _cells(connection, register, source, catalogue)
    unmatched = _places(connection, records, register, source, areas, span.end)
    names = list(catalogue.breakdowns)
    number = (
        "count(distinct b.counted)" if source.count.startswith("distinct:") else "coalesce(sum(b.counted), 0)"
    )
    joins = "".join(f' join cells_{n} on cells_{n}.value is not distinct from b."by_{n}"' for n in source.by)
    grid = "".join(f" cross join (select distinct cell from cells_{n}) as g_{n}(cell)" for n in source.by)
    cells = "".join(f', cells_{n}.cell as "{n}"' for n in source.by)
    matches = "".join(f' and c."{n}" = g_{n}.cell' for n in source.by)
    shown = ", ".join(f'g_{n}.cell as "{n}"' if n in source.by else f"'{TOTAL}' as \"{n}\"" for n in names)
    table = connection.execute(
        f"""with counted as (
            select p.area_code, p.area_level{cells}, {number} as value
            from base as b join places as p on p.place is not distinct from b.place{joins}
            group by all
        )
        select '{measure.id}' as measure_id, a.area_code, a.area_level, {shown},
               coalesce(c.value, 0)::double as value
        from areas_shown as a{grid}
        left join counted as c on c.area_code = a.area_code and c.area_level = a.area_level{matches}
        order by all"""
    ).to_arrow_table()
    for name in ("base", "places", "areas_shown", *(f"cells_{n}" for n in source.by)):
        connection.execute(f"drop table {name}")
    period = {
        "period_start": pa.array([span.start] * len(table), pa.date32()),
        "period_end": pa.array([span.end] * len(table), pa.date32()),
        "period_label": pa.array([span.label] * len(table), pa.string()),
    }
    for name, column in period.items():
        table = table.append_column(name, column)
    return Counted(table, unmatched)


def _base(connection: duckdb.DuckDBPyConnection, records: str, source: RegisterSource) -> None:
    """The records that count, put together as far as the question allows."""
    conditions: list[str] = ["true"]
    values: dict[str, list[str]] = {}
    for n, name in enumerate(source.where):
        if (span := source.span(name)) is not None:
            for bound, comparison in zip(span, (">=", "<="), strict=True):
                if bound is not None:
                    conditions.append(f'"{name}" {comparison} {bound}')
        elif source.wanted(name) == [ANY_TEXT]:
            conditions.append(f"coalesce(\"{name}\"::varchar, '') <> ''")
        else:
            conditions.append(f'list_contains($wanted_{n}, "{name}"::varchar)')
            values[f"wanted_{n}"] = source.wanted(name)
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
    connection.execute(f"create temp table base as {sql}", values)


def _cells(
    connection: duckdb.DuckDBPyConnection, register: Register, source: RegisterSource, catalogue: Catalogue
) -> None:
    """Which cells a value counts in: the total, its own, and with ages every span it lies in."""
    for name, column in source.by.items():
        declared = register.column(column)
        if declared.type is ColumnType.CODE:
            words = list(dict.fromkeys(declared.codes.values()))
            pairs: list[tuple[str | int | None, str]] = [
                (None, TOTAL),
                *((w, TOTAL) for w in words),
                *((w, w) for w in words),
            ]
            kind = pa.string()
        else:
            ages = range(-1, 131)
            pairs = [(None, TOTAL), *((age, TOTAL) for age in ages)]
            for cell in source.ages:
                low, high = ages_of(cell) or (0, 0)
                pairs += [(age, cell) for age in ages if low <= age < high]
            kind = pa.int64()
        subset = {c.id: c.subset_of for c in catalogue.breakdowns[name].cells if c.subset_of}
        if kind == pa.string():  # a "darunter" cell is part of the cell it belongs to
            pairs += [(w, parent) for w in words if (parent := subset.get(w)) is not None]
        cells = pa.table({"value": pa.array([v for v, _ in pairs], kind), "cell": [c for _, c in pairs]})
        connection.register("cells", cells)
        connection.execute(f"create temp table cells_{name} as select distinct * from cells")
        connection.unregister("cells")


def _places(
    connection: duckdb.DuckDBPyConnection,
    records: str,
    register: Register,
    source: RegisterSource,
    areas: Areas,
    day: dt.date,
) -> dict[str, int]:
    """Which areas a delivered place counts in; returns what no level knows, with its records."""
    city = areas.city
    connection.execute("create temp table areas_shown (area_code varchar, area_level varchar)")
    connection.execute("insert into areas_shown values ($city, $level)", {"city": city, "level": HOME_LEVEL})
    connection.execute(
        f"create temp table places as select distinct place, '{city}' as area_code, '{HOME_LEVEL}' as area_level from base"
    )
    if source.area is None:
        return {}
    system = register.column(source.area).system
    for level in source.levels:
        connection.execute(
            f"""insert into places
            select b.place, coalesce(k.code, '{areas.unassigned(level)}'), '{level}'
            from (select distinct place from base) as b
            left join known_place as k on k.value = b.place and k.system = '{system}' and k.level = '{level}'
                and date '{day}' between k.valid_from and k.valid_to"""
        )
        # A school without any record is not one that has none: it may be of another kind. One that is in
        # the delivery has none of what is counted, if none of its records counts.
        connection.execute(
            f"""insert into areas_shown select code, level from known_area
            where level = '{level}' and level <> 'school' and date '{day}' between valid_from and valid_to"""
        )
        connection.execute(
            f"""insert into areas_shown
            select distinct k.code, '{level}' from {records} as r join known_place as k
                on k.value = r."{source.area}" and k.system = '{system}' and k.level = '{level}'
                and date '{day}' between k.valid_from and k.valid_to
            where '{level}' = 'school'"""
        )
    connection.execute(
        "insert into areas_shown select distinct area_code, area_level from places "
        "where area_code not in (select area_code from areas_shown)"
    )
    first = source.levels[0]
    lost = connection.execute(
        f"""select "{source.area}", count(*) from {records} where "{source.area}" in (
            select place from places where area_level = '{first}' and area_code = '{areas.unassigned(first)}'
        ) group by 1 order by 1"""
    ).fetchall()
    told: dict[str, int] = {}
    for value, times in lost:
        name = value if not register.personal or times >= NAMED_FROM else "–"
        told[name] = told.get(name, 0) + times
    return told
