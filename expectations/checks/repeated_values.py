"""Repeated values: does one figure stand in many areas that can't all have it?

What: the same larger number in several districts in the newest period, in one indicator and cell; or any figure that
suddenly stands in most of them.
When it matters: a formula dragged down a column, a lookup that always found the same row.
How to resolve: look at the file; have it delivered again.
"""

from __future__ import annotations

import pandas as pd

from expectations.catalogue.model import Text
from expectations.checks.base import Found, Subject, found, known, one_number, row_check
from expectations.wording import said

_LARGE = 400
"""Figures from which a second area with the same one is rare; a rate counts by its cases."""

_TIMES = 8

_MOST, _RISE, _ALL, _SMALLEST_RISE = 0.6, 0.4, 0.9, 0.1
"""A figure most districts share is odd if so many more share it than in the period before, or if all do where less
than nine tenths did."""


def _find(subject: Subject) -> Found:
    rows = known(subject)
    rows = rows[rows["area_level"] == "district"]
    people = rows["numerator"].fillna(rows["value"])
    # One number stands for an indicator's cell.
    rows = rows.assign(cell=one_number(rows, ["indicator_id", *subject.names]))
    keys = ["cell", "end"]
    large = rows[(people >= _LARGE) & (rows["rounded_to"].isna())]
    parts = [large["numerator"].fillna(large["value"]), large["denominator"].fillna(-1)]
    same = large.groupby([*(large[k] for k in keys), *parts])["value"].transform("size")
    areas = large.groupby(keys)["value"].transform("size")
    newest = large["end"] == large.groupby("indicator_id", observed=True)["end"].transform("max")
    hits = large.assign(same=same)[(same >= _TIMES) & (same >= 0.05 * areas) & newest]
    wrong = pd.concat([hits, _filled(rows, keys)]).drop_duplicates([*keys, "value"])
    return found(
        known(subject),
        wrong,
        lambda row: said(
            "{value} in {areas:Kreis|Kreisen}",
            "{value} in {areas:district|districts}",
            value=row["value"],
            areas=row["same"],
        ),
    )


def _filled(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Rows of the newest period with the one figure that most districts have all of a sudden."""
    same = rows.groupby([*keys, "value"])["value"].transform("size")
    areas = rows.groupby(keys)["value"].transform("size")
    rows = rows.assign(same=same, share=same / areas)
    of_cell = rows.groupby(keys).agg(most=("share", "max"), indicator_id=("indicator_id", "first"))
    most = of_cell.reset_index().sort_values("end")
    most["before"] = most.groupby("cell")["most"].shift()
    newest = most["end"] == most.groupby("indicator_id", observed=True)["end"].transform("max")
    limit = (most["before"].fillna(_ALL - _RISE) + _RISE).clip(_MOST, 1.0)
    sudden = most[
        newest & (most["most"] >= limit) & (most["most"] > most["before"].fillna(0) + _SMALLEST_RISE)
    ]
    found = rows.merge(sudden[keys], on=keys)
    return found[(found["share"] >= _MOST) & (found["same"] >= _TIMES) & (found["value"] != 0)]


CHECK = row_check(
    "repeated_values",
    _find,
    right=Text(de="keine Zahl wiederholt sich über die Gebiete", en="no figure repeats itself over areas"),
    wrong=Text(de="dieselbe Zahl steht in vielen Gebieten", en="the same figure stands in many areas"),
)
