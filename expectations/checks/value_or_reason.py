"""Value or reason: has every row a value, or a state that says why it has none?

What: a reported, estimated or unreliable row has a value; any other state has none.
When it matters: an empty cell that says nothing is read as "no data" by one reader and as zero by another.
How to resolve: look where the state was lost: a sign of the source that nobody translated, or a figure
that was filled in where the source has none.
"""

from __future__ import annotations

import pandas as pd

from expectations.catalogue.model import Text
from expectations.checks.base import Found, Subject, found, prepared, row_check
from expectations.wording import said

WITH_VALUE = ("reported", "estimated", "unreliable")


def _find(subject: Subject) -> Found:
    rows = prepared(subject)
    has_value = rows["value"].notna()
    should = rows["status"].isin(WITH_VALUE)
    wrong = rows[has_value != should]
    return found(
        rows,
        wrong,
        lambda row: said(
            "{status}, {value}", "{status}, {value}", status=str(row["status"]), value=row["value"]
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
