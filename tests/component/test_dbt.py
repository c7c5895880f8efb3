"""dbt's own unit tests: the rules that live in SQL, on rows written by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from expectations.catalogue import Catalogue
from orchestration.compute import dbt as night_dbt
from orchestration.compute.dbt import manifest, structural_tests_behind
from orchestration.resources.home import Home
from tests.support.nights import PROJECT, environment


def test_every_structural_test_can_hold_a_table(night_home: Path, catalogue: Catalogue) -> None:
    nodes = manifest(Home(night_home))
    tests = {name for name, node in nodes["nodes"].items() if node["resource_type"] == "test"}
    assert tests
    assert set().union(*(structural_tests_behind(nodes, name) for name in catalogue.published)) == tests


def dbt(home: Path, *arguments: str) -> str:
    """What dbt's own command prints about the candidate of a home."""
    project = PROJECT / "dbt_project"
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("dbt")), *arguments,
            f"--project-dir={project}", f"--profiles-dir={project}",
            f"--target-path={home / 'target'}", f"--log-path={home / 'target'}",
        ],
        env=environment(BILDUNGSMONITOR_CANDIDATE=str(home / "warehouse" / "candidate.duckdb")),
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_unit_tests_of_the_dbt_project_pass(home: Path) -> None:
    assert "PASS=26 WARN=0 ERROR=0" in dbt(home, "test", "--select", "test_type:unit")


@pytest.mark.full_tier
def test_docs_and_lineage_build_and_describe_every_published_column(home: Path, catalogue: Catalogue) -> None:
    dbt(home, "docs", "generate", "--static")
    page = (home / "target" / "static_index.html").read_text(encoding="utf-8")
    found = json.loads((home / "target" / "catalog.json").read_text(encoding="utf-8"))["nodes"]
    described = json.loads((home / "target" / "manifest.json").read_text(encoding="utf-8"))["nodes"]
    for name in catalogue.published:
        model = f"model.bildungsmonitor.{name}"
        assert name in page
        columns = {column.lower() for column in found[model]["columns"]}
        assert columns == {c for c, d in described[model]["columns"].items() if d["description"]}


@pytest.mark.full_tier
def test_a_damaged_cache_of_the_manifest_is_made_again(
    bare_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    first = manifest(bare_home)
    (folder,) = (tmp_path / "cache" / "bildungsmonitor" / "dbt").iterdir()
    night_dbt._read_manifest.cache_clear()
    (folder / "manifest.json").write_text("{", encoding="utf-8")
    again = manifest(bare_home)
    assert again["nodes"].keys() == first["nodes"].keys()
    (folder / "manifest.msgpack").write_bytes(b"damaged")
    done = night_dbt._invoke(bare_home, ["ls", "--output=name"], parsed=folder / "manifest.msgpack")
    assert "int_count" in done.result
    night_dbt._read_manifest.cache_clear()
