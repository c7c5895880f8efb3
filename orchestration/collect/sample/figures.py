"""What other offices deliver to the invented city as finished figures: no persons, only counts.

Belongs here: the figures of the registers without single records of the city's own. Does not belong
here: what follows from the people of the city (registers.py). Everything is invented.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import pandas as pd

from orchestration.collect.sample.city import Array, Layout
from orchestration.collect.sample.events import KOBLENZ, SEED, happened
from orchestration.collect.sample.population import GENERAL, Unit
from orchestration.collect.sample.register_files import Delivery
from orchestration.settings import CityDistrict

Near = Callable[..., Array]
Here = Callable[[str, Iterable[object]], Array]

PUPILS_PER_TEACHER = {
    "SCHULE03": 15.5, "SCHULE06": 13.5, "SCHULE08": 14.5, "SCHULE09": 13.5, "SCHULE11": 6.0, "SCHULE28": 10.0,
}  # fmt: skip
"""For each full-time position, by type of school."""

INHABITANTS = 115_000
"""About as many as the invented city has; only the size of the figures depends on it."""


def aggregated(
    year: int,
    districts: Sequence[CityDistrict],
    *,
    layout: Layout,
    numbers: Array,
    pupils: Array,
    unit: Unit,
    seed: int,
    code: str,
) -> Iterator[Delivery]:
    """The aggregated deliveries of a year. A generator of its own: others' figures don't depend on it.

    `numbers`, `pupils`: of every school. `code`: the city's; planted events happen in the sample's own city alone.
    """
    rng = np.random.default_rng([seed, year, 5])
    end, autumn = dt.date(year, 12, 31), dt.date(year, 10, 1)
    grown = 1 + 0.012 * (year - 2015)

    def near(mean: float | Array, size: int | None = None) -> Array:
        """Counts that scatter as counts do."""
        return rng.poisson(np.asarray(mean) * grown, size)

    def here(theme: str, places: Iterable[object]) -> Array:
        """What the planted events have made of something in each place; other seeds' cities have none."""
        is_sample = seed == SEED and code == KOBLENZ
        return np.array([happened(theme, str(place), year) if is_sample else 1.0 for place in places])

    names = [district.name for district in districts]

    yield Delivery("municipal_accounts", end, _accounts(grown, rng))
    yield Delivery("training_contracts", end, _contracts(near))
    yield Delivery("training_market", end, _market(near, year))
    yield Delivery("employment_agency_districts", end, _employment(names, layout, near, unit, year, here))
    yield Delivery("education_package", end, _package(names, layout, near, here))
    yield Delivery("holiday_programme", end, _holidays(names, layout, near))
    yield Delivery("integration_courses", end, pd.DataFrame({
        "Kursart": ["allgemein", "Alphabetisierung", "Eltern", "Jugend"],
        "neue Teilnehmende": near(np.array([620, 180, 60, 45])),
    }))  # fmt: skip
    yield Delivery("sports_clubs", dt.date(year + 1, 1, 1), pd.DataFrame({
        "Altersklasse": ["7-14", "15-18"], "Mitglieder": near(np.array([4900, 1850])),
    }))  # fmt: skip
    yield Delivery("universities", end, pd.DataFrame({
        "Hochschule": ["Universität", "HS", "WHU"], "Studienanfänger": near(np.array([1450, 1250, 190])),
    }))  # fmt: skip
    yield Delivery("social_office", end, pd.DataFrame({
        "Geschlecht": ["m", "w"], "Empfänger 7 bis unter 18": near(np.array([74, 61])),
    }))  # fmt: skip
    yield Delivery("student_grants", end, pd.DataFrame({
        "Ausbildungsstätte": ["Schule", "Hochschule"], "Geförderte": near(np.array([310, 1420])),
    }))  # fmt: skip
    general = layout.school_type < 6
    of_type = np.array([PUPILS_PER_TEACHER[code] for code in GENERAL])[layout.school_type[general]]
    positions = np.maximum(pupils[general], 10) / of_type
    # Every school is a little better or worse off, and stays so.
    teachers = np.random.default_rng([seed, 14]).uniform(0.88, 1.12, general.sum()) * here(
        "teachers", numbers[general]
    )
    yield Delivery("teaching_staff", autumn, pd.DataFrame({
        "Schulnummer": numbers[general],
        "Vollzeitlehrereinheiten": [
            f"{v:.1f}".replace(".", ",") for v in positions * teachers * rng.uniform(0.97, 1.03, general.sum())
        ],
    }))  # fmt: skip
    need = layout.need[layout.school_district]
    yield Delivery("newcomer_pupils", autumn, pd.DataFrame({
        "Schulnummer": numbers[general],
        "Intensivkurs": near(2 + 14 * need[general]),
        "Seiteneinsteiger": near(1 + 9 * need[general]),
    }))  # fmt: skip


def _accounts(grown: float, rng: np.random.Generator) -> pd.DataFrame:
    areas = ["21-24", "25-29", "36"]
    amounts = (
        np.array([[9.5, 24.0], [7.2, 11.0], [31.0, 46.0]]) * 1e6 * grown * rng.uniform(0.97, 1.03, (3, 2))
    )
    return pd.DataFrame({
        "Produktbereich": np.repeat(areas, 2),
        "Art": ["Personal", "Sachaufwand"] * 3,
        "Aufwand": [f"{a:.2f}".replace(".", ",") for a in amounts.ravel()],
    })  # fmt: skip


def _contracts(near: Near) -> pd.DataFrame:
    new = near(np.array([980, 360, 210]))
    begun = new + near(np.array([30, 12, 6]))
    exams = near(np.array([840, 270, 180]))
    return pd.DataFrame({
        "Zuständigkeit": ["IH", "HW", "SO"],
        "neue Verträge": new,
        "begonnene Verträge": begun,
        "gelöste Verträge": np.minimum(near(np.array([255, 125, 50])), begun),
        "Prüfungen": exams,
        "bestanden": np.minimum(near(np.array([755, 230, 165])), exams),
    })  # fmt: skip


def _market(near: Near, year: int) -> pd.DataFrame:
    return pd.DataFrame({
        "Kreis": ["Koblenz"], "Bewerber": near(1100, 1), "unversorgt": near(80 + 14 * (year % 3), 1),
        "mit Alternative": near(130, 1), "Stellen": near(1750, 1), "unbesetzt": near(310, 1),
    })  # fmt: skip


def _people(layout: Layout) -> Array:
    return INHABITANTS * layout.weights / layout.weights.sum()


def _adding_up(counts: Array, total: float) -> Array:
    """Counts in about the same proportions that add up to a total; who can't be placed is left out (1 in 100)."""
    exact = counts * (0.99 * total / max(counts.sum(), 1))
    whole = np.floor(exact).astype(int)
    rest = round(0.99 * total) - whole.sum()
    whole[np.argsort(whole - exact, kind="stable")[:rest]] += 1
    return whole


def _employment(
    names: Sequence[str], layout: Layout, near: Near, unit: Unit, year: int, here: Here
) -> pd.DataFrame:
    """The employment agency's figures by Stadtteil; they add up to the same city as its official tables."""
    people, need = _people(layout), layout.need
    official = {
        name: count for (y, table, name), count in unit.further.items() if y == year and table == "13111"
    }
    employees = _adding_up(near(people * (0.42 - 0.08 * need)), sum(official.values()))
    return pd.DataFrame({
        "Stadtteil": names,
        "Arbeitslose": _adding_up(near(people * (0.015 + 0.05 * need) * here("jobless", names)), unit.unemployed[year, "total"]),
        "NEF unter 15": _adding_up(
            near(people * 0.12 * (0.03 + 0.30 * need) * here("child_poverty", names)), unit.further[year, "22811", "children"]
        ),
        "Beschäftigte": employees,
        "Auszubildende": np.minimum(near(people * 0.018), employees),
        "Eintritte FbW": near(people * (0.002 + 0.004 * need)),
    })  # fmt: skip


def _package(names: Sequence[str], layout: Layout, near: Near, here: Here) -> pd.DataFrame:
    eligible = near(_people(layout) * 0.2 * (0.05 + 0.30 * layout.need))
    return pd.DataFrame({
        "Stadtteil": names,
        "Berechtigte unter 25": eligible,
        "mit Leistung": np.minimum(near(eligible * 0.55 * here("education_package", names)), eligible),
    })  # fmt: skip


def _holidays(names: Sequence[str], layout: Layout, near: Near) -> pd.DataFrame:
    offered = near(_people(layout) * 0.011 + 4)
    return pd.DataFrame({
        "Stadtteil": names,
        "angebotene Plätze": offered,
        "belegte Plätze": np.minimum(near(offered * 0.83), offered),
    })  # fmt: skip
