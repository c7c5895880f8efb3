"""Cell share: does a cell's part of its total leave what it was for years?

What: counts at district level in the newest period: the cell's share of the total against the same area's share a year before, with
the noise of so many cases; grave at home or in several areas at once.
When it matters: one woman among 43 leavers where half were women every year: a figure in the wrong cell.
How to resolve: compare the cell with the official table; an error of the office becomes a declared correction.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from expectations.catalogue import Catalogue
from expectations.catalogue.model import TOTAL, Indicator, Kind, Text
from expectations.checks.base import (
    Found,
    Subject,
    before_and_now,
    found,
    no_earlier_period,
    pairs,
    row_check,
)  # fmt: skip
from expectations.wording import Percent, said

_HOME, _ANYWHERE = 9.0, 14.0
"""Standard deviations of a share; areas change by more than chance, so both are far out."""

_POINTS = 0.15
_AREAS = 3


def _broken_down_counts(indicator: Indicator, catalogue: Catalogue) -> bool:
    return indicator.kind is Kind.COUNT and bool(indicator.breakdowns) and not indicator.coverage.cells


def _find(subject: Subject) -> Found:
    chosen = [i for i in subject.indicators if _broken_down_counts(i, subject.catalogue)]
    rows = pairs(subject)
    newest = rows[rows["is_newest"] & ~rows["across_break"] & (rows["area_level"] == "district")]
    seen, wrong = [], []
    for indicator in chosen:
        of_one = newest[newest["indicator_id"] == indicator.id]
        for breakdown in indicator.breakdowns:
            keys = ["area_code", "end", *(n for n in subject.names if n != breakdown)]
            totals = of_one[of_one[breakdown] == TOTAL][[*keys, "value", "before"]]
            joined = of_one[of_one[breakdown] != TOTAL].merge(totals, on=keys, suffixes=("", "_whole"))
            seen.append(joined[["indicator_id"]])
            n, n0 = joined["value_whole"], joined["before_whole"]
            p, p0 = joined["value"] / n.where(n > 0), joined["before"] / n0.where(n0 > 0)
            pooled = ((p * n + p0 * n0) / (n + n0)).clip(0.01, 0.99)
            noise = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / n0))
            z = (p - p0).abs() / noise
            large = (np.minimum(n, n0) >= 30) & ((p - p0).abs() > _POINTS)
            joined = joined.assign(z=z, p=100 * p, p0=100 * p0)
            home = joined["area_code"] == subject.home_area
            wrong.append(joined[large & ((z > _ANYWHERE) | (home & (z > _HOME)))])
    if not seen:
        return Found({}, rows.iloc[:0])
    over = pd.concat(wrong)
    # One of hundreds of areas may be an oddity of that area; it is named.
    areas = over.groupby([over["indicator_id"], over["end"]], observed=True)["area_code"].transform("nunique")
    grave = ((over["area_code"] == subject.home_area) | (areas >= _AREAS)).to_numpy()
    return found(
        pd.concat(seen),
        over,
        lambda row: said(
            "{before} → {now} der Summe ({change})",
            "{before} → {now} of the total ({change})",
            before=Percent(row["p0"] / 100),
            now=Percent(row["p"] / 100),
            change=before_and_now(row),
        ),
        grave,
    )


def _nothing_comparable(subject: Subject, indicator: Indicator) -> Text | None:
    rows = pairs(subject)
    mine = rows[(rows["indicator_id"] == indicator.id) & rows["is_newest"] & ~rows["across_break"]]
    parts = mine[(mine[indicator.breakdowns] != TOTAL).any(axis=1)]
    if no_earlier_period(subject, indicator) is None and len(parts) and (
        mine["area_level"] == "district"
    ).any() and all(
        (mine[name] == TOTAL).any() for name in indicator.breakdowns
    ):  # fmt: skip
        return None
    return Text(
        de="keine Teile und Summen zweier Jahre ohne Bruch", en="no parts and totals of two years without a break"
    )  # fmt: skip


CHECK = row_check(
    "cell_share",
    _find,
    applies=_broken_down_counts,
    right=Text(de="die Teile haben ihr gewohntes Gewicht", en="the parts have their usual weight"),
    wrong=Text(de="das Gewicht eines Teils ändert sich schlagartig", en="a part's weight changes all at once"),
    needs=_nothing_comparable,
)  # fmt: skip
