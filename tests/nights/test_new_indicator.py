"""A new indicator of a common kind: one YAML file, nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from tests.support.nights import PROJECT, environment, tiny_config

YAML = """
id: childminder_share_percent
code: K9.9
label: {de: Anteil der Tagespflege an den betreuten Kindern, en: Childminders' share of children in care}
purpose: {de: Gewicht der Tagespflege, en: Weight of childminding}
interpretation: {de: Kinder in beiden Formen zählen in beiden, en: Children in both types count in both}
calculation: {de: Kinder in Tagespflege / betreute Kinder × 100, en: Children with childminders / children in care × 100}
kind: share
numerator: {measure: children_in_day_care, where: {care_type: childminder}}
denominator: {measure: children_in_day_care}
unit: percent
decimals: 2
breakdowns: [age_group]
valid_range: [0, 60]
continuity: {max_change_points: 12, from_denominator: 200}
coverage: {levels: [country, state, district], min_share: 0.9}
fields_of_action: [individual_support]
table: pub_early_childhood
owner: education-monitoring
better: none
status: published
"""


def test_one_yaml_file_is_an_indicator_everywhere(tmp_path: Path) -> None:
    """In a copy of the project: add the file, run a night, find it in all five places."""
    project, home = tmp_path / "project", tmp_path / "var"
    for part in ("orchestration", "expectations", "dbt_project", "config"):
        shutil.copytree(
            PROJECT / part, project / part, ignore=shutil.ignore_patterns("__pycache__", "target")
        )
    target = project / "expectations/catalogue/indicators/early_childhood/childminder_share_percent.yml"
    target.write_text(YAML, encoding="utf-8")

    def cli(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", "from orchestration.cli import main; main()", *arguments],
            cwd=project,
            env=environment(PYTHONPATH=str(project), SOURCE_DATE_EPOCH="1795600000"),
            capture_output=True,
            text=True,
        )

    plain = str(tiny_config(tmp_path / "plain.yaml", "pub_early_childhood"))
    night = cli("nightly", "--home", str(home), "--json", "--config", plain)
    assert night.returncode == 0, night.stdout + night.stderr

    current = home / "releases" / "current"
    mart = duckdb.connect(str(current / "mart.duckdb"), read_only=True)
    rows = mart.execute(
        """select value, numerator, denominator from indicator_value
        where indicator_id = 'childminder_share_percent' and area_code = '07111'
        and age_group = 'ALT000B03' and period_end = date '2026-03-01'"""
    ).fetchall()
    assert len(rows) == 1
    value, numerator, denominator = rows[0]
    assert value == round(10000 * numerator / denominator) / 100
    assert mart.execute(
        "select code from indicator where indicator_id = 'childminder_share_percent'"
    ).fetchall() == [("K9.9",)]
    explained = cli("explain", "childminder_share_percent", "--home", str(home))
    assert explained.returncode == 0, explained.stderr
    assert "Gewicht der Tagespflege" in explained.stdout
    assert "22543-01-02-4" in explained.stdout
    verdicts = pq.read_table(current / "verdicts.parquet").to_pylist()
    checks = {v["check"] for v in verdicts if v["scope"] == "childminder_share_percent"}
    assert checks >= {"range", "continuity", "coverage", "part_of_whole", "rate_recomputed", "unusual_change"}
    dictionary = (current / "dictionary.html").read_text(encoding="utf-8")
    assert "Anteil der Tagespflege an den betreuten Kindern" in dictionary
