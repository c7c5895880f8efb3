"""Total: has everything that is broken down its total, too?

What: for every area and period with a cell of an indicator, the row that is not broken down; indicators that have no
total declare the cell that stands for it (`coverage.cells`).
When it matters: a dashboard that asks for the total gets nothing, or adds cells that must not be added.
How to resolve: see whether the total was lost in the delivery, or declare that there is none.
"""

from __future__ import annotations

import pandas as pd

from expectations.catalogue.model import TOTAL, Text
from expectations.checks.base import (
    Found,
    Subject,
    found,
    has_figure,
    is_broken_down,
    is_official,
    one_number,
    only_total_cells,
    prepared,
    row_check,
)  # fmt: skip


def _find(subject: Subject) -> Found:
    chosen = {i.id: i for i in subject.indicators if is_broken_down(i, subject.catalogue)}
    rows = prepared(subject)
    rows = rows[rows["indicator_id"].isin(list(chosen)) & is_official(rows)]
    names = rows["indicator_id"].astype("object")
    is_total = only_total_cells(rows, subject.names)
    stands_for_it = pd.Series(True, index=rows.index)
    for name in subject.names:
        declared = {i: c.coverage.cells.get(name, TOTAL) for i, c in chosen.items()}
        if set(declared.values()) == {TOTAL}:
            stands_for_it &= rows[name] == TOTAL
        else:
            stands_for_it &= rows[name].astype("object") == names.map(declared)
    place = one_number(rows, ["indicator_id", "area_code", "end"])
    there = set(place[is_total | stands_for_it.to_numpy()])
    without = ~pd.Series(place, index=rows.index).isin(there) & has_figure(rows)
    wrong = rows.assign(place=place)[without].drop_duplicates("place")
    return found(rows, wrong, lambda row: Text(de="Zellen, aber keine Summe", en="cells, but no total"))


CHECK = row_check(
    "total_present",
    _find,
    applies=is_broken_down,
    right=Text(de="jede Gliederung hat ihre Summe", en="every breakdown has its total"),
    wrong=Text(de="Teile ohne ihre Summe", en="parts without their total"),
)
