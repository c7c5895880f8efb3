"""Repeated values: does one figure stand in many areas that can't all have it?

What: the same larger number in several districts in the newest period, in one indicator and cell.
When it matters: a formula dragged down a column, a lookup that always found the same row.
How to resolve: look at the file; have it delivered again.
"""

from __future__ import annotations

from expectations.catalogue.model import Text
from expectations.checks.base import Found, Subject, found, known, row_check

_LARGE = 400
"""Figures from which a second area with the same one is rare; a rate counts by its cases."""

_TIMES = 8


def _find(subject: Subject) -> Found:
    rows = known(subject)
    rows = rows[rows["area_level"].astype(str) == "district"]
    people = rows["numerator"].fillna(rows["value"])
    large = rows[(people >= _LARGE) & (rows["rounded_to"].isna())]
    keys = ["indicator_id", "end", *subject.names]
    parts = [large["numerator"].fillna(large["value"]), large["denominator"].fillna(-1)]
    same = large.groupby([*(large[k] for k in keys), *parts], observed=True)["value"].transform("size")
    areas = large.groupby(keys, observed=True)["value"].transform("size")
    newest = large["end"] == large.groupby("indicator_id", observed=True)["end"].transform("max")
    hits = large.assign(same=same)[(same >= _TIMES) & (same >= 0.05 * areas) & newest]
    wrong = hits.drop_duplicates([*keys, "value"])
    return found(known(subject), wrong, lambda row: f"{row['value']:g} in {row['same']:g} districts")


CHECK = row_check(
    "repeated_values",
    _find,
    right=Text(de="keine Zahl wiederholt sich über die Gebiete", en="no figure repeats itself over areas"),
    wrong=Text(de="dieselbe Zahl steht in vielen Gebieten", en="the same figure stands in many areas"),
)
