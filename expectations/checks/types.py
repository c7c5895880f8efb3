"""Types: are numbers numbers and truths truths?

What: Great Expectations: value, numerator and denominator are numeric, the break marker is true or false.
When it matters: one text among the numbers turns a column into text, and every sum over it into an error at night.
How to resolve: find the value that is no number; a sign belongs into `sign`.
"""

from __future__ import annotations

from expectations.checks.by_suite import suite_check

CHECK = suite_check("types")
