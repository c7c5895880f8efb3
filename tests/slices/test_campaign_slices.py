"""A small slice of each long campaign; the whole ones run by `make campaigns`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from expectations.checks import CHECKS
from tests.benchmarks import publishing
from tests.campaigns import faults, gate_mutations, kills, mutations, publications


def test_a_kill_leaves_a_whole_release(tmp_path: Path, city_base: Path) -> None:
    assert kills.campaign(1, seed=7, folder=tmp_path, after=city_base)


def test_two_publications_disturb_no_reader(tmp_path: Path, city_base: Path) -> None:
    shutil.copytree(city_base, tmp_path / "city", symlinks=True)
    assert publications.campaign(2, readers=1, folder=tmp_path / "city")


def test_every_kind_of_damage_is_refused_at_the_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BILDUNGSMONITOR_REGISTER_KEY", "set by the campaign itself, restored afterwards")
    count = len(mutations.DAMAGES)
    outcomes, wrong = mutations.run(count, tmp_path)
    assert wrong == []
    assert outcomes == {"refused for the right reason": count}


def test_the_benchmark_of_publishing_measures_every_route(capsys: pytest.CaptureFixture[str]) -> None:
    publishing.publish_many(20_000)
    printed = capsys.readouterr().out
    assert all(f"{what}:" in printed for what in ("Parquet", "mart.duckdb", "PostgreSQL, 20,000 rows"))
    assert "bare COPY" in printed
    assert "to_sql" in printed


def test_a_disabled_check_is_missed(night_home: Path) -> None:
    """Three of the checks; one that is blind survives no test."""
    assert gate_mutations.survivors(night_home, CHECKS[20::15]) == []


def test_mistakes_are_caught_and_a_clean_night_is_not_held(tmp_path: Path) -> None:
    town = faults.FaultyCity(tmp_path, ("21111-02-06-4.csv",), ("pub_leavers",))
    kinds = ("two columns exchanged at home", "zero for missing in a column")
    for name in kinds:
        caught, what = faults.judged(town, "file", name, 0)
        assert caught, (name, what)
    good, what = faults.judged(town, "clean", "clean", 0)
    assert good, what
