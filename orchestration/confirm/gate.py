"""The gate of one published table: run its checks, write the verdict rows."""

from __future__ import annotations

import dataclasses
import datetime as dt

from expectations.catalogue import Catalogue
from expectations.checks import CHECKS
from expectations.checks.base import Check, Subject
from expectations.policy import decided
from expectations.verdict import Status, Verdict
from orchestration.confirm import evidence
from orchestration.resources.home import Home
from orchestration.settings import Settings


def expected_checks(catalogue: Catalogue, table: str) -> set[tuple[str, str]]:
    """The (check, scope) pairs that must have been evaluated before a table may go out."""
    return {(check.name, scope) for check in CHECKS for scope in check.scopes(catalogue, table)}


def judge(subject: Subject) -> list[Verdict]:
    """All verdicts on one table. A check that breaks is NOT_EVALUATED, which holds the table."""
    verdicts: list[Verdict] = []
    today = subject.today.date()
    for last in (False, True):
        judged = dataclasses.replace(subject, verdicts=verdicts) if last else subject
        found = [_found(judged, check, scope) for check, scope in _to_run(subject, last)]
        verdicts = verdicts + [decided(v, subject.catalogue, today) for v in found]
    return verdicts


def _to_run(subject: Subject, last: bool) -> list[tuple[Check, str]]:
    return [
        (check, scope)
        for check in CHECKS
        if check.is_last is last
        for scope in check.scopes(subject.catalogue, subject.table)
    ]


def _found(subject: Subject, check: Check, scope: str) -> Verdict:
    try:
        return check.run(subject, scope)
    except Exception as error:
        return _broken(subject.table, check.name, scope, error)


def confirm_table(
    home: Home, settings: Settings, catalogue: Catalogue, name: str, moment: dt.datetime
) -> list[Verdict]:
    """Judge one table of the candidate and keep the verdicts beside it.

    Raises CandidateError if there is no candidate.
    """
    with evidence.connect(home) as connection:
        night = evidence.night_of(connection)
        table = evidence.published_table(connection, catalogue, name)
        table_hash = None if table is None else evidence.content_hash(table)
        subject = evidence.subject(connection, home, settings, catalogue, name, table, moment, table_hash)
        verdicts = judge(subject)
        evidence.record(connection, night, name, table_hash, catalogue.content_hash, verdicts)
        evidence.record_changes(connection, subject, verdicts)
    return verdicts


def _broken(table: str, check: str, scope: str, error: Exception) -> Verdict:
    found = f"{type(error).__name__}: {error}"
    return Verdict(
        table=table,
        check=check,
        scope=scope,
        status=Status.NOT_EVALUATED,
        observed=found[:300],
        expected="an answer",
        message_de=f"Die Prüfung {check} konnte nicht ausgeführt werden ({found[:200]}).",
        message_en=f"The check {check} could not be run ({found[:200]}).",
        guidance_de="Den Fehler der Prüfung beheben; bis dahin bleibt die Tabelle gehalten.",
        guidance_en="Repair the check; until then the table stays held.",
    )
