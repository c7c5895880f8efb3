"""The stranger's reader on small releases: it proves nothing of a clean one, and finds every kind of leak that is planted.

What it makes of the releases of whole nights stands in tests/nights/test_redelivery.py.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.campaigns.stranger import CELLS, campaign

AREAS = [f"07111-ST{n:02d}" for n in range(1, 7)]
Tables = dict[str, pd.DataFrame]
Plant = Callable[[Tables], None]


def release(folder: Path, plant: Plant = lambda _: None) -> Path:
    """Pupils of six Stadtteile and the city by sex, rounded to five, and a rate of them; `plant` changes its tables."""
    rows = []
    for area in ["07111", *AREAS]:
        size = 600 if area == "07111" else 100
        for sex, share in (("total", 1.0), ("male", 0.5), ("female", 0.5)):
            rows.append(("pupils", area, sex, size * share, np.nan, "persons"))
            rows.append(("foreign", area, sex, size * share / 4, size * share, "percent"))
    values = pd.DataFrame(
        rows, columns=["indicator_id", "area_code", "sex", "numerator", "denominator", "unit"]
    )
    values = values.assign(
        area_level=np.where(values["area_code"] == "07111", "district", "city_district"), period_end=pd.Timestamp("2025-12-31"),
        value=values["numerator"], rounded_to=5.0, tolerance=2.0, status="reported", sign=None,
        **{c: "total" for c in CELLS if c != "sex"},
    )  # fmt: skip
    tables = {
        "indicator_value": values,
        "indicator": pd.DataFrame({"indicator_id": ["pupils", "foreign", "moves"], "kind": ["count", "share", "difference"],
                                   "availability_de": "Register: Einwohner."}),
        "area": pd.DataFrame({"area_code": ["07111", *AREAS], "is_home": [True, *[False] * 6]}),
        "verdicts": pd.DataFrame({"check": ["unmatched_places"], "scope": ["music_school"], "observed": ["7%"],
                                  "message_de": ["7 % der Datensätze ohne bekanntes Gebiet."], "message_en": ["7% of the records."]}),
        "changes": pd.DataFrame({c: pd.Series(dtype="object") for c in
                                 ("indicator_id", "area_code", "cells", "status_before", "status_after")}),
    }  # fmt: skip
    plant(tables)
    (folder / "parquet").mkdir(parents=True)
    for name in ("indicator_value", "indicator", "area"):
        tables[name].to_parquet(folder / "parquet" / f"{name}.parquet")
    tables["verdicts"].to_parquet(folder / "verdicts.parquet")
    tables["changes"].to_parquet(folder / "changes.parquet")
    (folder / "CHANGES.md").write_text("# Änderungen\n", encoding="utf-8")
    return folder


def at(tables: Tables, indicator: str, area: str, sex: str) -> pd.Series:
    values = tables["indicator_value"]
    return (values["indicator_id"] == indicator) & (values["area_code"] == area) & (values["sex"] == sex)


def figure(indicator: str, area: str, sex: str, value: float, column: str = "numerator") -> Plant:
    def plant(tables: Tables) -> None:
        tables["indicator_value"].loc[at(tables, indicator, area, sex), column] = value

    return plant


def several(*plants: Plant) -> Plant:
    def plant(tables: Tables) -> None:
        for one in plants:
            one(tables)

    return plant


def exact_moves(tables: Tables) -> None:
    moved = tables["indicator_value"].iloc[[3]].assign(
        indicator_id="moves", area_code=AREAS[0], numerator=3.0, denominator=9.0, value=-6.0, unit="events", rounded_to=np.nan
    )  # fmt: skip
    tables["indicator_value"] = pd.concat([tables["indicator_value"], moved], ignore_index=True)


def text(check: str, words: str) -> Plant:
    def plant(tables: Tables) -> None:
        tables["verdicts"] = tables["verdicts"].assign(check=check, message_de=words)

    return plant


def named(tables: Tables) -> None:
    tables["changes"] = pd.DataFrame({
        "indicator_id": ["pupils"], "area_code": [AREAS[0]], "cells": ["sex=diverse"], "status_before": ["reported"],
        "status_after": ["confidential"],
    })  # fmt: skip


PLANTED: dict[str, tuple[Plant, str]] = {
    # 15 less at most 12 is somebody, and 0 is two at most.
    "two cells and their sum": (several(figure("pupils", AREAS[0], "total", 15), figure("pupils", AREAS[0], "male", 10),
                                        figure("pupils", AREAS[0], "female", 0)), "sums"),
    # The same people stand below the rate; there the sum is shown that is hidden above.
    "a hidden sum that stands in another table": (several(
        *(figure("foreign", AREAS[1], sex, value, "denominator") for sex, value in (("total", 15), ("male", 10), ("female", 0))),
        *(figure("pupils", AREAS[1], sex, np.nan) for sex in ("total", "male", "female"))), "sums"),
    "exact movements": (exact_moves, "in print"),
    "numbers of records": (text("unmatched_places", "Register Musikschule: 105 von 1405 Datensätzen ohne Gebiet: auswärts."), "text"),
    "a place with its number": (text("unmatched_places", "Ohne Gebiet: Vallendar (4)."), "text"),
    "a confidential cell in the changes": (named, "named in the changes"),
}  # fmt: skip


def test_nothing_opens_in_a_clean_release(tmp_path: Path) -> None:
    assert campaign(release(tmp_path / "r")) == []
    assert campaign(release(tmp_path / "s"), [release(tmp_path / "before")]) == []


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_leak_is_found(tmp_path: Path, name: str) -> None:
    plant, how = PLANTED[name]
    found = campaign(release(tmp_path / "r", plant))
    assert found
    assert any(how in leak.how for leak in found), [str(leak) for leak in found]


@pytest.mark.parametrize(
    ("before", "after", "how"),
    [(0.0, 5.0, "corrected"), (5.0, 0.0, "corrected"), (np.nan, 50.0, "appeared or vanished"), (50.0, np.nan, "appeared or vanished")],
)  # fmt: skip
def test_a_correction_that_shows_is_found(tmp_path: Path, before: float, after: float, how: str) -> None:
    old, new = (
        release(tmp_path / n, figure("pupils", AREAS[2], "female", v))
        for n, v in (("a", before), ("b", after))
    )
    assert any(how in leak.how for leak in campaign(new, [old]))


def test_a_city_without_registers_publishes_nothing_of_few_people(tmp_path: Path) -> None:
    def official(tables: Tables) -> None:
        tables["indicator_value"]["rounded_to"] = np.nan
        tables["indicator"]["availability_de"] = "Amtliche Statistik."

    assert campaign(release(tmp_path / "r", official)) == []
