"""Rate recomputed: is every rate what its published parts give, and every count its numerator?

What: value = multiplier × numerator ÷ denominator to half of the last decimal; differences and counts exactly. What is published
as a range has it within.
When it matters: whoever recomputes a figure from our own table must get it; a factor of ten, a rate of other parts, a
rounding done twice shows here.
How to resolve: see which of the three columns is of another state of the data, and compute again from nothing.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from expectations.catalogue import Catalogue
from expectations.catalogue.model import Indicator, Kind, Text
from expectations.checks.base import Found, Subject, figure_of, found, has_figure, prepared, row_check
from expectations.wording import said


def _has_parts(indicator: Indicator, catalogue: Catalogue) -> bool:
    return not indicator.kind.is_modelled and indicator.kind is not Kind.REPORTED


def _find(subject: Subject) -> Found:
    chosen = {i.id: i for i in subject.indicators if _has_parts(i, subject.catalogue)}
    rows = prepared(subject)
    rows = rows[has_figure(rows)]
    names = rows["indicator_id"].astype("object")
    rows = rows[names.isin(chosen) & rows["numerator"].notna()]
    names = rows["indicator_id"].astype("object")
    scale = names.map({n: i.multiplier for n, i in chosen.items()}).astype(float)
    decimals = names.map({n: i.decimals for n, i in chosen.items()}).astype(int)
    of_two = names.map({n: i.kind.needs_denominator for n, i in chosen.items()}).astype(bool)
    less = names.map({n: i.kind is Kind.DIFFERENCE for n, i in chosen.items()}).astype(bool)
    above, below = rows["numerator"], rows["denominator"]
    ratio = scale * above / below.where(below != 0)
    # A share whose part was rounded up, or stayed, while its whole was not: it is all of it (decision 0034).
    shares = names.map({n: i.kind is Kind.SHARE for n, i in chosen.items()}).astype(bool)
    excess = above - below
    is_all = shares & (excess > 0) & (excess <= 2 * rows["rounded_to"].astype(float))
    ratio = ratio.where(~is_all, scale)
    own = pd.Series(np.where(less, above - below, np.where(of_two, ratio, above * scale)), index=rows.index)
    half = 0.5 * 10.0 ** (-decimals) + 1e-9 * own.abs() + 1e-9
    is_right = (rows["value"] - own).abs() <= half
    # Of a range the ends are what the counts give when each is off by its base at most.
    low, high = rows["value_from"], rows["value_to"]
    base = rows["rounded_to"].astype(float).fillna(np.inf)
    least = scale * (above - base).clip(lower=0) / (below + base) - 2 * half
    most = scale * (above + base) / (below - base).where(below > base) + 2 * half
    is_right |= (low <= own + half) & (own - half <= high) & (low >= least) & ~(high > most)
    wrong = rows.assign(own=own)[~is_right]
    return found(
        rows,
        wrong,
        lambda row: said(
            "{figure}, die Teile ergeben {own}",
            "{figure}, its parts give {own}",
            figure=figure_of(row),
            own=row["own"],
        ),
    )


CHECK = row_check(
    "rate_recomputed",
    _find,
    applies=_has_parts,
    right=Text(de="die Teile ergeben jeden Wert", en="the parts give every value"),
    wrong=Text(de="die veröffentlichten Teile ergeben den Wert nicht", en="the published parts do not give the value"),
)  # fmt: skip
