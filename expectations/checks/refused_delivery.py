"""Refused delivery: did last night's delivery of every official table come in?

What: deliveries that were refused (cut short, moved columns, damaged characters) and tables that could not be retrieved.
When it matters: the table goes on with its former state, and nobody would know.
How to resolve: read the reason, have the file sent again; until then the last accepted state is used.
"""

from __future__ import annotations

from expectations.catalogue.model import Text
from expectations.checks.base import Check, Subject, Words, both, table_codes
from expectations.verdict import Status, Verdict

_WORDS = Words("refused_delivery")


def _run(subject: Subject, scope: str) -> Verdict:
    delivery = subject.deliveries.get(scope)
    if delivery is None:
        return _WORDS.without_values(subject, scope, told=subject.is_told(table=scope))
    newest = delivery.newest_period_end
    for reasons, de, en in (
        (delivery.refused, "Letzte Lieferung abgelehnt", "Last delivery refused"),
        (delivery.outstanding, "Nicht abgerufen", "Not retrieved"),
    ):
        if reasons:
            return _WORDS.say(
                subject, scope, Status.WARN, observed=reasons[0], expected="every delivery accepted",
                **both("{what} ({reason}); weiter mit {file}, Daten bis {until}.",
                       "{what} ({reason}); carrying on with {file}, data until {until}.",
                       what=Text(de=de, en=en), reason=reasons[0], file=str(delivery.newest_file), until=newest),
            )  # fmt: skip
    return _WORDS.say(
        subject, scope, Status.PASS, observed="nothing refused", expected="every delivery accepted",
        de=f"Tabelle {scope}: keine Lieferung abgelehnt.", en=f"Table {scope}: no delivery refused.",
    )  # fmt: skip


CHECK = Check("refused_delivery", table_codes, _run)
