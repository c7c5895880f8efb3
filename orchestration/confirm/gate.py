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
from expectations.checks.by_suite import GREAT_EXPECTATIONS, SUITE_CHECKS
from expectations.policy import decided
from expectations.suites.run import run_suites
from expectations.verdict import Status, Verdict
from orchestration.confirm import evidence, kept_results
from orchestration.confirm.kept_results import CheckResult
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
    return judged(subject, {})[0]


def judged(subject: Subject, kept: Mapping[str, CheckResult]) -> tuple[list[Verdict], dict[str, CheckResult]]:
    """All verdicts on one table, and by check what was found. What is in `kept` is not judged again.

    Policy and waivers are applied to every finding, kept or not.
    """
    verdicts: list[Verdict] = []
    results: dict[str, CheckResult] = {}
    today = subject.today.date()
    for last in (False, True):
        seen = dataclasses.replace(subject, verdicts=verdicts) if last else subject
        found: list[Verdict] = []
        for check in CHECKS:
            if check.is_last is not last:
                continue
            result = kept.get(check.name) if not last else None
            if result is None:
                with seen.reading() as reads:
                    answers = [
                        _found(seen, check, scope) for scope in check.scopes(seen.catalogue, seen.table)
                    ]
                result = CheckResult(answers, frozenset(reads))
            results[check.name] = result
            found += result.verdicts
        verdicts = verdicts + [decided(v, subject.catalogue, today) for v in found]
    return verdicts, results


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

    A check whose inputs are what they were when it was last asked is not asked again (decision 0025). Raises
    CandidateError if there is no candidate, and WorkerError if a worker process died.
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
        marks = kept_results.Marks(connection, catalogue, settings)
        stored = kept_results.read(connection, names)
        opened = attack.result()
        for name, subject in subjects.items():
            subjects[name] = dataclasses.replace(subject, opened=opened)
        inputs = {name: marks.of(subjects[name], hashes[name]) for name in names}
        kept = {name: kept_results.valid(stored.get(name, {}), inputs[name]) for name in names}
        verdicts, results = judge_all(subjects, workers, kept)
        for name in names:
            evidence.record(connection, night, name, hashes[name], catalogue.content_hash, verdicts[name])
            evidence.record_changes(connection, subjects[name], verdicts[name])
        kept_results.write(connection, results, inputs)
    asked = sum(not result.is_kept for of_table in results.values() for result in of_table.values())
    LOG.info("confirm | %d checks of %d tables asked, the others' inputs are as they were", asked, len(names))
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
    workers: Workers = ALONE,
    kept: Mapping[str, Mapping[str, CheckResult]] | None = None,
) -> tuple[dict[str, list[Verdict]], dict[str, dict[str, CheckResult]]]:
    """All verdicts on every table, and by table and check what was found. `kept`: what is known already.

    Raises WorkerError if a worker process died.
    """
    kept = {name: {} for name in subjects} if kept is None else kept
    known = {name: set(kept[name]) for name in subjects}
    by_suite = {name for name in subjects if not known[name] >= SUITE_CHECKS}
    expected = expectations_met({name: subjects[name] for name in subjects if name in by_suite})
    # A table of which little is asked again is judged sooner than it is sent to a worker.
    sent = {name: s for name, s in subjects.items() if len(known[name]) < len(CHECKS) / 2}
    groups = [
        [(subjects[name], expected.get(name), kept[name]) for name in names]
        for names in _of_like_weight(sent, 2 * workers.count)
    ]
    here = [(s, expected.get(name), kept[name]) for name, s in subjects.items() if name not in sent]
    verdicts: dict[str, list[Verdict]] = {}
    results: dict[str, dict[str, CheckResult]] = {}
    for of_group in (*workers.map(_judge_group, groups), _judge_group(here)):
        for name, (found, by_check) in of_group.items():
            verdicts[name], results[name] = found, by_check
    return {n: verdicts[n] for n in subjects}, {n: results[n] for n in subjects}


_Judged = tuple[list[Verdict], dict[str, CheckResult]]


def _judge_group(
    group: list[tuple[Subject, list[dict[str, Any]] | None, Mapping[str, CheckResult]]],
) -> dict[str, _Judged]:
    found = {}
    for subject, expected, kept in group:
        if expected is not None:
            subject.remember(GREAT_EXPECTATIONS, expected, {"frame"})
        found[subject.table] = judged(subject, kept)
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
