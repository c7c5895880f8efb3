"""Level shift: do many areas move together, by more than they ever did, without a declared break?

What: per indicator, cell and period the middle of all districts' changes, against the changes of the periods before; of a
rate that of its denominators, too.
When it matters: another unit, another definition, a changed reference day: each moves all areas at once, and no single
one far enough to be noticed.
How to resolve: read the table's footnotes; declare the break in the measure, or have the delivery corrected.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from expectations.catalogue.model import Text
from expectations.checks.base import Found, Subject, found, no_district_pairs, one_number, pairs, row_check
from expectations.wording import Percent, said

_TIMES = 6.0
"""So many times the usual common change is no common change any more."""

_LEAST_SHARE, _MOST, _MOST_OF_SHARES = 0.12, 0.5, 0.25
"""As logarithms: what is never too much, and what always is, however much the past went up and down; a share of people
moves less than a flow of them."""

_PAST = 3
_LEAST_AREAS = 8


def _find(subject: Subject) -> Found:
    rows = pairs(subject)
    rows = rows[rows["area_level"] == "district"]
    # A rate told without its people stands for enough of them.
    bare = rows["before_numerator"].isna() & (rows["unit"] == "percent") & (rows["before"] >= 1)
    weight = rows["before_numerator"].fillna(rows["before"]).mask(bare, 100)
    rows = rows.assign(part="value", weight=weight)
    # Numerator and denominator may move together and leave the rate where it was.
    whole = rows[(rows["denominator"] > 0) & (rows["denominator"] != rows["numerator"])]
    whole = whole.assign(
        part="denominator", value=whole["denominator"], before=whole["before_denominator"], weight=whole["before_denominator"], unit="",
    )  # fmt: skip
    rows = pd.concat([rows.assign(unit=rows["unit"].astype(str)), whole])
    # One number stands for a cell, and another for its denominators.
    cells = one_number(rows, ["indicator_id", *subject.names])
    rows = rows.assign(cell=2 * cells + (rows["part"] == "denominator").to_numpy())
    large = rows[(rows["weight"] >= 30) & (rows["before"] > 0) & (rows["value"] > 0)]
    # By how much of itself: three points are little of fifty and half of six.
    large = large.assign(change=np.log(large["value"] / large["before"]))
    middle = (
        large.groupby(["cell", "end"], sort=False)
        .agg(
            change=("change", "median"), areas=("change", "count"), crossed=("across_break", "any"),
            unit=("unit", "first"), indicator_id=("indicator_id", "first"),
        )
        .reset_index()
    )  # fmt: skip
    middle = middle[middle["areas"] >= _LEAST_AREAS].sort_values("end")
    last = middle.groupby("cell")["end"].transform("max") == middle["end"]
    past = middle[~last].assign(size=middle["change"].abs()).groupby("cell")["size"]
    typical = past.quantile(0.75).where(past.size() >= _PAST)
    usual = middle["cell"].map(typical)
    newest = middle["end"] == middle.groupby("indicator_id", observed=True)["end"].transform("max")
    # Without a past, twice as much is needed.
    limit = (_TIMES * usual).clip(lower=_LEAST_SHARE).fillna(2 * _LEAST_SHARE)
    limit = limit.clip(upper=np.where(middle["unit"] == "percent", _MOST_OF_SHARES, _MOST))
    wrong = middle[newest & ~middle["crossed"] & (middle["change"].abs() > limit)]
    # The row that stands for the period: the home municipality's, or the first of the districts.
    home = rows.assign(elsewhere=rows["area_code"] != subject.home_area)
    first = home.sort_values("elsewhere", kind="stable").drop_duplicates(["cell", "end"])
    first = first.merge(
        wrong[["cell", "end", "change", "areas"]].rename(columns={"change": "common"}), on=["cell", "end"]
    )

    return found(rows, first, _words)


def _words(row: pd.Series) -> Text:
    change = Percent(float(np.exp(row["common"]) - 1), signed=True)
    if row["part"] == "value":
        return said(
            "{areas:Kreis|Kreise} um {change}",
            "{areas:district|districts} by {change}",
            areas=row["areas"],
            change=change,
        )
    return said(
        "Nenner in {areas:Kreis|Kreisen} um {change}", "denominator of {areas:district|districts} by {change}",
        areas=row["areas"], change=change,
    )  # fmt: skip


CHECK = row_check(
    "level_shift",
    _find,
    right=Text(
        de="die Gebiete verschieben sich nicht gemeinsam", en="the areas do not move all at once"
    ),
    wrong=Text(
        de="viele Gebiete verschieben sich auf einmal, ohne erklärten Bruch",
        en="many areas move at once, without a declared break",
    ),
    needs=no_district_pairs,
)  # fmt: skip
