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
from orchestration.compute.counted import (
    COUNTED,
    KEY,
    areas_of,
    breakdowns_of,
    deliveries_of,
    plain,
    true_figures,
)
from orchestration.compute.redelivery import as_published, keep, kept_counts, with_kept
from orchestration.ledger import told_before
from orchestration.resources.home import Home
from orchestration.resources.workers import Workers

if TYPE_CHECKING:
    from expectations.disclosure.release import City

LOG = logging.getLogger("bildungsmonitor")

RELATION = "disclosure.int_confidential_count"
"""Where the counts that stay hidden stand in the candidate; a source of the dbt project."""


def write_confidential_counts(home: Home, workers: Workers) -> bool:
    """Make the relation of counts that stay hidden beside those of too few people, from int_count and what it is made of.

    One row per such count; `problem` says why where a whole population could not be protected. True if a population that was
    delivered again stays as it was published: models made of its counts must be computed again, with those figures. Raises
    WorkerError.
    """
    from expectations.disclosure.release import Memory, confidential

    with duckdb.connect(str(home.candidate)) as connection:
        relation = connection.table("disclosure.int_count")
        breakdowns, counts = breakdowns_of(relation), relation.df()
        city = city_of(*(connection.table(name).df() for name in CITY))
        measures = connection.table("monitoring.fct_measure")
        deliveries = deliveries_of(connection.table("raw.register_measure"), counts["measure_id"])
        ledger = told_before(home, breakdowns)
        asked = with_ledger(plain(counts, breakdowns), measures, ledger, deliveries, breakdowns)
        kept = kept_counts(connection, breakdowns)
        areas = areas_of(measures)
    is_shown = ~asked["is_hidden"].to_numpy(dtype=bool)
    asked, stays, was_hidden = with_kept(asked, kept, breakdowns)
    started = time.perf_counter()
    hidden, failed = confidential(asked, breakdowns, city, areas, Memory(home.proof), workers.map)
    hidden &= ~stays
    hidden |= was_hidden
    LOG.info(
        "compute | %s counts told of registers, %d more stay hidden, %.1f s",
        f"{int(is_shown.sum()):,}", int((hidden & is_shown).sum()), time.perf_counter() - started,
    )  # fmt: skip
    problem = pd.Series([None] * len(asked), dtype="object")
    whole: list[pd.DataFrame] = []
    for one in failed:
        published = as_published(asked.iloc[one.rows], kept, ledger, breakdowns)
        if published is not None:
            LOG.warning(
                "compute | %s, %s: what was delivered again can't be protected, all of it stays as published",
                one.measure, one.period[:10],
            )  # fmt: skip
            whole.append(published)
            hidden[one.rows] = published["published"].isna().to_numpy()
            continue
        # The reason may name true figures: it stays in the table.
        LOG.warning(
            "compute | %s, %s: no protection was found, all of it stays hidden", one.measure, one.period[:10]
        )
        problem.iloc[one.rows] = one.what
    asked = asked.assign(problem=problem)[hidden & (is_shown | problem.notna())]
    renamed = {name: COUNTED + name for name in breakdowns}
    columns = [*KEY, *renamed.values()]
    rows = asked.rename(columns=renamed)[[*columns, "problem"]].astype({"problem": "string"})
    with duckdb.connect(str(home.candidate)) as connection:
        for published in whole:
            keep(connection, published, breakdowns)
        connection.register("incoming", rows)
        connection.execute("begin")
        connection.execute(
            f"create or replace table {RELATION} as select {', '.join(columns)}, cast(null as varchar) as problem "
            "from disclosure.int_count limit 0"
        )
        connection.execute(f"insert into {RELATION} by name select * from incoming")
        connection.execute("commit")
    return bool(whole)


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
    known = before[before["low"].notna()]  # what was confidential says nothing
    before = known.merge(deliveries, on=["measure_id", "counted_period_end", "delivery_id"])
    before = before.groupby(keys, as_index=False).agg(low=("low", "max"), high=("high", "min"))
    joined = counts.merge(before, on=keys, how="outer", indicator=True)
    gone = joined["_merge"] == "right_only"
    joined = joined.drop(columns="_merge")
    if gone.any():
        known = joined.loc[gone, keys].merge(
            true_figures(measures, joined.loc[gone, keys], breakdowns), on=keys
        )
        like = counts.groupby(["measure_id", "area_level"], as_index=False)[["base", "k"]].max()
        known = known.merge(
            like, on=["measure_id", "area_level"]
        )  # a level or measure told no more says no rule
        known = known.assign(is_hidden=True, figures=0).merge(before, on=keys)
        joined = pd.concat([joined[~gone], known], ignore_index=True)
    joined["is_hidden"] = joined["is_hidden"].astype(bool)
    return joined.sort_values(keys, ignore_index=True)
