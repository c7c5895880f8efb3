"""Range: does every value of an indicator lie in its declared range?

What: Great Expectations: every row against its indicator's `valid_range`.
When it matters: a rate of 140 percent, a negative count.
How to resolve: look at the rows named; correct the source (a declared correction) or, if the
value is right, the range in the catalogue.
"""

from __future__ import annotations

from expectations.catalogue.model import Indicator
from expectations.checks.by_suite import row_suite_check


def _rule(indicator: Indicator) -> str:
    low, high = indicator.valid_range
    limits = [f"≥ {low:g}" if low is not None else "", f"≤ {high:g}" if high is not None else ""]
    return f"value {' and '.join(limit for limit in limits if limit) or 'any number'}"


CHECK = row_suite_check("range", _rule, "value")
