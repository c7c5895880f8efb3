"""Backward delivery: does the newest delivery go at least as far as those before it?

What: the last period of the newest delivery against the last period known before.
When it matters: an old file sent once more as if it were new takes the newest year away.
How to resolve: have the current file delivered.
"""

from __future__ import annotations

from expectations.checks.base import Check, Subject, Words, both, table_codes
from expectations.verdict import Status, Verdict

_WORDS = Words("backward_delivery")


def _run(subject: Subject, scope: str) -> Verdict:
    delivery = subject.deliveries.get(scope)
    if delivery is None or delivery.newest_period_end is None:
        return _WORDS.without_values(subject, scope, told=subject.is_told(table=scope))
    newest, before = delivery.newly_until, delivery.told_until
    expected = "as far as the deliveries before, or further"
    if newest is not None and before is not None and newest < before:
        return _WORDS.say(
            subject, scope, Status.WARN, observed=f"{newest:%Y-%m-%d} after {before:%Y-%m-%d}", expected=expected,
            **both("Tabelle {table}: Die neueste Lieferung reicht nur bis {newest}, frühere bis {before}.",
                   "Table {table}: the newest delivery goes only to {newest}, earlier ones to {before}.",
                   table=scope, newest=newest, before=before),
        )  # fmt: skip
    return _WORDS.say(
        subject, scope, Status.PASS, observed="forward", expected=expected,
        de=f"Tabelle {scope}: die Lieferungen gehen voran.", en=f"Table {scope}: the deliveries go forward.",
    )  # fmt: skip


CHECK = Check("backward_delivery", table_codes, _run)
