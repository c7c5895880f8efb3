"""Unusual change: does an area leave what all the others do this year, further than so many cases and its own past explain?

What: counts (and the numerators of rates) of districts in the newest period: the relative change against the middle of all
districts' changes, in standard deviations made of chance (one over the cases) and of how much districts, and this
area in the years before, usually differ. Grave at home and where several areas are off at once.
When it matters: two years pooled, a part counted elsewhere, the figures of another area: each believable by itself, none beside the others.
How to resolve: compare the area's rows with the official table; if the change is real (a school opened), accept it with a waiver.
"""

from __future__ import annotations

import numpy as np

from expectations.catalogue import Catalogue
from expectations.catalogue.model import Indicator, Kind, Text
from expectations.checks.base import (
    Found,
    Subject,
    before_and_now,
    found,
    no_district_pairs,
    pairs,
    row_check,
)
from expectations.wording import Percent, said

_FAR, _LEAST = 6.0, 0.12
_OWN_TIMES = 3.0
"""So many times its own largest change before."""

_CASES = 60
_AREAS, _SHARE = 3, 0.02
_PEERS = 8


def _of_counts(indicator: Indicator, catalogue: Catalogue) -> bool:
    return not indicator.kind.is_modelled and indicator.kind not in (Kind.REPORTED, Kind.DIFFERENCE)


def _find(subject: Subject) -> Found:
    chosen = [i.id for i in subject.indicators if _of_counts(i, subject.catalogue)]
    rows = pairs(subject)
    rows = rows[rows["indicator_id"].isin(chosen) & (rows["area_level"] == "district")]
    counted = rows["numerator"].fillna(rows["value"])
    before = rows["before_numerator"].fillna(rows["before"])
    large = rows[(counted > 0) & (before > 0) & (np.maximum(counted, before) >= _CASES)]
    a, b = counted.loc[large.index], before.loc[large.index]
    large = large.assign(change=np.log(a / b), chance=np.sqrt(1 / a + 1 / b))
    keys = [large[k] for k in ["indicator_id", "end", *subject.names]]
    middle = large["change"].groupby(keys, observed=True).transform("median")
    off = large["change"] - middle
    spread = 1.4826 * off.abs().groupby(keys, observed=True).transform("median")
    peers = off.groupby(keys, observed=True).transform("size")
    large = large.assign(off=off, z=off / np.sqrt(spread**2 + large["chance"] ** 2 + 0.01**2))
    # How far the same series has left the others before.
    history = large[~large["is_newest"] & ~large["across_break"]]
    own = history["off"].abs().groupby(history["series"]).max()
    usual = large["series"].map(own).fillna(0.0)
    wrong = large[
        large["is_newest"] & ~large["across_break"] & (peers >= _PEERS) & (large["z"].abs() > _FAR)
        & (large["off"].abs() > _LEAST) & (large["off"].abs() > _OWN_TIMES * usual)
    ]  # fmt: skip
    groups = [wrong["indicator_id"], wrong["end"]]
    areas = wrong.groupby(groups, observed=True)["area_code"].transform("nunique")
    all_areas = rows.groupby("indicator_id", observed=True)["area_code"].nunique()
    many = areas >= np.maximum(
        _AREAS, _SHARE * all_areas.reindex(wrong["indicator_id"].astype("object")).to_numpy()
    )
    grave = ((wrong["area_code"] == subject.home_area) | many).to_numpy()
    return found(
        rows, wrong, lambda row: said("{change}, {off} gegenüber den anderen", "{change}, {off} beside the others",
                                      change=before_and_now(row), off=Percent(np.exp(row["off"]) - 1, signed=True)), grave
    )  # fmt: skip


CHECK = row_check(
    "unusual_change",
    _find,
    applies=_of_counts,
    right=Text(de="kein Gebiet verlässt, was die anderen tun", en="no area leaves what the others do"),
    wrong=Text(de="ein Gebiet verändert sich anders als alle anderen", en="an area changes unlike all the others"),
    needs=no_district_pairs,
)  # fmt: skip
