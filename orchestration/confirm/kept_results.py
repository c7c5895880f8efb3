"""What checks found before, and whether it still holds: a check whose inputs are as they were is not asked again.

Belongs here: fingerprints of what a check read, and the results kept beside the verdicts. Does not belong here: judging
(gate.py). Kept is what a check found before policy and waivers, which are applied every night.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import duckdb
import pandas as pd

from expectations.catalogue import Catalogue
from expectations.checks.base import INPUTS, Subject
from expectations.verdict import Status, Verdict
from orchestration.compute.increment import code_hash, has_table
from orchestration.settings import Settings

_NEVER_KEPT = "verdicts"
"""The input of checks that judge what the others found: they are always asked."""

_LIBRARIES = ("great-expectations", "pandas", "numpy", "scipy")


@dataclass(frozen=True)
class CheckResult:
    """What one check found in all its scopes, before any policy; and the inputs (fields of `Subject`) it read for that."""

    verdicts: list[Verdict]
    reads: frozenset[str]
    is_kept: bool = False
    """Taken from the last time that the same inputs were judged."""


@dataclass(frozen=True)
class Stored:
    """A result of an earlier night, and the fingerprints of the inputs it was found from."""

    result: CheckResult
    marks: Mapping[str, str]


class Marks:
    """Fingerprints of the inputs of every table's checks, as they are in the candidate tonight."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, settings: Settings
    ) -> None:
        versions = [f"{name} {metadata.version(name)}" for name in _LIBRARIES]
        self._basis = _hash(code_hash(), catalogue.content_hash, settings.municipality.code, versions)
        self._catalogue = catalogue
        self._measures: dict[str, tuple[int, str]] = {}
        if has_table(connection, "monitoring", "fct_measure"):
            rows = connection.execute(
                "select measure_id, count(*), sum(hash(t)::hugeint)::varchar from monitoring.fct_measure as t group by 1"
            ).fetchall()
            self._measures = {name: (count, content) for name, count, content in rows}

    def of(self, subject: Subject, table_hash: str | None) -> dict[str, str]:
        """By input its fingerprint; code and catalogue are part of each."""
        catalogue, table = self._catalogue, subject.table
        before = subject.before
        found: dict[str, Any] = {
            "frame": table_hash,
            "measures": self._of_measures(catalogue.measures_with_rules(table)),
            "reconciled": self._of_measures(catalogue.measures_reconciled(table)),
            "rated": self._of_measures(catalogue.measures_of_rates(table)),
            "before": before and _hash(
                before.content_hash, sorted(before.definitions.items()), sorted(before.units.items()),
                sorted(before.delivered), before.schema_version, before.columns, sorted(before.area_names.items()),
            ),
            "told": sorted(subject.told),
            "used_waivers": sorted(subject.used_waivers),
            "deliveries": sorted(subject.deliveries.items()),
            "registers": sorted(subject.registers.items()),
            "corrections": sorted(subject.corrections.items()),
            **{name: _of_frame(getattr(subject, name)) for name in ("opened", "unprotected", "parts_of_city", "lone_institutions")},
            **{name: getattr(subject, name) for name in ("tests", "footnotes", "today", "home_area")},
        }  # fmt: skip
        return {name: _hash(self._basis, found[name]) for name in INPUTS - {_NEVER_KEPT}}

    def _of_measures(self, names: Iterable[str]) -> list[Any]:
        return [(name, self._measures.get(name)) for name in sorted(names)]


def read(connection: duckdb.DuckDBPyConnection, names: Iterable[str]) -> dict[str, dict[str, Stored]]:
    """What was kept, by table and check."""
    found: dict[str, dict[str, Stored]] = {name: {} for name in names}
    if has_table(connection, "evidence", "check_result"):
        rows = connection.execute(
            'select "table", "check", marks, verdicts from evidence.check_result'
        ).fetchall()
        for table, check, marks, verdicts in rows:
            if table in found:
                of_inputs = json.loads(marks)
                answers = [Verdict.model_validate(v) for v in json.loads(verdicts)]
                found[table][check] = Stored(CheckResult(answers, frozenset(of_inputs), True), of_inputs)
    return found


def valid(stored: Mapping[str, Stored], marks: Mapping[str, str]) -> dict[str, CheckResult]:
    """The results that still hold: everything that was read for them has the same fingerprint tonight."""
    return {
        check: one.result
        for check, one in stored.items()
        if all(marks.get(name) == mark for name, mark in one.marks.items())
    }


def write(
    connection: duckdb.DuckDBPyConnection,
    results: Mapping[str, Mapping[str, CheckResult]],
    marks: Mapping[str, Mapping[str, str]],
) -> None:
    """Keep tonight's results of these tables. What could not be evaluated, or judges other findings, is not kept."""
    rows = [
        {
            "table": table,
            "check": check,
            "marks": json.dumps({name: marks[table][name] for name in sorted(result.reads)}),
            "verdicts": json.dumps([v.model_dump(mode="json") for v in result.verdicts], ensure_ascii=False),
        }
        for table, of_table in results.items()
        for check, result in of_table.items()
        if _NEVER_KEPT not in result.reads
        and all(v.status is not Status.NOT_EVALUATED for v in result.verdicts)
    ]
    frame = pd.DataFrame(rows, columns=["table", "check", "marks", "verdicts"], dtype="str")
    connection.execute("create schema if not exists evidence")
    connection.register("incoming", frame)
    connection.execute("create table if not exists evidence.check_result as select * from incoming limit 0")
    connection.execute(
        'delete from evidence.check_result where list_contains($names, "table")', {"names": list(results)}
    )
    connection.execute("insert into evidence.check_result by name select * from incoming")
    connection.unregister("incoming")


def _of_frame(frame: pd.DataFrame | None) -> str | None:
    return None if frame is None else frame.to_csv(index=False)


def _hash(*parts: Any) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
