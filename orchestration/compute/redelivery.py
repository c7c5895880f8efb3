"""What stays published of a period that a register delivered again (decision 0034).

Belongs here: the ledger and the new counts → the figures that stay as they were published, and what stays hidden. Does
not belong here: which counts have to be hidden beside that (confidential.py).

Two deliveries of one period are about the same people but for the few that were corrected. A figure that followed every
correction would say what it corrected, and a figure that appears or vanishes would say that something changed there.
So a published figure stays until its count is a whole rounding base away, and what was hidden stays hidden.
"""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd

from orchestration.compute.counted import COUNTED, KEY, deliveries_of, plain, true_figures
from orchestration.compute.increment import has_table
from orchestration.ledger import told_before
from orchestration.resources.home import Home

RELATION = "disclosure.int_kept_count"
"""Where the figures that stay published stand in the candidate; a source of the dbt project."""


def write_kept_counts(home: Home, breakdowns: list[str]) -> None:
    """Make the relation of the figures that stay published, from the ledger and the counts as they were loaded.

    One row per count that was published or hidden when its period was delivered before, none where nothing was delivered
    again: `published` (people; empty where it stays hidden or its figure follows), and `low` and `high`, what a reader
    knows of the count from that.
    """
    with duckdb.connect(str(home.candidate)) as connection:
        measures = connection.table("raw.register_measure")
        cells = ", ".join(f"{COUNTED}{name} varchar" for name in breakdowns)
        connection.execute("create schema if not exists disclosure")
        connection.execute(
            f"create or replace table {RELATION} (measure_id varchar, counted_period_end date, area_code varchar, {cells}, "
            "published double, low double, high double)"
        )
        before = _delivered_again(connection, told_before(home, breakdowns))
        if before.empty:
            return
        keys = [*KEY, *breakdowns]
        figures = true_figures(measures, before[keys], breakdowns)
        bases = connection.execute("select measure_id, rounding from catalogue.measure").df()
        found = before.merge(figures[[*keys, "value"]], on=keys)
        keep(
            connection,
            _kept(found, dict(zip(bases["measure_id"], bases["rounding"], strict=True))),
            breakdowns,
        )


def keep(connection: duckdb.DuckDBPyConnection, kept: pd.DataFrame, breakdowns: list[str]) -> None:
    """Put figures that stay into the relation, in the place of what stands there of the same counts."""
    renamed = {name: COUNTED + name for name in breakdowns}
    columns = [*KEY, *renamed.values()]
    rows = kept.rename(columns=renamed)[[*columns, "published", "low", "high"]]
    connection.register("incoming", rows)
    same = " and ".join(f"k.{c} = i.{c}" for c in columns)
    connection.execute(f"delete from {RELATION} as k using incoming as i where {same}")
    connection.execute(f"insert into {RELATION} by name select * from incoming")
    connection.unregister("incoming")


def kept_counts(connection: duckdb.DuckDBPyConnection, breakdowns: list[str]) -> pd.DataFrame:
    """The relation with the cells under the breakdowns' own names."""
    if not has_table(connection, *RELATION.split(".")):
        return pd.DataFrame(columns=[*KEY, *breakdowns, "published", "low", "high"])
    return plain(connection.table(RELATION).df(), breakdowns)


def with_kept(
    counts: pd.DataFrame, kept: pd.DataFrame, breakdowns: list[str]
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Counts as the search takes them; which of them stay as they were published, and which stay hidden.

    What stays says no more than its bounds (`low`, `high`), and can be hidden no more.
    """
    keys = [*KEY, *breakdowns]
    nothing = np.zeros(len(counts), dtype=bool)
    if kept.empty:
        return counts, nothing, nothing
    days = kept["counted_period_end"].astype(counts["counted_period_end"].dtype)
    beside = counts[keys].merge(
        kept.assign(counted_period_end=days, is_kept=True), on=keys, how="left"
    )  # a row for each count
    is_kept = beside["is_kept"].notna().to_numpy()
    stays = is_kept & beside["published"].notna().to_numpy()
    was_hidden = is_kept & ~stays & beside["low"].isna().to_numpy()
    counts = counts.assign(
        low=np.fmax(counts["low"].to_numpy(dtype=float), beside["low"].to_numpy(dtype=float)),
        high=np.fmin(counts["high"].to_numpy(dtype=float), beside["high"].to_numpy(dtype=float)),
        is_hidden=counts["is_hidden"].to_numpy(dtype=bool) | stays | was_hidden,
    )
    if "told" in counts.columns:
        # The figure that stays: its bounds say what it says. Another figure in its place is taken at its word.
        same = stays & (counts["told"].to_numpy(dtype=float) == beside["published"].to_numpy(dtype=float))
        counts = counts.assign(told=counts["told"].mask(same))
    return counts, stays, was_hidden


def as_published(
    counts: pd.DataFrame, kept: pd.DataFrame, ledger: pd.DataFrame, breakdowns: list[str]
) -> pd.DataFrame | None:
    """A population that was delivered again and can't be protected, as it was published: a row for each of its counts.

    None if none of it was delivered again. What says nothing but what was said before tells nothing of the new delivery.
    """
    keys = [*KEY, *breakdowns]
    again = kept[["measure_id", "counted_period_end"]].drop_duplicates()
    if counts.merge(_same_days(again, counts), on=["measure_id", "counted_period_end"]).empty:
        return None
    latest = _same_days(_latest(ledger, keys), counts)
    return (
        counts[keys].merge(latest[[*keys, "published"]], on=keys, how="left").assign(low=np.nan, high=np.nan)
    )


def _delivered_again(connection: duckdb.DuckDBPyConnection, ledger: pd.DataFrame) -> pd.DataFrame:
    """The newest publication of every count of a measure and period that was ever published from another delivery than now.

    `delivered_now`: the delivery that it is counted from.
    """
    ledger = ledger[ledger["published"].notna() | ledger["low"].isna()]  # answers are no publication
    if ledger.empty:
        return ledger
    deliveries = deliveries_of(connection.table("raw.register_measure"), ledger["measure_id"])
    deliveries = _same_days(deliveries, ledger).rename(columns={"delivery_id": "delivered_now"})
    joined = ledger.merge(deliveries, on=["measure_id", "counted_period_end"])
    again = joined.loc[joined["delivery_id"] != joined["delivered_now"], ["measure_id", "counted_period_end"]]
    cells = [c for c in ledger.columns if c not in ("delivery_id", "low", "high", "published")]
    latest = _latest(ledger, cells).merge(again.drop_duplicates(), on=["measure_id", "counted_period_end"])
    return latest.merge(deliveries, on=["measure_id", "counted_period_end"])


def _latest(ledger: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """The newest figure of every count, or that it was hidden where it never had one: what is out stays out.

    Answers to somebody (without a figure, but with bounds) are no publication.
    """
    is_shown = ledger["published"].notna()
    is_answer = ~is_shown & ledger["low"].notna()
    in_order = pd.concat([ledger[~is_shown & ~is_answer], ledger[is_shown]])
    return in_order.drop_duplicates(keys, keep="last")


def _kept(found: pd.DataFrame, bases: dict[str, int]) -> pd.DataFrame:
    """The counts whose figure stays, or stays hidden; and the bounds that say that the others' did not.

    What was published from the very delivery of now is as it was then: its bounds say whether it stayed (wider than rounding),
    stayed whatever its count (none), or followed. A figure of another rounding base than now is no figure to stay.
    """
    from expectations.disclosure.blur import known_of_changed, known_of_kept, known_of_rounded, stays
    from expectations.disclosure.release import PLUS

    base = (
        found["measure_id"]
        .map({text: max(int(bases[m]) for m in text.split(PLUS)) for text in set(found["measure_id"])})
        .to_numpy(dtype=np.int64)
    )
    values = found["value"].to_numpy(dtype=float)
    before = found["published"].to_numpy(dtype=float)
    is_hidden = np.isnan(before)
    was_low, was_high = (found[bound].to_numpy(dtype=float) for bound in ("low", "high"))
    least, most = known_of_rounded(before, base)
    stayed = np.isnan(was_low) | (was_low < least) | (was_high > most)
    is_now = (found["delivery_id"] == found["delivered_now"]).to_numpy()
    same = ~is_hidden & np.where(is_now, stayed, stays(values, before, base))
    low, high = known_of_kept(before, base)
    changed_low, changed_high = known_of_changed(values, before, base)
    low, high = np.where(same, low, changed_low), np.where(same, high, changed_high)
    low, high = np.where(is_now, was_low, low), np.where(is_now, was_high, high)
    kept = found.assign(
        published=np.where(same, before, np.nan),
        low=np.where(is_hidden, np.nan, low),
        high=np.where(is_hidden, np.nan, high),
    )
    return kept[is_hidden | (before % base == 0)]


def _same_days(rows: pd.DataFrame, like: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(counted_period_end=rows["counted_period_end"].astype(like["counted_period_end"].dtype))
