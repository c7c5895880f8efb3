"""Continuity: does a value change more from one period to the next than it believably can?

What: the change between neighbouring periods of every series, with enough cases behind it, and never across a declared
series break. What so many cases vary by chance (three standard deviations) comes on top of the declared limit.
When it matters: a decimal point lost, a column swapped, a break nobody declared.
How to resolve: look at the series named; if the change is real for good, widen the indicator's
`continuity`; if the method changed, declare the break in its measure.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from expectations.catalogue.model import Indicator, Text
from expectations.checks.base import (
    Found,
    Subject,
    before_and_now,
    found,
    no_earlier_period,
    only_total_cells,
    pairs,
    row_check,
)  # fmt: skip

_CHANCE = 3.0
_FRESH = 0.05
"""So large a share of the newest period's changes beyond the limit is no oddity of single areas."""


def beyond(rows: pd.DataFrame, indicator: Indicator) -> tuple[np.ndarray, np.ndarray]:
    """Which changes count (enough cases, no break), and which of them lie beyond the limit."""
    limits = indicator.continuity
    value, before = (rows[c].to_numpy(dtype=float) for c in ("value", "before"))
    if indicator.kind.needs_denominator:
        n, n0 = (rows[c].to_numpy(dtype=float) for c in ("denominator", "before_denominator"))
        cases = np.fmin(n, n0)
    else:
        n = n0 = np.full(len(rows), np.nan)
        cases = np.fmax(value, before)
    judged = (cases >= limits.from_denominator) & ~rows["across_break"].to_numpy(dtype=bool)
    change = np.abs(value - before)
    if limits.max_change_points is not None:
        # A share of a hundred people varies by five points; one of ten thousand does not.
        share = np.clip((value + before) / 200, 0.01, 0.99)
        with np.errstate(divide="ignore", invalid="ignore"):
            noise = 100 * np.sqrt(share * (1 - share) * (1 / n + 1 / n0))
        of_hundred = indicator.unit == "percent" and indicator.kind.needs_denominator
        allowed = limits.max_change_points + (_CHANCE * np.nan_to_num(noise, posinf=0) if of_hundred else 0)
    else:
        # From zero to many is an infinite change, so it counts against the smaller of both.
        smaller = np.where(value > before, np.fmin(np.abs(value), np.abs(before)), np.abs(before))
        allowed = (limits.max_change_percent or 0) / 100 * smaller
        if indicator.unit == "persons":
            allowed = allowed + _CHANCE * np.sqrt(np.abs(before))
    return judged, judged & (change > allowed)


def _find(subject: Subject) -> Found:
    rows = pairs(subject)
    home = (rows["area_code"] == subject.home_area).to_numpy() & only_total_cells(rows, subject.names)
    names = rows["indicator_id"].astype("object").to_numpy()
    wrong = np.zeros(len(rows), dtype=bool)
    grave = np.zeros(len(rows), dtype=bool)
    for indicator in subject.indicators:
        mine = np.flatnonzero(names == indicator.id)
        if not len(mine):
            continue
        judged, off = beyond(rows.iloc[mine], indicator)
        wrong[mine] = off
        many = off.sum() > indicator.continuity.tolerated_share * max(judged.sum(), 1)
        # Tonight's period is not lost among all the years before it.
        newest = rows["is_newest"].to_numpy()[mine]
        fresh = (off & newest).sum() > max(_FRESH * (judged & newest).sum(), 2)
        grave[mine] = off & (many | home[mine] | (newest & fresh))
    return found(rows, rows[wrong], before_and_now, grave[wrong])


CHECK = row_check(
    "continuity",
    _find,
    right=Text(
        de="keine Veränderung über der erklärten Grenze", en="no change beyond the declared limit"
    ),
    wrong=Text(
        de="unplausibel große Veränderungen", en="implausibly large changes"
    ),
    needs=no_earlier_period,
)  # fmt: skip
