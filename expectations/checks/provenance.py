"""Provenance: does every figure name its source, and was it there by tonight?

What: `source` is not empty where there is a value, and `retrieved_at` does not lie in the future.
When it matters: a figure without a source can't be defended in the council.
How to resolve: see which model lost the column.
"""

from __future__ import annotations

import pandas as pd

from expectations.catalogue.model import Text
from expectations.checks.base import Found, Subject, found, row_check, with_figure
from expectations.wording import said


def _find(subject: Subject) -> Found:
    rows = with_figure(subject)
    source = rows["source"].astype("object")
    nameless = source.isna() | (source == "")
    ahead = pd.to_datetime(rows["retrieved_at"]) > subject.today + pd.Timedelta(days=1)
    return found(
        rows, rows[nameless | ahead], lambda row: said("Quelle {source}, abgerufen {moment}", "source {source}, retrieved {moment}",
                                               source=str(row["source"]), moment=pd.Timestamp(row["retrieved_at"]) if pd.notna(row["retrieved_at"]) else None)
    )  # fmt: skip


CHECK = row_check(
    "provenance",
    _find,
    right=Text(de="jeder Wert nennt seine Quelle", en="every value names its source"),
    wrong=Text(de="Werte ohne Quelle oder aus der Zukunft", en="values without a source or from the future"),
)
