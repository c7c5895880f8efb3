"""Unit: does every row stand in the unit its indicator declares?

What: Great Expectations: the row's unit against the declared one.
When it matters: thousands for units, euros for percent: the number is right and means something else.
How to resolve: convert in the measure's `factor`, never in the table.
"""

from __future__ import annotations

from expectations.catalogue.model import UNITS
from expectations.checks.by_suite import row_suite_check
from expectations.wording import said

CHECK = row_suite_check(
    "unit", lambda indicator: said("Einheit {unit}", "unit {unit}", unit=UNITS[indicator.unit]), "unit"
)
