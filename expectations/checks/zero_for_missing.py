"""Zero for missing: do figures become zero all at once where there were people before?

What: series that had at least ten before and are zero now, without a declared break; grave where one of them had a
hundred, where it is the home municipality's with twenty or more, or where they are many.
When it matters: an empty cell that became 0 on its way is the most expensive error of all: nobody sees that it is missing.
How to resolve: look into the delivered file; empty or `-` is not zero. If the zero is true (a school type that ended),
declare the break in the measure.
"""

from __future__ import annotations

from expectations.catalogue.model import Text
from expectations.checks.base import (
    Found,
    Subject,
    before_and_now,
    found,
    is_official,
    no_earlier_period,
    pairs,
    row_check,
)  # fmt: skip

FEW, MANY_AT_HOME, MANY = 10, 20, 100
"""Cases that do not vanish by chance: in one of many areas, at home, anywhere."""

_COLLAPSE = 0.1
"""So many of an indicator's larger series at zero in one period are no coincidence."""


def _find(subject: Subject) -> Found:
    rows = pairs(subject)
    # A rate stands for the people it counts; told without them, it is not nought of a sudden either.
    bare = rows["numerator"].isna() & rows["unit"].astype(str).isin(["percent", "EUR", "years"])
    counted = rows["before_numerator"].fillna(rows["before"]).where(~bare | (rows["before"] < 1), MANY)
    large = rows[(counted >= FEW) & ~rows["across_break"] & is_official(rows)]
    gone = large["value"] == 0
    groups = ["indicator_id", "end"]
    share = gone.groupby([large[name] for name in groups], observed=True).transform("mean")
    count = gone.groupby([large[name] for name in groups], observed=True).transform("sum")
    before = counted.loc[large.index]
    home = large["area_code"] == subject.home_area
    grave = (before >= MANY) | ((share >= _COLLAPSE) & (count >= 5))
    # What an office did long ago stands in every table; tonight's news decide, and the home municipality's past.
    grave = (grave & large["is_newest"]) | (home & (before >= MANY_AT_HOME))
    return found(rows, large[gone], before_and_now, grave[gone].to_numpy())


CHECK = row_check(
    "zero_for_missing",
    _find,
    right=Text(de="keine größere Zahl wird zu null", en="no larger figure becomes zero"),
    wrong=Text(de="Zahlen werden auf einmal zu null", en="figures become zero all at once"),
    needs=no_earlier_period,
)
