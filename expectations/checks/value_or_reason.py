"""Value or reason: has every row a value, or a state that says why it has none?

What: a reported, estimated or unreliable row has a value, a row of state range the two ends of its range; any other state
has neither.
When it matters: an empty cell that says nothing is read as "no data" by one reader and as zero by another.
How to resolve: look where the state was lost: a sign of the source that nobody translated, or a figure
that was filled in where the source has none.
"""

from __future__ import annotations

import pandas as pd

from expectations.catalogue.base import RANGE
from expectations.catalogue.model import Text
from expectations.checks.base import Found, Subject, figure_of, found, prepared, row_check
from expectations.wording import said

WITH_VALUE = ("reported", "estimated", "unreliable")


def _find(subject: Subject) -> Found:
    rows = prepared(subject)
    has_value = rows["value"].notna()
    should = rows["status"].isin(WITH_VALUE)
    is_range = rows["status"] == RANGE
    ends = rows[["value_from", "value_to"]].notna()
    is_wrong = (has_value != should) | (ends["value_from"] != is_range) | (ends["value_to"] != is_range)
    wrong = rows[is_wrong | (rows["value_from"] > rows["value_to"])]
    return found(
        rows,
        wrong,
        lambda row: said(
            "{status}, {figure}", "{status}, {figure}", status=str(row["status"]), figure=figure_of(row)
        ),
    )


def _shown(value: float) -> str:
    return "no value" if pd.isna(value) else f"{value:g}"


CHECK = row_check(
    "value_or_reason",
    _find,
    right=Text(
        de="jede Zeile hat einen Wert oder sagt, warum nicht", en="every row has a value or says why not"
    ),
    wrong=Text(de="Wert und Zustand widersprechen sich", en="value and state contradict each other"),
)
