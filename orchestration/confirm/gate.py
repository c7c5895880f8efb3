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
    """All verdicts on one table, and by check what was found. What is in `kept` is not judged again."""
    return concluded(subject, asked(subject, (check.name for check in CHECKS), kept))


def asked(subject: Subject, names: Iterable[str], kept: Mapping[str, CheckResult]) -> dict[str, CheckResult]:
    """By check what it finds in all its scopes; what is in `kept` is not judged again.

    Leaves out the checks that judge what the others found.
    """
    wanted = set(names)
    return {
        check.name: kept.get(check.name) or _result(subject, check)
        for check in CHECKS
        if check.name in wanted and not check.is_last
    }


def concluded(
    subject: Subject, results: Mapping[str, CheckResult]
) -> tuple[list[Verdict], dict[str, CheckResult]]:
    """The verdicts on a table, from what all checks found; with the results of those that judge what the others found.

    Policy and waivers are applied to every finding, kept or not.
    """
    today = subject.today.date()
    first = [check for check in CHECKS if not check.is_last]
    verdicts = [decided(v, subject.catalogue, today) for check in first for v in results[check.name].verdicts]
    seen = dataclasses.replace(subject, verdicts=verdicts)
    last = {check.name: _result(seen, check) for check in CHECKS if check.is_last}
    return (
        verdicts + [decided(v, subject.catalogue, today) for r in last.values() for v in r.verdicts],
        {**results, **last},
    )


def _result(subject: Subject, check: Check) -> CheckResult:
    with subject.reading() as reads:
        answers = [_found(subject, check, scope) for scope in check.scopes(subject.catalogue, subject.table)]
    return CheckResult(answers, frozenset(reads))


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
    count = sum(not result.is_kept for of_table in results.values() for result in of_table.values())
    LOG.info("confirm | %d checks of %d tables asked, the others' inputs are as they were", count, len(names))
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
    others = {check.name for check in CHECKS} - SUITE_CHECKS
    # A table of which little is asked again is judged sooner than it is sent to a worker.
    sent = {name: s for name, s in subjects.items() if len(known[name]) < len(CHECKS) / 2}
    groups = [
        [(subjects[name], others, kept[name]) for name in names]
        for names in _of_like_weight(sent, 2 * workers.count)
    ]
    results: dict[str, dict[str, CheckResult]] = {}
    with workers.alongside(_asked_of_group, groups) as of_groups:
        # Great Expectations answers in this process, while the workers ask everything else.
        by_suite = {name: s for name, s in subjects.items() if not known[name] >= SUITE_CHECKS}
        expected = expectations_met(by_suite)
        for name, subject in subjects.items():
            # With a memory of its own: the subject itself may be on its way to a worker.
            here = dataclasses.replace(subject)
            if name in expected:
                here.remember(GREAT_EXPECTATIONS, expected[name], {"frame"})
            checks = SUITE_CHECKS if name in sent else {check.name for check in CHECKS}
            results[name] = asked(here, checks, kept[name])
    for of_group in of_groups:
        for name, by_check in of_group.items():
            results[name] |= by_check
    found = {name: concluded(subject, results[name]) for name, subject in subjects.items()}
    return {n: verdicts for n, (verdicts, _) in found.items()}, {
        n: by_check for n, (_, by_check) in found.items()
    }


def _asked_of_group(
    group: list[tuple[Subject, set[str], Mapping[str, CheckResult]]],
) -> dict[str, dict[str, CheckResult]]:
    found = {}
    for subject, names, kept in group:
        found[subject.table] = asked(subject, names, kept)
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
