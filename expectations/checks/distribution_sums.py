"""Distribution: do the shares of a distribution make up a hundred?

What: for every area, period and remaining cell, the numerators of a distribution's cells against their denominator, where
all cells are known; told counts of registers may differ by their roundings.
When it matters: a cell counted twice or lost shows as 94 or 117 percent.
How to resolve: see which cell is missing or doubled; a "darunter" cell never belongs into the sum.
"""

from __future__ import annotations

import pandas as pd

from expectations.catalogue import Catalogue
from expectations.catalogue.model import TOTAL, Indicator, Kind, Text
from expectations.checks.base import Found, Subject, found, prepared, row_check
from expectations.wording import said


def _distributions(indicator: Indicator, catalogue: Catalogue) -> bool:
    return indicator.kind is Kind.DISTRIBUTION


def _find(subject: Subject) -> Found:
    chosen = [i for i in subject.indicators if _distributions(i, subject.catalogue)]
    rows = prepared(subject)
    seen, wrong = [], []
    for indicator in chosen:
        spread = indicator.breakdowns[0]
        subsets = {c.id for c in subject.catalogue.breakdowns[spread].cells if c.subset_of}
        cells = rows[
            (rows["indicator_id"] == indicator.id) & (rows[spread] != TOTAL) & ~rows[spread].isin(subsets)
        ]
        keys = ["area_code", "end", *(n for n in subject.names if n != spread)]
        groups = cells.groupby(keys, observed=True, sort=False)
        whole = groups["denominator"].transform("max")
        unknown = groups["numerator"].transform(lambda values: values.isna().sum())
        base = cells["rounded_to"].fillna(0).astype(float).groupby([cells[k] for k in keys], observed=True)
        room = base.transform("sum") / 2 + base.transform("max") / 2
        # Länder that round their counts to three or five, and offices that correct a cell afterwards.
        own = cells["area_code"].astype(str).str.startswith(subject.home_area[:2])
        room += (2.5 * groups["numerator"].transform("size") + 0.01 * whole).where(~own, 0.0)
        total = groups["numerator"].transform("sum")
        beyond = (total - whole > room) | ((unknown == 0) & (whole - total > room))
        one_each = groups.cumcount() == 0
        judged = cells.assign(total=total, whole=whole)[one_each & whole.notna()]
        seen.append(judged[["indicator_id"]])
        wrong.append(judged[beyond.loc[judged.index]])
    if not seen:
        return Found({}, rows.iloc[:0])
    return found(
        pd.concat(seen),
        pd.concat(wrong),
        lambda row: said(
            "Zellen {cells}, Ganzes {whole}",
            "cells {cells}, whole {whole}",
            cells=row["total"],
            whole=row["whole"],
        ),
    )


CHECK = row_check(
    "distribution_sums",
    _find,
    applies=_distributions,
    right=Text(de="die Anteile ergeben hundert", en="the shares make up a hundred"),
    wrong=Text(de="die Anteile ergeben nicht hundert", en="the shares do not make up a hundred"),
)
