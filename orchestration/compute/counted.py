"""Counts of registers as the candidate's relations have them: their keys, deliveries and true figures.

Belongs here: what finding, keeping and attacking confidential counts have in common. Does not belong here: any of the three.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import duckdb
import pandas as pd

KEY = ["measure_id", "counted_period_end", "area_code"]

COUNTED = "counted_"
"""What stands before a breakdown's name where a figure and its counts are in one row."""


def plain(counts: pd.DataFrame, breakdowns: list[str]) -> pd.DataFrame:
    """Counts with their cells under the breakdowns' own names."""
    return counts.rename(columns={COUNTED + name: name for name in breakdowns})


def breakdowns_of(counts: duckdb.DuckDBPyRelation) -> list[str]:
    """The breakdowns of int_count."""
    return [c.removeprefix(COUNTED) for c in counts.columns if c.startswith(COUNTED) and c not in KEY]


def areas_of(measures: duckdb.DuckDBPyRelation) -> pd.DataFrame:
    """All areas of every measure and period, whether anything of them is published or not."""
    return measures.query(
        "measures",
        "select distinct measure_id, period_end as counted_period_end, area_code, area_level from measures order by all",
    ).df()


def deliveries_of(register_measures: duckdb.DuckDBPyRelation, measures: Iterable[str]) -> pd.DataFrame:
    """From which delivery every measure and period was counted; of sums of several measures among `measures` from which ones."""
    from expectations.disclosure.release import PLUS

    single = register_measures.query(
        "counted",
        "select distinct measure_id, period_end as counted_period_end, delivery_id from counted order by all",
    ).df()
    found = [single]
    for text in sorted({m for m in measures if PLUS in m}):
        parts = text.split(PLUS)
        of_parts = single[single["measure_id"].isin(parts)].sort_values("measure_id")
        together = of_parts.groupby("counted_period_end", as_index=False).agg(
            delivery_id=("delivery_id", lambda ids: PLUS.join(dict.fromkeys(ids))),
            parts=("measure_id", "nunique"),
        )
        together = together[together["parts"] == len(parts)].drop(columns="parts")
        found.append(together.assign(measure_id=text))
    return pd.concat(found, ignore_index=True)


def true_figures(
    measures: duckdb.DuckDBPyRelation, keys: pd.DataFrame, breakdowns: list[str]
) -> pd.DataFrame:
    """The true figures of counts, by their keys; without a row where the measure has none. `measures` as fct_measure."""
    from expectations.disclosure.release import PLUS, SUM, parts_of

    cells = keys.assign(count=range(len(keys)))
    number = cells["measure_id"].str.count(re.escape(PLUS)) + 1
    for name in ("measure_id", *breakdowns):
        cells[name] = [parts_of(text, n) for text, n in zip(cells[name], number, strict=True)]
    cells = cells.explode(["measure_id", *breakdowns])
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
