"""A small slice of each long campaign; the whole ones run by `make campaigns`.

Slices of others stand where their subject is: `same_bytes` in tests/nights/test_same_bytes.py, `releases` in tests/nights/test_ledger.py, `increments` in
tests/nights/test_increments.py, `findings` in tests/unit/test_findings.py, `stranger` in
tests/slices/test_stranger.py, `traps` in tests/architecture/test_traps.py.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from expectations.checks import CHECKS
from tests.campaigns import (
    disclosure,
    faults,
    gate_mutations,
    kills,
    mutations,
    network,
    planted_city,
    publications,
    publisher_kills,
    readers,
)
from tests.support.seeds import clone


def test_a_kill_leaves_a_whole_release(tmp_path: Path, city_base: Path) -> None:
    assert kills.campaign(1, seed=7, folder=tmp_path, after=city_base)


def test_two_publications_disturb_no_reader(tmp_path: Path, city_base: Path) -> None:
    assert publications.campaign(2, readers=1, folder=clone(city_base, tmp_path / "city"))


def test_readers_under_fire_get_whole_answers(
    tmp_path: Path,
    city_base: Path,
    postgresql: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One reader of each kind; how long they wait is measured by the campaign, on a machine that does nothing else."""
    monkeypatch.setattr(readers, "QUIET", 1.0)
    folder = clone(city_base, tmp_path / "city")
    readers.campaign(
        1, 1, len(readers.KINDS), folder, postgresql.replace("postgresql://", "postgresql+psycopg://")
    )
    assert ", 0 failed, 0 mixed" in capsys.readouterr().out


def test_a_killed_publisher_leaves_files_and_database_whole(
    tmp_path: Path, city_base: Path, postgresql: str
) -> None:
    """In a database of its own: `postgresql` serves other tests of this module."""
    import sqlalchemy as sa

    url = sa.make_url(postgresql.replace("postgresql://", "postgresql+psycopg://"))
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text("create database killed"))
    engine.dispose()
    own = url.set(database="killed").render_as_string(hide_password=False)
    assert publisher_kills.campaign(1, seed=3, folder=clone(city_base, tmp_path / "city"), url=own)


def test_every_kind_of_damage_is_refused_at_the_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BILDUNGSMONITOR_REGISTER_KEY", "set by the campaign itself, restored afterwards")
    count = len(mutations.DAMAGES)
    outcomes, wrong = mutations.run(count, tmp_path)
    assert wrong == []
    assert outcomes == {"refused for the right reason": count}


def test_a_night_of_faults_and_a_quiet_one_land_every_table_once(tmp_path: Path) -> None:
    statuses, faults_met = network.night(seed=1, share=0.05, folder=tmp_path)
    assert statuses.total() == 40
    assert faults_met.total() > 0


def test_brute_force_agrees_on_a_few_tables_and_mutations() -> None:
    disclosure.brute_force(10)
    unsafe, safe, wrong = disclosure.mutations(4, ("area", "type"))
    assert unsafe + safe == 4
    assert wrong == 0


def test_truths_of_nearly_every_kind_are_planted() -> None:
    """Of those about the smallest groups of children a city may have no place that is large enough."""
    frames, _ = planted_city.delivered(1)
    planted = planted_city.planted(frames[max(planted_city.YEARS)], 1)
    assert len(planted) == planted_city.EFFECTS
    assert len({effect.name for effect, _ in planted}) >= len(planted_city.KINDS) - 2


def test_planted_truths_are_found_in_one_city(tmp_path: Path) -> None:
    """Without residents, whose small counts take minutes to protect: in schools, and in figures of Stadtteile."""
    registers = (
        "block_sides", "schools", "pupils", "school_movements", "learning_materials",
        "education_package", "holiday_programme",
    )  # fmt: skip
    found = planted_city.one_city(1, tmp_path, registers)
    assert found["planted"] >= 10
    assert len(found["missed"]) <= found["planted"] / 5
    assert len(found["false"]) <= found["findings"] / 5


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
