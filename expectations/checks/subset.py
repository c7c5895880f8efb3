"""Subset: is no cell above the set it is part of?

What: counts: every cell of a breakdown against its total, and every "darunter" cell against the cell it is part of. Länder
that round their counts and told counts of registers may exceed by their rounding.
When it matters: a "darunter" column read as a column of its own, columns off by one.
How to resolve: compare the cells named with the official table; check the order of its columns in the contract.
"""

from __future__ import annotations

import pandas as pd

from expectations.catalogue import Catalogue
from expectations.catalogue.model import TOTAL, Indicator, Kind, Text
from expectations.checks.base import Found, Subject, found, known, row_check
from expectations.wording import said

_ROUNDING = 5
"""The largest base to which an office rounds; so much may a part exceed its whole outside the own Land."""

_CORRECTED_LATER = 0.01


def _broken_down_counts(indicator: Indicator, catalogue: Catalogue) -> bool:
    return indicator.kind is Kind.COUNT and bool(indicator.breakdowns)


def _find(subject: Subject) -> Found:
    chosen = [i for i in subject.indicators if _broken_down_counts(i, subject.catalogue)]
    rows = known(subject)
    seen, wrong = [], []
    for indicator in chosen:
        of_one = rows[rows["indicator_id"] == indicator.id]
        keys = ["area_code", "end", *subject.names]
        for breakdown in indicator.breakdowns:
            cells = {c.id: c.subset_of or TOTAL for c in subject.catalogue.breakdowns[breakdown].cells}
            parts = of_one[of_one[breakdown] != TOTAL]
            sets = of_one[[*keys, "value"]].rename(columns={"value": "set_value", breakdown: "set_cell"})
            parts = parts.assign(set_cell=parts[breakdown].astype("object").map(cells))
            others = [k for k in keys if k != breakdown]
            joined = parts.merge(
                sets.assign(set_cell=sets["set_cell"].astype("object")), on=[*others, "set_cell"]
            )
            seen.append(joined[["indicator_id"]])
            own = joined["area_code"].astype(str).str.startswith(subject.home_area[:2])
            room = joined["rounded_to"].fillna(0).astype(float)
            room += (_ROUNDING + _CORRECTED_LATER * joined["set_value"]).where(~own, 0.0)
            wrong.append(joined[joined["value"] > joined["set_value"] + room])
    if not seen:
        return Found({}, rows.iloc[:0])
    over = pd.concat(wrong)
    return found(
        pd.concat(seen),
        over,
        lambda row: said(
            "{part} von {whole} ({cell})",
            "{part} of {whole} ({cell})",
            part=row["value"],
            whole=row["set_value"],
            cell=str(row["set_cell"]),
        ),
    )


def _nothing_to_compare(subject: Subject, indicator: Indicator) -> Text | None:
    """An office that prints no total leaves nothing to compare a cell with."""
    rows = subject.values(indicator)
    without = all(not (rows.loc[rows["value"].notna(), name] == TOTAL).any() for name in indicator.breakdowns)
    return (
        Text(de="die Quelle nennt keine Summe", en="the source prints no total")
        if without or bool(indicator.coverage.cells)
        else None
    )


CHECK = row_check(
    "subset",
    _find,
    applies=_broken_down_counts,
    needs=_nothing_to_compare,
    right=Text(de="keine Zelle übersteigt ihre Obermenge", en="no cell exceeds the set it is part of"),
    wrong=Text(de="eine Zelle übersteigt ihre Obermenge", en="a cell exceeds the set it is part of"),
)
