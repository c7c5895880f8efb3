"""Stale copy: is the newest period nothing but an earlier one under a new date?

What: the share of series whose newest value equals, to the last digit, that of the period before, or of one and the same
earlier period; only figures that do not stay the same by chance.
When it matters: last year's file delivered again with this year's number in it: everything is plausible, and nothing is new.
How to resolve: ask the office for the right file; take the delivery out.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from expectations.catalogue.model import Text
from expectations.checks.base import Found, Subject, found, known, no_earlier_period, pairs, row_check
from expectations.wording import Period, said

_SHARE = 0.6
_SERIES = 6
_LARGE = 50
"""Counts from which an unchanged figure is rare."""

_TELLING, _DIFFERENT, _TELLING_ALONE = 300, 2, 5000
"""So many different counts of one area that stay as they were are no chance; nor is one so large at home."""


def _find(subject: Subject) -> Found:
    rows = pairs(subject)
    whole = rows["numerator"].isna() | (rows["numerator"] == rows["value"])
    large = np.where(
        whole,
        (rows["value"].abs() >= _LARGE) | (rows["value"] % 1 != 0),
        (rows["denominator"].fillna(0) >= _LARGE) & (rows["numerator"].abs() >= _LARGE),
    )
    # A rate may stay what it is; the people it counts hardly do. Its denominator may be of another, newer source.
    told, before = rows["numerator"].fillna(rows["value"]), rows["before_numerator"].fillna(rows["before"])
    # A rate told without its parts stays the same to the digit often enough: only all of them at once are a copy.
    bare = rows["numerator"].isna() & (rows["unit"] != "EUR")
    judged = rows[large & rows["rounded_to"].isna()]
    copied = (told == before).loc[judged.index]
    bare = bare.loc[judged.index]
    groups = [judged["indicator_id"], judged["area_level"] == "district", judged["end"]]
    share = copied.groupby(groups, observed=True).transform("mean")
    count = copied.groupby(groups, observed=True).transform("size")
    # One area alone: all its figures of one source at once, and different ones.
    own = [judged["area_code"], judged["end"], judged["source"]]
    own_share = copied.groupby(own, observed=True).transform("mean")
    counted = judged["numerator"].fillna(judged["value"])
    distinct = sum(
        figures.where(copied & same & (figures.abs() >= _TELLING))
        .groupby(own, observed=True)
        .transform("nunique")
        for figures, same in (
            (counted, True),
            # What a rate is a share of, if it stayed the same, too.
            (
                judged["denominator"].where(judged["denominator"] != counted),
                judged["denominator"] == judged["before_denominator"],
            ),
        )
    )
    home = judged["area_code"] == subject.home_area
    many = (share >= np.where(bare, 0.98, _SHARE)) & (count >= np.where(bare, 20, _SERIES))
    # One large count of our own is enough: of five thousand, one in hundreds stays the same.
    single = home & (counted.abs() >= _TELLING_ALONE)
    alone = ~bare & (own_share >= 0.9) & ((distinct >= _DIFFERENT) | single)
    wrong = judged[copied & (many | alone) & judged["is_newest"]]
    grave = (many | home).loc[wrong.index]
    older = _of_an_older_period(subject)
    wrong = pd.concat([wrong.assign(copied_from=_BEFORE), older.drop(wrong.index, errors="ignore")])
    return found(
        rows, wrong, lambda row: said("{value} wie {when}", "{value} as {when}", value=row["value"], when=_period_copied(row)),
        grave.reindex(wrong.index, fill_value=True).to_numpy(),
    )  # fmt: skip


_BEFORE = ""
"""Stands for the period before; an older one is named by its label."""


def _period_copied(row: pd.Series) -> Text:
    """The period whose figure stands there again."""
    if row["copied_from"] == _BEFORE:
        return Text(de="im Zeitraum davor", en="in the period before")
    return said("{period}", "{period}", period=Period(str(row["copied_from"])))


def _of_an_older_period(subject: Subject) -> pd.DataFrame:
    """Rows of the newest period, where most districts have the figures of one and the same older period."""
    rows = known(subject)
    told = rows["numerator"].fillna(rows["value"]).abs() >= _LARGE
    rows = rows[told & rows["rounded_to"].isna() & (rows["area_level"] == "district")]
    rows = rows.assign(row=rows.index, counted=rows["numerator"].fillna(rows["value"]))
    last = rows.groupby("indicator_id", observed=True)["end"].transform("max")
    now, earlier = rows[rows["end"] == last], rows[rows["end"] < last]
    same = ["series", "counted"]
    twins = now[[*same, "row", "indicator_id"]].merge(
        earlier[[*same, "end", "period_label"]].rename(columns={"end": "from"}), on=same
    )
    if twins.empty:
        return now.iloc[:0].assign(copied_from="")
    size = now.groupby("indicator_id", observed=True)["value"].size()
    twins["count"] = twins.groupby(["indicator_id", "from"], observed=True)["row"].transform("size")
    share = twins["count"] / twins["indicator_id"].map(size).astype(float)
    copies = twins[(share >= _SHARE) & (twins["count"] >= _SERIES)].drop_duplicates("row").set_index("row")
    return now.loc[copies.index].assign(copied_from=copies["period_label"].astype(str))


CHECK = row_check(
    "stale_copy",
    _find,
    right=Text(de="der neueste Zeitraum ist kein alter", en="the newest period is no earlier one"),
    wrong=Text(
        de="der neueste Zeitraum wiederholt den vorigen", en="the newest period repeats the one before"
    ),
    needs=no_earlier_period,
)
