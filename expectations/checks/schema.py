"""Schema: does the table have exactly the columns its contract promises, in their order?

What: Great Expectations: columns and their order, no indicator that is not the table's.
When it matters: a dashboard reads by name; a column that moved or vanished breaks it at night.
How to resolve: restore the column, or raise `schema_version` with the change.
"""

from __future__ import annotations

from expectations.checks.by_suite import suite_check

CHECK = suite_check("schema")
