"""Whole numbers: is every count of people or things a whole number?

What: counts (not sums of hours or money, not means of months) have no decimals.
When it matters: 14.1 people are a decimal comma read as a point, or a rate in the column of a count.
How to resolve: look at the cell in the delivered file; correct the reader, or the unit in the catalogue.
"""

from __future__ import annotations

from expectations.catalogue import Catalogue
from expectations.catalogue.model import Indicator, Kind, Text
from expectations.checks.base import Found, Subject, found, known, row_check
from expectations.wording import said


def _counts(indicator: Indicator, catalogue: Catalogue) -> bool:
    return indicator.kind is Kind.COUNT and indicator.decimals == 0


def _find(subject: Subject) -> Found:
    counts = [i.id for i in subject.indicators if _counts(i, subject.catalogue)]
    rows = known(subject)
    rows = rows[rows["indicator_id"].isin(counts)]
    return found(
        rows, rows[rows["value"] % 1 != 0], lambda row: said("{value}", "{value}", value=row["value"])
    )


CHECK = row_check(
    "whole_numbers",
    _find,
    applies=_counts,
    right=Text(de="alle Zahlen sind ganz", en="all counts are whole"),
    wrong=Text(de="gezählt, und doch nicht ganz", en="counted, and yet not whole"),
)
