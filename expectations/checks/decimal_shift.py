"""Decimal shift: did a value become ten, a hundred or a thousand times what it was, or a part of it?

What: every change of a series by a factor close to 10, 100 or 1000 (or one of them less), with enough cases that
no coincidence explains it, where the years before did not jump so.
When it matters: 14.1 read as 141, thousands taken for units, a decimal comma lost.
How to resolve: look at the cell in the delivered file; an error of the office becomes a declared correction.
"""

from __future__ import annotations

import numpy as np

from expectations.catalogue.model import Text
from expectations.checks.base import (
    Found,
    Subject,
    before_and_now,
    found,
    is_official,
    no_earlier_period,
    pairs,
    row_check,
)  # fmt: skip

_ROOM = 0.25
"""How far from the exact factor: the true change of a year comes on top."""

_CASES, _SURE = 100, 400
"""The larger of two counts from which a factor of ten is hardly chance; in one of many areas, none at all."""


def _find(subject: Subject) -> Found:
    rows = pairs(subject)
    value, before, earlier = (rows[c].to_numpy(dtype=float) for c in ("value", "before", "earlier"))
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.log10(np.abs(value) / np.abs(before))
        steady = ~(np.abs(np.log10(np.abs(before) / np.abs(earlier))) > 0.4)
    factor = np.where(np.isfinite(factor), factor, 0.0)
    nearest = np.round(factor)
    spread = np.log10(1 + _ROOM)
    shifted = (np.abs(nearest) >= 1) & (np.abs(nearest) <= 3)
    shifted &= np.abs(factor - nearest) <= spread
    larger = np.fmax(np.abs(value), np.abs(before))
    # A rate stands for its cases; a count for itself.
    cases = np.fmax(
        rows["denominator"].to_numpy(dtype=float), rows["before_denominator"].to_numpy(dtype=float)
    )
    of_people = np.where(np.isnan(cases), larger, np.fmin(cases, 1e12))
    smaller = np.fmin(np.abs(value), np.abs(before))
    enough = (of_people >= _CASES) & (smaller >= np.where(np.isnan(cases), 4, 0.4))
    crossed = rows["across_break"].to_numpy(dtype=bool)
    chosen = shifted & enough & steady & ~crossed & is_official(rows).to_numpy()
    wrong = rows[chosen]
    home = wrong["area_code"] == subject.home_area
    grave = (home | (wrong["is_newest"] & (of_people[chosen] >= _SURE))).to_numpy()
    return found(rows, wrong, before_and_now, grave)


CHECK = row_check(
    "decimal_shift",
    _find,
    right=Text(de="kein Wert springt um eine Zehnerpotenz", en="no value jumps by a power of ten"),
    wrong=Text(de="Werte springen um eine Zehnerpotenz", en="values jump by a power of ten"),
    needs=no_earlier_period,
)
