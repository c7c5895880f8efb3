"""Area swap: do two areas look as if they had changed places since last year?

What: official counts (and numerators of rates) of the newest period, all cells of an indicator together: an area that has what
another had, while that one has what this one had, and neither what it had itself.
When it matters: "Koblenz" is the name of a statistical region, of the city and of half a district: a table keyed by
names gives the city the district's figures. Totals above them stay right.
How to resolve: compare the keys (071, 07111, 07137) of the rows in the delivered file.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from expectations.catalogue.model import Text
from expectations.checks.base import (
    Found,
    Subject,
    found,
    no_earlier_period,
    one_number,
    pairs,
    row_check,
    swap_in_words,
)  # fmt: skip

_STAYED, _SWAPPED = 16.0, 4.0
"""Mean squared deviations per cell: so large nobody stays as he was, so small he is the other."""

_TOGETHER, _LESS, _MANY = 12.0, 4.0, 4
"""At home, with so many cells: so much both together, and so many times less as each other."""

_USUAL = 0.05
"""How much a count of an area changes from year to year, beside chance."""

_CASES = 100
_MOST = 60
"""Areas that left their past; where they are more, something else has happened."""


def _find(subject: Subject) -> Found:
    rows = pairs(subject)
    official = rows["area_level"] == "district"
    newest = rows[rows["is_newest"] & official & ~rows["across_break"]]
    counted = newest["numerator"].fillna(newest["value"])
    before = newest["before_numerator"].fillna(newest["before"])
    newest = newest.assign(now=counted, then=before, cells=one_number(newest, list(subject.names)))
    wrong = []
    off = (newest["now"] - newest["then"]).abs() > 2 * _USUAL * newest["then"].abs()
    large = (newest["then"] >= _CASES) & off
    movers = large.groupby(newest["indicator_id"], observed=True).sum()
    for name, group in newest.groupby("indicator_id", observed=True):
        if movers[name] < 1:
            continue
        now, then = (
            group.pivot_table(index="area_code", columns="cells", values=v, observed=True)
            for v in ("now", "then")
        )
        a, b = now.to_numpy(dtype=float), then.to_numpy(dtype=float)
        large = np.nan_to_num(np.nanmax(np.where(np.isnan(b), 0, b), axis=1)) >= _CASES
        moves = _distance(a, b)
        moved = np.flatnonzero(large & (moves > _STAYED))
        codes = [str(code) for code in now.index]
        many_cells = (np.nan_to_num(b) >= _CASES).sum(axis=1) >= _MANY
        ours = [n for n, code in enumerate(codes) if code == subject.home_area and many_cells[n]]
        candidates = {
            (i, j) for i in ours for j in np.flatnonzero(large & (moves[i] + moves > _TOGETHER)).tolist()
        }
        if 2 <= len(moved) <= _MOST:
            candidates |= {(i, j) for i in moved.tolist() for j in moved.tolist()}
        for i, j in sorted((i, j) for i, j in candidates if i != j):
            there, back = _distance(a[[i]], b[[j]])[0], _distance(a[[j]], b[[i]])[0]
            both = moves[i] > _STAYED and moves[j] > _STAYED
            # At home less is needed, if it tells itself by many cells: together they moved, and far less as each other.
            at_home = moves[i] + moves[j] > _TOGETHER and there + back < (moves[i] + moves[j]) / _LESS
            if there < _SWAPPED and back < _SWAPPED and (both or (i in ours and at_home)):
                for area, other in ((i, j), (j, i)) if not both else ((i, j),):
                    mine = group[group["area_code"] == codes[area]]
                    wrong.append(mine.sort_values("now", ascending=False).head(1).assign(other=codes[other]))
    over = pd.concat(wrong) if wrong else newest.iloc[:0].assign(other="")
    over = over[~over.index.duplicated()]
    return found(rows, over, lambda row: swap_in_words(row, row["other"]))


def _distance(now: np.ndarray, then: np.ndarray) -> np.ndarray:
    """Mean squared deviation of new figures from old ones, per cell, in units of what a year changes."""
    with np.errstate(invalid="ignore", divide="ignore"):
        squared = (now - then) ** 2 / (np.abs(then) + 1 + (_USUAL * then) ** 2)
        weight = np.abs(then) + np.abs(now)
        # Small cells tell little about who somebody is.
        return np.nansum(squared * weight, axis=1) / np.maximum(
            np.nansum(weight * ~np.isnan(squared), axis=1), 1e-9
        )


CHECK = row_check(
    "area_swap",
    _find,
    right=Text(de="keine zwei Gebiete sind vertauscht", en="no two areas are swapped"),
    wrong=Text(
        de="die Werte zweier Gebiete sind offenbar vertauscht", en="the values of two areas seem to be swapped"
    ),
    needs=no_earlier_period,
)  # fmt: skip
