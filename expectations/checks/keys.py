"""Keys: does every figure stand in the table once?

What: Great Expectations: indicator, area, period and cells together are unique, and none of them is empty.
When it matters: a doubled row doubles every sum; a join that met two rows is the usual cause.
How to resolve: look at the rows named; two sources or two deliveries say the same cell.
"""

from __future__ import annotations

from expectations.checks.by_suite import suite_check

CHECK = suite_check("keys")
