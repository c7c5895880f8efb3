"""What sets the districts of the invented Land apart, and what happens in its Koblenz: factors on counts.

Belongs here: which districts have more of what, how far that moves from year to year, and the planted events that a
night on the sample must find (docs/registers.md). Does not belong here: what the factors are put on (population.py,
figures.py). Everything is invented; the same code gives the same factors on every machine.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cache

import numpy as np

SEED = 7111
KOBLENZ = "07111"
LAST_YEAR = 2025


@dataclass(frozen=True)
class Spread:
    """How much of something districts have, as a factor on the Land's.

    `between`: standard deviation of its logarithm between districts. `yearly`: the same of what each year adds to it.
    `city`: factor of the independent cities. `growth`: change a year, up to 1 in the last year.
    """

    between: float
    yearly: float
    city: float = 1.0
    growth: float = 0.0


SPREADS = {
    "care_under_3": Spread(0.10, 0.015),
    "care_3_to_5": Spread(0.012, 0.003),
    "care_staff": Spread(0.05, 0.008),
    "care_staff_men": Spread(0.15, 0.03, 1.1),
    "care_foreign_origin": Spread(0.20, 0.015, 1.3, 0.02),
    "care_lunch": Spread(0.10, 0.012, 1.05, 0.012),
    "foreign_pupils": Spread(0.18, 0.015, 1.15),
    "without_certificate": Spread(0.15, 0.04, 1.1),
    "abitur": Spread(0.09, 0.015, 1.35),
    "jobless": Spread(0.20, 0.02, 1.2),
    "jobless_young": Spread(0.12, 0.04),
    "jobless_foreign": Spread(0.10, 0.03),
    "jobless_long": Spread(0.12, 0.02, 1.1),
    "support": Spread(0.18, 0.015, 1.2),
    "child_poverty": Spread(0.20, 0.015, 1.3),
    "income": Spread(0.06, 0.004, 0.98),
    "employment": Spread(0.025, 0.003, 0.98),
    "old": Spread(0.06, 0.0, 0.97),
}
"""By theme. Koblenz itself has a factor of 1 in the last year, but for events: its levels are declared where they are made."""

COURSE = {2018: 0.96, 2019: 0.95, 2020: 1.12, 2021: 1.10, 2022: 1.0, 2023: 1.02, 2024: 1.02}
"""Unemployment everywhere, beside that of the last year: few out of work before the pandemic, many in it."""


@dataclass(frozen=True)
class Event:
    """Something that happens in the embedded sample and that findings must name.

    `theme`: what is multiplied by `factor` from `since` on. `place`: the city (its key), a Stadtteil by name or a school
    by number. `indicator`: where it must be found.
    """

    theme: str
    place: str
    since: int
    factor: float
    indicator: str
    is_problem: bool


EVENTS = (
    Event("jobless_young", KOBLENZ, LAST_YEAR, 1.30, "youth_unemployment_rate_percent", True),
    Event("without_certificate", KOBLENZ, LAST_YEAR, 1.60, "leavers_without_certificate_percent", True),
    Event("care_under_3", KOBLENZ, LAST_YEAR, 0.87, "care_rate_under_3_percent", True),
    Event("child_poverty", "Kesselheim", LAST_YEAR, 1.55, "child_poverty_percent", True),
    Event("education_package", "Altstadt", LAST_YEAR, 0.45, "education_package_percent", True),
    Event("teachers", "12917", LAST_YEAR, 0.60, "pupils_per_teacher", True),
    Event("jobless_foreign", KOBLENZ, LAST_YEAR, 0.80, "foreign_unemployment_rate_percent", False),
    Event("jobless", "Rauental", LAST_YEAR, 0.55, "unemployed_of_working_age_percent", False),
    Event("education_package", "Horchheimer Höhe", LAST_YEAR, 1.55, "education_package_percent", False),
)
"""Six problems and three successes."""


def happened(theme: str, place: str, year: int) -> float:
    """What the events have made of something at a place by a year: a factor."""
    found = [e.factor for e in EVENTS if e.theme == theme and e.place == place and year >= e.since]
    return float(np.prod(found)) if found else 1.0


def share_of(theme: str, code: str, year: int, *, is_city: bool) -> float:
    """How much of something a district has in a year, as a factor on what the Land has. `is_city`: an independent one."""
    spread = SPREADS[theme]
    factor = (1 + spread.growth) ** (year - LAST_YEAR)
    if theme == "jobless":
        factor *= COURSE.get(year, 1.0)
    if code == KOBLENZ:
        return factor * happened(theme, KOBLENZ, year)
    if not code.isdigit():
        return factor
    own = _normal(theme, code, 0) * spread.between + _normal(theme, code, year) * spread.yearly
    return factor * (spread.city if is_city else 1.0) * float(np.exp(np.clip(own, -0.5, 0.5)))


@cache
def _normal(theme: str, code: str, year: int) -> float:
    """A draw of its own for every theme, district and year: what is drawn elsewhere does not move it."""
    return float(np.random.default_rng([SEED, zlib.crc32(theme.encode()), int(code), year]).normal())
