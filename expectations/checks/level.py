"""Level: does an indicator tell of those levels of area only that it declares?

What: Great Expectations: the level of every row's area against the declared levels.
When it matters: an eight-digit municipality in a table of districts is counted into the Land a second time.
How to resolve: declare the level, or see how the row came in.
"""

from __future__ import annotations

from expectations.catalogue.availability import LEVELS
from expectations.catalogue.model import Indicator, Text
from expectations.checks.by_suite import row_suite_check
from expectations.wording import said


def _rule(indicator: Indicator) -> Text:
    german, english = (
        ", ".join(getattr(LEVELS[level], language) for level in indicator.all_levels)
        for language in ("de", "en")
    )
    return said("Ebene: {levels}", "level: {levels}", levels=Text(de=german, en=english))


CHECK = row_suite_check("level", _rule, "area_level")
