"""States: are state and sign from the lists that readers know?

What: Great Expectations: `status` and `sign` against their lists.
When it matters: a state nobody knows is treated as "reported" by the next program.
How to resolve: map the source's sign in notation; never invent a state.
"""

from __future__ import annotations

from expectations.checks.by_suite import suite_check

CHECK = suite_check("states")
