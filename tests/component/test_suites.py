"""All tables together, in one checkpoint and by several workers, say of each what is said of the table alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from expectations.catalogue import Catalogue
from expectations.suites import run
from orchestration.confirm import gate
from orchestration.resources.workers import Workers
from orchestration.settings import catalogue_of, load_settings
from tests.checks.subjects import Subjects

Frames = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def tables(city_base: Path) -> tuple[Frames, Catalogue]:
    subjects = Subjects(city_base / "var", city_base / "city.yaml")
    frames = {name: s.frame for name, s in subjects.items() if s.frame is not None and not s.frame.empty}
    return frames, catalogue_of(load_settings(city_base / "city.yaml"))


@pytest.mark.full_tier
def test_workers_judge_as_one_process_does(city_base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With more groups of tables than are sent to the workers at once."""
    subjects = dict(Subjects(city_base / "var", city_base / "city.yaml"))
    workers = Workers(2)
    assert len(subjects) > workers.count + 1
    monkeypatch.setattr(gate, "_of_like_weight", lambda sent, count: [[name] for name in sent])
    alone = gate.judge_all(subjects)
    try:
        together = gate.judge_all(subjects, workers)
    finally:
        workers.close()
    assert together == alone
    assert all(found for found in alone[0].values())


def facts_of(results: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Of every result what checks read; results have no order."""
    return sorted(
        (
            r["expectation_config"]["type"], r["expectation_config"]["meta"]["check"], r["success"],
            sorted(r["result"].get("unexpected_index_list") or []), r["result"].get("unexpected_count") or 0,
        )
        for r in results
    )  # fmt: skip


def test_good_tables_are_one_batch(tables: tuple[Frames, Catalogue], monkeypatch: pytest.MonkeyPatch) -> None:
    frames, catalogue = tables
    alone = {name: facts_of(run.run_suites({name: frame}, catalogue)[name]) for name, frame in frames.items()}
    runs = []
    once = run._run
    monkeypatch.setattr(run, "_run", lambda *given: runs.append(1) or once(*given))
    together = run.run_suites(frames, catalogue)
    assert {name: facts_of(results) for name, results in together.items()} == alone
    assert len(runs) == 1
    assert all(success for results in alone.values() for _, _, success, _, _ in results)


def test_a_column_of_whole_numbers_joins_the_batch(
    tables: tuple[Frames, Catalogue], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no value of a column is missing, pandas has whole numbers, and else fractions."""
    frames, catalogue = tables
    whole = frames["pub_leavers"].assign(rank=1)
    assert str(whole["rank"].dtype) != str(frames["pub_leavers"]["rank"].dtype)
    runs = []
    once = run._run
    monkeypatch.setattr(run, "_run", lambda *given: runs.append(1) or once(*given))
    together = run.run_suites({**frames, "pub_leavers": whole}, catalogue)
    assert len(runs) == 1
    for name, frame in {**frames, "pub_leavers": whole}.items():
        assert facts_of(together[name]) == facts_of(run.run_suites({name: frame}, catalogue)[name])


def out_of_range(frame: pd.DataFrame) -> pd.DataFrame:
    wrong = frame.copy()
    wrong.loc[wrong["unit"].astype(str) == "percent", "value"] = 140.0
    return wrong


def another_unit(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(unit="EUR").astype({"unit": "category"})


def twice(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame, frame.iloc[:3]], ignore_index=True)


def foreign_indicator(frame: pd.DataFrame) -> pd.DataFrame:
    names = frame["indicator_id"].astype(str).where(frame.index != frame.index[0], "live_births")
    return frame.assign(indicator_id=names.astype("category"))


def column_lost(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.drop(columns="status")


def texts_for_numbers(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(value=frame["value"].astype(str))


@pytest.mark.parametrize(
    "poison", [out_of_range, another_unit, twice, foreign_indicator, column_lost, texts_for_numbers]
)
def test_a_broken_table_is_told_as_if_it_were_alone(tables: tuple[Frames, Catalogue], poison: Any) -> None:
    frames, catalogue = tables
    poisoned = {**frames, "pub_leavers": poison(frames["pub_leavers"])}
    together = run.run_suites(poisoned, catalogue)
    alone = run.run_suites({"pub_leavers": poisoned["pub_leavers"]}, catalogue)["pub_leavers"]
    assert facts_of(together["pub_leavers"]) == facts_of(alone)
    assert not all(r["success"] for r in together["pub_leavers"])
    for name in frames:
        if name != "pub_leavers":
            assert all(r["success"] for r in together[name]), name
