"""The synthetic city's registers, as its offices would deliver them.

Belongs here: what each system writes down of the city (city.py), and in which format. Everybody and
everything in these files is invented. The same seed writes the same bytes on every machine.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from expectations.catalogue import Catalogue
from orchestration.collect.registers.drops import Drop
from orchestration.collect.sample import city as simulation
from orchestration.collect.sample import edoo, events, figures, population, register_files, spelling
from orchestration.collect.sample.city import (
    COLLEGE,
    COMPREHENSIVE,
    GRAMMAR,
    NATIONALITIES,
    PRIMARY,
    SECONDARY_PLUS,
    VOCATIONAL,
    Array,
    City,
    Layout,
    Year,
    age_at,
    day_number,
)
from orchestration.collect.sample.edoo import Edoo, postgresql_dump, write_sqlite
from orchestration.collect.sample.events import LAST_YEAR, SEED
from orchestration.collect.sample.figures import aggregated
from orchestration.collect.sample.population import Unit
from orchestration.collect.sample.register_files import Delivery, write_delivery
from orchestration.collect.sample.spelling import (
    SEX_CODES,
    TYPE_CODES,
    compact_days,
    digits,
    family_names,
    german_days,
    given_names,
    sex_of,
)
from orchestration.resources.files import remove, write_bytes
from orchestration.settings import CityDistrict, Settings

EMBEDDED_YEARS = range(LAST_YEAR - 4, LAST_YEAR + 1)
"""What the first night collects: enough for a trend. `bildungsmonitor sample` writes as many as asked for."""

EDOO = ("classes", "pupils", "school_movements")
"""Registers that are read from the school administration's database."""

_STREETS = (
    "Schloßstraße",
    "Am Löhrrondell",
    "Moselweißer Straße",
    "Rübenacher Straße",
    "Görgenstraße",
    "Im Bienenstück",
)
_TYPE_NAMES = (
    "Grundschule",
    "Realschule plus",
    "Gymnasium",
    "Integrierte Gesamtschule",
    "Förderschule",
    "Kolleg",
    "Berufsbildende Schule",
)


_CARED_FOR = np.array([0.05, 0.8, 1.8])
"""How likely children under one, two and three years are to be in care, beside each other."""

_LINKED = (
    "late_school_entries_percent", "newly_arrived_pupils, foreign_pupils_percent", "special_needs_percent",
    "all_day_pupils_percent, pupils_per_class", "active_library_users_percent", "",
    "leavers_without_certificate_percent, transition_rate_percent", "students",
)  # fmt: skip
"""The indicators that measures of each field of action are linked to, in the order of the fields."""


class RegisterWriter:
    """What the offices of one city write down, year by year."""

    def __init__(self, code: str, districts: list[CityDistrict], unit: Unit, seed: int) -> None:
        self.code = code
        self.districts = districts
        self.unit = unit
        self.seed = seed
        self.city = City(unit, len(districts), seed)
        self.layout: Layout = self.city.layout
        self.numbers = np.array([f"{10_007 + 97 * n:05d}" for n in range(len(self.layout.school_type))])
        self.edoo = Edoo(code, self.layout, self.numbers, seed)

    def deliveries(self, first: int, last: int, start: int | None = None) -> Iterator[Delivery]:
        """Everything delivered from `first` to `last`; the city lives since `start`."""
        for year in self.city.years(start or first - 2, last):
            if year.year >= first:
                yield from self._deliveries(year)

    def _deliveries(self, year: Year) -> Iterator[Delivery]:
        y = year.year
        end, autumn, march = dt.date(y, 12, 31), dt.date(y, 10, 1), dt.date(y + 1, 3, 1)
        rng = np.random.default_rng([self.seed, y])
        self.edoo.add(year)
        yield Delivery("block_sides", end, self._block_sides())
        yield Delivery("schools", autumn, self._schools())
        yield Delivery("residents", end, self._residents(year, rng))
        yield Delivery("resident_movements", end, self._movements(year))
        for name, frame in self.edoo.frames(y).items():
            yield Delivery(name, autumn, frame)
        yield Delivery("vocational_pupils", autumn, self._vocational(year, rng))
        yield Delivery("after_school_care", autumn, self._after_school(year, rng))
        yield Delivery("day_care_centres", march, self._centres(y + 1))
        children, minded = self._day_care(year)
        yield Delivery("day_care_children", march, children)
        yield Delivery("childminders", march, minded)
        yield Delivery("school_entry_examination", end, self._examination(year, rng))
        yield Delivery("adult_education", end, self._courses(y, rng))
        yield Delivery("music_school", end, self._music_school(year, rng))
        yield Delivery("library", end, self._library(y, rng))
        yield Delivery("museums", end, self._museums(y, rng))
        yield Delivery("youth_welfare", end, self._youth_welfare(year, rng))
        yield Delivery("youth_work", end, self._youth_work(y, rng))
        yield Delivery("school_social_work", autumn, self._social_work(rng))
        yield Delivery("learning_materials", autumn, self._learning_materials(year, rng))
        yield Delivery("school_rooms", autumn, self._rooms())
        yield Delivery("pupil_transport", autumn, self._transport(year, rng))
        yield from aggregated(
            y, self.districts, layout=self.layout, numbers=self.numbers, unit=self.unit, seed=self.seed, code=self.code,
            pupils=np.bincount(year.pupils.school, minlength=len(self.numbers)),
        )  # fmt: skip
        yield Delivery("measures_and_projects", end, self._projects(y))
        yield Delivery("network_partners", end, self._partners())
        yield Delivery("survey_all_day", dt.date(y + 1, 2, 1), self._survey_all_day(year, rng))
        yield Delivery(
            "survey_leavers",
            dt.date(y + 1, 5, 2),
            self._survey(year, rng, (SECONDARY_PLUS,), "ziel", (40, 35, 5, 8, 12)),
        )
        yield Delivery("survey_abitur", dt.date(y + 1, 4, 2), self._survey(year, rng, (GRAMMAR, COMPREHENSIVE, COLLEGE), "plan", (52, 14, 12, 10, 12)))  # fmt: skip

    # --- places -----------------------------------------------------------------------------------

    def _name(self, districts: Array) -> Array:
        return np.array([d.name for d in self.districts])[districts]

    def _block_sides(self) -> pd.DataFrame:
        layout = self.layout
        return pd.DataFrame({
            "Blockseite": layout.block_sides,
            "Stadtteil": self._name(layout.block_district),
            "Statistischer Bezirk": layout.block_statistical,
            "Schulbezirk": self.numbers[layout.block_school],
            "Planungsbezirk": layout.block_planning,
            "gültig ab": "01.01.1982",
            "gültig bis": "",
        })  # fmt: skip

    def _schools(self) -> pd.DataFrame:
        layout = self.layout
        count = np.arange(len(layout.school_type))
        carriers = np.where(
            np.isin(count, (29, 36, 45, 46)),
            "kirchlich",
            np.where(layout.school_type == COLLEGE, "Land", "Stadt"),
        )
        return pd.DataFrame({
            "Schulnummer": self.numbers,
            "Name": [f"{_TYPE_NAMES[t]} {d} {n + 1} (synthetisch)" for n, (t, d) in enumerate(zip(layout.school_type, self._name(layout.school_district), strict=True))],
            "Schulart": TYPE_CODES[layout.school_type],
            "Träger": carriers,
            "Stadtteil": self._name(layout.school_district),
            "eröffnet": "01.08.1975",
            "geschlossen": "",
        })  # fmt: skip

    # --- residents --------------------------------------------------------------------------------

    def _residents(self, year: Year, rng: np.random.Generator) -> pd.DataFrame:
        people = year.people
        second = rng.random(len(people)) < 0.035  # people who have another main residence elsewhere
        extra = people.take(second)
        extra.id = extra.id + 8_000_000
        everybody = people + extra
        block = np.concatenate([year.block, year.block[second]])
        return pd.DataFrame({
            "Stichtag": f"31.12.{year.year}",
            "PID": digits(everybody.id, 12),
            "Familienname": family_names(everybody.household),
            "Vornamen": given_names(everybody.id, everybody.sex),
            "Straße": np.array(_STREETS)[block % len(_STREETS)],
            "Hausnummer": (block % 120 + 1).astype(str),
            "Geburtsdatum": german_days(everybody.birth),
            "Geschlecht": SEX_CODES[sex_of(everybody.id, everybody.sex)],
            "Staatsangehörigkeit": np.array(NATIONALITIES)[everybody.nationality],
            "Migrationshintergrund": np.where(everybody.migration, "J", "N"),
            "Haushalt": digits(everybody.household, 10),
            "Blockseite": np.array(self.layout.block_sides)[block],
            "Zuzugsjahr": everybody.arrived.astype(str),
            "Wohnstatus": np.repeat(["H", "N"], [len(people), len(extra)]),
        })  # fmt: skip

    def _movements(self, year: Year) -> pd.DataFrame:
        events = year.movements
        order = np.lexsort((events["id"], events["day"]))
        events = {name: values[order] for name, values in events.items()}
        away = np.isin(events["kind"], ("ZU", "WE"))
        places = np.array(["07137068", "07143000", "06412000", "05315000", "09162000", "99999999"])
        return pd.DataFrame({
            "EREIGNIS": events["kind"],
            "DATUM": compact_days(events["day"]),
            "PID": digits(events["id"], 12),
            "GEBDAT": compact_days(events["birth"]),
            "GESCHL": (sex_of(events["id"], events["sex"]) + 1).astype(str),
            "STAAT": np.array(NATIONALITIES)[events["nationality"]],
            "BLOCKSEITE": np.array(self.layout.block_sides)[events["block"]],
            "GEBIET": np.where(away, places[events["id"] % len(places)], ""),
            "BLOCKALT": np.append(self.layout.block_sides, "")[events["former_block"]],
            "NAME": [f"{a}, {b}"[:31] for a, b in zip(family_names(events["id"]), given_names(events["id"], events["sex"]), strict=True)],
        })  # fmt: skip

    # --- schools ----------------------------------------------------------------------------------

    def _vocational(self, year: Year, rng: np.random.Generator) -> pd.DataFrame:
        counts = {code: self.unit.vocational[year.year, code, "total"] for code in VOCATIONAL}
        counts["SCHULE17"] -= counts["SCHULE171"]  # the preparatory year is part of the Berufsschule
        form = np.repeat(["BS", "BVJ", "BF", "BGY", "BOS", "FS"], list(counts.values()))
        total = len(form)
        age = rng.integers(16, 26, total)
        is_female, is_foreign = (
            np.concatenate([rng.permutation(n) < k for n, k in zip(counts.values(), self._official(year, of, counts), strict=True)])
            for of in ("female", "foreign")
        )  # fmt: skip
        schools = np.flatnonzero(self.layout.school_type == 6)
        return pd.DataFrame({
            "Stichtag": f"01.10.{year.year}",
            "Schüler": [f"BBS-{n:07d}" for n in rng.choice(9_000_000, total, replace=False)],
            "Name": family_names(np.arange(total)),
            "Geburtsdatum": german_days(day_number(year.year, 9, 1) - (age * 365.2425).astype(int) - rng.integers(0, 365, total)),
            "Geschlecht": np.where(is_female, "w", "m"),
            "Staatsangehörigkeit": np.where(is_foreign, "163", "000"),
            "Schulnummer": self.numbers[rng.choice(schools, total)],
            "Schulform": form,
            "Vorbildung": rng.choice(["oBR", "BR", "QSI", "FHR", "HR"], total, p=[0.04, 0.26, 0.42, 0.05, 0.23]),
        })  # fmt: skip

    def _official(self, year: Year, of: str, forms: dict[str, int]) -> list[int]:
        """Vocational pupils of a kind by form, as the official tables count them."""
        found = {code: self.unit.vocational[year.year, code, of] for code in forms}
        found["SCHULE17"] -= found["SCHULE171"]
        return list(found.values())

    def _primary(self) -> Array:
        return np.flatnonzero(self.layout.school_type == PRIMARY)

    def _after_school(self, year: Year, rng: np.random.Generator) -> pd.DataFrame:
        schools = self._primary()
        enrolled = np.bincount(year.pupils.school, minlength=len(self.numbers))[schools]
        children = np.rint(
            enrolled * (0.28 + 0.012 * (year.year - 2015)) * rng.uniform(0.8, 1.2, len(schools))
        ).astype(int)
        return pd.DataFrame({
            "Schulnummer": self.numbers[schools],
            "Plätze": (children * 1.06).astype(int) + 2,
            "Kinder": children,
            "bis Uhrzeit": rng.choice(["14:00", "15:30", "16:00"], len(schools)),
        })  # fmt: skip

    def _social_work(self, rng: np.random.Generator) -> pd.DataFrame:
        schools = np.flatnonzero(
            np.isin(self.layout.school_type, (SECONDARY_PLUS, GRAMMAR, COMPREHENSIVE, 4, 6))
        )
        return pd.DataFrame({
            "Schulnummer": self.numbers[schools],
            "Stellenanteil": [f"{value:.2f}".replace(".", ",") for value in rng.choice([0.5, 0.75, 1.0, 1.5, 2.0], len(schools))],
            "Einzelfälle": rng.poisson(42, len(schools)),
            "Gruppenangebote": rng.poisson(9, len(schools)),
        })  # fmt: skip

    def _learning_materials(self, year: Year, rng: np.random.Generator) -> pd.DataFrame:
        chosen = year.pupils.take(rng.random(len(year.pupils)) < 0.62)
        return pd.DataFrame({
            "Schüler": [f"S{n:08d}" for n in chosen.id],
            "Name": family_names(chosen.id),
            "Schulnummer": self.numbers[chosen.school],
            "Art": np.where(rng.random(len(chosen)) < 0.38, "kostenfrei", "entgeltlich"),
            "Bewilligt am": german_days(day_number(year.year, 5, 1) + rng.integers(0, 60, len(chosen))),
        })  # fmt: skip

    def _rooms(self) -> pd.DataFrame:
        rng = np.random.default_rng([self.seed, 3])
        school = np.repeat(np.arange(len(self.numbers)), np.where(self.layout.school_type == PRIMARY, 16, 42))
        use = rng.choice(
            ["Klassenraum", "Fachraum", "Ganztag", "Mensa", "Sporthalle", "Verwaltung"],
            len(school),
            p=[0.6, 0.16, 0.07, 0.03, 0.03, 0.11],
        )
        size = {
            "Klassenraum": 62,
            "Fachraum": 78,
            "Ganztag": 55,
            "Mensa": 180,
            "Sporthalle": 405,
            "Verwaltung": 24,
        }
        return pd.DataFrame({
            "Schulnummer": self.numbers[school],
            "Raum": [f"{'AB'[n % 2]}{n % 4}.{n % 97:02d}-{n}" for n in range(len(school))],
            "Nutzung": use,
            "Fläche": np.round(np.array([size[u] for u in use]) * rng.uniform(0.8, 1.3, len(school)), 1),
            "Barrierefrei": np.where(rng.random(len(school)) < 0.4, "J", "N"),
        })  # fmt: skip

    def _transport(self, year: Year, rng: np.random.Generator) -> pd.DataFrame:
        pupils = year.pupils
        kind = self.layout.school_type[pupils.school]
        chosen = pupils.take(
            rng.random(len(pupils)) < np.where(kind == PRIMARY, 0.07, np.where(pupils.is_outside, 0.9, 0.35))
        )
        distance = np.where(
            chosen.is_outside, rng.uniform(6, 35, len(chosen)), rng.uniform(1.5, 9, len(chosen))
        )
        return pd.DataFrame({
            "Schüler": [f"T{n:08d}" for n in chosen.id],
            "Name": family_names(chosen.id),
            "Anschrift": np.array(_STREETS)[chosen.id % len(_STREETS)],
            "Schulnummer": self.numbers[chosen.school],
            "Wohnort": np.where(chosen.is_outside, "07137068", f"{self.code}000"),
            "Verkehrsmittel": rng.choice(["Bus", "Bahn", "Taxi", "PKW"], len(chosen), p=[0.83, 0.12, 0.03, 0.02]),
            "Entfernung": [f"{d:.1f}".replace(".", ",") for d in distance],
        })  # fmt: skip

    # --- early childhood --------------------------------------------------------------------------

    def _centre_count(self, march: int) -> int:
        return self.unit.facilities[march, "centres"]

    def _centre_district(self, count: int) -> Array:
        rng = np.random.default_rng([self.seed, 5])
        return rng.choice(len(self.districts), 400, p=self.layout.weights)[:count]

    def _centres(self, march: int) -> pd.DataFrame:
        count = self._centre_count(march)
        rng = np.random.default_rng([self.seed, 6])
        size = rng.uniform(0.6, 1.5, 400)[:count]
        places = np.floor(size / size.sum() * self.unit.facilities[march, "places"]).astype(int)
        places[0] += self.unit.facilities[march, "places"] - places.sum()
        district = self._centre_district(count)
        return pd.DataFrame({
            "Stichtag": f"01.03.{march}",
            "Einrichtung": [f"K{n + 1:03d}" for n in range(count)],
            "Name": [f"Kita {d} {n + 1} (synthetisch)" for n, d in enumerate(self._name(district))],
            "Träger": np.array(["Stadt", "kirchlich", "frei"])[np.arange(count) % 3],
            "Stadtteil": self._name(district),
            "Plätze": places,
            "Plätze U3": (places * 0.24).astype(int),
        })  # fmt: skip

    def _day_care(self, year: Year) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Children on 1 March, as many in centres and with childminders as the official tables say."""
        march, people = year.year + 1, year.people
        age = age_at(people.birth, march, 3, 1)
        lot = np.random.default_rng([self.seed, 9]).permutation(2_000_000)[people.id % 2_000_000]
        in_centre, minded = [], []
        for cell, low, high in (("u3", 0, 3), ("3-5", 3, 6), ("6-13", 6, 14)):
            old = np.flatnonzero((age >= low) & (age < high))
            # The same children every year: a child keeps its place. Few have one in their first year.
            waits = lot[old] / _CARED_FOR[age[old]] if low == 0 else lot[old]
            old = old[np.argsort(waits, kind="stable")]
            centre, both = self.unit.care[march, "centre", cell], self.unit.care[march, "childminder", cell]
            total = self.unit.care[march, "total", cell]
            in_centre.append(old[:centre])
            minded.append(old[total - both : total])
        there, with_minder = np.concatenate(in_centre), np.concatenate(minded)
        count = self._centre_count(march)
        order = np.argsort(self._centre_district(count), kind="stable")
        near = np.searchsorted(
            self._centre_district(count)[order], self.layout.block_district[year.block[there]]
        )
        centre_of = order[np.minimum(near + there % 2, count - 1)]
        children = people.take(there)
        frame = pd.DataFrame({
            "Stichtag": f"01.03.{march}",
            "Kind": [f"KD{n:08d}" for n in children.id],
            "Name": family_names(children.household),
            "Geburtsdatum": german_days(children.birth),
            "Geschlecht": SEX_CODES[children.sex],
            "Staatsangehörigkeit": np.array(NATIONALITIES)[children.nationality],
            "Einrichtung": [f"K{n + 1:03d}" for n in centre_of],
            "Blockseite": np.array(self.layout.block_sides)[year.block[there]],
            "Stunden": np.array(["35,0", "45,0", "25,0", "37,5"])[children.id % 4],
            "Familiensprache Deutsch": np.where((children.nationality == 0) & (~children.migration | (children.id % 3 > 0)), "J", "N"),
        })  # fmt: skip
        some = people.take(with_minder)
        return frame, pd.DataFrame({
            "Stichtag": f"01.03.{march}",
            "Kind": [f"KT{n:08d}" for n in some.id],
            "Name": family_names(some.household),
            "Geburtsdatum": german_days(some.birth),
            "Geschlecht": SEX_CODES[some.sex],
            "Tagespflegeperson": [f"TP{n % 47:04d}" for n in some.id],
            "Blockseite": np.array(self.layout.block_sides)[year.block[with_minder]],
            "Stunden": np.array(["20,0", "30,0", "35,0"])[some.id % 3],
        })  # fmt: skip

    def _examination(self, year: Year, rng: np.random.Generator) -> pd.DataFrame:
        people = year.people
        chosen = np.flatnonzero((age_at(people.birth, year.year, 12, 31) == 5) & (people.arrived < year.year))
        children = people.take(chosen)
        german = (children.nationality == 0) & (~children.migration | (rng.random(len(children)) < 0.6))
        years = np.clip(rng.integers(1, 5, len(children)) - (~german), 0, 4)
        trouble = rng.random(len(children)) - 0.05 * years + 0.35 * ~german
        return pd.DataFrame({
            "authored": (day_number(year.year, 12, 31) - rng.integers(0, 90, len(children))).astype("datetime64[D]").astype(str),
            "subject.identifier.value": [f"SEU{n:08d}" for n in children.id],
            "item:geburtsdatum": children.birth.astype("datetime64[D]").astype(str),
            "item:geschlecht": SEX_CODES[children.sex],
            "item:1.4": np.array(NATIONALITIES)[children.nationality],
            "item:blockseite": np.array(self.layout.block_sides)[year.block[chosen]],
            "item:4.0b": years.astype(str),
            "item:6.1": np.where(german, "ja", "nein"),
            "item:6.3": np.where(~german & (rng.random(len(children)) < 0.4), "ja", "nein"),
            "item:befund.sprache": np.where(trouble > 0.85, "auffällig", np.where(trouble > 0.7, "grenzwertig", "unauffällig")),
            "item:masern": np.where(rng.random(len(children)) < 0.94, "ja", ""),
            # Drawn from the children's numbers: the figures beside it stay what they were.
            "item:u8u9": np.where((children.id * 7919) % 100 < 88, "ja", "nein"),
        })  # fmt: skip

    # --- further learning, culture, youth ---------------------------------------------------------

    def _courses(self, year: int, rng: np.random.Generator) -> pd.DataFrame:
        count = 900 + 10 * (year - 2015)
        programme = rng.choice(np.arange(1, 8), count, p=[0.12, 0.14, 0.28, 0.28, 0.1, 0.05, 0.03])
        people = rng.poisson(10, count)
        return pd.DataFrame({
            "Kurs-Nr": [f"{year % 100:02d}{'FH'[n % 2]}-{p}{n:04d}" for n, p in enumerate(programme)],
            "Titel": [f"Kurs {n + 1} (synthetisch)" for n in range(count)],
            "Programmbereich": programme.astype(str),
            "Beginn": german_days(day_number(year, 1, 10) + rng.integers(0, 330, count)),
            "UStd": [f"{h:.1f}".replace(".", ",") for h in rng.gamma(3, 9, count) + 2],
            "Belegungen": people,
            "davon Frauen": rng.binomial(people, 0.7),
            "Entgelt": [f"{f:.2f}".replace(".", ",") for f in rng.gamma(3, 30, count)],
        })  # fmt: skip

    def _music_school(self, year: Year, rng: np.random.Generator) -> pd.DataFrame:
        people = year.people
        age = age_at(people.birth, year.year, 12, 31)
        able = np.flatnonzero((age >= 4) & (age < 18))
        chosen = rng.choice(able, min(1300, len(able)), replace=False)
        twice = rng.random(len(chosen)) < 0.08
        rows = np.concatenate([chosen, chosen[twice]])
        subjects = np.array(
            [
                "Klavier",
                "Violine",
                "Gitarre",
                "Blockflöte",
                "Trompete",
                "Schlagzeug",
                "Gesang",
                "Früherziehung",
            ]
        )
        place = rng.integers(0, len(subjects), len(chosen))
        subject = subjects[np.concatenate([place, (place[twice] + 1) % len(subjects)])]
        district = self.layout.block_district[year.block[rows]]
        lives_here = np.concatenate([(known := rng.random(len(chosen)) < 0.93), known[twice]])
        home = np.where(lives_here, self._name(district), "auswärts")
        return pd.DataFrame({
            "Schüler-Nr": [f"M{n % 1_000_000:06d}" for n in people.id[rows]],
            "Name": family_names(people.household[rows]),
            "Geburtsdatum": people.birth[rows].astype("datetime64[D]").astype(str),
            "Geschlecht": SEX_CODES[people.sex[rows]],
            "Fach": subject,
            "Jahreswochenstunden": rng.choice([0.5, 0.75, 1.0], len(rows)),
            "Wohnort Stadtteil": home,
        })  # fmt: skip

    def _library(self, year: int, rng: np.random.Generator) -> pd.DataFrame:
        months = [f"{year}-{m:02d}-01" for m in range(1, 13)]
        return pd.DataFrame({
            "Monat": months,
            "Besuche": rng.poisson(38_500, 12),
            "Entleihungen": rng.poisson(70_800, 12),
            "Aktive Nutzer": rng.poisson(15_000 - 150 * (year - 2015), 12),
            "Veranstaltungen": rng.poisson(34, 12),
        })  # fmt: skip

    def _museums(self, year: int, rng: np.random.Generator) -> pd.DataFrame:
        houses = np.repeat(["Mittelrhein-Museum", "Ludwig Museum", "Mutter-Beethoven-Haus"], 12)
        return pd.DataFrame({
            "Haus": houses,
            "Monat": np.tile([f"01.{m:02d}.{year}" for m in range(1, 13)], 3),
            "Besuche": rng.poisson(np.repeat([4200, 2300, 700], 12)),
            "Schulklassen": rng.poisson(np.repeat([9, 6, 2], 12)),
        })  # fmt: skip

    def _youth_welfare(self, year: Year, rng: np.random.Generator) -> pd.DataFrame:
        people = year.people
        age = age_at(people.birth, year.year, 12, 31)
        need = self.layout.need[self.layout.block_district[year.block]]
        chosen = np.flatnonzero((age < 18) & (rng.random(len(people)) < 0.008 + 0.05 * need))
        some = people.take(chosen)
        begins = np.maximum(day_number(year.year, 1, 1) - rng.integers(-300, 500, len(some)), some.birth)
        ends = np.where(
            rng.random(len(some)) < 0.4,
            np.minimum(begins + rng.integers(30, 500, len(some)), day_number(year.year, 12, 31)),
            0,
        )
        ends = np.where(ends < begins, 0, ends)
        return pd.DataFrame({
            "HILFE": digits(some.id * 10 + year.year % 10, 10),
            "KIND": digits(some.id, 10),
            "GEBDAT": compact_days(some.birth),
            "GESCHL": (some.sex + 1).astype(str),
            "ART": rng.choice(["28", "29", "30", "31", "32", "33", "34", "35"], len(some), p=[0.35, 0.03, 0.12, 0.25, 0.05, 0.08, 0.1, 0.02]),
            "BEGINN": compact_days(begins),
            "ENDE": np.where(ends > 0, compact_days(np.maximum(ends, 1)), ""),
            "BLOCKSEITE": np.array(self.layout.block_sides)[year.block[chosen]],
            "NAME": [name[:16] for name in family_names(some.household)],
        })  # fmt: skip

    def _youth_work(self, year: int, rng: np.random.Generator) -> pd.DataFrame:
        count = 640
        # As offices write: other spellings, and now and then a Stadtteil that is none.
        spellings = [d.aliases[0] if d.aliases and n % 2 else d.name for n, d in enumerate(self.districts)]
        place = rng.choice(len(self.districts), count, p=self.layout.weights)
        names = np.array([*spellings, "Karthause"])[np.where(rng.random(count) < 0.03, len(spellings), place)]
        return pd.DataFrame({
            "Angebot": [f"JA-{n:04d}" for n in range(count)],
            "Art": rng.choice(["offen", "Gruppe", "Projekt", "Ferien"], count, p=[0.5, 0.25, 0.15, 0.1]),
            "Stadtteil": names,
            "Datum": german_days(day_number(year, 1, 7) + rng.integers(0, 350, count)),
            "Teilnehmende": rng.poisson(18, count),
        })  # fmt: skip

    # --- the education office and its surveys -------------------------------------------------------

    def _projects(self, year: int) -> pd.DataFrame:
        fields = ["Individuelle Förderung", "Neuzugewanderte", "Inklusion", "Schulentwicklung",
                  "Kulturelle und politische Bildung", "Digitale Bildung", "Übergänge", "Hochschulen"]  # fmt: skip
        count = 44 + 3 * (year - 2015)
        rng = np.random.default_rng([self.seed, 8])
        since = 2012 + np.arange(count) % (year - 2010)
        status = np.where(since + 4 < year, "umgesetzt", np.where(since > year, "geplant", "laufend"))
        return pd.DataFrame({
            "Nr": np.arange(1, count + 1),
            "Titel": [f"Maßnahme {n + 1} (synthetisch)" for n in range(count)],
            "Handlungsfeld": np.array(fields)[np.arange(count) % 8],
            "Status": status,
            "Zuständig": np.array(["Bildungsbüro", "Jugendamt", "VHS", "Schulverwaltung"])[np.arange(count) % 4],
            "Partner": [self._partner_of(n) for n in range(count)],
            "seit": [f"{s}-09-01" for s in since],
            "bis": [f"{s + 4}-08-31" if s + 4 < year else "" for s in since],
            "Lebensphase": np.array(["Frühe Kindheit", "Schulalter", "Übergang", "Erwachsene"])[rng.integers(0, 4, 400)[:count]],
            "Zielgruppe": np.array(["Kinder", "Jugendliche", "Eltern", "Fachkräfte"])[np.arange(count) % 4],
            "Indikatoren": np.array(_LINKED)[np.arange(count) % 8],
        })  # fmt: skip

    @staticmethod
    def _partner_of(measure: int) -> str:
        """A partner of the measure's own field of action, where the field has any (see _partners)."""
        place = {0: 0, 2: 1, 6: 2, 7: 3, 5: 4}.get(measure % 8)
        return "" if place is None else f"Partner {place + 5 * (measure // 8 % 9) + 1} (synthetisch)"

    def _partners(self) -> pd.DataFrame:
        count = 60
        fields = ["Individuelle Förderung", "Inklusion", "Übergänge", "Hochschulen", "Digitale Bildung"]
        kinds = ["Schule", "Hochschule", "Verein", "Kammer", "Amt", "Stiftung", "Betrieb"]
        return pd.DataFrame({
            "Partner": [f"Partner {n % 48 + 1} (synthetisch)" for n in range(count)],
            "Art": [kinds[n % 48 % 7] for n in range(count)],
            "Handlungsfeld": [fields[(n + n // 48) % 5] for n in range(count)],
            "seit": [f"01.09.{2005 + n % 9}" for n in range(count)],
        })  # fmt: skip

    def _survey_all_day(self, year: Year, rng: np.random.Generator) -> pd.DataFrame:
        primary = year.pupils.take(self.layout.school_type[year.pupils.school] == PRIMARY)
        some = primary.take(rng.random(len(primary)) < 0.35)
        wants = rng.random(len(some)) < 0.71
        return pd.DataFrame({
            "id": np.arange(1, len(some) + 1),
            "submitdate": f"{year.year + 1}-02-01 00:00:00",
            "schule": self.numbers[some.school],
            "klasse": [f"A{g}" for g in some.grade],
            "bedarf": np.where(wants, "A1", "A2"),
            "tage": np.where(wants, rng.integers(2, 6, len(some)).astype(str), ""),
            "ferien": np.where(wants, rng.choice(["A1", "A2"], len(some)), ""),
        })  # fmt: skip

    def _survey(
        self,
        year: Year,
        rng: np.random.Generator,
        types: tuple[int, ...],
        question: str,
        weights: tuple[int, ...],
    ) -> pd.DataFrame:
        last = year.pupils.grade >= (9 if types == (SECONDARY_PLUS,) else 13)
        some = year.pupils.take(last & np.isin(self.layout.school_type[year.pupils.school], types))
        some = some.take(rng.random(len(some)) < 0.6)
        day = "05-02" if question == "ziel" else "04-02"
        return pd.DataFrame({
            "id": np.arange(1, len(some) + 1),
            "submitdate": f"{year.year + 1}-{day} 00:00:00",
            "schule": self.numbers[some.school],
            "geschlecht": np.array(["A1", "A2", ""])[np.where(rng.random(len(some)) < 0.03, 2, some.sex)],
            question: rng.choice([f"A{n}" for n in range(1, 6)], len(some), p=np.array(weights) / sum(weights)),
            "beratung" if question == "ziel" else "bleibt": rng.choice(["A1", "A2"], len(some)),
        })  # fmt: skip


# --- the embedded default ------------------------------------------------------------------------------


def write_sample_registers(
    folder: Path, settings: Settings, catalogue: Catalogue
) -> tuple[Path, dict[str, str]]:
    """The embedded slice: drop folders and the school administration's database, written once.

    Originals are deleted when they have landed, so a marker says that they were delivered.
    """
    drops, database = folder / "drops", folder / "edoo.sqlite"
    urls = dict.fromkeys(EDOO, f"sqlite:///{database}")
    marker, version = folder / ".version", _version(settings, catalogue)
    if not marker.exists() or marker.read_text() != version:
        remove(folder)
        folder.mkdir(parents=True)
        code = settings.municipality.code
        writer = RegisterWriter(code, settings.registers.districts, population.unit_of(code), SEED)
        first, last = EMBEDDED_YEARS[0], EMBEDDED_YEARS[-1]
        start = None
        if settings.registers.extent == "tiny":
            first = start = last
        unused = set(catalogue.registers) - settings.registers.in_use(catalogue.registers)
        write_registers(
            writer, catalogue, drops, first, last, leave_out=(*EDOO, *sorted(unused)), start=start
        )
        write_sqlite(writer.edoo.tables(), database)
        write_bytes(marker, version.encode())
    return drops, urls


def write_registers(
    writer: RegisterWriter,
    catalogue: Catalogue,
    drops: Path,
    first: int,
    last: int,
    leave_out: tuple[str, ...] = (),
    start: int | None = None,
) -> int:
    """Every delivery of some years into its register's drop folder; returns their number."""
    count = 0
    for delivery in writer.deliveries(first, last, start):
        if delivery.register in leave_out:
            continue
        register = catalogue.registers[delivery.register].for_city(writer.code)
        drop = Drop(drops / register.id)
        drop.prepare()
        write_delivery(register, delivery, drop.inbox)
        count += 1
    return count


def write_cities(
    folder: Path, settings: Settings, catalogue: Catalogue, *, seed: int, scale: int, years: int, dumps: bool
) -> Iterator[tuple[str, int, float]]:
    """So many districts, one folder each; yields key, number of deliveries and seconds.

    The first is the configuration's city; then come the Land's districts, then invented keys.
    """
    own = settings.municipality.code
    codes = [own, *(c for c in population.DISTRICTS if c != own), *(f"99{n:03d}" for n in range(1, 1000))]
    last = max(population.YEARS)
    for code in codes[:scale]:
        started = time.perf_counter()
        writer = RegisterWriter(code, settings.registers.districts, population.unit_of(code), seed)
        first = last - years + 1
        count = write_registers(writer, catalogue, folder / code / "drops", first, last)
        if dumps:
            tables = writer.edoo.tables()
            write_sqlite(tables, folder / code / "edoo.sqlite")
            with open(folder / code / "edoo.sql", "w", encoding="utf-8") as handle:
                handle.writelines(postgresql_dump(tables))
        yield code, count, time.perf_counter() - started


def _version(settings: Settings, catalogue: Catalogue) -> str:
    """Over all that the slice is made of: the city, its registers, the declarations, the code."""
    digest = hashlib.sha256(settings.municipality.model_dump_json().encode())
    digest.update(settings.registers.model_dump_json().encode())
    for declared in (*settings.registers.districts, *catalogue.registers.values()):
        digest.update(declared.model_dump_json(by_alias=True).encode())
    modules = (simulation, population, events, spelling, edoo, figures, register_files)
    for path in (Path(__file__), *(Path(str(module.__file__)) for module in modules)):
        digest.update(path.read_bytes())
    return digest.hexdigest()
