"""Level: does an indicator tell of those levels of area only that it declares?

What: Great Expectations: the level of every row's area against the declared levels.
When it matters: an eight-digit municipality in a table of districts is counted into the Land a second time.
How to resolve: declare the level, or see how the row came in.
"""

from __future__ import annotations

from expectations.checks.by_suite import row_suite_check

CHECK = row_suite_check(
    "level", lambda indicator: f"level in {', '.join(indicator.all_levels)}", "area_level"
)
