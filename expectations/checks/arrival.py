"""Arrival: is there an accepted delivery of every official table behind this published table?

What: at least one accepted snapshot of every source table that readers have figures of, each still readable under today's
contract. One that never came and was never told is named.
When it matters: without it the table would go back to an older state, or lose figures readers have.
How to resolve: deliver the file; a changed contract must read the accepted snapshots, too.
"""

from __future__ import annotations

from expectations.checks.base import Check, Subject, Words, both, table_codes
from expectations.verdict import Status, Verdict

_WORDS = Words("arrival")


def _run(subject: Subject, scope: str) -> Verdict:
    delivery = subject.deliveries.get(scope)
    if delivery is None or delivery.snapshots == 0:
        refused = delivery.refused if delivery else []
        why = f" ({refused[0]})" if refused else ""
        # What never came was never told: the table goes out without it.
        return _WORDS.say(
            subject, scope, Status.FAIL if subject.is_told(table=scope) else Status.WARN,
            observed="no accepted delivery", expected="at least one",
            de=f"Von Tabelle {scope} gibt es keine angenommene Lieferung{why}.",
            en=f"There is no accepted delivery of table {scope}{why}.",
        )  # fmt: skip
    if delivery.unreadable:
        return _WORDS.say(
            subject, scope, Status.FAIL, observed="a snapshot that is no longer readable",
            expected="every accepted snapshot readable",
            de=f"Ein angenommener Stand von {scope} passt nicht mehr zum Vertrag: {delivery.unreadable}.",
            en=f"An accepted state of {scope} no longer meets its contract: {delivery.unreadable}.",
        )  # fmt: skip
    newest = delivery.newest_period_end
    until = f"{newest:%Y-%m-%d}" if newest is not None else "unknown"
    return _WORDS.say(
        subject, scope, Status.PASS, observed=f"{delivery.snapshots} snapshots, newest period ends {until}",
        expected="at least one accepted delivery",
        **both("Tabelle {table} liegt vor, Daten bis {until}.", "Table {table} has arrived, data until {until}.", table=scope, until=newest),
    )  # fmt: skip


CHECK = Check("arrival", table_codes, _run)
