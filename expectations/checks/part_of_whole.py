"""Part of the whole: is no share's numerator larger than its denominator?

What: shares and distributions, row by row, on the published parts; told counts may exceed by their rounding.
When it matters: more girls than pupils: two columns changed places, or the whole is of another year.
How to resolve: compare both parts with their tables; the periods must be the same.
"""

from __future__ import annotations

from expectations.catalogue import Catalogue
from expectations.catalogue.model import Indicator, Kind, Text
from expectations.checks.base import Found, Subject, found, row_check, with_figure
from expectations.wording import said


def _shares(indicator: Indicator, catalogue: Catalogue) -> bool:
    return indicator.kind in (Kind.SHARE, Kind.DISTRIBUTION)


def _find(subject: Subject) -> Found:
    shares = [i.id for i in subject.indicators if _shares(i, subject.catalogue)]
    rows = with_figure(subject)
    rows = rows[rows["indicator_id"].isin(shares) & rows["numerator"].notna() & rows["denominator"].notna()]
    room = rows["rounded_to"].fillna(0).astype(float)
    # Parts of a whole that an office rounded cell by cell may exceed it by that.
    wrong = rows[rows["numerator"] > rows["denominator"] + room]
    return found(
        rows,
        wrong,
        lambda row: said(
            "{part} von {whole}", "{part} of {whole}", part=row["numerator"], whole=row["denominator"]
        ),
    )


CHECK = row_check(
    "part_of_whole",
    _find,
    applies=_shares,
    right=Text(de="kein Teil ist größer als sein Ganzes", en="no part exceeds its whole"),
    wrong=Text(de="ein Teil ist größer als sein Ganzes", en="a part exceeds its whole"),
)
