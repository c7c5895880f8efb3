"""Range: does every value of an indicator lie in its declared range?

What: Great Expectations: every row against its indicator's `valid_range`.
When it matters: a rate of 140 percent, a negative count.
How to resolve: look at the rows named; correct the source (a declared correction) or, if the
value is right, the range in the catalogue.
"""

from __future__ import annotations

from expectations.catalogue.model import Indicator, Text
from expectations.checks.by_suite import row_suite_check
from expectations.wording import said


def _rule(indicator: Indicator) -> Text:
    low, high = indicator.valid_range
    if low is not None and high is not None:
        return said("von {low} bis {high}", "from {low} to {high}", low=low, high=high)
    if low is not None:
        return said("mindestens {low}", "at least {low}", low=low)
    if high is not None:
        return said("höchstens {high}", "at most {high}", high=high)
    return Text(de="jede Zahl", en="any number")


CHECK = row_suite_check("range", _rule, "value")
