"""Schema: does the table have exactly the columns its contract promises, in their order?

What: a Great Expectations suite built from the catalogue (columns and their order, allowed
states, no empty key).
When it matters: a dashboard reads by name; a column that moved or vanished breaks it at night.
How to resolve: restore the column, or raise `schema_version` with the change.
"""

from __future__ import annotations

from expectations.checks.base import Check, Subject, Words, table_scope
from expectations.suites.build import table_suite
from expectations.suites.run import verdict_of
from expectations.verdict import Verdict

_WORDS = Words(
    "schema",
    "Spalte wiederherstellen oder schema_version anheben.",
    "Restore the column or raise schema_version.",
)


def _run(subject: Subject, scope: str) -> Verdict:
    if subject.frame is None or subject.frame.empty:
        return _WORDS.not_built(subject, scope)
    return verdict_of(_WORDS, subject, scope, subject.frame, table_suite(subject.catalogue, scope))


CHECK = Check("schema", table_scope, _run)
