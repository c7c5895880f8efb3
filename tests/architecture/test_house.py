"""The house's rules that no linter knows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import yaml

from expectations import checks
from expectations.catalogue import Catalogue
from expectations.checks import CHECKS
from orchestration.compute.candidate import SLOTS
from tests.nights import PROJECT, environment

SOURCES = [p for d in ("orchestration", "expectations") for p in (PROJECT / d).rglob("*.py")]


def test_dbt_has_the_breakdowns_of_the_catalogue_in_their_order(catalogue: Catalogue) -> None:
    project = yaml.safe_load((PROJECT / "dbt_project" / "dbt_project.yml").read_text())
    assert project["vars"]["breakdowns"] == list(catalogue.breakdowns)
    assert project["vars"]["genesis_slots"] == SLOTS


def test_every_published_table_has_its_model(catalogue: Catalogue) -> None:
    models = {p.stem for p in (PROJECT / "dbt_project/models/marts/published").glob("*.sql")}
    assert models == set(catalogue.published)


def test_no_dbt_file_names_an_indicator(catalogue: Catalogue) -> None:
    text = "\n".join(p.read_text() for p in (PROJECT / "dbt_project").rglob("*.sql"))
    named = [i for i in catalogue.indicators if re.search(rf"\b{i}\b", text) and i not in catalogue.measures]
    assert named == []


def test_every_module_says_what_belongs_there() -> None:
    bare = [
        p.relative_to(PROJECT).as_posix() for p in SOURCES if not p.read_text().lstrip().startswith('"""')
    ]
    assert bare == []


def test_every_check_answers_the_three_questions() -> None:
    """One file, one check, one docstring."""
    folder = Path(checks.__file__).parent
    files = {p.stem for p in folder.glob("*.py")} - {"__init__", "base", "by_suite", "changes"}
    assert len(files) == len(CHECKS)
    for name in files:
        text = sys.modules[f"expectations.checks.{name}"].__doc__ or ""
        for question in ("What:", "When it matters:", "How to resolve:"):
            assert question in text, (name, question)


def test_definitions_import_nothing_heavy() -> None:
    """dbt, Great Expectations and pyarrow's readers are imported by the step that needs them."""
    code = (
        "import sys, orchestration.definitions;"
        "print([m for m in ('great_expectations', 'dbt', 'frictionless') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, env=environment()
    )
    assert done.stdout.strip() == "[]", done.stderr


BLOCKER = """
import socket, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"dbt", "dagster", "great_expectations"}:
            raise ImportError(f"{name} is not for unit tests")

sys.meta_path.insert(0, Blocked())

def no_network(*_):
    raise OSError("no network in unit tests")

socket.socket.connect = no_network
"""


def test_unit_tests_need_no_network_dbt_dagster_or_great_expectations(tmp_path: Path) -> None:
    (tmp_path / "blocker.py").write_text(BLOCKER)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/unit", "-p", "blocker", "-p", "no:cacheprovider"],
        cwd=PROJECT, env=environment(PYTHONPATH=str(tmp_path), BILDUNGSMONITOR_EXAMPLES="3"),
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]


def test_sql_that_differs_between_engines_is_dispatched() -> None:
    """The models use no function of one engine only; macros/engine.sql is the place for those."""
    only_here = r"\b(strftime|list_transform|regexp_matches|epoch|exclude|qualify|arg_max|filter \(where)\b"
    found = {
        p.name: re.findall(only_here, p.read_text())
        for p in (PROJECT / "dbt_project" / "models").rglob("*.sql")
        if re.search(only_here, p.read_text())
    }
    assert found == {}
