"""Periods: does every figure stand in a period that has begun, under its right name?

What: start before end, no period that begins after tonight, the label named after the dates, one label a period.
When it matters: the year of a school year is its start in one table and its end in the next; a figure under the wrong
one is a year off and looks right.
How to resolve: see the meaning of a year in the statistic (`period`), and the file's own date.
"""

from __future__ import annotations

import pandas as pd

from expectations.catalogue.model import Text
from expectations.checks.base import Found, Subject, found, prepared, row_check
from expectations.wording import said


def _find(subject: Subject) -> Found:
    rows = prepared(subject)
    one_each = rows.drop_duplicates(["indicator_id", "period_start", "period_end", "period_label"])
    start, end = pd.to_datetime(one_each["period_start"]), one_each["end"]
    label = one_each["period_label"].astype(str)
    # 2024, 31.12.2024, 2024/25, WS 2024/25: the year of the end or that of the start stands in it.
    full = label.str.extract(r"(\d{4})", expand=False).astype(float)
    named = (full == end.dt.year) | (full == start.dt.year)
    short = label.str.extract(r"/(\d{2})$", expand=False).astype(float)
    named &= short.isna() | (short == end.dt.year % 100)
    wrong = one_each[~((start <= end) & (start <= subject.today) & named)]
    return found(
        rows,
        wrong,
        lambda row: said(
            "{label} vom {start} bis {end}",
            "{label} from {start} to {end}",
            label=str(row["period_label"]),
            start=row["period_start"],
            end=row["period_end"],
        ),
    )


CHECK = row_check(
    "periods",
    _find,
    right=Text(de="jeder Zeitraum hat begonnen und heißt richtig", en="every period has begun and is named rightly"),
    wrong=Text(de="Zeitraum und Bezeichnung stimmen nicht", en="period and label do not agree"),
)  # fmt: skip
