"""Area sums: do the parts of an area make up the area?

What: additive counts, cell by cell: the districts of a Land against the Land, the Länder against Germany, the
city's Stadtteile against the city. Parts may never exceed the whole; where all are known, they must reach it. An office
rounds and corrects afterwards, so 1 percent and half a rounding each are allowed.
When it matters: a Land counted under a wrong key, one district twice, a Stadtteil lost from a register.
How to resolve: compare the whole with the table of the higher level; see which part doubled or is gone.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from expectations.catalogue import Catalogue
from expectations.catalogue.model import Indicator, Kind, Text
from expectations.checks.base import Found, Subject, found, known, row_check
from expectations.wording import said

_TOLERANCE, _ROUNDING = 0.01, 2.5

_FAR = 0.1
"""So far apart no later correction of an office brings parts and whole."""

_ADDITIVE = ("persons", "places", "cases", "events", "facilities", "households", "schools")


def _adds_up(indicator: Indicator, catalogue: Catalogue) -> bool:
    """A count whose areas share nobody, told for more than one level that contain each other."""
    levels = set(indicator.levels) | set(indicator.local.levels if indicator.local else [])
    nested = {"state", "district"} <= levels or {"country", "state"} <= levels
    return indicator.kind is Kind.COUNT and indicator.unit in _ADDITIVE and nested


def _find(subject: Subject) -> Found:
    chosen = [i.id for i in subject.indicators if _adds_up(i, subject.catalogue)]
    rows = known(subject)
    rows = rows[rows["indicator_id"].isin(chosen)]
    code = rows["area_code"].astype(str)
    level = rows["area_level"].astype(str)
    parts = pd.concat(
        [
            rows[level == "district"].assign(whole_code=code[level == "district"].str[:2]),
            rows[level == "state"].assign(whole_code="DG"),
        ]
    )
    keys = ["indicator_id", "end", *subject.names]
    sums = (
        parts.groupby([*keys, "whole_code"], observed=True, sort=False)["value"]
        .agg(["sum", "count"])
        .reset_index()
    )
    # All parts are known where there are as many as there ever are.
    sums["complete"] = sums["count"] == sums.groupby(["indicator_id", "whole_code"], observed=True)[
        "count"
    ].transform("max")
    wholes = rows[level.isin(["state", "country"])].assign(whole_code=code[level.isin(["state", "country"])])
    joined = wholes.merge(sums, on=[*keys, "whole_code"])
    # Two Länder are no Germany: only all sixteen are compared with it; a city-state has one district or none.
    germany = joined["whole_code"] == "DG"
    joined = joined[(~germany | (joined["count"] == 16)) & (germany | (joined["count"] > 2))]
    room = _TOLERANCE * joined["value"] + _ROUNDING * joined["count"]
    beyond = np.where(
        joined["complete"], (joined["sum"] - joined["value"]).abs() > room, joined["sum"] > joined["value"] + room
    )  # fmt: skip
    wrong = joined[beyond]
    own = wrong["whole_code"] == subject.home_area[:2]
    newest = wrong["end"] == rows.groupby("indicator_id", observed=True)["end"].max().reindex(
        wrong["indicator_id"].astype("object")
    ).to_numpy()  # fmt: skip
    far = (wrong["sum"] - wrong["value"]).abs() > _FAR * wrong["value"].abs()
    # Offices tell old and new districts side by side for years; the past of other Länder is only named.
    grave = (own | (newest & far)).to_numpy()
    return found(
        joined,
        wrong,
        lambda row: said(
            "Teile {parts}, Ganzes {whole}",
            "parts {parts}, whole {whole}",
            parts=row["sum"],
            whole=row["value"],
        ),
        grave,
    )


def _one_level(subject: Subject, indicator: Indicator) -> Text | None:
    values = subject.values(indicator)
    levels = set(values.loc[values["value"].notna(), "area_level"].astype(str))
    if {"state", "district"} <= levels:
        cells = values[values["value"].notna()]
        told = [
            set(map(tuple, cells.loc[cells["area_level"] == lv, ["period_end"]].astype(str).to_numpy()))
            for lv in ("state", "district")
        ]
        if told[0] & told[1]:
            return None
    return Text(de="nur eine Ebene geliefert", en="only one level was delivered")


CHECK = row_check(
    "area_sums",
    _find,
    applies=_adds_up,
    needs=_one_level,
    right=Text(de="die Gebiete ergeben ihr Ganzes", en="the areas make up their whole"),
    wrong=Text(de="die Gebiete ergeben nicht ihr Ganzes", en="the areas do not make up their whole"),
)
