"""dbt's own unit tests: the rules that live in SQL, on rows written by hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from expectations.catalogue import Catalogue
from orchestration.compute.dbt import manifest, structural_tests_behind
from orchestration.resources.home import Home
from tests.nights import PROJECT, environment


def test_every_structural_test_can_hold_a_table(night_home: Path, catalogue: Catalogue) -> None:
    nodes = manifest(Home(night_home))
    tests = {name for name, node in nodes["nodes"].items() if node["resource_type"] == "test"}
    assert tests
    assert set().union(*(structural_tests_behind(nodes, name) for name in catalogue.published)) == tests


def test_the_unit_tests_of_the_dbt_project_pass(home: Path) -> None:
    project = PROJECT / "dbt_project"
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("dbt")), "test", "--select", "test_type:unit",
            f"--project-dir={project}", f"--profiles-dir={project}",
            f"--target-path={home / 'target'}", f"--log-path={home / 'target'}",
        ],
        env=environment(BILDUNGSMONITOR_CANDIDATE=str(home / "warehouse" / "candidate.duckdb")),
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "PASS=5 WARN=0 ERROR=0" in done.stdout
