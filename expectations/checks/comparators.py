"""Comparators: do the columns that compare say what the rows they compare with say?

What: `value_state`, `value_country` and `value_city` against the rows of the Land, Germany and the city; the rank within its number.
When it matters: a report quotes the Land beside the city; both must be the figures of this very table.
How to resolve: compute again from nothing; a join on another period is the usual cause.
"""

from __future__ import annotations

import pandas as pd

from expectations.catalogue.model import Text
from expectations.checks.base import Found, Subject, found, known, one_number, row_check
from expectations.wording import said


def _find(subject: Subject) -> Found:
    rows = known(subject)
    place = one_number(rows, ["indicator_id", "end", "period_start", *subject.names])
    code = rows["area_code"].astype(str)
    wrong = []
    for column, whole in (
        ("value_state", subject.home_area[:2]),
        ("value_country", "DG"),
        ("value_city", subject.home_area),
    ):
        at = pd.Series(rows["value"].to_numpy()[code == whole], index=place[code == whole])
        at = at[~at.index.duplicated()]
        there = pd.Series(place, index=rows.index).map(at)
        beside = rows[column].astype(float)
        off = beside.notna() & there.notna() & ((beside - there).abs() > 1e-9 * (1 + there.abs()))
        wrong.append(rows[off].assign(column=column, there=there[off]))
    rank = rows[rows["rank"].notna() & ((rows["rank"] < 1) | (rows["rank"] > rows["rank_of"]))]
    wrong.append(rank.assign(column="rank", there=rank["rank_of"]))
    return found(
        rows,
        pd.concat(wrong),
        lambda row: said(
            "{column} {here}, dort {there}",
            "{column} {here}, there {there}",
            column=row["column"],
            here=row[row["column"]],
            there=row["there"],
        ),
    )


CHECK = row_check(
    "comparators",
    _find,
    right=Text(de="Vergleichswerte stimmen mit ihren Zeilen überein", en="comparators agree with their rows"),
    wrong=Text(de="ein Vergleichswert ist nicht der seiner Zeile", en="a comparator is not that of its row"),
)  # fmt: skip
