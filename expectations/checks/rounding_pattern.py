"""Rounding pattern: are figures multiples of 3, 5 or 10 where none are expected, or not where they should be?

What: official counts of the newest period by Land, and the counts that rates are made of: the share of multiples of 3,
5 and 10 against chance; told counts of registers must all be multiples of their base.
When it matters: an office that began to round needs its tolerance in the catalogue, or every sum over it fails later; counts
that lost their rounding are exact figures of people that must not go out.
How to resolve: declare `rounded_in` with its date in the measure, or have the exact delivery taken back.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from expectations.catalogue import Catalogue
from expectations.catalogue.model import PEOPLE, Indicator, Kind, Text
from expectations.checks.base import Found, Subject, found, is_official, known, land_of, row_check
from expectations.wording import said

_LEAST = 25
"""Figures of a Land and period from which a pattern can be told from chance."""


def _counts(indicator: Indicator, catalogue: Catalogue) -> bool:
    """A count of people, or a rate of such counts."""
    if indicator.kind is Kind.COUNT:
        return indicator.unit in PEOPLE
    measures = catalogue.measures_of(indicator)
    return not indicator.kind.is_modelled and bool(measures) and all(m.unit in PEOPLE for m in measures)


def _find(subject: Subject) -> Found:
    chosen = {i.id: i for i in subject.indicators if _counts(i, subject.catalogue)}
    rows = known(subject)
    rows = rows[rows["indicator_id"].isin(list(chosen))]
    base = rows["rounded_to"].astype(float)
    is_count = rows["indicator_id"].isin([i.id for i in chosen.values() if i.kind is Kind.COUNT])
    unrounded = rows[is_count & base.notna() & (rows["value"] % base.fillna(1) != 0)]
    # What is told of the city's own records must be rounded (decision 0016).
    inside = rows[is_count & ~is_official(rows) & base.isna() & (rows["value"] % 5 != 0)]
    found_rows = [
        unrounded.assign(why="no multiple", of=unrounded["rounded_to"].astype(float)),
        inside.assign(why="not rounded", of=np.nan),
    ]
    districts = rows[base.isna() & is_official(rows) & (rows["area_level"] == "district")]
    newest = districts["end"] == districts.groupby("indicator_id", observed=True)["end"].transform("max")
    districts = districts[newest & ~_declared(districts, chosen, subject.catalogue)]
    figures = {
        "value": districts["value"].where(is_count),
        "numerator": districts["numerator"],
        "denominator": districts["denominator"],
    }
    for divisor in (10, 5, 3):
        patterns = [
            _multiples(districts, counts, divisor).assign(part=name) for name, counts in figures.items()
        ]
        hits = pd.concat([p for p in patterns if len(p)] or [districts.iloc[:0]])
        if len(hits):
            found_rows.append(hits.drop_duplicates("indicator_id").assign(why="multiples", of=float(divisor)))
            break
    wrong = pd.concat([f for f in found_rows if len(f)] or [rows.iloc[:0].assign(why="", of=np.nan)])
    return found(rows, wrong, _words)


def _words(row: pd.Series) -> Text:
    why = {
        "no multiple": said("kein Vielfaches von {of}", "no multiple of {of}", of=row["of"]),
        "not rounded": Text(de="nicht gerundet", en="not rounded"),
        "multiples": said("Vielfache von {of}", "multiples of {of}", of=row["of"]),
    }
    return said("{value}, {why}", "{value}, {why}", value=row["value"], why=why[row["why"]])


def _multiples(rows: pd.DataFrame, counts: pd.Series, divisor: int) -> pd.DataFrame:
    """Rows of Länder where far more of the counts than by chance can be divided."""
    large = counts >= 10
    rows, counts = rows[large], counts[large]
    groups = [rows["indicator_id"], land_of(rows)]
    share = (counts % divisor == 0).groupby(groups, observed=True).transform("mean")
    # The same count in several rows (all of a rate's cells have one denominator) is one.
    count = counts.groupby(groups, observed=True).transform("nunique")
    expected = 1 / divisor
    # A share of one is expected nowhere; chance leaves it near 1/divisor.
    pattern = (share > 0.9) & (count >= _LEAST)
    pattern &= share - expected > 5 * np.sqrt(expected * (1 - expected) / count)
    return rows[pattern]


def _declared(rows: pd.DataFrame, indicators: dict[str, Indicator], catalogue: Catalogue) -> pd.Series:
    """The rows of Länder whose rounding is declared in a measure behind the indicator."""
    result = pd.Series(False, index=rows.index)
    land = land_of(rows)
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
