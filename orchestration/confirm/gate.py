"""The gate of the published tables: run their checks, write the verdict rows."""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from expectations.catalogue import Catalogue
from expectations.checks import CHECKS
from expectations.checks.base import Check, Subject
from expectations.checks.by_suite import GREAT_EXPECTATIONS
from expectations.policy import decided
from expectations.suites.run import run_suites
from expectations.verdict import Status, Verdict
from orchestration.confirm import evidence
from orchestration.confirm.opened import opened_figures
from orchestration.resources.home import Home
from orchestration.resources.workers import ALONE, Workers
from orchestration.settings import Settings

LOG = logging.getLogger("bildungsmonitor")


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


def confirm_tables(
    home: Home,
    settings: Settings,
    catalogue: Catalogue,
    moment: dt.datetime,
    workers: Workers = ALONE,
    names: Iterable[str] | None = None,
) -> dict[str, list[Verdict]]:
    """Judge tables of the candidate, by default all that are published, and keep the verdicts beside it.

    Raises CandidateError if there is no candidate, and WorkerError if a worker process died.
    """
    names = list(catalogue.published if names is None else names)
    with evidence.connect(home) as connection, ThreadPoolExecutor(1) as background:
        night = evidence.night_of(connection)
        # Workers search for what readers could work out, while this process reads everything else.
        attack = background.submit(opened_figures, connection.cursor(), home, catalogue, workers)
        tables = {name: evidence.published_table(connection, catalogue, name) for name in names}
        hashes = {n: None if t is None else evidence.content_hash(t) for n, t in tables.items()}
        subjects = {
            name: evidence.subject(
                connection, home, settings, catalogue, name, tables.pop(name), moment, hashes[name]
            )
            for name in names
        }
        expected = expectations_met(subjects)
        opened = attack.result()
        for name, subject in subjects.items():
            subjects[name] = dataclasses.replace(subject, opened=opened)
        verdicts = judge_all(subjects, workers, expected)
        for name in names:
            evidence.record(connection, night, name, hashes[name], catalogue.content_hash, verdicts[name])
            evidence.record_changes(connection, subjects[name], verdicts[name])
    return verdicts


def expectations_met(subjects: Mapping[str, Subject]) -> dict[str, list[dict[str, Any]]]:
    """What Great Expectations says of the tables that have rows, in one checkpoint; nothing if it can't be run."""
    frames = {n: s.frame for n, s in subjects.items() if s.frame is not None and not s.frame.empty}
    if not frames:
        return {}
    try:
        return run_suites(frames, next(iter(subjects.values())).catalogue)
    except Exception as error:
        # Each table is then judged alone, so that one which can't be judged does not hold the others.
        LOG.warning("confirm | the tables can't be judged in one checkpoint: %s", str(error)[:200])
        return {}


def judge_all(
    subjects: Mapping[str, Subject],
    workers: Workers,
    expected: Mapping[str, list[dict[str, Any]]] | None = None,
) -> dict[str, list[Verdict]]:
    """All verdicts on every table. `expected`: what Great Expectations said of them already.

    Raises WorkerError if a worker process died.
    """
    expected = expectations_met(subjects) if expected is None else expected
    groups = [
        [(subjects[name], expected.get(name)) for name in names]
        for names in _of_like_weight(subjects, 2 * workers.count)
    ]
    found = workers.map(_judge_group, groups)
    verdicts = {name: of_one for of_group in found for name, of_one in of_group.items()}
    return {name: verdicts[name] for name in subjects}


def _judge_group(group: list[tuple[Subject, list[dict[str, Any]] | None]]) -> dict[str, list[Verdict]]:
    found = {}
    for subject, results in group:
        if results is not None:
            subject.memory[GREAT_EXPECTATIONS] = results
        found[subject.table] = judge(subject)
        subject.memory.clear()
    return found


_ROWS_OF_ONE_TABLE = 15_000
"""Judging a table of few rows takes as long as so many rows of a larger one."""


def _of_like_weight(subjects: Mapping[str, Subject], count: int) -> list[list[str]]:
    """The tables in at most `count` groups that take about as long to judge; the longest first."""
    weights = {
        name: _ROWS_OF_ONE_TABLE + (0 if s.frame is None else len(s.frame)) for name, s in subjects.items()
    }
    groups: list[list[str]] = [[] for _ in range(count)]
    loads = [0] * count
    for name in sorted(weights, key=lambda n: (-weights[n], n)):
        least = loads.index(min(loads))
        groups[least].append(name)
        loads[least] += weights[name]
    heaviest_first = sorted(range(count), key=lambda n: -loads[n])
    return [groups[n] for n in heaviest_first if groups[n]]


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
