"""Range: does every value of an indicator lie in its declared range, in its declared unit?

What: a Great Expectations suite per indicator, built from `valid_range` and `unit`.
When it matters: a rate of 140 percent, a negative count, a value in thousands.
How to resolve: look at the rows named; correct the source (a declared correction) or, if the
value is right, the range in the catalogue.
"""

from __future__ import annotations

from expectations.checks.base import Check, Subject, Words, indicator_scopes
from expectations.suites.build import indicator_suite
from expectations.suites.run import verdict_of
from expectations.verdict import Verdict

_WORDS = Words(
    "range",
    "Genannte Werte an der Quelle prüfen; ein Quellenfehler wird als Korrektur erklärt.",
    "Check the values named at their source; an error there becomes a declared correction.",
)


def _run(subject: Subject, scope: str) -> Verdict:
    indicator = subject.catalogue.indicators[scope]
    rows = subject.values(indicator)
    if rows.empty or rows["value"].notna().sum() == 0:
        return _WORDS.not_built(subject, scope)
    return verdict_of(_WORDS, subject, scope, rows, indicator_suite(indicator))


CHECK = Check("range", indicator_scopes, _run)
