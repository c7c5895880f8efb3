"""Revision: does a delivery change figures that were published, without its office having said so?

What: cells of every official table that became other numbers or were taken back since the published table was last let out.
Declared are: a delivery whose day stands under `accepted_revisions`, for its span; the newest periods of a statistic
that says it goes on correcting them (`revises`); and figures the office itself marks as preliminary before (`p`) or revised after
(`r`). Any other change breaks the rule; so does a declared one of more than the table's `revision_limit`.
When it matters: a column swap, another unit or a mixed-up table over there looks like a revision; a real revision changes
figures the council has already seen.
How to resolve: read the changed cells; if the office revised its figures, add the delivery's day to the table's
`accepted_revisions` with a note, or waive this finding; otherwise take the delivery out and ask the office.
"""

from __future__ import annotations

import datetime as dt

from expectations.catalogue.model import Text
from expectations.checks.base import Check, Subject, Words, both, listed, table_codes
from expectations.verdict import Status, Verdict
from expectations.wording import Percent, day, said

_WORDS = Words("revision")


def _run(subject: Subject, scope: str) -> Verdict:
    official = subject.catalogue.tables[scope]
    delivery = subject.deliveries.get(scope)
    if delivery is None or delivery.revisions is None:
        return _WORDS.without_values(subject, scope, told=subject.is_told(table=scope))
    told = delivery.revisions
    changed = told.declared + told.undeclared
    expected = f"only declared changes, and of at most {official.revision_limit:.0%} of the cells"
    examples = f" ({listed(told.examples)})" if told.examples else ""
    share = changed / told.cells if told.cells else 0.0
    dates = [dt.date.fromisoformat(d) for d in told.days if d != "unknown"]
    days = Text(
        de=", ".join(day(d, "de") for d in dates) or "unbekannt",
        en=", ".join(day(d, "en") for d in dates) or "unknown",
    )
    # What a person accepted may be as large as it is.
    too_many = told.declared - told.accepted + told.undeclared > official.revision_limit * told.cells
    if told.undeclared or too_many:
        which = said("{share} aller Zellen", "{share} of all cells", share=Percent(share, 1))
        if told.undeclared:
            which = said("{n} unerklärt", "{n} undeclared", n=told.undeclared)
        return _WORDS.say(
            subject, scope, Status.FAIL, observed=f"{changed} of {told.cells} cells changed, {told.undeclared} undeclared",
            expected=expected,
            **both("Tabelle {table}, Stand {days}, ändert {n:veröffentlichten Wert|veröffentlichte Werte}, {which}{examples}.",
                   "Table {table}, state of {days}, changes {n:published value|published values}, {which}{examples}.",
                   table=scope, days=days, n=changed, which=which, examples=examples),
        )  # fmt: skip
    if changed:
        return _WORDS.say(
            subject, scope, Status.WARN, observed=f"{changed} of {told.cells} cells changed", expected=expected,
            **both("Tabelle {table}, Stand {days}: {n:früherer Wert|frühere Werte} geändert, wie erklärt{examples}.",
                   "Table {table}, state of {days}: {n:earlier value|earlier values} changed, as declared{examples}.",
                   table=scope, days=days, n=changed, examples=examples),
        )  # fmt: skip
    return _WORDS.say(
        subject, scope, Status.PASS, observed="nothing changed", expected=expected,
        de=f"Tabelle {scope}: kein früherer Wert geändert.", en=f"Table {scope}: no earlier value changed.",
    )  # fmt: skip


CHECK = Check("revision", table_codes, _run, compares=True)
