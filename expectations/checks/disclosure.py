"""Disclosure: does nothing exact about few people of the city's own records go out?

What: published counts of people inside the city, and the numerators and denominators of rates, are multiples of the base
beside them; no rate of too few people is shown (decisions 0016, 0033) and no sign says that a count is exactly zero; and
nothing published lets a small count be worked out: an attacker who knows all tables of the release and everything published
before found a witness for each (decision 0022).
When it matters: a small exact count tells a neighbour about a neighbour's child. Nothing can take it back.
How to resolve: never waive it; see which figure went past the rounding.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from expectations.catalogue import Catalogue
from expectations.catalogue.model import Indicator, Kind, Text
from expectations.catalogue.protection import is_protected, least_denominator, rounding_of
from expectations.catalogue.registers import Term
from expectations.checks.base import Found, Subject, found, is_official, prepared, row_check, with_figure
from expectations.wording import said

_WHY = {
    "exact": Text(de="nicht gerundet", en="not rounded"),
    "few": Text(de="eine Quote von zu wenigen", en="a rate of too few"),
    "zero": Text(de="als genau null gekennzeichnet", en="marked as exactly zero"),
    "opens": Text(
        de="mit allen anderen veröffentlichten lässt sich eine kleine Zahl errechnen",
        en="with all others published, a small count can be worked out",
    ),
}


def from_people(indicator: Indicator, catalogue: Catalogue) -> bool:
    """Is it made of counts of people from the city's own records?"""
    return is_protected(catalogue, indicator)


def _bases(indicator: Indicator, catalogue: Catalogue) -> tuple[float, float]:
    """What numerator and denominator are multiples of inside the city; NaN where some formula does not protect them."""

    def base(term: Term | None) -> float:
        if term is None:
            return np.nan
        found = max(rounding_of(catalogue, catalogue.measures[part.measure]) for _, part in term.parts())
        return float(found) if found > 1 else np.nan

    protected = [(base(n), base(d)) for n, d in indicator.formulas.values()]
    protected = [pair for pair in protected if not np.isnan(pair).all()]
    numerators, denominators = zip(*protected, strict=True)
    return tuple(np.nan if np.isnan(side).any() else min(side) for side in (numerators, denominators))  # type: ignore[return-value]


def _find(subject: Subject) -> Found:
    chosen = {i.id: i for i in subject.indicators if from_people(i, subject.catalogue)}
    rows = with_figure(subject)
    rows = rows[rows["indicator_id"].isin(set(chosen)) & (~is_official(rows) | rows["rounded_to"].notna())]
    base = rows["rounded_to"].astype(float)
    id_ = rows["indicator_id"].astype("object")
    bases = {n: _bases(i, subject.catalogue) for n, i in chosen.items()}
    above = id_.map({n: pair[0] for n, pair in bases.items()}).astype(float)
    below = id_.map({n: pair[1] for n, pair in bases.items()}).astype(float)
    additive = (Kind.COUNT, Kind.SUM, Kind.DIFFERENCE)
    counts = id_.map({n: i.kind in additive for n, i in chosen.items()}).astype(bool)
    rates = id_.map(
        {n: i.kind.needs_denominator and i.kind not in additive for n, i in chosen.items()}
    ).astype(bool)
    numerator, denominator = rows["numerator"].astype(float), rows["denominator"].astype(float)
    exact = counts & (base.isna() | (rows["value"] % base.fillna(1) != 0))
    exact |= base.notna() & ((numerator % above > 0) | (denominator % below > 0))
    few = rates & base.notna() & (denominator < below.map(least_denominator))
    zero = base.notna() & (rows["sign"] == "-")
    judged = prepared(subject)
    judged = judged[judged["indicator_id"].isin(set(chosen))]
    return found(
        judged,
        pd.concat([
            rows[exact].assign(why="exact"), rows[few].assign(why="few"), rows[zero].assign(why="zero"), _opening(subject, rows),
        ]),
        lambda row: said("{value}, {why}", "{value}, {why}", value=row["value"], why=_WHY[row["why"]]),
    )  # fmt: skip


def _opening(subject: Subject, rows: pd.DataFrame) -> pd.DataFrame:
    """The figures by which a small count can be worked out; which count it is stays inside."""
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
