"""Column swap: do two cells of a breakdown look as if they had changed places since last year?

What: per area, the newest cells of a breakdown against those of the year before: two cells of which each now has what the
other had, and neither what it had itself. Counts, and shares by their cells.
When it matters: columns read off by one, male and female exchanged: every total stays right, so nothing else sees it.
How to resolve: compare the order of the columns with the official table; correct the contract or the delivery.
"""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from expectations.catalogue.model import TOTAL, Text
from expectations.checks.base import (
    Found,
    Subject,
    found,
    is_broken_down,
    is_official,
    no_earlier_period,
    one_number,
    pairs,
    row_check,
    swap_in_words,
)

_CASES, _AREAS = 30, 3
_TIMES = 3.0
"""How much better the exchange must explain the new figures than no exchange does."""

_APART = 5.0
"""How far the cells must lie apart, in standard deviations of a count."""


def _find(subject: Subject) -> Found:
    rows = pairs(subject)
    rows = rows[is_official(rows)]
    newest = rows[rows["is_newest"] & ~rows["across_break"]]
    wrong = []
    for indicator in subject.indicators:
        of_one = newest[newest["indicator_id"] == indicator.id]
        for breakdown in indicator.breakdowns:
            keys = ["area_code", *(n for n in subject.names if n != breakdown)]
            cells = _moved(of_one[of_one[breakdown] != TOTAL], keys)
            if not len(cells):
                continue
            now, then = (
                cells.pivot_table(index=keys, columns=breakdown, values=v, aggfunc="first", observed=True)
                for v in ("value", "before")
            )
            then = then.reindex_like(now)
            size = cells.pivot_table(
                index=keys, columns=breakdown, values="denominator", aggfunc="first", observed=True, dropna=False
            ).reindex_like(now) if indicator.kind.needs_denominator else None  # fmt: skip
            # Neighbouring ages differ too little to be told apart; with many cells only neighbours are columns.
            pairs_of = list(itertools.combinations(now.columns, 2))
            if len(now.columns) > 8:
                pairs_of = list(itertools.pairwise(now.columns))
            for one, other in pairs_of:
                exchanged = _exchanged(now, then, size, one, other)
                if not exchanged.any():
                    continue
                places = now.index[exchanged].to_frame(index=False)
                hits = cells[cells[breakdown] == one].merge(places.astype(object), on=keys)
                wrong.append(hits.assign(other=str(other), swapped_in=breakdown))
    over = pd.concat(wrong) if wrong else newest.iloc[:0].assign(other="", swapped_in="")
    # One of hundreds of areas may look like it by chance.
    times = over.groupby([over["indicator_id"], over["other"]], observed=True)["value"].transform("size")
    grave = ((over["area_code"] == subject.home_area) | (times >= _AREAS)).to_numpy()
    label = subject.catalogue.cell_label
    return found(rows, over, lambda row: swap_in_words(row, label(row["swapped_in"], row["other"])), grave)


def _moved(cells: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """The rows of those places where at least two cells are far from what they were."""
    before, value = cells["before"].abs(), cells["value"]
    far = (value - cells["before"]).abs() > np.maximum(0.15 * before, 1)
    times = far.groupby(one_number(cells, keys)).transform("sum")
    return cells[times >= 2]


def _exchanged(
    now: pd.DataFrame, then: pd.DataFrame, size: pd.DataFrame | None, one: str, other: str
) -> np.ndarray:
    """In which rows the two cells have changed places; by the noise of a count, or of a share."""
    a, b, a0, b0 = (
        f[c].to_numpy(dtype=float) for f, c in ((now, one), (now, other), (then, one), (then, other))
    )
    if size is None:
        noise = np.sqrt(np.abs(a0) + np.abs(b0)) + 0.03 * (np.abs(a0) + np.abs(b0)) / 2
        enough = np.fmin(a0, b0) + np.fmax(a0, b0) >= _CASES
    else:
        n = np.fmin(size.get(one, pd.Series(np.nan, index=now.index)).to_numpy(dtype=float),
                    size.get(other, pd.Series(np.nan, index=now.index)).to_numpy(dtype=float))  # fmt: skip
        p = np.clip((a0 + b0) / 200, 0.02, 0.98)
        noise = 100 * np.sqrt(2 * p * (1 - p) / n) + 0.5
        enough = n >= _CASES
    stayed = np.hypot(a - a0, b - b0)
    swapped = np.hypot(a - b0, b - a0)
    found_ = enough & (np.abs(a0 - b0) > _APART * noise) & (swapped * _TIMES < stayed)
    return np.nan_to_num(found_, nan=0).astype(bool)


CHECK = row_check(
    "column_swap",
    _find,
    applies=is_broken_down,
    right=Text(de="keine zwei Ausprägungen sind vertauscht", en="no two cells are swapped"),
    wrong=Text(
        de="die Werte zweier Ausprägungen sind offenbar vertauscht",
        en="the values of two cells seem to be swapped",
    ),
    needs=no_earlier_period,
)
