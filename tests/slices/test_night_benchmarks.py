"""A small slice of the benchmarks of the night itself; the whole ones run by `make bench` and `make scale`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks import gate, night, scale
from tests.support.nights import tiny_config


def test_the_benchmark_of_the_night_measures_stages_and_dbt_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tiny_config(tmp_path / "city.yaml")
    night.main(["--runs", "1", "--no-warm-up", "--config", str(config)])
    printed = capsys.readouterr().out
    rows = ("compute: confidential counts", "confirm", "wall time", "processor time", "peak memory, MiB")
    assert all(f"  {row}" in printed for row in rows)
    assert "dbt build alone on its candidate" in printed


def test_the_benchmark_of_the_night_sees_another_release(night_home: Path, tiny_home: Path) -> None:
    assert night.differing(night_home, night_home) == []
    assert "manifest.json: tables" in night.differing(night_home, tiny_home)


def test_the_benchmark_of_the_gate_compares_with_plain_sql(
    night_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gate.main(night_home, 1, sizes=())
    printed = capsys.readouterr().out
    assert "of the rules as plain SQL" in printed
    assert "verdicts and" in printed


def test_the_benchmark_of_scale_computes_a_district(tmp_path: Path) -> None:
    found = scale.one_district(tmp_path, scale.HOME, 1)
    assert set(found["seconds"]) == set(scale.STEPS)
    assert found["values"] > 10_000
