"""What tonight's figures would let a reader work out, together with everything told before.

Belongs here: told figures of the candidate and the ledger → the figures that open a small count. Does not belong
here: how it is found out (expectations.disclosure), what becomes of the table (the check `disclosure`).
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pandas as pd

from expectations.catalogue import Catalogue
from orchestration.compute.confidential import CITY, city_of, with_ledger
from orchestration.compute.counted import KEY, areas_of, deliveries_of, plain
from orchestration.compute.increment import has_table
from orchestration.compute.redelivery import kept_counts, with_kept
from orchestration.ledger import told_before
from orchestration.resources.home import Home
from orchestration.resources.workers import ALONE, Workers

if TYPE_CHECKING:
    from expectations.disclosure.release import Opened

LOG = logging.getLogger("bildungsmonitor")

COLUMNS = ["indicator_id", "area_code", "period_end"]
"""Of a figure that opens something, beside its cells and `why`."""

_ATTACKED: dict[str, pd.DataFrame] = {}
"""By state of the tables: what this process has found."""


def opened_figures(
    connection: duckdb.DuckDBPyConnection, home: Home, catalogue: Catalogue, workers: Workers = ALONE
) -> pd.DataFrame:
    """One row per figure of tonight's tables that opens a count; attacked once per state of the tables.

    Raises WorkerError if a worker process died.
    """
    breakdowns = list(catalogue.breakdowns)
    if not has_table(connection, "disclosure", "int_count"):
        return pd.DataFrame(columns=[*COLUMNS, *breakdowns, "why"])
    _show(connection, catalogue, catalogue.published)
    state = _state(connection, home)
    if state in _ATTACKED:
        return _ATTACKED[state]
    if has_table(connection, "evidence", "attack"):
        found = connection.execute("select 1 from evidence.attack where state = ?", [state]).fetchall()
        if found:
            return connection.table("evidence.opened").df()
    started = time.perf_counter()
    rows = _attack(connection, home, breakdowns, workers)
    LOG.info(
        "confirm | attack on all counts told: %d figures open one, %.1f s",
        len(rows),
        time.perf_counter() - started,
    )
    _ATTACKED[state] = rows
    read_only = connection.execute(
        "select readonly from duckdb_databases() where database_name = current_database()"
    ).fetchall()[0][0]
    if not read_only:
        connection.execute("create schema if not exists evidence")
        connection.register("incoming", rows)
        connection.execute("create or replace table evidence.opened as select * from incoming")
        connection.execute("create or replace table evidence.attack as select ? as state", [state])
        connection.unregister("incoming")
    return rows


def unprotected_figures(
    connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, table: str
) -> pd.DataFrame:
    """One row per figure of a table that is hidden because its whole population is; `why` names measure and period.

    Not the reason that was found: it may have true figures in it, and stays in the candidate.
    """
    breakdowns = list(catalogue.breakdowns)
    columns = ", ".join(f"t.{name}" for name in [*COLUMNS, *breakdowns])
    if not has_table(connection, "disclosure", "int_confidential_count"):
        return pd.DataFrame(columns=[*COLUMNS, *breakdowns, "why"])
    own = {indicator.id for indicator in catalogue.indicators_of(table)}
    rows = connection.execute(
        f"""select distinct {columns}, t.measure_id || ', ' || strftime(t.counted_period_end, '%Y-%m-%d') as why
        from disclosure.int_told_count as t
        join (select distinct measure_id, counted_period_end from disclosure.int_confidential_count where problem is not null)
            as c on c.measure_id = t.measure_id and c.counted_period_end = t.counted_period_end
        order by all"""
    ).df()
    return rows[rows["indicator_id"].isin(own)]


def told_counts(
    connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, tables: list[str]
) -> pd.DataFrame:
    """What these tables publish of which counts, as the ledger keeps it: one row per count published or confidential."""
    from expectations.disclosure.blur import known_of_rounded  # scipy: not for every command

    breakdowns = list(catalogue.breakdowns)
    columns = [*KEY, *breakdowns, "delivery_id", "low", "high", "published"]
    if not tables or not has_table(connection, "disclosure", "int_count"):
        return pd.DataFrame(columns=columns)
    _show(connection, catalogue, tables)
    told = _told(connection, breakdowns)
    deliveries = deliveries_of(connection.table("raw.register_measure"), told["measure_id"])
    told = told[told["is_there"].notna()].merge(deliveries, on=["measure_id", "counted_period_end"])
    low, high = known_of_rounded(told["told"].to_numpy(dtype=float), told["base"].to_numpy())
    told = told.assign(low=low, high=high, published=told["told"])
    asked, stays, _ = with_kept(
        told.assign(low=np.nan, high=np.nan), kept_counts(connection, breakdowns), breakdowns
    )
    # A figure that stays says its own bounds, one that followed its own and that it did not stay.
    tightest = {"low": np.fmax(low, asked["low"]), "high": np.fmin(high, asked["high"])}
    for bound, other in tightest.items():
        told[bound] = np.where(told["told"].isna(), np.nan, np.where(stays, asked[bound], other))
    return told[columns]


def _show(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, tables: Iterable[str]) -> None:
    """What these tables say, as a reader has it: the view `told_figure`, one row per figure."""
    columns = ", ".join([*COLUMNS, *catalogue.breakdowns, "numerator", "denominator", "status"])
    parts = [
        f"select '{name}' as published_table, {columns} from published.{name}"
        for name in tables
        if has_table(connection, "published", name)
    ]
    connection.execute(f"create or replace temp view told_figure as {' union all '.join(parts)}")


def _state(connection: duckdb.DuckDBPyConnection, home: Home) -> str:
    """Over everything the attack looks at."""
    parts = [
        connection.execute(f"select count(*), sum(hash(t)::hugeint)::varchar from {name} as t").fetchall()
        for name in (
            "told_figure",
            "disclosure.int_told_count",
            "disclosure.int_count",
            "disclosure.int_kept_count",
            "raw.area_piece",
        )
    ]
    ledger = [(p.name, p.stat().st_size) for p in sorted(home.ledger.glob("*"))]
    return hashlib.sha256(repr((parts, ledger)).encode()).hexdigest()


def _told(connection: duckdb.DuckDBPyConnection, breakdowns: list[str]) -> pd.DataFrame:
    """int_count with the figure that a reader has of each; empty where none tells it."""
    cells = ", ".join(f"t.counted_{name}" for name in breakdowns)
    own = " ".join(f"and f.{name} = t.{name}" for name in breakdowns)
    counted, kept = (
        " ".join(f"and {side}.counted_{name} = t.counted_{name}" for name in breakdowns) for side in "ck"
    )
    frame = connection.execute(
        f"""with told as (
            select t.measure_id, t.counted_period_end, t.area_code, {cells},
                max(case when f.status = 'confidential' then null
                    when t.is_worked_out then coalesce(k.published, round(t.value / t.base) * t.base)
                    when t.role = 'numerator' then f.numerator else f.denominator end) as told, true as is_there
            from disclosure.int_told_count as t
            join told_figure as f on f.indicator_id = t.indicator_id and f.area_code = t.area_code
                and f.period_end = t.period_end {own}
            left join disclosure.int_kept_count as k on k.measure_id = t.measure_id and k.area_code = t.area_code
                and k.counted_period_end = t.counted_period_end {kept}
            group by all
        )
        select c.*, t.told, t.is_there from disclosure.int_count as c
        left join told as t on t.measure_id = c.measure_id and t.counted_period_end = c.counted_period_end
            and t.area_code = c.area_code {counted}
        order by all"""
    ).df()
    return plain(frame, breakdowns)


def shares(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> pd.DataFrame:
    """How much of what registers give each table shows: one row per table.

    `figures` and `counts`: how many there are; `figures_shown`, `counts_shown`, `mass_shown`: the shares of them, and of
    the people behind all counts, that are told.
    """
    breakdowns = list(catalogue.breakdowns)
    _show(connection, catalogue, catalogue.published)
    own = " ".join(f"and f.{name} = t.{name}" for name in breakdowns)
    cells = ", ".join(f"t.counted_{name}" for name in breakdowns)
    return connection.execute(
        f"""with part as (
            select f.published_table, t.*, f.status <> 'confidential' as is_shown
            from disclosure.int_told_count as t
            join told_figure as f on f.indicator_id = t.indicator_id and f.area_code = t.area_code
                and f.period_end = t.period_end {own}
        ),
        counted as (
            select published_table, t.measure_id, t.counted_period_end, t.area_code, {cells},
                any_value(value) as value, bool_or(is_shown) as is_shown
            from part as t group by all
        )
        select published_table, f.figures, f.figures_shown,
            count(*) as counts, avg(is_shown::int) as counts_shown,
            sum(case when is_shown then value end) / sum(value) as mass_shown
        from counted join (
            select published_table, count(*) as figures, avg(is_shown::int) as figures_shown
            from part where role = 'numerator' group by 1
        ) as f using (published_table)
        group by all order by 1"""
    ).df()


def opened_by(
    connection: duckdb.DuckDBPyConnection, home: Home, catalogue: Catalogue, measure: str
) -> list[str]:
    """The counts of one measure that can be worked out now, in words."""
    from expectations.disclosure.release import PLUS

    breakdowns = list(catalogue.breakdowns)
    _show(connection, catalogue, catalogue.published)
    _, found = _found(connection, home, breakdowns, ALONE)
    return sorted(
        {
            f"{one.measure}, {one.period[:10]}: {one.what}"
            for one in found
            if measure in one.measure.split(PLUS)
        }
    )


def _found(
    connection: duckdb.DuckDBPyConnection, home: Home, breakdowns: list[str], workers: Workers
) -> tuple[pd.DataFrame, list[Opened]]:
    """All counts, and what opens of them."""
    from expectations.disclosure.release import Memory, opened

    measures = connection.table("monitoring.fct_measure")
    told = _told(connection, breakdowns)
    deliveries = deliveries_of(connection.table("raw.register_measure"), told["measure_id"])
    counts = with_ledger(told, measures, told_before(home, breakdowns), deliveries, breakdowns)
    counts, _, _ = with_kept(counts, kept_counts(connection, breakdowns), breakdowns)
    city = city_of(*(connection.table(name).df() for name in CITY))
    return counts, opened(counts, breakdowns, city, areas_of(measures), Memory(home.proof), workers.map)


def _attack(
    connection: duckdb.DuckDBPyConnection, home: Home, breakdowns: list[str], workers: Workers
) -> pd.DataFrame:
    counts, found = _found(connection, home, breakdowns, workers)
    rows = counts.iloc[[row for one in found for row in one.rows]][[*KEY, *breakdowns]].assign(
        why=[f"{one.measure}: {one.what}" for one in found for _ in one.rows]
    )
    connection.register("opened_count", rows.astype({"why": "str"}))
    columns = ", ".join(f"t.{name}" for name in [*COLUMNS, *breakdowns])
    same = " ".join(f"and o.{name} = t.counted_{name}" for name in breakdowns)
    figures = connection.execute(
        f"""select {columns}, min(o.why) as why from disclosure.int_told_count as t
        join opened_count as o on o.measure_id = t.measure_id and o.area_code = t.area_code
            and o.counted_period_end = t.counted_period_end {same}
        group by all order by all"""
    ).df()
    connection.unregister("opened_count")
    return figures
