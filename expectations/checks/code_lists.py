"""Code lists: does every cell of a breakdown stand in its code list?

What: Great Expectations: each breakdown column against the cells of the catalogue.
When it matters: a new code of the office is a new cell: without a declaration it has no name and no total.
How to resolve: enter the code in its classification and breakdown, or correct the reader.
"""

from __future__ import annotations

from expectations.checks.by_suite import suite_check

CHECK = suite_check("code_lists")
