"""dbt in this process: parse, build, and the evidence its tests leave behind.

In process it is two to three times faster than a subprocess, but it keeps the database locked
until its connections are closed, which `_invoke` does whatever happens.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from orchestration.resources.files import write_bytes
from orchestration.resources.home import Home
from orchestration.settings import PROJECT

PROJECT_DIR = PROJECT / "dbt_project"


class DbtError(RuntimeError):
    """dbt could not run at all (as opposed to: a model or test failed)."""


@dataclass(frozen=True)
class NodeResult:
    """What became of one model or test; `failures` counts a test's offending rows."""

    unique_id: str
    status: str
    message: str | None
    failures: int | None
    seconds: float


def project_hash() -> str:
    """Over every file of the dbt project: a manifest made from others is stale."""
    digest = hashlib.sha256()
    for path in sorted(PROJECT_DIR.rglob("*")):
        if path.is_file() and path.suffix in (".sql", ".py", ".yml", ".md"):
            digest.update(path.relative_to(PROJECT_DIR).as_posix().encode() + b"\0")
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def manifest(home: Home) -> dict[str, Any]:
    """dbt's manifest of the project as it stands; parsed once per state of the project."""
    cached = home.dbt / f"manifest-{project_hash()}.json"
    if not cached.exists():
        home.prepare()
        _invoke(home, ["parse"])
        write_bytes(cached, (home.dbt / "target" / "manifest.json").read_bytes())
    return _read_manifest(cached)


@lru_cache(maxsize=2)
def _read_manifest(path: Path) -> dict[str, Any]:
    """Some megabytes that every gate looks into; a file of this name never changes."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def build(home: Home, *, left_out: Iterable[str] = (), exclude_tests: bool = False) -> list[NodeResult]:
    """Run models and tests in order of the graph into the candidate, without the models `left_out`.

    A failed test stops what is built on it. `exclude_tests` exists for repairs at night; the gate
    then finds no evidence and holds every table.
    """
    excluded = ["unit_test", *(["test"] if exclude_tests else [])]
    arguments = ["build", *(f"--exclude-resource-type={kind}" for kind in excluded)]
    if names := sorted(left_out):
        arguments += ["--exclude", *names]
    results = _invoke(home, arguments)
    nodes = [
        NodeResult(r.node.unique_id, str(r.status), r.message, r.failures, r.execution_time)
        for r in results.result.results
    ]
    _record(home, nodes)
    return nodes


def recorded(home: Home) -> list[NodeResult]:
    """The results of the last build, as its evidence has them; for a candidate that stayed as it was."""
    with duckdb.connect(str(home.candidate), read_only=True) as connection:
        rows = connection.execute(
            "select unique_id, status, message, failures from evidence.dbt_result order by rowid"
        ).fetchall()
    return [
        NodeResult(unique_id, status, message, failures, 0.0) for unique_id, status, message, failures in rows
    ]


def structural_tests_behind(nodes: dict[str, Any], model: str) -> set[str]:
    """Every data test that touches a model, anything it is built from, or what goes out with every release."""
    roots = (model, "dim_area", "dim_period", "dim_school_type", "dim_indicator", "fct_survey_answer")
    wanted, queue = set(), [f"model.bildungsmonitor.{root}" for root in roots]
    while queue:
        node = queue.pop()
        if node in wanted:
            continue
        wanted.add(node)
        queue += nodes["parent_map"].get(node, [])
    return {
        name
        for name, node in nodes["nodes"].items()
        if node["resource_type"] == "test" and set(node["depends_on"]["nodes"]) & wanted
    }


def _record(home: Home, nodes: list[NodeResult]) -> None:
    """Leave the tests' results beside the data they speak of, for the gate."""
    rows = [
        {"unique_id": n.unique_id, "status": n.status, "failures": n.failures, "message": n.message}
        for n in nodes
    ]
    frame = pd.DataFrame(rows, columns=["unique_id", "status", "failures", "message"])
    frame = frame.astype({"failures": "Int64", "message": "str"})
    with duckdb.connect(str(home.candidate)) as connection:
        connection.execute("create schema if not exists evidence")
        connection.register("incoming", frame)
        connection.execute("create or replace table evidence.dbt_result as select * from incoming")


def _invoke(home: Home, arguments: list[str]) -> Any:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    # dbt prints to stdout what went wrong; stdout belongs to whoever asked for JSON.
    with _environment(home), redirect_stdout(sys.stderr):
        try:
            outcome = dbtRunner().invoke(
                [
                    *arguments,
                    f"--project-dir={PROJECT_DIR}",
                    f"--profiles-dir={PROJECT_DIR}",
                    f"--target-path={home.dbt / 'target'}",
                    f"--log-path={home.dbt / 'logs'}",
                    "--quiet",
                    "--no-use-colors",
                    "--no-version-check",
                ]
            )
        finally:
            DuckDBConnectionManager.close_all_connections()
    if outcome.exception is not None or outcome.result is None:
        raise DbtError(f"dbt {arguments[0]} did not run: {outcome.exception}")
    return outcome


@contextmanager
def _environment(home: Home) -> Iterator[None]:
    wanted = {
        "BILDUNGSMONITOR_CANDIDATE": str(home.candidate),
        "BILDUNGSMONITOR_HOME": str(home.path),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


__all__ = [
    "PROJECT_DIR",
    "DbtError",
    "NodeResult",
    "build",
    "manifest",
    "recorded",
    "structural_tests_behind",
]
