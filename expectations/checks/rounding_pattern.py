"""Rounding pattern: are figures multiples of 3, 5 or 10 where none are expected, or not where they should be?

What: official counts of the newest period by Land: the share of multiples of 3, 5 and 10 against chance and against the
period before; told counts of registers must all be multiples of their base.
When it matters: an office that began to round needs its tolerance in the catalogue, or every sum over it fails later; counts
that lost their rounding are exact figures of people that must not go out.
How to resolve: declare `rounded_in` with its date in the measure, or have the exact delivery taken back.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from expectations.catalogue import Catalogue
from expectations.catalogue.model import PEOPLE, Indicator, Kind, Text
from expectations.checks.base import Found, Subject, found, is_official, known, row_check

_LEAST = 40
"""Figures of a Land and period from which a pattern can be told from chance."""


def _counts(indicator: Indicator, catalogue: Catalogue) -> bool:
    return indicator.kind is Kind.COUNT and indicator.unit in PEOPLE


def _find(subject: Subject) -> Found:
    chosen = {i.id: i for i in subject.indicators if _counts(i, subject.catalogue)}
    rows = known(subject)
    rows = rows[rows["indicator_id"].isin(list(chosen))]
    base = rows["rounded_to"].astype(float)
    unrounded = rows[base.notna() & (rows["value"] % base.fillna(1) != 0)]
    # What is told of the city's own records must be rounded (decision 0016).
    inside = rows[~is_official(rows) & base.isna() & (rows["value"] % 5 != 0)]
    office = rows[base.isna() & is_official(rows) & (rows["value"] >= 10)]
    office = office[office["area_level"].astype(str) == "district"]
    land = office["area_code"].astype(str).str[:2]
    groups = [office["indicator_id"], land, office["end"]]
    found_rows = [
        unrounded.assign(why=[f"no multiple of {b:g}" for b in unrounded["rounded_to"]]),
        inside.assign(why="not rounded"),
    ]
    for divisor in (10, 5, 3):
        share = (office["value"] % divisor == 0).groupby(groups, observed=True).transform("mean")
        count = office["value"].groupby(groups, observed=True).transform("size")
        expected = 1 / divisor
        # A share of one is expected nowhere; chance leaves it near 1/divisor.
        pattern = (share > 0.9) & (count >= _LEAST)
        pattern &= share - expected > 5 * np.sqrt(expected * (1 - expected) / count)
        declared = _declared(office, chosen, subject.catalogue)
        newest = office["end"] == office.groupby("indicator_id", observed=True)["end"].transform("max")
        hits = office[pattern & ~declared & newest]
        first = hits.drop_duplicates(["indicator_id", "end"]).assign(why=f"multiples of {divisor}")
        found_rows.append(first)
        if len(first):
            break
    wrong = pd.concat([f for f in found_rows if len(f)] or [rows.iloc[:0].assign(why="")])
    return found(rows, wrong, lambda row: f"{row['value']:g}, {row['why']}")


def _declared(rows: pd.DataFrame, indicators: dict[str, Indicator], catalogue: Catalogue) -> pd.Series:
    """The rows of Länder whose rounding is declared in a measure behind the indicator."""
    result = pd.Series(False, index=rows.index)
    land = rows["area_code"].astype(str).str[:2]
    for name, indicator in indicators.items():
        for measure in catalogue.measures_of(indicator):
            for rule in measure.additivity:
                for state, rounding in rule.rounded_in.items():
                    hit = (rows["indicator_id"] == name) & (land == state)
                    if rounding.since is not None:
                        hit &= rows["end"] >= pd.Timestamp(rounding.since)
                    result |= hit
    return result


CHECK = row_check(
    "rounding_pattern",
    _find,
    applies=_counts,
    right=Text(de="gerundet ist, was gerundet sein soll", en="what should be rounded is, and nothing else"),
    wrong=Text(
        de="Rundung, wo keine erwartet wird, oder keine, wo eine sein muss",
        en="rounding where none is expected, or none where there must be one",
    ),
)
