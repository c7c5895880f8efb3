"""Arrival: has every official table behind this published table arrived, and is it recent?

What: at least one accepted snapshot of every source table that readers have figures of; one that never came
is named. A delivery refused last night, one that
did not come at all, and a table later than its statistic's freshness limit are named, and the table
carries on with its stated age. An
accepted snapshot that a changed contract can't read fails: data would go back to an older state.
When it matters: a source that silently stopped makes last year's figures look like this year's.
How to resolve: repair or fetch the file named; raise the statistic's `late_after_days` only if the
office's own calendar changed.
"""

from __future__ import annotations

from expectations.catalogue import Catalogue
from expectations.checks.base import Check, Subject, Words
from expectations.verdict import Status, Verdict

_WORDS = Words(
    "arrival",
    "Datei prüfen und neu liefern; bis dahin gilt der letzte angenommene Stand.",
    "Check the file and deliver it again; until then the last accepted state is used.",
)


def _scopes(catalogue: Catalogue, table: str) -> list[str]:
    return [official.code for official in catalogue.tables_behind(table)]


def _run(subject: Subject, scope: str) -> Verdict:
    official = subject.catalogue.tables[scope]
    delivery = subject.deliveries.get(scope)
    if delivery is None or delivery.snapshots == 0:
        refused = delivery.refused if delivery else []
        why = f" ({refused[0]})" if refused else ""
        # What never came was never told: the table goes out without it.
        return _WORDS.say(
            subject,
            scope,
            Status.FAIL if subject.is_told(table=scope) else Status.WARN,
            observed="no accepted delivery",
            expected="at least one",
            de=f"Von Tabelle {scope} gibt es keine angenommene Lieferung{why}.",
            en=f"There is no accepted delivery of table {scope}{why}.",
        )
    if delivery.unreadable:
        return _WORDS.say(
            subject,
            scope,
            Status.FAIL,
            observed="a snapshot that is no longer readable",
            expected="every accepted snapshot readable",
            de=f"Ein angenommener Stand von {scope} passt nicht mehr zum Vertrag: {delivery.unreadable}.",
            en=f"An accepted state of {scope} no longer meets its contract: {delivery.unreadable}.",
        )
    newest = delivery.newest_period_end
    until = f"{newest:%Y-%m-%d}" if newest is not None else "unknown"
    observed = f"{delivery.snapshots} snapshots, newest period ends {until}"
    for reasons, de, en in (
        (delivery.refused, "Letzte Lieferung abgelehnt", "Last delivery refused"),
        (delivery.outstanding, "Nicht abgerufen", "Not retrieved"),
    ):
        if reasons:
            return _WORDS.say(
                subject,
                scope,
                Status.WARN,
                observed=observed,
                expected="every delivery accepted",
                de=f"{de} ({reasons[0]}); weiter mit {delivery.newest_file}, Daten bis {until}.",
                en=f"{en} ({reasons[0]}); carrying on with {delivery.newest_file}, data until {until}.",
            )
    statistic = subject.catalogue.statistic_of(official)
    if official.until is None and newest is not None:
        late_from = statistic.late_from(newest.date())
        if subject.today.date() >= late_from:
            due = statistic.due_on(newest.date())
            return _WORDS.say(
                subject,
                scope,
                Status.WARN,
                observed=observed,
                expected=f"a newer period before {late_from}",
                de=f"Tabelle {scope} ist überfällig: Daten nur bis {until}, Neues war für {due} zu erwarten.",
                en=f"Table {scope} is late: data only until {until}, news was due on {due}.",
            )
    return _WORDS.say(
        subject,
        scope,
        Status.PASS,
        observed=observed,
        expected="at least one accepted delivery, on time",
        de=f"Tabelle {scope} liegt vor, Daten bis {until}.",
        en=f"Table {scope} has arrived, data until {until}.",
    )


CHECK = Check("arrival", _scopes, _run)
