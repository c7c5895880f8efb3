"""City sums: do the Stadtteile and the schools make up the city, above and below the line?

What: numerators and denominators in exact counts, cell by cell and period by period, of every level inside the city
against the city. One percent and half a unit may be missing (records without a place). Where registers serve the
areas and official tables the city, both may be as far apart as the indicator declares (`agrees`). Parts may never
exceed the whole; where all areas have a count they must reach it. A ratio of two registers leaves out areas that one
of them does not know, so it only must not exceed the city.
When it matters: the figures inside the city and the city's own are of different people, places or years: council
members compare a Stadtteil with a city it is no part of.
How to resolve: compare both formulas of the indicator (`main` and `local`); count the same in both, or declare the
difference with its reason.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from expectations.catalogue import Catalogue
from expectations.catalogue.availability import LEVELS
from expectations.catalogue.model import Indicator, Kind, Text
from expectations.catalogue.registers import HOME_LEVEL, Agreement
from expectations.checks.base import Found, Subject, found, only_total_cells, row_check
from expectations.wording import Percent, said

_SHARE, _UNITS = 0.01, 0.5

_OF_CELLS = 3
"""Ages and nationalities at the border of a cell: there registers and official tables may be this much further apart."""

_LEAST = 50
"""A city total below this is no measure of how far its parts are off."""

_FAR = 0.1
"""So far apart is no matter of records without a place."""


def _has_parts(indicator: Indicator, catalogue: Catalogue) -> bool:
    """Has the city a value, and places inside it one, from formulas?"""
    has_city = HOME_LEVEL in indicator.all_levels
    return has_city and bool(indicator.levels_inside) and not indicator.kind.is_modelled


def _find(subject: Subject) -> Found:
    rows = subject.parts_of_city
    rows = rows[rows["size"] >= _LEAST]
    size = rows["size"].to_numpy(dtype=float)
    places = list(zip(rows["indicator_id"], rows["area_level"], strict=True))
    of = {place: _Rule.of(subject, *place) for place in set(places)}
    rules = [of[place] for place in places]
    share, units = (np.array([getattr(r, name) for r in rules], dtype=float) for name in ("share", "units"))
    is_local, is_partial = (
        np.array([getattr(r, name) for r in rules], dtype=bool) for name in ("is_local", "is_partial")
    )
    room = share * size + units
    is_cell = ~only_total_cells(rows, subject.names) & is_local
    room += np.where(is_cell, _OF_CELLS * (share * size + size**0.5), 0)
    over = rows["parts"] - rows["whole"]
    complete = (rows["areas"] == rows["most"]) & ~is_partial
    # Both sources tell a balance by age at other days: only the whole balance is comparable.
    asked = ~(is_cell & (rows["role"] == "difference").to_numpy())
    wrong = rows[asked & np.where(complete, over.abs() > room, over > room)]
    far = (wrong["parts"] - wrong["whole"]).abs() > _FAR * wrong["size"]
    return found(rows, wrong.assign(area_code=subject.home_area), _words, far.to_numpy())


@dataclass(frozen=True)
class _Rule:
    """How far the parts of an indicator may be from the city: a share of its count, and units.

    `is_local`: registers serve the parts and official tables the city. `is_partial`: a quotient of two registers,
    which has no value where one of them does not know the area.
    """

    share: float
    units: float
    is_local: bool
    is_partial: bool

    @classmethod
    def of(cls, subject: Subject, name: str, level: str) -> _Rule:
        indicator = subject.catalogue.indicators[name]
        origins = {o for m in subject.catalogue.measures_of(indicator) for o in m.origins}
        is_partial = indicator.kind in (Kind.RATIO, Kind.MEAN) and len(origins) > 1
        local = indicator.local
        if local is None or level not in local.levels:
            return cls(_SHARE, _UNITS, False, is_partial)
        agrees = local.agrees or Agreement(note=Text(de="–", en="–"))
        return cls(_SHARE + agrees.percent / 100, _UNITS + agrees.absolute, True, is_partial)


def _words(row: pd.Series) -> Text:
    """In percent only: exact counts of registers are in no text."""
    german = {"numerator": "Zähler", "denominator": "Nenner", "difference": "Saldo"}
    return said(
        "{level}, {role}: {gap} gegenüber der Stadt", "{level}, {role}: {gap} beside the city",
        level=LEVELS[row["area_level"]], role=Text(de=german[row["role"]], en=row["role"]),
        gap=Percent((row["parts"] - row["whole"]) / row["size"], signed=True),
    )  # fmt: skip


def _nothing_to_compare(subject: Subject, indicator: Indicator) -> Text | None:
    rows = subject.parts_of_city
    if (rows["indicator_id"] == indicator.id).any():
        return Text(de="zu kleine Zahlen für einen Vergleich", en="counts too small to be compared")
    return Text(de="kein Zeitraum mit Stadt und Teilen", en="no period with the city and its parts")


CHECK = row_check(
    "city_sums",
    _find,
    applies=_has_parts,
    needs=_nothing_to_compare,
    right=Text(
        de="die Teile ergeben die Stadt, Zähler wie Nenner", en="the parts make up the city, above and below"
    ),
    wrong=Text(de="die Teile ergeben nicht die Stadt", en="the parts do not make up the city"),
)
