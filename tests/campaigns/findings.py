"""Planted truths: do findings find what was put there, and little else?

    python -m tests.campaigns.findings --seeds 100

Every seed makes published values of an invented city: nine rates in 25 areas over five years, 225 series. In 25
of them something happens (a care rate falls, repeaters double, a gap opens); in 200 nothing does, although
areas differ, years drift and counts are rounded to five as they are in a release. An effect is four standard errors
of what an office would see: what chance, rounding and the areas' own ways scatter together. Prints a table.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
import pandas as pd

from expectations.catalogue import Catalogue, load_catalogue
from expectations.catalogue.base import TOTAL
from expectations.findings import findings

AREAS = 25
YEARS = (2021, 2022, 2023, 2024, 2025)
EFFECTS = ("fall", "rise", "double", "gap", "outlier")
STANDARD_ERRORS = 4.0
WOBBLE = 0.03
"""How much an area's rate goes its own way from year to year, in logits."""
ROUNDING = (5**2 - 1) / 12
"""The variance of a count that is rounded to five."""
RATES = {
    # indicator: level of the rate, people per area (least, most), spread between areas in logits
    "full_day_care_rate_percent": (0.45, 150, 500, 0.25),
    "children_other_language_percent": (0.30, 150, 400, 0.30),
    "migration_background_percent": (0.33, 1500, 6000, 0.35),
    "child_poverty_percent": (0.15, 250, 900, 0.35),
    "education_package_percent": (0.55, 120, 400, 0.20),
    "unemployed_of_working_age_percent": (0.06, 1500, 5000, 0.25),
    "music_school_participation_percent": (0.12, 250, 700, 0.25),
    "three_years_day_care_percent": (0.60, 90, 250, 0.20),
    "households_with_children_percent": (0.22, 900, 3000, 0.20),
}
WITH_SEX = {"migration_background_percent"}


@dataclass(frozen=True)
class Outcome:
    """How many of the planted effects were found, and how many of the findings were none."""

    planted: int
    detected: int
    findings: int
    false: int


def _rounded(values: np.ndarray) -> np.ndarray:
    return np.rint(values / 5) * 5


def _logit(p: np.ndarray | float) -> np.ndarray:
    return np.log(np.asarray(p) / (1 - np.asarray(p)))


def _rate(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _standard_errors(rate: float, people: float, spread: float) -> tuple[float, float]:
    """By how much a rate's change scatters, and its level (in logits) beside the others', if nothing happens."""
    slope = rate * (1 - rate)
    chance = slope / people + ROUNDING * (1 + rate**2) / people**2
    return float(np.sqrt(2 * (chance + (slope * WOBBLE) ** 2))), float(np.sqrt(chance / slope**2 + spread**2))


def made_city(seed: int, catalogue: Catalogue) -> tuple[pd.DataFrame, dict[tuple[str, str], str]]:
    """Published values of a city, and what was planted where: (indicator, area) → effect."""
    rng = np.random.default_rng([seed, 25])
    areas = [f"07111-ST{n:02d}" for n in range(1, AREAS + 1)]
    pairs = [(name, area) for name in RATES for area in areas]
    chosen = rng.choice(len(pairs), 25, replace=False)
    planted: dict[tuple[str, str], str] = {}
    for number, index in enumerate(chosen):
        name, area = pairs[index]
        kind = EFFECTS[number % len(EFFECTS)]
        if kind == "gap" and name not in WITH_SEX:
            kind = "fall"
        planted[name, area] = kind
    rows = []
    for name, (level, least, most, spread) in RATES.items():
        people = rng.integers(least, most, AREAS)
        base = _logit(level) + rng.normal(0, spread, AREAS)
        drift = rng.normal(0, 0.08)
        for year in YEARS:
            wobble = rng.normal(0, WOBBLE, AREAS) + (drift if year == YEARS[-1] else 0)
            for sex in ("female", "male") if name in WITH_SEX else (TOTAL,):
                logits = base + wobble + (0.05 if sex == "female" else 0)
                rates = _rate(logits)
                for position, area in enumerate(areas):
                    effect = planted.get((name, area))
                    p = rates[position]
                    change, apart = _standard_errors(p, people[position], spread)
                    step = STANDARD_ERRORS * change
                    if effect == "outlier":
                        rates[position] = _rate(_logit(level) + STANDARD_ERRORS * apart)
                    elif effect == "gap" and year == YEARS[-1]:
                        # Both halves scatter alike: their gap scatters by the root of two, and each goes half the way.
                        half = step / np.sqrt(2)
                        rates[position] = np.clip(p + (half if sex == "female" else -half), 0.01, 0.97)
                    elif effect == "double" and year == YEARS[-1]:
                        rates[position] = np.clip(max(2 * p, p + step), 0.01, 0.97)
                    elif effect in ("fall", "rise") and year == YEARS[-1]:
                        sign = -1 if effect == "fall" and p > step + 0.01 else 1
                        rates[position] = np.clip(p + sign * step, 0.01, 0.97)
                count = rng.binomial(people, rates)
                rows.append(
                    pd.DataFrame(
                        {
                            "indicator_id": name,
                            "area_code": areas,
                            "year": year,
                            "sex": sex,
                            "numerator": count,
                            "denominator": people,
                        }
                    )
                )
    frame = pd.concat(rows, ignore_index=True)
    parts = frame[frame["sex"] != TOTAL]
    keys = ["indicator_id", "area_code", "year"]
    sums = parts.groupby(keys, as_index=False)[["numerator", "denominator"]].sum().assign(sex=TOTAL)
    frame = pd.concat([frame, sums], ignore_index=True)
    for column in ("numerator", "denominator"):
        frame[column] = _rounded(frame[column].to_numpy())
    frame["value"] = (100 * frame["numerator"] / frame["denominator"]).round(1)
    frame["period_end"] = pd.to_datetime(frame["year"].astype(str) + "-12-31")
    others = {name: TOTAL for name in catalogue.breakdowns if name != "sex"}
    return frame.assign(
        area_level="city_district", period_label=frame["year"].astype(str), rounded_to=5,
        series_break_before=False, **others,
    ), planted  # fmt: skip


def judged(seed: int, catalogue: Catalogue) -> Outcome:
    """One city: a planted series is detected if any finding speaks of it; a finding elsewhere is false."""
    values, planted = made_city(seed, catalogue)
    found = findings(values, catalogue, "07111", {})
    spoken_of = set(zip(found["indicator_id"], found["area_code"], strict=True))
    return Outcome(len(planted), len(spoken_of & set(planted)), len(spoken_of), len(spoken_of - set(planted)))


def campaign(seeds: int) -> tuple[float, float]:
    """Prints a line a city; returns the share detected and the mean false-discovery rate."""
    catalogue = load_catalogue()
    results = []
    print("seed  planted  detected  findings  false")
    for seed in range(1, seeds + 1):
        result = judged(seed, catalogue)
        results.append(result)
        print(
            f"{seed:>4}  {result.planted:>7}  {result.detected:>8}  {result.findings:>8}  {result.false:>5}"
        )
    detected = sum(r.detected for r in results) / sum(r.planted for r in results)
    rate = float(np.mean([r.false / max(r.findings, 1) for r in results]))
    print(
        f"detected {detected:.1%}, false-discovery rate {rate:.1%} (25 effects, 200 series without, {seeds} seeds)"
    )
    return detected, rate


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    detected, rate = campaign(parser.parse_args().seeds)
    raise SystemExit(0 if detected >= 0.9 and rate <= 0.1 else 1)
