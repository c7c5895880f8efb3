"""Shrunken delivery: does the newest delivery say as much of its periods as the one before it?

What: figures (cells with a value) of the newest delivery in the periods it shares with the one before it, against that one's.
When it matters: a file cut in the middle, a Land left out, a source that had only half of its data ready at the weekend.
How to resolve: have the whole file delivered; if the office gave cells up for good, waive the finding once.
"""

from __future__ import annotations

from expectations.checks.base import Check, Subject, Words, both, table_codes
from expectations.verdict import Status, Verdict

_WORDS = Words("shrunken_delivery")

_LEAST = 0.97


def _run(subject: Subject, scope: str) -> Verdict:
    delivery = subject.deliveries.get(scope)
    if delivery is None or delivery.snapshots == 0:
        return _WORDS.without_values(subject, scope, told=subject.is_told(table=scope))
    expected = f"at least {_LEAST:.0%} of the figures delivered before"
    before = delivery.cells_before
    if before and delivery.cells < _LEAST * before:
        return _WORDS.say(
            subject, scope, Status.FAIL, observed=f"{delivery.cells} of {before} figures", expected=expected,
            **both("Tabelle {table}: Die neueste Lieferung hat nur {now} von {before} Werten der vorigen.",
                   "Table {table}: the newest delivery has only {now} of {before} figures of the one before.",
                   table=scope, now=delivery.cells, before=before),
        )  # fmt: skip
    return _WORDS.say(
        subject, scope, Status.PASS, observed="no less than before", expected=expected,
        de=f"Tabelle {scope}: nicht weniger Werte als zuvor.", en=f"Table {scope}: no fewer figures than before.",
    )  # fmt: skip


CHECK = Check("shrunken_delivery", table_codes, _run)
