"""Planted truths in a whole synthetic city: from what its offices deliver to the findings of a night.

    python -m tests.campaigns.planted_city --seeds 20

Every seed is another invented Koblenz of five years. Its registers are taken through the door, counted and
computed twice: once as the simulation made them (the twin), once with 25 effects written into the newest
deliveries (a Stadtteil whose care rate falls, a school whose repeaters double, a gap between women and men
that opens). An effect is detected if a finding names its indicator and its area. A finding is false where
planting moved the value by less than two standard errors against the twin: those series are the ones without
an effect, and there are hundreds of them, with all differences between Stadtteile and schools that the
simulated city has. Prints a table.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from expectations.catalogue import Catalogue, load_catalogue
from expectations.findings import findings
from orchestration.collect.sample.population import unit_of
from orchestration.collect.sample.register_files import Delivery
from orchestration.collect.sample.registers import RegisterWriter
from tests.support import cities
from tests.support.nights import apart
from tests.support.registers import deliver, koblenz_districts

CITY = "07111"
YEARS = (2021, 2022, 2023, 2024, 2025)
"""As many as the embedded sample has: earlier years say how much changes scatter."""
STANDARD_ERRORS = 4
EFFECTS = 25
LEAST_EXPECTED = 8
"""Where fewer cases are expected, nothing is planted: the method asks from five on, and says so."""

Frames = dict[str, pd.DataFrame]
Mask = np.ndarray


def step(people: float, rate: float, base: int = 5) -> int:
    """So many cases that an office would want to know of them.

    Four standard errors of the difference of two years' counts, each of which scatters as counts do
    (Poisson) and is published rounded to a base; so is the count it is related to.
    """
    return int(
        np.ceil(STANDARD_ERRORS * np.sqrt(2 * (people * min(rate, 1 - rate) + 2 * (base**2 - 1) / 12)))
    )


@dataclass(frozen=True)
class Records:
    """An effect on single records: some of an area's change one column."""

    register: str
    indicator: str
    column: str
    to: str | int
    is_case: Callable[[pd.DataFrame], pd.Series]
    """Whether a record counts in the numerator."""
    rises: bool
    base: int = 5
    """What the register's counts are rounded to when they are published."""

    def plant(self, frames: Frames, place: Mask, rng: np.random.Generator) -> bool:
        """Change the records of a place; False where it has too few of them."""
        frame = frames[self.register]
        case = self.is_case(frame).to_numpy()
        people = int(place.sum())
        if people == 0:
            return False
        rate = case.sum() / len(case)
        count = step(people, rate, self.base)
        able = np.flatnonzero(place & (~case if self.rises else case))
        if len(able) < count or min(rate, 1 - rate) * people < LEAST_EXPECTED:
            return False
        frame.loc[frame.index[rng.choice(able, count, replace=False)], self.column] = self.to
        return True


@dataclass(frozen=True)
class Figures:
    """An effect on a delivered figure of a Stadtteil."""

    register: str
    indicator: str
    column: str
    people: str | None
    """The column of the figure it is part of, if that is delivered beside it."""
    rises: bool

    def plant(self, frames: Frames, place: Mask, rng: np.random.Generator) -> bool:
        """Change the figure of a place; False where it is too small."""
        frame = frames[self.register]
        row = frame.index[place][0]
        value = int(frame.loc[row, self.column])
        # Both figures scatter: what is not taken was not offered to so many either.
        count = step(2 * value, 0.5)
        after = value + count if self.rises else value - count
        if (
            value < 2 * LEAST_EXPECTED
            or after < 0
            or (self.people and after > int(frame.loc[row, self.people]))
        ):
            return False
        frame.loc[row, self.column] = after
        return True


def plant_less_care(low: int, high: int) -> Callable[[Frames, Mask, np.random.Generator], bool]:
    """Children of an age who are no longer in any centre."""

    def plant(frames: Frames, place: Mask, rng: np.random.Generator) -> bool:
        frame = frames["day_care_children"]
        age = (
            pd.Timestamp("2026-03-01") - pd.to_datetime(frame["Geburtsdatum"], format="%d.%m.%Y")
        ).dt.days / 365.25
        there = np.flatnonzero(place & (age >= low).to_numpy() & (age < high).to_numpy())
        count = step(2 * len(there), 0.5)
        if len(there) < count + LEAST_EXPECTED:
            return False
        frames["day_care_children"] = frame.drop(index=frame.index[rng.choice(there, count, replace=False)])
        return True

    return plant


def plant_repeaters(frames: Frames, place: Mask, rng: np.random.Generator) -> bool:
    """A school where twice as many repeat, and more where two are no doubling worth a word."""
    pupils, events = frames["pupils"], frames["school_movements"]
    mine = pupils[place]
    school = mine["Schulnummer"].iloc[0]
    repeats = events["Ereignis"] == "WDH"
    before = int((repeats & (events["Schulnummer"] == school)).sum())
    able = mine[~mine["Schüler"].isin(events.loc[repeats, "Schüler"])]
    count = max(step(2 * before, 0.5), before)
    if before < LEAST_EXPECTED or len(able) < count:
        return False
    chosen = able.loc[rng.choice(able.index, count, replace=False)]
    more = chosen[["Schüler", "Geburtsdatum", "Geschlecht", "Staatsangehörigkeit", "Schulnummer"]].assign(
        Datum="2025-09-01", Ereignis="WDH", Abschluss="", Zielschulart=""
    )
    frames["school_movements"] = pd.concat([events, more[events.columns]], ignore_index=True)
    return True


def plant_music(frames: Frames, place: Mask, rng: np.random.Generator) -> bool:
    """More pupils of a Stadtteil at the music school."""
    frame = frames["music_school"]
    mine = frame[place]
    count = step(2 * len(mine), 0.5)
    if len(mine) < 2 * LEAST_EXPECTED:
        return False
    free = sorted({f"M{n:06d}" for n in range(900_000, 1_000_000)} - set(frame["Schüler-Nr"]))
    more = mine.loc[rng.choice(mine.index, count)].assign(
        **{"Schüler-Nr": rng.choice(free, count, replace=False)}, Geburtsdatum="2013-05-04"
    )
    frames["music_school"] = pd.concat([frame, more], ignore_index=True)
    return True


def plant_gap(frames: Frames, place: Mask, rng: np.random.Generator) -> bool:
    """More women of a Stadtteil with a migration background, and fewer men."""
    parts = [
        Records(
            "residents", "migration_background_percent", "Migrationshintergrund", to,
            lambda f: f["Migrationshintergrund"] == "J", to == "J",
        )
        for to in ("J", "N")
    ]  # fmt: skip
    frame = frames["residents"]
    here = place & (frame["Wohnstatus"] == "H").to_numpy()
    sexes = [here & (frame["Geschlecht"] == sex).to_numpy() for sex in ("w", "m")]
    if min(mask.sum() for mask in sexes) < 800:
        return False
    return all(part.plant(frames, mask, rng) for part, mask in zip(parts, sexes, strict=True))


@dataclass(frozen=True)
class Effect:
    """Something that may happen in a place.

    `register`: whose records say what places there are; `indicator`: where it must be found; `level`: places
    are Stadtteile (city_district) or schools. `plant` writes it into the frames of the newest deliveries at a
    place and says whether it could.
    """

    name: str
    register: str
    indicator: str
    level: str
    plant: Callable[[Frames, Mask, np.random.Generator], bool]


def _records(name: str, level: str, effect: Records) -> Effect:
    return Effect(name, effect.register, effect.indicator, level, effect.plant)


def _figures(name: str, effect: Figures) -> Effect:
    return Effect(name, effect.register, effect.indicator, "city_district", effect.plant)


CHILDREN, EXAMINATION, PUPILS = "day_care_children", "school_entry_examination", "pupils"
KINDS = (
    Effect("care of 3 to 5 falls", CHILDREN, "care_rate_3_to_5_percent", "city_district", plant_less_care(3, 6)),
    Effect("care of under 3 falls", CHILDREN, "care_rate_under_3_percent", "city_district", plant_less_care(0, 3)),
    _records("full day falls", "city_district", Records(
        CHILDREN, "full_day_care_rate_percent", "Stunden", "25,0", lambda f: f["Stunden"].isin(["37,5", "45,0"]), False)),
    _records("other language rises", "city_district", Records(
        CHILDREN, "children_other_language_percent", "Familiensprache Deutsch", "N",
        lambda f: f["Familiensprache Deutsch"] == "N", True)),
    _records("three years of care fall", "city_district", Records(
        EXAMINATION, "three_years_day_care_percent", "item:4.0b", "1", lambda f: f["item:4.0b"].astype(int) >= 3, False, 10)),
    _records("check-ups fall", "city_district", Records(
        EXAMINATION, "check_ups_percent", "item:u8u9", "nein", lambda f: f["item:u8u9"] == "ja", False, 10)),
    Effect("music school rises", "music_school", "music_school_participation_percent", "city_district", plant_music),
    _figures("unemployment rises", Figures(
        "employment_agency_districts", "unemployed_of_working_age_percent", "Arbeitslose", None, True)),
    _figures("child poverty rises", Figures(
        "employment_agency_districts", "child_poverty_percent", "NEF unter 15", None, True)),
    _figures("trainees rise", Figures(
        "employment_agency_districts", "trainees_of_employees_percent", "Auszubildende", "Beschäftigte", True)),
    _figures("education package falls", Figures(
        "education_package", "education_package_percent", "mit Leistung", "Berechtigte unter 25", False)),
    _figures("holiday places empty", Figures(
        "holiday_programme", "holiday_places_taken_percent", "belegte Plätze", "angebotene Plätze", False)),
    Effect("gap women and men opens", "residents", "migration_background_percent", "city_district", plant_gap),
    _records("special needs rise", "school", Records(
        PUPILS, "special_needs_percent", "Förderbedarf", 1, lambda f: f["Förderbedarf"] == 1, True)),
    _records("foreign pupils rise", "school", Records(
        PUPILS, "foreign_pupils_percent", "Staatsangehörigkeit", "163", lambda f: f["Staatsangehörigkeit"] != "000", True)),
    _records("commuting pupils rise", "school", Records(
        PUPILS, "in_commuting_pupils_percent", "Wohnort", "07137068", lambda f: f["Wohnort"] != "07111000", True)),
    _records("free materials rise", "school", Records(
        "learning_materials", "free_learning_materials_percent", "Art", "kostenfrei", lambda f: f["Art"] == "kostenfrei", True)),
    Effect("repeaters double", PUPILS, "grade_repetition_percent", "school", plant_repeaters),
)  # fmt: skip


def places_of(frames: Frames, register: str, level: str) -> np.ndarray:
    """Where every record of a register belongs: the name of a Stadtteil or the number of a school."""
    frame = frames[register]
    if level == "school":
        return frame["Schulnummer"].to_numpy(dtype=str)
    sides = frames["block_sides"].set_index("Blockseite")["Stadtteil"]
    for column in ("Blockseite", "item:blockseite"):
        if column in frame:
            return frame[column].map(sides).to_numpy(dtype=str)
    column = "Wohnort Stadtteil" if "Wohnort Stadtteil" in frame else "Stadtteil"
    return frame[column].to_numpy(dtype=str)


def planted(frames: Frames, seed: int) -> list[tuple[Effect, str]]:
    """Write 25 effects into the newest deliveries; what was planted, and where. Fewer where registers are missing."""
    rng = np.random.default_rng([seed, EFFECTS])
    done: list[tuple[Effect, str]] = []
    used: set[tuple[str, str]] = set()
    kinds = [kind for kind in KINDS if kind.register in frames]
    wanted = round(EFFECTS * len(kinds) / len(KINDS))
    for effect in _in_turn(kinds, rng):
        if len(done) == wanted:
            break
        names = places_of(frames, effect.register, effect.level)
        for place in rng.permutation(np.unique(names[names != "auswärts"])):
            if (effect.register, place) not in used and effect.plant(frames, names == place, rng):
                used.add((effect.register, place))
                done.append((effect, place))
                break
    return done


def _in_turn(kinds: Sequence[Effect], rng: np.random.Generator) -> Iterator[Effect]:
    for _ in range(EFFECTS):
        yield from (kinds[n] for n in rng.permutation(len(kinds)))


def published_values(
    folder: Path, catalogue: Catalogue, years: list[tuple[Frames, list[Delivery]]]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A night on drop folders: the published values of the candidate, and the areas."""
    folder.mkdir()
    for frames, made in years:
        changed = {d.register: Delivery(d.register, d.reference, frames[d.register]) for d in made}
        deliver(catalogue, folder / "drops", changed)
    settings, home = cities.settled(folder, catalogue)
    cities.collected(settings, home, catalogue)
    cities.computed(settings, home, catalogue)
    with duckdb.connect(str(home.candidate), read_only=True) as connection:
        values = connection.execute("select * from monitoring.fct_published_value").df()
        areas = connection.execute("select area_code, area_name, area_level from conformed.dim_area").df()
    return values, areas


def delivered(
    seed: int, registers: Sequence[str] = ()
) -> tuple[dict[int, Frames], dict[int, list[Delivery]]]:
    """By year, what the offices of a seed's city deliver: frames to be changed, and the deliveries. `registers`: these only."""
    writer = RegisterWriter(CITY, koblenz_districts(), unit_of(CITY), seed)
    made: dict[int, list[Delivery]] = {year: [] for year in YEARS}
    for delivery in writer.deliveries(min(YEARS), max(YEARS)):
        # What is counted in the first months belongs to the year before.
        year = delivery.reference.year - (delivery.reference.month < 6)
        if not registers or delivery.register in registers:
            made[year].append(delivery)
    return {year: {d.register: d.frame.copy() for d in found} for year, found in made.items()}, made


def one_city(seed: int, folder: Path, registers: Sequence[str] = ()) -> dict[str, Any]:
    """A seed's city and its twin: what was planted, found and found wrongly. `registers`: it has these only."""
    catalogue = load_catalogue()
    frames, made = delivered(seed, registers)
    years = [(frames[year], made[year]) for year in YEARS]
    twin, areas = published_values(folder / "twin", catalogue, years)
    effects = planted(frames[max(YEARS)], seed)
    values, _ = published_values(folder / "planted", catalogue, years)
    districts = areas[areas["area_level"] == "city_district"]
    codes = dict(zip(districts["area_name"], districts["area_code"], strict=True))
    where = {
        (e.indicator, f"{CITY}-S{place}" if e.level == "school" else codes[place]): e.name
        for e, place in effects
    }
    found = findings(values, catalogue, CITY, dict(zip(areas["area_code"], areas["area_name"], strict=True)))
    spoken_of = set(zip(found["indicator_id"], found["area_code"], strict=True))
    moved, series = moved_series(twin, values, list(catalogue.breakdowns))
    false = spoken_of - moved - set(where)
    return {
        "seed": seed, "planted": len(where), "series": len(series - moved - set(where)), "findings": len(spoken_of),
        "false": sorted(false), "missed": sorted((where[key], *key) for key in set(where) - spoken_of),
    }  # fmt: skip


def moved_series(
    twin: pd.DataFrame, values: pd.DataFrame, breakdowns: list[str]
) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """The series (indicator, area) that planting moved by two standard errors, and all there are."""
    keys = ["indicator_id", "area_code", "period_end", *breakdowns]
    rates = values[(values["unit"] == "percent") & (values["denominator"] > 0)]
    rates = rates[rates["area_level"].isin(["city_district", "school", "district"])]
    both = rates.merge(
        twin[[*keys, "value", "numerator", "denominator"]], on=keys, how="left", suffixes=("", "_twin")
    )
    share = (both["numerator_twin"] / both["denominator_twin"]).clip(0.02, 0.98)
    error = 100 * np.sqrt(share * (1 - share) / both["denominator_twin"])
    moved = both[(both["value"] - both["value_twin"]).abs() > 2 * error]
    return _pairs(moved), _pairs(both)


def _pairs(rows: pd.DataFrame) -> set[tuple[str, str]]:
    return set(zip(rows["indicator_id"].astype(str), rows["area_code"].astype(str), strict=True))


def _apart(seed: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        return apart("tests.campaigns.planted_city", "--one", str(seed), "--folder", folder)


def campaign(seeds: int, parallel: int) -> tuple[float, float]:
    """Prints a line a city; returns the share detected and the mean false-discovery rate."""
    print("seed  planted  detected  series without  findings  false")
    detected, planted_, rates = 0, 0, []
    with ThreadPoolExecutor(parallel) as pool:
        for city in pool.map(_apart, range(1, seeds + 1)):
            missed, false = city["missed"], city["false"]
            count, found = city["planted"], city["findings"]
            detected, planted_ = detected + count - len(missed), planted_ + count
            rates.append(len(false) / max(found, 1))
            print(
                f"{city['seed']:>4}  {count:>7}  {count - len(missed):>8}  {city['series']:>14}  {found:>8}  {len(false):>5}"
                + (f"  missed: {', '.join(m[0] for m in missed)}" if missed else "")
                + (f"  false: {', '.join('/'.join(f) for f in false)}" if false else ""),
                flush=True,
            )
    share, rate = detected / planted_, float(np.mean(rates))
    print(f"detected {share:.1%}, false-discovery rate {rate:.1%} ({EFFECTS} effects a city, {seeds} cities)")
    return share, rate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--parallel", type=int, default=2)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one is not None:
        print(json.dumps(one_city(arguments.one, arguments.folder)))
        return
    share, rate = campaign(arguments.seeds, arguments.parallel)
    raise SystemExit(0 if share >= 0.9 and rate <= 0.1 else 1)


if __name__ == "__main__":
    main()
