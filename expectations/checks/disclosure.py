"""Disclosure: does nothing exact about few people of the city's own records go out?

What: told counts of people inside the city are multiples of the base beside them, no rate of fewer than thirty people is
shown (decision 0016), and nothing told lets a small count be worked out: an attacker who knows all tables of the release and
all told before found a witness for each (decision 0022).
When it matters: a small exact count tells a neighbour about a neighbour's child. Nothing can take it back.
How to resolve: never waive it; see which figure went past the rounding.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from expectations.catalogue import Catalogue
from expectations.catalogue.model import PEOPLE, Indicator, Kind, Text
from expectations.checks.base import Found, Subject, found, is_official, known, prepared, row_check
from expectations.wording import said

LEAST_DENOMINATOR = 30

_WHY = {
    "exact": Text(de="nicht gerundet", en="not rounded"),
    "few": Text(de="eine Quote von weniger als dreißig", en="a rate of fewer than thirty"),
    "opens": Text(
        de="mit allen anderen veröffentlichten lässt sich eine kleine Zahl errechnen",
        en="with all others told, a small count can be worked out",
    ),
}


def from_people(indicator: Indicator, catalogue: Catalogue) -> bool:
    """Is it made of counts of people from the city's own records?"""
    units = {catalogue.measures[t.measure].unit for t in indicator.terms}
    of_register = any(catalogue.measures[t.measure].register_ for t in indicator.terms)
    return of_register and bool(units & set(PEOPLE))


def _find(subject: Subject) -> Found:
    chosen = {i.id: i for i in subject.indicators if from_people(i, subject.catalogue)}
    names = set(chosen)
    rows = known(subject)
    rows = rows[rows["indicator_id"].isin(names) & (~is_official(rows) | rows["rounded_to"].notna())]
    base = rows["rounded_to"].astype(float)
    id_ = rows["indicator_id"].astype("object")
    counts = id_.map({n: i.kind is Kind.COUNT and i.unit in PEOPLE for n, i in chosen.items()}).astype(bool)
    exact = rows[counts & (base.isna() | (rows["value"] % base.fillna(1) != 0))].assign(why="exact")
    per_person = id_.map({
        n: i.kind.needs_denominator and all(
            subject.catalogue.measures[t.measure].unit in PEOPLE
            for d in [f[1] for f in i.formulas.values()] if d is not None for t in [p for _, p in d.parts()]
        ) for n, i in chosen.items()
    }).astype(bool)  # fmt: skip
    few = rows["denominator"].astype(float) < LEAST_DENOMINATOR
    small = rows[per_person & few & base.notna()].assign(why="few")
    judged = prepared(subject)
    judged = judged[judged["indicator_id"].isin(names)]
    return found(
        judged,
        pd.concat([exact, small, _opening(subject, rows)]),
        lambda row: said("{value}, {why}", "{value}, {why}", value=row["value"], why=_WHY[row["why"]]),
    )


def _opening(subject: Subject, rows: pd.DataFrame) -> pd.DataFrame:
    """The figures by which a small count can be worked out; which count it is stays in the house."""
    if subject.opened is None or subject.opened.empty:
        return rows.iloc[:0]
    return rows[rows_among(subject, rows, subject.opened)].assign(why="opens")


def rows_among(subject: Subject, rows: pd.DataFrame, named: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Which rows are figures that are named (indicator, area, period end, cells)."""
    texts = ["indicator_id", "area_code", *subject.names]

    def keys(frame: pd.DataFrame) -> pd.MultiIndex:
        days = pd.to_datetime(frame["period_end"])
        return pd.MultiIndex.from_frame(frame[texts].astype("object").assign(period_end=days))

    return np.asarray(keys(rows).isin(keys(named)))


CHECK = row_check(
    "disclosure",
    _find,
    applies=from_people,
    right=Text(de="nichts Genaues über wenige Personen", en="nothing exact about few people"),
    wrong=Text(de="Genaues über wenige Personen", en="something exact about few people"),
)
