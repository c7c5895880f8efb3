"""Range: does every value of an indicator lie in its declared range, in its declared unit?

What: one Great Expectations suite per published table: every row against its indicator's `valid_range`,
`unit` and levels; the verdict is each indicator's own.
When it matters: a rate of 140 percent, a negative count, a value in thousands.
How to resolve: look at the rows named; correct the source (a declared correction) or, if the
value is right, the range in the catalogue.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from expectations.checks.base import Check, Subject, Words, indicator_scopes, listed, place
from expectations.suites.build import range_suite, with_limits
from expectations.suites.run import run_suite
from expectations.verdict import Status, Verdict

_WORDS = Words(
    "range",
    "Genannte Werte an der Quelle prüfen; ein Quellenfehler wird als Korrektur erklärt.",
    "Check the values named at their source; an error there becomes a declared correction.",
)


def _results(subject: Subject) -> list[dict[str, Any]]:
    """The suite's results on the whole table, run once for all of its indicators."""
    if _WORDS.check not in subject.memory:
        assert subject.frame is not None
        frame = with_limits(subject.frame, subject.indicators)
        subject.memory[_WORDS.check] = run_suite(frame, range_suite())
    return subject.memory[_WORDS.check]


def _run(subject: Subject, scope: str) -> Verdict:
    indicator = subject.catalogue.indicators[scope]
    rows = subject.values(indicator)
    if rows.empty or rows["value"].notna().sum() == 0:
        return _WORDS.without_values(subject, scope)
    results = _results(subject)
    low, high = indicator.valid_range
    limits = [f"≥ {low:g}" if low is not None else "", f"≤ {high:g}" if high is not None else ""]
    between = f"value {' and '.join(limit for limit in limits if limit)}"
    expected = [between, between, f"unit {indicator.unit}", f"level in {', '.join(indicator.all_levels)}"]
    shown = ["value", "value", "unit", "area_level"]
    raised = [r for r in results if (r.get("exception_info") or {}).get("raised_exception")]
    unseen = [r for r in results if r["result"].get("element_count", 0) == 0]
    if raised or unseen or len(results) != len(expected):
        return _WORDS.say(
            subject,
            scope,
            Status.NOT_EVALUATED,
            observed=f"{len(raised) + len(unseen)} expectations without an answer",
            expected=f"{len(expected)} expectations met",
            de=f"{scope}: Prüfung ohne Ergebnis.",
            en=f"{scope}: a check gave no answer.",
        )
    # The suite saw the table by position; the rows of this indicator stand at these.
    positions = pd.Series(range(len(rows)), index=rows.index)
    for result, what, column in zip(results, expected, shown, strict=True):
        wrong = positions.reindex(result["result"].get("unexpected_index_list") or []).dropna()
        if len(wrong):
            names = list(subject.catalogue.breakdowns)
            examples = [f"{place(rows.loc[i], names)}: {rows.loc[i, column]}" for i in wrong.index]
            detail = listed(examples)
            return _WORDS.say(
                subject,
                scope,
                Status.FAIL,
                observed=f"{len(wrong)} rows",
                expected=what,
                de=f"{scope}: {len(wrong)} Werte verletzen „{what}“: {detail}.",
                en=f"{scope}: {len(wrong)} values break “{what}”: {detail}.",
            )
    return _WORDS.say(
        subject,
        scope,
        Status.PASS,
        observed=f"{len(rows)} rows",
        expected=f"{len(expected)} expectations met",
        de=f"{scope}: {len(rows)} Zeilen geprüft, keine Abweichung.",
        en=f"{scope}: {len(rows)} rows checked, no deviation.",
    )


CHECK = Check("range", indicator_scopes, _run)
