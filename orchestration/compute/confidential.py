"""The counts of the candidate as `expectations.disclosure.release` takes them, and which of them stay hidden.

Belongs here: relations of the candidate, the ledger and the vault → frames and back. Does not belong here: what opens.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import duckdb
import pandas as pd

from expectations.catalogue.registers import HOME_LEVEL
from orchestration.ledger import told_before
from orchestration.resources.home import Home
from orchestration.resources.workers import Workers

if TYPE_CHECKING:
    from expectations.disclosure.release import City

LOG = logging.getLogger("bildungsmonitor")

KEY = ["measure_id", "counted_period_end", "area_code"]

_COUNTED = "counted_"
"""What stands before a breakdown's name where a figure and its counts are in one row."""


RELATION = "disclosure.int_confidential_count"
"""Where the counts that stay hidden stand in the candidate; a source of the dbt project."""


def write_confidential_counts(home: Home, workers: Workers) -> None:
    """Make the relation of counts that stay hidden beside those of too few people, from int_count and what it is made of.

    One row per such count; `problem` says why where a whole population could not be protected. Raises WorkerError.
    """
    from expectations.disclosure.release import Memory, confidential

    with duckdb.connect(str(home.candidate)) as connection:
        counts = connection.table("disclosure.int_count").df()
        breakdowns = [
            c.removeprefix(_COUNTED) for c in counts.columns if c.startswith(_COUNTED) and c not in KEY
        ]
        city = city_of(*(connection.table(name).df() for name in CITY))
        measures = connection.table("monitoring.fct_measure")
        deliveries = deliveries_of(connection.table("raw.register_measure"))
        asked = with_ledger(plain(counts, breakdowns), measures, told_before(home), deliveries, breakdowns)
        areas = areas_of(measures)
    started = time.perf_counter()
    hidden, failed = confidential(asked, breakdowns, city, areas, Memory(home.proof), workers.map)
    LOG.info(
        "compute | %s counts told of registers, %d more stay hidden, %.1f s",
        f"{int((~asked['is_hidden']).sum()):,}", int((hidden & ~asked["is_hidden"]).sum()), time.perf_counter() - started,
    )  # fmt: skip
    problem = pd.Series([None] * len(asked), dtype="object")
    for one in failed:
        # The reason may name true figures: it stays in the table.
        LOG.warning(
            "compute | %s, %s: no protection was found, all of it stays hidden", one.measure, one.period[:10]
        )
        problem.iloc[one.rows] = one.what
    asked = asked.assign(problem=problem)[hidden & (~asked["is_hidden"] | problem.notna())]
    renamed = {name: _COUNTED + name for name in breakdowns}
    columns = [*KEY, *renamed.values()]
    rows = asked.rename(columns=renamed)[[*columns, "problem"]].astype({"problem": "string"})
    with duckdb.connect(str(home.candidate)) as connection:
        connection.register("incoming", rows)
        connection.execute("begin")
        connection.execute(
            f"create or replace table {RELATION} as select {', '.join(columns)}, cast(null as varchar) as problem "
            "from disclosure.int_count limit 0"
        )
        connection.execute(f"insert into {RELATION} by name select * from incoming")
        connection.execute("commit")


def plain(counts: pd.DataFrame, breakdowns: list[str]) -> pd.DataFrame:
    """Counts with their cells under the breakdowns' own names."""
    return counts.rename(columns={_COUNTED + name: name for name in breakdowns})


CITY = (
    "raw.municipality", "raw.area_piece", "catalogue.breakdown_cell", "catalogue.measure_known_zero", "catalogue.measure_subset",
)  # fmt: skip
"""The candidate's relations that `city_of` takes, in its order."""


def city_of(
    municipality: pd.DataFrame,
    pieces: pd.DataFrame,
    cells: pd.DataFrame,
    known_zeros: pd.DataFrame,
    subsets: pd.DataFrame,
) -> City:
    """How areas, cells and measures hang together, from the candidate's relations."""
    from expectations.disclosure.release import City

    inner = cells[cells["subset_of"].notna()]
    part_of = {
        str(name): dict(zip(rows["cell"], rows["subset_of"], strict=True))
        for name, rows in inner.groupby("breakdown")
    }
    zeros = frozenset(zip(known_zeros["measure_id"], known_zeros["breakdown"], strict=True))
    within = frozenset(zip(subsets["measure_id"], subsets["whole_measure_id"], strict=True))
    return City(str(municipality["area_code"].iloc[0]), HOME_LEVEL, pieces, part_of, zeros, within)


def areas_of(measures: duckdb.DuckDBPyRelation) -> pd.DataFrame:
    """All areas of every measure and period, whether anything of them is told or not."""
    return measures.query(
        "measures",
        "select distinct measure_id, period_end as counted_period_end, area_code, area_level from measures order by all",
    ).df()


def deliveries_of(register_measures: duckdb.DuckDBPyRelation) -> pd.DataFrame:
    """From which delivery every measure and period was counted."""
    return register_measures.query(
        "counted",
        "select distinct measure_id, period_end as counted_period_end, delivery_id from counted order by all",
    ).df()


def with_ledger(
    counts: pd.DataFrame,
    measures: duckdb.DuckDBPyRelation,
    before: pd.DataFrame,
    deliveries: pd.DataFrame,
    breakdowns: list[str],
) -> pd.DataFrame:
    """Counts with `low` and `high`, between which they were told to be before, from the same delivery.

    What was told before and is told no more is there as well, as a hidden count.
    """
    keys = [*KEY, *breakdowns]
    if before.empty:
        return counts.assign(low=float("nan"), high=float("nan"))
    before = before.merge(deliveries, on=["measure_id", "counted_period_end", "delivery_id"])
    before = before.groupby(keys, as_index=False).agg(low=("low", "max"), high=("high", "min"))
    joined = counts.merge(before, on=keys, how="outer", indicator=True)
    gone = joined["_merge"] == "right_only"
    joined = joined.drop(columns="_merge")
    if gone.any():
        known = joined.loc[gone, keys].merge(_values(measures, joined.loc[gone, keys], breakdowns), on=keys)
        like = counts.groupby(["measure_id", "area_level"], as_index=False)[["base", "k"]].max()
        known = known.merge(
            like, on=["measure_id", "area_level"]
        )  # a level or measure told no more says no rule
        known = known.assign(is_hidden=True, figures=0).merge(before, on=keys)
        joined = pd.concat([joined[~gone], known], ignore_index=True)
    joined["is_hidden"] = joined["is_hidden"].astype(bool)
    return joined.sort_values(keys, ignore_index=True)


def _values(measures: duckdb.DuckDBPyRelation, keys: pd.DataFrame, breakdowns: list[str]) -> pd.DataFrame:
    """The true figures of counts that no indicator tells any more."""
    from expectations.disclosure.release import SUM

    cells = keys.assign(count=range(len(keys)))
    for name in breakdowns:
        cells[name] = cells[name].str.split(SUM)
        cells = cells.explode(name)
    same = " and ".join(f"m.{name} = c.{name}" for name in breakdowns)
    found = measures.query(
        "measures", f"""select c.count, any_value(m.area_level) as area_level, sum(m.value) as value
        from cells as c join measures as m on m.measure_id = c.measure_id and m.area_code = c.area_code
        and m.period_end = c.counted_period_end and {same} group by c.count""",
    ).df()  # fmt: skip
    return keys.assign(count=range(len(keys))).merge(found, on="count").drop(columns="count")
