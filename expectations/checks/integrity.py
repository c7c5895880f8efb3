"""Integrity: did every structural test on the table and its ancestors run and pass?

What: dbt's tests (keys unique, references resolved, no sign inside a number) as evidence; the
rules themselves stand in dbt_project and nowhere else.
When it matters: a test left out by a flag looks like a test passed; here it holds the table.
How to resolve: run the night with dbt's tests; a failed test names its model.
"""

from __future__ import annotations

from expectations.checks.base import Check, Subject, Words, listed, table_scope
from expectations.verdict import Status, Verdict

_WORDS = Words("integrity")


def _run(subject: Subject, scope: str) -> Verdict:
    if subject.frame is None:
        return _WORDS.not_built(subject, scope)
    failed = [t for t in subject.tests if t.status not in (None, "pass")]
    missing = [t for t in subject.tests if t.status is None]
    count = len(subject.tests)
    expected = f"{count} of {count} tests passed"
    if failed:
        names = listed([f"{t.name} ({t.failures})" for t in failed])
        return _WORDS.say(
            subject,
            scope,
            Status.FAIL,
            observed=f"{len(failed)} failed",
            expected=expected,
            de=f"Strukturtests fehlgeschlagen: {names}.",
            en=f"Structural tests failed: {names}.",
        )
    if missing or not count:
        return _WORDS.say(
            subject,
            scope,
            Status.NOT_EVALUATED,
            observed=f"{len(missing)} not run",
            expected=expected,
            de=f"{len(missing)} Strukturtests wurden nicht ausgeführt.",
            en=f"{len(missing)} structural tests were not run.",
        )
    return _WORDS.say(
        subject,
        scope,
        Status.PASS,
        observed=expected,
        expected=expected,
        de=f"Alle {count} Strukturtests bestanden.",
        en=f"All {count} structural tests passed.",
    )


CHECK = Check("integrity", table_scope, _run)
