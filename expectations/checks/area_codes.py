"""Area codes: is every area's key a key, with its leading zeros?

What: Great Expectations: DG, two digits, three, five, or five with the city's own part.
When it matters: a spreadsheet turns 07314 into 7314, and the row finds no area any more.
How to resolve: read keys as text; see which file lost the zero.
"""

from __future__ import annotations

from expectations.checks.by_suite import suite_check

CHECK = suite_check("area_codes")
