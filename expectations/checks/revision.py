"""Revision: how much of what was published of an official table do deliveries since then change?

What: numbers told before that became other numbers or were taken back since the published table was
last let out, as a share of the newest delivery's cells, against the table's `revision_limit`; a
delivery whose day stands under `accepted_revisions` does not count. Every change is a row of table
`revision`.
When it matters: a column swap, another unit or a mixed-up table over there looks like a revision;
a real revision changes figures the council has already seen.
How to resolve: read the changed cells; if the office revised its figures, add the delivery's day to
the table's `accepted_revisions` with a note; otherwise take the delivery out and ask the office.
"""

from __future__ import annotations

from expectations.catalogue import Catalogue
from expectations.checks.base import Check, Subject, Words, listed
from expectations.verdict import Status, Verdict

_WORDS = Words(
    "revision",
    "Geänderte Werte in Tabelle revision prüfen; eine echte Revision unter accepted_revisions eintragen.",
    "Check the changed values in table revision; enter a true revision under accepted_revisions.",
)


def _scopes(catalogue: Catalogue, table: str) -> list[str]:
    return [official.code for official in catalogue.tables_behind(table)]


def _run(subject: Subject, scope: str) -> Verdict:
    official = subject.catalogue.tables[scope]
    delivery = subject.deliveries.get(scope)
    if delivery is None or delivery.revisions is None:
        return _WORDS.without_values(subject, scope, told=subject.is_told(table=scope))
    found = delivery.revisions
    accepted = {str(entry.stand) for entry in official.accepted_revisions}
    changed = sum(found.changed.values())
    open_days = {day: count for day, count in found.changed.items() if day not in accepted}
    share = sum(open_days.values()) / found.cells if found.cells else 0.0
    observed = f"{changed} of {found.cells} cells changed"
    expected = f"at most {official.revision_limit:.0%} changed, or an accepted revision"
    examples = f" ({listed(found.examples)})" if found.examples else ""
    if share > official.revision_limit:
        days = ", ".join(sorted(open_days))
        return _WORDS.say(
            subject,
            scope,
            Status.FAIL,
            observed=observed,
            expected=expected,
            de=f"Tabelle {scope} ändert mit Stand {days} {share:.1%} ihrer früheren Werte{examples}.",
            en=f"Table {scope}, state of {days}, changes {share:.1%} of its earlier values{examples}.",
        )
    status = Status.WARN if changed else Status.PASS
    return _WORDS.say(
        subject,
        scope,
        status,
        observed=observed,
        expected=expected,
        de=f"Tabelle {scope}: {changed} frühere Werte geändert{examples}.",
        en=f"Table {scope}: {changed} earlier values changed{examples}.",
    )


CHECK = Check("revision", _scopes, _run)
