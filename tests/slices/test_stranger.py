"""The stranger's reader on small releases: it proves nothing of a clean one, and finds every kind of leak that is planted.

What it makes of the releases of whole nights stands in tests/nights/test_redelivery.py.
"""

from __future__ import annotations

import json
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
        period_label="31.12.2025", value=np.where(values["indicator_id"] == "foreign", 25.0, values["numerator"]), value_from=np.nan,
        value_to=np.nan, value_city=np.nan, distance=np.nan, change_previous_year=np.nan,
        rounded_to=5.0, tolerance=2.0, status="reported", sign=None,
        **{c: "total" for c in CELLS if c != "sex"},
    )  # fmt: skip
    tables = {
        "indicator_value": values,
        "indicator": pd.DataFrame({"indicator_id": ["pupils", "foreign", "moves"], "kind": ["count", "share", "difference"],
                                   "multiplier": [1.0, 100.0, 1.0], "decimals": [0, 1, 0], "availability_de": "Register: Einwohner."}),
        "area": pd.DataFrame({"area_code": ["07111", *AREAS], "is_home": [True, *[False] * 6]}),
        "verdicts": pd.DataFrame({"check": ["unmatched_places"], "scope": ["music_school"], "observed": ["7%"],
                                  "message_de": ["7 % der Datensätze ohne bekanntes Gebiet."], "message_en": ["7% of the records."]}),
        "changes": pd.DataFrame({c: pd.Series(dtype="object") for c in
                                 ("indicator_id", "area_code", "cells", "status_before", "status_after")}),
    }  # fmt: skip
    plant(tables)
    (folder / "parquet").mkdir(parents=True)
    for name in tables.keys() - {"verdicts", "changes"}:
        tables[name].to_parquet(folder / "parquet" / f"{name}.parquet")
    tables["verdicts"].to_parquet(folder / "verdicts.parquet")
    tables["changes"].to_parquet(folder / "changes.parquet")
    (folder / "CHANGES.md").write_text("# Änderungen\n", encoding="utf-8")
    documented = [
        {"path": f"csv/{name}.csv"} for name in ("indicator_value", "indicator", "area", "pub_profile")
    ]
    (folder / "datapackage.json").write_text(json.dumps({"resources": documented}), encoding="utf-8")
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


def rate_of_others(tables: Tables) -> None:
    """A rate of more decimals than its rounded counts give: only 3 of 41 are 7.317 percent."""
    rows = at(tables, "foreign", AREAS[3], "male")
    tables["indicator_value"].loc[rows, ["numerator", "denominator", "value"]] = [5.0, 40.0, 100 * 3 / 41]


def profile_with_narrow_ends(tables: Tables) -> None:
    rows = at(tables, "foreign", AREAS[3], "total")
    tables["indicator_value"].loc[rows, ["numerator", "denominator", "value"]] = [5.0, 40.0, np.nan]
    tables["indicator_value"].loc[rows, ["value_from", "value_to", "status"]] = [7.1, 18.5, "range"]
    tables["pub_profile"] = pd.DataFrame({
        "area_code": [AREAS[3]], "period_label": ["31.12.2025"], "foreign": [np.nan], "foreign_from": [7.1], "foreign_to": [7.9],
    })  # fmt: skip


def change_of_others(tables: Tables) -> None:
    """5 now, 0 before, and one more: only 2 and 3 fit."""
    now = tables["indicator_value"].loc[at(tables, "pupils", AREAS[4], "female")].iloc[0]
    now["value"] = now["numerator"] = 5.0
    now["change_previous_year"] = 1.0
    before = now.copy()
    before["value"] = before["numerator"] = 0.0
    before["period_end"], before["change_previous_year"] = pd.Timestamp("2024-12-31"), np.nan
    kept = tables["indicator_value"].loc[~at(tables, "pupils", AREAS[4], "female")]
    tables["indicator_value"] = pd.concat([kept, pd.DataFrame([now, before])], ignore_index=True)


def forgotten_table(tables: Tables) -> None:
    tables["tmp_list"] = pd.DataFrame({"school": ["S1", "S2"], "children": [17, 2]})


def status_by_exact_count(tables: Tables) -> None:
    """As before decision 0033: a rate of one or two people is hidden, one of nobody not applicable; elsewhere both are 0."""
    for name, column in (("pupils", "numerator"), ("foreign", "denominator")):
        tables["indicator_value"].loc[at(tables, name, AREAS[5], "female"), column] = 0.0
    hidden = (
        tables["indicator_value"]
        .loc[at(tables, "foreign", AREAS[5], "female")]
        .assign(indicator_id="foreign")
    )
    rows = at(tables, "foreign", AREAS[5], "female")
    many = [
        hidden.assign(area_code=f"07111-ST{n:02d}", numerator=5.0 * (n % 7), denominator=5.0 * n, period_end=pd.Timestamp("2023-12-31"))
        for n in range(10, 50)
    ]  # fmt: skip
    same = [
        m.assign(
            indicator_id="pupils", numerator=m["denominator"], denominator=np.nan, value=m["denominator"]
        )
        for m in many
    ]
    tables["indicator_value"].loc[rows, ["numerator", "denominator", "value", "status"]] = [
        np.nan,
        np.nan,
        np.nan,
        "confidential",
    ]
    tables["indicator_value"] = pd.concat([tables["indicator_value"], *many, *same], ignore_index=True)
    shares = tables["indicator_value"]["indicator_id"] == "foreign"
    of = tables["indicator_value"].loc[shares]
    tables["indicator_value"].loc[shares, "value"] = (100 * of["numerator"] / of["denominator"]).round(1)


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
    "a rate of other counts": (rate_of_others, "a rate of other counts"),
    "ends too narrow in a table beside it": (profile_with_narrow_ends, "a rate of other counts"),
    "a change of other figures": (change_of_others, "a change of other figures"),
    "a table nobody documented": (forgotten_table, "in print where nobody looks"),
    "an exact count in one format": (figure("pupils", AREAS[0], "female", 3.0), "in print"),
    "a status by an exact count": (status_by_exact_count, "status"),
    "a figure in a sentence": (text("continuity", "Auffällig: 07111-ST02, 2025 (female): 16 → 3."), "text"),
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
