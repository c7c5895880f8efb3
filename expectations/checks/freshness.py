"""Freshness: is an official table younger than its statistic's limit?

What: the newest period of every table behind the published one, against `late_after_days` of its statistic.
When it matters: a source that silently stopped makes last year's figures look like this year's.
How to resolve: fetch the table; raise the limit only if the office's own calendar changed.
"""

from __future__ import annotations

from expectations.checks.base import Check, Subject, Words, both, table_codes
from expectations.verdict import Status, Verdict

_WORDS = Words("freshness")


def _run(subject: Subject, scope: str) -> Verdict:
    official = subject.catalogue.tables[scope]
    delivery = subject.deliveries.get(scope)
    if delivery is None or delivery.newest_period_end is None:
        return _WORDS.without_values(subject, scope, told=subject.is_told(table=scope))
    newest = delivery.newest_period_end
    statistic = subject.catalogue.statistic_of(official)
    late_from = statistic.late_from(newest.date())
    until = f"{newest:%Y-%m-%d}"
    late = official.until is None and subject.today.date() >= late_from
    expected = f"a newer period before {late_from}" if official.until is None else "a series that ended"
    due = statistic.due_on(newest.date())
    return _WORDS.say(
        subject, scope, Status.WARN if late else Status.PASS, observed=f"newest period ends {until}", expected=expected,
        **both("Tabelle {table} ist überfällig: Daten nur bis {until}, Neues war am {due} zu erwarten.",
               "Table {table} is late: data only until {until}, news was due on {due}.", table=scope, until=newest, due=due)
        if late else both("Tabelle {table}: Daten bis {until}.", "Table {table}: data until {until}.", table=scope, until=newest),
    )  # fmt: skip


CHECK = Check("freshness", table_codes, _run)
