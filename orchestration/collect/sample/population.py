"""An invented Rhineland-Palatinate: counts per district and year that behave like real ones.

Belongs here: numbers. Does not belong here: file formats (generate.py).
Every number is synthetic. Only names and official keys of the areas are real, and the rough
size of each district, so that the figures look familiar.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from orchestration.collect.sample.events import KOBLENZ, LAST_YEAR, SEED, share_of

DISTRICTS: dict[str, tuple[str, int]] = {
    "07111": ("Koblenz, kreisfreie Stadt", 114),
    "07131": ("Ahrweiler, Landkreis", 130),
    "07132": ("Altenkirchen (Westerwald), Landkreis", 130),
    "07133": ("Bad Kreuznach, Landkreis", 160),
    "07134": ("Birkenfeld, Landkreis", 81),
    "07135": ("Cochem-Zell, Landkreis", 62),
    "07137": ("Mayen-Koblenz, Landkreis", 216),
    "07138": ("Neuwied, Landkreis", 184),
    "07140": ("Rhein-Hunsrück-Kreis, Landkreis", 104),
    "07141": ("Rhein-Lahn-Kreis, Landkreis", 123),
    "07143": ("Westerwaldkreis, Landkreis", 204),
    "07211": ("Trier, kreisfreie Stadt", 111),
    "07231": ("Bernkastel-Wittlich, Landkreis", 114),
    "07232": ("Eifelkreis Bitburg-Prüm, Landkreis", 101),
    "07233": ("Vulkaneifel, Landkreis", 61),
    "07235": ("Trier-Saarburg, Landkreis", 151),
    "07311": ("Frankenthal (Pfalz), kreisfreie Stadt", 49),
    "07312": ("Kaiserslautern, kreisfreie Stadt", 99),
    "07313": ("Landau in der Pfalz, kreisfreie Stadt", 47),
    "07314": ("Ludwigshafen am Rhein, kreisfreie Stadt", 174),
    "07315": ("Mainz, kreisfreie Stadt", 220),
    "07316": ("Neustadt an der Weinstraße, kreisfreie Stadt", 54),
    "07317": ("Pirmasens, kreisfreie Stadt", 40),
    "07318": ("Speyer, kreisfreie Stadt", 51),
    "07319": ("Worms, kreisfreie Stadt", 84),
    "07320": ("Zweibrücken, kreisfreie Stadt", 35),
    "07331": ("Alzey-Worms, Landkreis", 132),
    "07332": ("Bad Dürkheim, Landkreis", 134),
    "07333": ("Donnersbergkreis, Landkreis", 76),
    "07334": ("Germersheim, Landkreis", 131),
    "07335": ("Kaiserslautern, Landkreis", 107),
    "07336": ("Kusel, Landkreis", 71),
    "07337": ("Südliche Weinstraße, Landkreis", 112),
    "07338": ("Rhein-Pfalz-Kreis, Landkreis", 156),
    "07339": ("Mainz-Bingen, Landkreis", 215),
    "07340": ("Südwestpfalz, Landkreis", 95),
}
"""The 12 independent cities and 24 districts with their size in thousands (rounded)."""

REGION_KOBLENZ = [code for code in DISTRICTS if code.startswith("071")]

REST = "rest"
"""The rest of Germany, one unit, so that Germany is Rhineland-Palatinate plus the rest."""

YEARS = range(2010, LAST_YEAR + 1)

RECENT_YEARS = range(2014, LAST_YEAR + 1)
"""The years of the tables in depth: a night on the sample is to take a minute. Inhabitants go back further."""


@dataclass(frozen=True)
class Extent:
    """The years that the official tables hold: the inhabitants', and those of the tables in depth."""

    inhabitants: range
    recent: range


FULL = Extent(YEARS, RECENT_YEARS)
TINY = Extent(range(2018, LAST_YEAR + 1), range(2018, LAST_YEAR + 1))
"""Eight years: enough for a trend of five years and a break. The figures are those of the full sample."""

AGES = [
    (0, 3), (3, 6), (6, 10), (10, 15), (15, 18), (18, 20), (20, 25), (25, 30), (30, 35), (35, 40),
    (40, 45), (45, 50), (50, 55), (55, 60), (60, 65), (65, 70), (70, 75), (75, 80), (80, 85),
    (85, 90), (90, 100),
]  # fmt: skip
_OLD = 15
"""The age groups from 65 on."""
_AGE_SHARE = np.array(
    [2.7, 2.7, 3.6, 4.5, 2.8, 2.0, 5.4, 6.0, 6.4, 6.3, 6.1, 6.0, 7.2, 8.3, 7.4, 6.0, 5.0, 3.9, 3.6, 2.4, 1.7]
)

GENERAL = {
    "SCHULE03": 34.0,
    "SCHULE06": 20.0,
    "SCHULE08": 32.0,
    "SCHULE09": 9.0,
    "SCHULE11": 4.0,
    "SCHULE28": 1.0,
}
"""School types that exist in the invented Land, with their share of pupils in percent."""

_KOBLENZ_2010 = 110_000
"""So many in 2010 that the end of 2022 has the city's official 115,268 (rounded)."""

_KOBLENZ_CHILDREN = (0.95, 0.93, 0.90, 0.90)
"""A city of students and commuters has fewer children than the Land."""

_KOBLENZ_GENERAL = {
    "SCHULE03": 29.8,
    "SCHULE06": 17.0,
    "SCHULE08": 38.6,
    "SCHULE09": 9.0,
    "SCHULE11": 4.3,
    "SCHULE28": 1.3,
}
_KOBLENZ_SCHOOLS = {"SCHULE03": 25, "SCHULE06": 5, "SCHULE08": 7, "SCHULE09": 1, "SCHULE11": 3, "SCHULE28": 1}
"""Schools by type in 2023, as the official statistics count them; shares of pupils near theirs."""

VOCATIONAL = {"SCHULE17": 62.0, "SCHULE21": 15.0, "SCHULE23": 10.0, "SCHULE24": 3.0, "SCHULE25": 10.0}

_KOBLENZ_QUALIFICATIONS = {
    "BILABS11": 5.5,
    "BILABS12": 12.0,
    "BILABS13": 26.0,
    "BILABS14": 2.5,
    "BILABS15": 54.0,
}
"""What leaves the city's types of school: more from a Gymnasium than in the Land."""

QUALIFICATIONS = {"BILABS11": 7.0, "BILABS12": 17.0, "BILABS13": 38.0, "BILABS14": 2.0, "BILABS15": 36.0}

Counts = dict[tuple[object, ...], int]


@dataclass
class Unit:
    """All counts of one area; keys are (year, …cells)."""

    population: dict[int, np.ndarray] = field(default_factory=dict)
    """year → array[age group (21), sex (male, female), nationality (German, foreign)]"""
    births: Counts = field(default_factory=dict)
    care: Counts = field(default_factory=dict)
    facilities: Counts = field(default_factory=dict)
    pupils: Counts = field(default_factory=dict)
    leavers: Counts = field(default_factory=dict)
    vocational: Counts = field(default_factory=dict)
    unemployed: Counts = field(default_factory=dict)
    support: Counts = field(default_factory=dict)
    income: Counts = field(default_factory=dict)
    further: Counts = field(default_factory=dict)
    """(year, table, column or row …): tables whose figures follow from the others."""

    def __add__(self, other: Unit) -> Unit:
        total = Unit()
        for year, array in self.population.items():
            total.population[year] = array + other.population[year]
        for name in vars(self):
            if name != "population":
                mine, theirs = getattr(self, name), getattr(other, name)
                setattr(total, name, {key: value + theirs[key] for key, value in mine.items()})
        return total


def is_independent(code: str) -> bool:
    """Is it a city that is a district of its own?"""
    return code in DISTRICTS and "kreisfreie Stadt" in DISTRICTS[code][0]


def units() -> dict[str, Unit]:
    """Every area's counts: districts, region 071, Land 07 and DG, each the sum of its parts."""
    parts = {code: _unit(code, size * 1000) for code, (_, size) in DISTRICTS.items()}
    rest = _unit(REST, 79_200_000)
    land = _sum([parts[code] for code in DISTRICTS])
    region = _sum([parts[code] for code in REGION_KOBLENZ])
    return {"DG": land + rest, "07": land, "071": region, **parts}


def unit_of(code: str) -> Unit:
    """The counts of one district; one that is not in the sample gets Koblenz's size."""
    size = DISTRICTS[code][1] if code in DISTRICTS else 110
    return _unit(code, size * 1000)


def _sum(found: list[Unit]) -> Unit:
    total = found[0]
    for unit in found[1:]:
        total = total + unit
    return total


_CENSUS_YEAR, _CENSUS_LOSS = 2024, 0.015
"""From this year on the official estimate stands on a new census, which found fewer people."""


def _growth(index: int) -> float:
    return 1 + 0.004 * index


def registered(unit: Unit, year: int) -> np.ndarray:
    """The population as a register of residents counts it: the census changed the official estimate, nobody moved."""
    official = unit.population[year]
    if year >= _CENSUS_YEAR:
        return official
    growth = _growth(YEARS.index(year))
    return np.rint(official * (growth - _CENSUS_LOSS) / growth).astype(int)


def _unit(code: str, inhabitants: int) -> Unit:
    rng = np.random.default_rng([SEED, int(code) if code != REST else 99])
    city = code in ("07111", "07211", "07312", "07314", "07315")
    unit = Unit()
    if code == KOBLENZ:
        inhabitants = _KOBLENZ_2010
    foreign_base = 0.10 + (0.04 if city else 0.0) + rng.uniform(-0.02, 0.03)
    tilt = 1 + rng.normal(0, 0.04, len(AGES))
    if code == KOBLENZ:
        tilt[: len(_KOBLENZ_CHILDREN)] *= _KOBLENZ_CHILDREN
    tilt[_OLD:] *= share_of("old", code, 0, is_city=is_independent(code))
    for index, year in enumerate(YEARS):
        growth = _growth(index) - (_CENSUS_LOSS if year >= _CENSUS_YEAR else 0.0)
        ages = _AGE_SHARE / _AGE_SHARE.sum() * tilt
        ages[:4] *= 1 + 0.008 * index
        ages[15:] *= 1 + 0.006 * index
        foreign = foreign_base + 0.006 * index
        weights = np.zeros((len(AGES), 2, 2))
        for age in range(len(AGES)):
            women = 0.487 + 0.012 * max(age - 14, 0)
            abroad = foreign * (1.25 if 6 <= age <= 11 else 0.5 if age >= 15 else 1.0)
            for sex, share in ((0, 1 - women), (1, women)):
                weights[age, sex, 1] = ages[age] * share * abroad
                weights[age, sex, 0] = ages[age] * share * (1 - abroad)
        noise = 1 + rng.normal(0, 0.004, weights.shape)
        counts = np.rint(inhabitants * growth * weights / weights.sum() * noise).astype(int)
        unit.population[year] = counts
        _education(unit, rng, year, index, counts, city, code)
        unit.further |= students(code, unit, year)
    return unit


def _education(
    unit: Unit,
    rng: np.random.Generator,
    year: int,
    index: int,
    people: np.ndarray,
    city: bool,
    code: str,
) -> None:
    koblenz = code == KOBLENZ

    def own(theme: str) -> float:
        return share_of(theme, code, year, is_city=is_independent(code))

    def near(value: float, spread: float = 0.01) -> int:
        return max(0, round(value * (1 + float(np.clip(rng.normal(0, spread), -2 * spread, 2 * spread)))))

    ages = people.sum(axis=(1, 2))
    total = int(people.sum())
    births = near(ages[0] / 3)
    boys = near(births * 0.513, 0.005)
    unit.births |= {(year, "male"): boys, (year, "female"): births - boys}

    # Care on 1 March of the following year, related to this year's end of December.
    march = year + 1
    under3 = near(ages[0] * (0.27 + 0.008 * index) * own("care_under_3"))
    three_to_five = near(ages[1] * min((0.95 - 0.003 * index) * own("care_3_to_5"), 0.985), 0.004)
    older = near(ages[2] * (0.09 + 0.002 * index))
    for cell, count, minders in (("u3", under3, 0.11), ("3-5", three_to_five, 0.012), ("6-13", older, 0.02)):
        both = round(count * 0.004)
        childminder = near(count * minders, 0.02)
        unit.care |= {
            (march, "centre", cell): count - childminder + both,
            (march, "childminder", cell): childminder,
            (march, "total", cell): count,
        }
    for kind in ("centre", "childminder", "total"):
        children = sum(unit.care[march, kind, cell] for cell in ("u3", "3-5", "6-13"))
        unit.care |= {
            (march, kind, "foreign_origin"): round(children * 0.34 * own("care_foreign_origin")),
            (march, kind, "lunch"): round(children * min(0.66 * own("care_lunch"), 0.95)),
        }
    places = near((under3 + three_to_five + older) * 1.06, 0.004)
    centres = max(4, round(places / 72))
    staff = near(places * 0.16 * own("care_staff"), 0.004)
    unit.facilities |= {
        (march, "centres"): centres,
        (march, "places"): places,
        (march, "staff"): near(staff * 1.22, 0.004),
        (march, "pedagogical"): staff,
        (march, "pedagogical_female"): near(
            staff * (1 - (0.045 + 0.003 * index) * own("care_staff_men")), 0.002
        ),
        (march, "full_time"): round(staff * 0.82),
    }

    # Pupils at the start of the school year; cities draw pupils from around.
    pupils = near(ages[2:5].sum() * (1.28 if city else 0.94))
    if koblenz:  # 12,715 in 2015 and 12,846 in 2023; foreigners 8.1 and 17.6 percent of them
        pupils = near(12_715 + 16 * (year - 2015))
    for school, share in (_KOBLENZ_GENERAL if koblenz else GENERAL).items():
        count = near(pupils * share / 100, 0.008)
        female = near(count * (0.40 if school == "SCHULE11" else 0.49), 0.004)
        foreign = near(
            count * (0.05 if school == "SCHULE08" else 0.11) * (1 + 0.06 * index) * own("foreign_pupils"),
            0.02,
        )
        if koblenz:
            foreign = near(foreign * 1.28, 0.01)
        schools = max(1, round(count / {"SCHULE03": 150, "SCHULE08": 780}.get(school, 420)))
        if koblenz:
            schools = _KOBLENZ_SCHOOLS[school]
        unit.pupils |= {
            (year, school, "total"): count,
            (year, school, "female"): female,
            (year, school, "foreign"): foreign,
            (year, school, "schools"): schools,
            (year, school, "grade7"): near(count / 8)
            if school in ("SCHULE06", "SCHULE08", "SCHULE09")
            else 0,
            (year, school, "grade11"): near(count / 9) if school in ("SCHULE08", "SCHULE09") else 0,
        }

    # Leavers at the end of the school year that ends in `year`.
    leavers = near(pupils * (0.105 if koblenz else 0.108))
    for qualification, share in (_KOBLENZ_QUALIFICATIONS if koblenz else QUALIFICATIONS).items():
        drift = {"BILABS15": -0.003, "BILABS11": 0.012}.get(qualification, 0.0)
        theme = {"BILABS15": "abitur", "BILABS11": "without_certificate"}.get(qualification)
        count = near(leavers * share / 100 * (1 + drift * index) * (own(theme) if theme else 1.0), 0.02)
        female = near(
            count * {"BILABS11": 0.40, "BILABS12": 0.41, "BILABS15": 0.55}.get(qualification, 0.49), 0.02
        )
        unit.leavers |= {(year, qualification, "total"): count, (year, qualification, "female"): female}
        if qualification == "BILABS13":
            part = near(count * 0.13, 0.03)
            unit.leavers |= {
                (year, "BILABS14D", "total"): part,
                (year, "BILABS14D", "female"): near(part * 0.5, 0.03),
            }

    apprentices = near(ages[4:7].sum() * (0.62 if city else 0.25))
    for school, share in VOCATIONAL.items():
        count = near(apprentices * share / 100, 0.01)
        unit.vocational |= {
            (year, school, "total"): count,
            (year, school, "female"): near(count * 0.43, 0.006),
            (year, school, "foreign"): near(count * 0.08 * (1 + 0.05 * index), 0.02),
            (year, school, "schools"): max(1, round(count / 700)),
        }
    without = near(unit.vocational[year, "SCHULE17", "total"] * 0.03, 0.02)
    unit.vocational |= {
        (year, "SCHULE171", "total"): without,
        (year, "SCHULE171", "female"): near(without * 0.4, 0.02),
        (year, "SCHULE171", "foreign"): near(without * 0.3, 0.02),
        (year, "SCHULE171", "schools"): 0,
    }

    workforce = people[4:15].sum(axis=0)
    jobless = {
        "male": near(workforce[0].sum() * 0.047 * own("jobless")),
        "female": near(workforce[1].sum() * 0.042 * own("jobless")),
        "foreign": near(workforce[:, 1].sum() * 0.10 * own("jobless") * own("jobless_foreign")),
        "young": near(ages[4:7].sum() * 0.035 * own("jobless") * own("jobless_young")),
    }
    unit.unemployed |= {
        (year, "total"): jobless["male"] + jobless["female"],
        **{(year, name): count for name, count in jobless.items()},
        (year, "long"): round(
            (jobless["male"] + jobless["female"]) * (0.33 + 0.004 * ((year * 5) % 9)) * own("jobless_long")
        ),
        (year, "labour_force"): int(workforce.sum() * 0.86),
        (year, "labour_force_male"): int(workforce[0].sum() * 0.88),
        (year, "labour_force_female"): int(workforce[1].sum() * 0.84),
        (year, "labour_force_foreign"): int(workforce[:, 1].sum() * 0.80),
        (year, "labour_force_young"): int(ages[4:7].sum() * 0.72),
    }
    unit.support[year, "total"] = near(
        total * (0.085 if city else 0.06) * (1 + 0.01 * index) * own("support")
    )
    unit.income[year, "thousand_eur"] = near(total * (20.2 + 0.5 * index) * own("income"))
    _further(unit, year, index, people, city, own)


UNIVERSITY_TOWNS = {"07111": 15_700, "07211": 13_400, "07312": 14_900, "07313": 7_500, "07315": 33_000}
"""Students by place, rounded; elsewhere there are a few."""

SUBJECTS = {
    "HS-FG01": 0.13, "HS-FG02": 0.02, "HS-FG03": 0.38, "HS-FG04": 0.16, "HS-FG05": 0.06,
    "HS-FG07": 0.01, "HS-FG08": 0.21, "HS-FG09": 0.03,
}  # fmt: skip


def _further(
    unit: Unit, year: int, index: int, people: np.ndarray, city: bool, own: Callable[[str], float]
) -> None:
    """Tables without chance of their own: what they say follows from who lives there and works there."""

    def put(table: str, **values: float) -> None:
        unit.further |= {(year, table, name): round(value) for name, value in values.items()}

    ages, sexes = people.sum(axis=(1, 2)), people.sum(axis=2)
    wave = 1 + 0.03 * ((index * 7) % 5 - 2)
    spans = {"ALT000B18": (0, 5, 0.05), "ALT018B25": (5, 7, 0.19), "ALT025B30": (7, 8, 0.15),
             "ALT030B50": (8, 12, 0.065), "ALT050B65": (12, 15, 0.022), "ALT065UM": (15, 21, 0.016)}  # fmt: skip
    for cell, (low, high, share) in spans.items():
        for column, sex in enumerate(("male", "female")):
            came = sexes[low:high, column].sum() * share * wave
            put(
                "12711", **{f"in_{cell}_{sex}": came, f"out_{cell}_{sex}": came * (0.93 + 0.01 * (index % 4))}
            )
    workers, employed = people[4:15].sum(axis=0), own("employment")
    for column, sex in enumerate(("male", "female")):
        put("13111", **{
            f"german_{sex}": workers[column, 0] * (0.615 + 0.004 * index - 0.03 * column) * employed,
            f"foreign_{sex}": workers[column, 1] * (0.475 + 0.007 * index - 0.06 * column) * employed,
        })  # fmt: skip
    poor = 0.15 if city else 0.085
    children = ages[:4].sum() * poor * (1 + 0.012 * (index % 6)) * own("child_poverty")
    put("22811", children=children, unable=children * 1.05, girls=children * 0.51, able=children * 2.6,
        able_women=children * 1.3, young=children * 0.55, middle=children * 1.4, later=children * 0.25,
        old=children * 0.4, foreign=children * (0.9 + 0.05 * index), household=children * 3.9)  # fmt: skip
    reform = 1.6 if year >= 2023 else 1.25 if year >= 2020 else 1.1 if year >= 2016 else 1.0
    put("22311", rent=ages.sum() * 0.0062 * reform * wave, burden=ages.sum() * 0.0005 * reform * wave)
    staff = unit.facilities[year + 1, "pedagogical"] * 1.06
    for n, share in enumerate((0.26, 0.22, 0.21, 0.12 - 0.001 * index, 0.11, 0.08 + 0.001 * index)):
        put("22543", **{f"age_{n}": staff * share})
    put("22543", minders=unit.care[year + 1, "childminder", "u3"] / 3.4 + 2)
    trained = sum(unit.vocational[year, school, "total"] for school in VOCATIONAL)
    drift = {"BILABS12": 0.007, "BILABS13": 0.022, "BILABS14": 0.055 + 0.001 * index, "BILABS15": 0.05}
    for name, share in drift.items():
        put("21121", **{name: trained * share * wave, f"{name}_female": trained * share * wave * 0.47})


def students(code: str, unit: Unit, year: int) -> Counts:
    """Students of one place by subject, sex and nationality."""
    base = UNIVERSITY_TOWNS.get(code, int(unit.population[year].sum() * (0.035 if code == REST else 0.002)))
    grown = base * (1 + 0.006 * (year - 2015))
    return {
        (year, "21311", f"{subject}_{nationality}_{sex}"): round(grown * share * of * part)
        for subject, share in SUBJECTS.items()
        for nationality, of in (
            ("german", 0.88 - 0.004 * (year - 2015)),
            ("foreign", 0.12 + 0.004 * (year - 2015)),
        )
        for sex, part in (("male", 0.5), ("female", 0.5))
    }
