"""Duplicate delivery: do two deliveries claim the same state of the data and say different things?

What: accepted snapshots of one table with the same day and hour of state, for the same cells, and different figures.
When it matters: which of them is right is a matter of luck; an office that repairs a file gives it a new state.
How to resolve: ask the office which one counts, and take the other one out.
"""

from __future__ import annotations

from expectations.checks.base import Check, Subject, Words, listed, table_codes
from expectations.verdict import Status, Verdict

_WORDS = Words("duplicate_delivery")


def _run(subject: Subject, scope: str) -> Verdict:
    delivery = subject.deliveries.get(scope)
    if delivery is None or delivery.snapshots == 0:
        return _WORDS.without_values(subject, scope, told=subject.is_told(table=scope))
    expected = "one truth for one state of the data"
    if delivery.twins:
        return _WORDS.say(
            subject, scope, Status.FAIL, observed=listed(delivery.twins), expected=expected,
            de=f"Tabelle {scope}: Zwei Lieferungen desselben Stands widersprechen sich: {listed(delivery.twins)}.",
            en=f"Table {scope}: two deliveries of the same state contradict each other: {listed(delivery.twins)}.",
        )  # fmt: skip
    return _WORDS.say(
        subject, scope, Status.PASS, observed="none", expected=expected,
        de=f"Tabelle {scope}: kein Stand doppelt geliefert.", en=f"Table {scope}: no state delivered twice.",
    )  # fmt: skip


CHECK = Check("duplicate_delivery", table_codes, _run)
