"""dbt in this process: parse, build, and the evidence its tests leave behind.

In process it is two to three times faster than a subprocess, but it keeps the database locked
until its connections are closed, which `_invoke` does whatever happens.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from orchestration.resources.cache import cache_folder
from orchestration.resources.files import remove, write_bytes
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


BEFORE_DISCLOSURE, AFTER_DISCLOSURE = "before", "after"
"""The two selections of the graph: what the confidential counts are computed from, and what is computed from them."""

_CONFIDENTIAL = "source.bildungsmonitor.disclosure.int_confidential_count"
"""The confidential counts, as dbt's manifest names them."""

BETWEEN = {_CONFIDENTIAL: ("model.bildungsmonitor.int_count", "model.bildungsmonitor.fct_measure")}
"""What is computed between the two selections (a source of the dbt project), and from which models."""

_SELECTED = "source:disclosure.int_confidential_count+"
"""The confidential counts and everything that descends from them, as dbt selects it."""


def project_hash() -> str:
    """Over every file of the dbt project: a manifest made from others is stale."""
    digest = hashlib.sha256()
    for path in sorted(PROJECT_DIR.rglob("*")):
        if path.is_file() and path.suffix in (".sql", ".py", ".yml", ".md"):
            digest.update(path.relative_to(PROJECT_DIR).as_posix().encode() + b"\0")
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def manifest(home: Home) -> dict[str, Any]:
    """dbt's manifest of the project as it stands, parsed once per state of the project for all homes of a user."""
    try:
        return _read_manifest(_parsed(home) / "manifest.json")
    except (OSError, ValueError):
        # Somebody has damaged or emptied the cache.
        remove(_parsed(home))
        return _read_manifest(_parsed(home) / "manifest.json")


def _parsed(home: Home) -> Path:
    """The folder with `manifest.json` and `manifest.msgpack` (dbt's own form) of the project as it stands."""
    versions = [f"{name} {metadata.version(name)}" for name in ("dbt-core", "dbt-duckdb")]
    key = hashlib.sha256("\0".join([project_hash(), str(PROJECT_DIR), *versions]).encode()).hexdigest()[:16]
    folder = (cache_folder("dbt") or home.dbt) / key
    if not (folder / "manifest.msgpack").exists():
        home.prepare()
        _invoke(home, ["parse"])
        target = home.dbt / "target"
        folder.mkdir(exist_ok=True)
        write_bytes(folder / "manifest.json", (target / "manifest.json").read_bytes())
        # The last one written says that both are there.
        write_bytes(folder / "manifest.msgpack", (target / "partial_parse.msgpack").read_bytes())
    return folder


@lru_cache(maxsize=2)
def _read_manifest(path: Path) -> dict[str, Any]:
    """Some megabytes that every gate looks into; a file of this name never changes."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def build(
    home: Home,
    selection: str,
    *,
    left_out: Iterable[str] = (),
    exclude_tests: bool = False,
    before: Sequence[NodeResult] = (),
) -> list[NodeResult]:
    """Run the models and tests of one selection in order of the graph, without the models `left_out`.

    A failed test stops what is built on it; `before` has the results of the other selection, for which the same
    holds. `exclude_tests` exists for repairs at night; the gate then finds no evidence and holds every table.
    Raises DbtError if dbt can't run at all.
    """
    excluded = ["unit_test", *(["test"] if exclude_tests else [])]
    # Its manifest and its log of every step are read by nobody.
    arguments = [
        "build",
        "--no-write-json",
        "--log-level-file=warn",
        *(f"--exclude-resource-type={kind}" for kind in excluded),
    ]
    names = sorted(left_out)
    blocked: list[str] = []
    if selection == AFTER_DISCLOSURE:
        nodes = manifest(home)
        wanted = descendants(nodes, [_CONFIDENTIAL])
        blocked = sorted(wanted & blocked_by(nodes, before))
        if blocked and set(blocked) >= {n for n in wanted if nodes["nodes"][n]["resource_type"] == "model"}:
            return _skipped(sorted(wanted))
        arguments += ["--select", _SELECTED]
        names += [nodes["nodes"][name]["name"] for name in blocked]
    else:
        names.append(_SELECTED)
    if names:
        arguments += ["--exclude", *names]
    results = _invoke(home, arguments, parsed=_parsed(home) / "manifest.msgpack")
    return [
        NodeResult(r.node.unique_id, str(r.status), r.message, r.failures, r.execution_time)
        for r in results.result.results
    ] + _skipped(blocked)


def _skipped(names: Iterable[str]) -> list[NodeResult]:
    return [NodeResult(name, "skipped", None, None, 0.0) for name in names]


def descendants(nodes: dict[str, Any], roots: Iterable[str]) -> set[str]:
    """Every model and data test that is computed from these nodes; the nodes themselves are not in it."""
    found: set[str] = set()
    queue = list(roots)
    while queue:
        for child in nodes["child_map"].get(queue.pop(), []):
            if child not in found and child.startswith(("model.", "test.")):
                found.add(child)
                queue.append(child)
    return found


def blocked_by(nodes: dict[str, Any], results: Iterable[NodeResult]) -> set[str]:
    """The models and tests that may not be built on these results.

    They descend from a model that failed or was skipped, or from all models that a failed test speaks of.
    """
    found: set[str] = set()
    for result in results:
        if result.status in ("success", "pass", "warn"):
            continue
        if result.unique_id.startswith("model."):
            found |= {result.unique_id, *descendants(nodes, [result.unique_id])}
        else:
            tested = nodes["parent_map"].get(result.unique_id, [])
            if tested:
                found |= set.intersection(*(descendants(nodes, [name]) for name in tested))
    return found


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
        queue += [*nodes["parent_map"].get(node, []), *BETWEEN.get(node, ())]
    return {
        name
        for name, node in nodes["nodes"].items()
        if node["resource_type"] == "test" and set(node["depends_on"]["nodes"]) & wanted
    }


def record(home: Home, nodes: list[NodeResult]) -> None:
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


def _invoke(home: Home, arguments: list[str], parsed: Path | None = None) -> Any:
    """Run dbt. `parsed`: the manifest to run on, instead of parsing the project."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumuro_decoder

    # dbt prints to stdout what went wrong; stdout belongs to whoever asked for JSON.
    with _environment(home), redirect_stdout(sys.stderr):
        try:
            known = None
            if parsed is not None:
                # dbt writes into the manifest it runs on: each run reads its own. One that is damaged is parsed again.
                with suppress(Exception):
                    known = Manifest.from_msgpack(parsed.read_bytes(), decoder=extended_mashumuro_decoder)
            outcome = dbtRunner(manifest=known).invoke(
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
    "AFTER_DISCLOSURE",
    "BEFORE_DISCLOSURE",
    "BETWEEN",
    "PROJECT_DIR",
    "DbtError",
    "NodeResult",
    "blocked_by",
    "build",
    "descendants",
    "manifest",
    "record",
    "recorded",
    "structural_tests_behind",
]
