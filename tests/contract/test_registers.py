"""Nights of the registers alone: deliveries in, counts out, against plain pandas."""

from __future__ import annotations

import datetime as dt
import os
import re
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from typer.testing import CliRunner

from expectations.catalogue import Catalogue, load_catalogue
from expectations.catalogue.base import ages_of
from expectations.catalogue.registers import Register
from orchestration.cli import app
from orchestration.collect.registers import databases
from orchestration.collect.registers.collect import vault_of
from orchestration.collect.registers.door import Arrival, admit
from orchestration.collect.registers.drops import REPORT, Drop
from orchestration.collect.registers.landing import register_landing
from orchestration.collect.sample.register_files import Delivery
from orchestration.resources.home import Home
from orchestration.settings import ConfigurationError, Settings, load_settings
from tests.support.registers import KEY, NIGHT, city, collect, config_of, deliver, into_sqlite, tables_of


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BILDUNGSMONITOR_REGISTER_KEY", KEY)


def settings_of(folder: Path, only: list[str]) -> Settings:
    (folder / "drops").mkdir(exist_ok=True)
    return load_settings(config_of(folder / "city.yaml", {"drops": str(folder / "drops"), "only": only}))


def counts(home: Home, settings: Settings) -> pd.DataFrame:
    found = [pd.read_parquet(s.measures) for s in register_landing(home, settings).snapshots()]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def pick(frame: pd.DataFrame, measure: str, level: str, **cells: str) -> pd.Series:
    """Values by area: the cells named, totals everywhere else."""
    keep = (frame["measure_id"] == measure) & (frame["area_level"] == level)
    for name in load_catalogue().breakdowns:
        keep &= frame[name] == cells.get(name, "total")
    return frame[keep].set_index("area_code")["value"].astype(int)


def ages_on(births: pd.Series, day: dt.date) -> pd.Series:
    born = pd.to_datetime(births, format="%d.%m.%Y")
    before = (born.dt.month > day.month) | ((born.dt.month == day.month) & (born.dt.day > day.day))
    return day.year - born.dt.year - before.astype(int)


def test_residents_by_district_sex_and_age_equal_a_plain_count(tmp_path: Path, catalogue: Catalogue) -> None:
    settings, home = settings_of(tmp_path, ["block_sides", "residents"]), Home(tmp_path / "home")
    writer, deliveries = city()
    deliver(catalogue, tmp_path / "drops", deliveries, ["block_sides", "residents"])
    found = collect(settings, home, catalogue)
    assert [a.status for a in found["residents"]] == ["accepted"]
    mine = counts(home, settings)
    raw = deliveries["residents"].frame
    raw = raw[raw["Wohnstatus"] == "H"].merge(
        deliveries["block_sides"].frame[["Blockseite", "Stadtteil", "Schulbezirk"]]
    )
    raw["age"] = ages_on(raw["Geburtsdatum"], dt.date(2025, 12, 31))
    codes = {d.name: f"07111-{d.code}" for d in writer.districts}
    checked = 0
    for letter, sex in (("m", "male"), ("w", "female"), ("d", "diverse")):
        for cell in ("ALT000B01", "ALT003B06", "ALT006B07", "ALT018B20", "ALT090UM"):
            low, high = ages_of(cell) or (0, 0)
            part = raw[(raw["Geschlecht"] == letter) & raw["age"].between(low, high - 1)]
            plain = part.groupby("Stadtteil").size().rename(index=codes)
            told = pick(mine, "register_population", "city_district", sex=sex, age_group=cell)
            assert told[told > 0].to_dict() == plain.to_dict()
            checked += len(told)
    assert checked == 15 * 31, "30 Stadtteile and the place for the unassigned, zeros included"
    schools = raw.groupby("Schulbezirk").size().rename(index=lambda number: f"07111-SD{number}")
    told = pick(mine, "register_population", "school_district")
    assert told[told > 0].to_dict() == schools.to_dict()
    for level in (
        "city_district",
        "statistical_district",
        "school_district",
        "planning_district",
        "local_district",
    ):
        assert pick(mine, "register_population", level).sum() == len(raw), (
            f"areas of {level} add up to the city"
        )
    households = raw.groupby("Stadtteil")["Haushalt"].nunique().rename(index=codes)
    told = pick(mine, "register_households", "city_district")
    assert told[told > 0].to_dict() == households.to_dict()


def test_pupils_per_school_equal_a_plain_count(tmp_path: Path, catalogue: Catalogue) -> None:
    settings, home = settings_of(tmp_path, ["schools", "pupils"]), Home(tmp_path / "home")
    _, deliveries = city()
    deliver(catalogue, tmp_path / "drops", deliveries, ["schools", "pupils"])
    collect(settings, home, catalogue)
    mine, raw = counts(home, settings), deliveries["pupils"].frame
    for measure, part in (
        ("register_pupils", raw),
        ("register_all_day_pupils", raw[raw["Ganztag"].astype(str) == "1"]),
        ("register_in_commuting_pupils", raw[raw["Wohnort"] != "07111000"]),
    ):
        plain = part.groupby("Schulnummer").size().rename(index=lambda n: f"07111-S{n}")
        told = pick(mine, measure, "school")
        assert told[told > 0].to_dict() == plain.to_dict()
    girls = raw[(raw["Geschlecht"] == "w") & (raw["Schulart"] == "GYM")]
    told = pick(mine, "register_pupils", "district", sex="female", school_type="SCHULE08")
    assert told.to_dict() == {"07111": len(girls)}


@pytest.mark.full_tier  # the whole city through the door
def test_every_register_is_accepted_in_its_own_format(tmp_path: Path, catalogue: Catalogue) -> None:
    settings, home = settings_of(tmp_path, sorted(catalogue.registers)), Home(tmp_path / "home")
    _, deliveries = city()
    deliver(catalogue, tmp_path / "drops", deliveries)
    found = collect(settings, home, catalogue)
    assert {a.status for arrived in found.values() for a in arrived} == {"accepted"}
    assert set(found) == set(catalogue.registers)
    assert counts(home, settings)["measure_id"].nunique() == sum(
        m.register_ is not None for m in catalogue.measures.values()
    )
    for name in catalogue.registers:
        drop = Drop(tmp_path / "drops" / name)
        assert drop.arrivals() == []
        (report,) = drop.accepted.iterdir()
        assert report.name.endswith(REPORT), "the original is deleted once it has landed"
        assert "wurde angenommen" in report.read_text()
        assert "was accepted" in report.read_text()


def test_what_nobody_knows_is_named_and_counted(tmp_path: Path, catalogue: Catalogue) -> None:
    settings, home = settings_of(tmp_path, ["youth_work"]), Home(tmp_path / "home")
    _, deliveries = city()
    deliver(catalogue, tmp_path / "drops", deliveries, ["youth_work"])
    (arrived,) = collect(settings, home, catalogue)["youth_work"]
    raw = deliveries["youth_work"].frame
    strangers = int((raw["Stadtteil"] == "Karthause").sum())
    assert arrived.unmatched == {"Karthause": strangers}
    told = pick(counts(home, settings), "youth_work_offers", "city_district")
    assert told["07111-ST00"] == strangers
    assert told.sum() == len(raw)
    (report,) = (tmp_path / "drops" / "youth_work" / "accepted").iterdir()
    assert f"Karthause ({strangers})" in report.read_text()


def test_a_refused_delivery_changes_nothing_and_a_clean_one_heals_it(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    settings, home = settings_of(tmp_path, ["library"]), Home(tmp_path / "home")
    _, deliveries = city()
    drop = Drop(tmp_path / "drops" / "library")
    deliver(catalogue, tmp_path / "drops", deliveries, ["library"])
    good = drop.arrivals()[0].read_bytes()
    collect(settings, home, catalogue)
    before = counts(home, settings)
    path = drop.inbox / "library_20251231.xlsx"
    path.write_bytes(good[: len(good) // 2])
    (refused,) = collect(settings, home, catalogue, day=1)["library"]
    assert refused.status == "refused"
    assert [p.name for p in sorted(drop.rejected.iterdir())] == [path.name, path.name + REPORT]
    text = (drop.rejected / (path.name + REPORT)).read_text()
    assert "nicht angenommen" in text
    assert "legen Sie sie noch einmal" in text
    pd.testing.assert_frame_equal(counts(home, settings), before)
    frame = deliveries["library"].frame.copy()
    frame["Besuche"] += 1
    deliver(
        catalogue,
        tmp_path / "drops",
        {"library": type(deliveries["library"])("library", dt.date(2025, 12, 31), frame)},
    )
    (accepted,) = collect(settings, home, catalogue, day=2)["library"]
    assert accepted.status == "accepted"
    after = pick(counts(home, settings), "library_visits", "district")
    assert after["07111"] == pick(before, "library_visits", "district")["07111"] + 12


def test_the_same_delivery_again_is_known(tmp_path: Path, catalogue: Catalogue) -> None:
    settings, home = settings_of(tmp_path, ["museums"]), Home(tmp_path / "home")
    _, deliveries = city()
    for day, status in ((0, "accepted"), (1, "known")):
        deliver(catalogue, tmp_path / "drops", deliveries, ["museums"])
        assert [a.status for a in collect(settings, home, catalogue, day=day)["museums"]] == [status]
    assert Drop(tmp_path / "drops" / "museums").arrivals() == []


def test_a_killed_night_loses_nothing(
    tmp_path: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file stays in the drop folder until it is counted; then it is known and acknowledged."""
    from orchestration.collect.registers import collect as module

    settings, home = settings_of(tmp_path, ["museums"]), Home(tmp_path / "home")
    _, deliveries = city()
    deliver(catalogue, tmp_path / "drops", deliveries, ["museums"])

    def killed(*arguments: object, **more: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "count_deliveries", killed)
        with pytest.raises(KeyboardInterrupt):
            collect(settings, home, catalogue)
    drop = Drop(tmp_path / "drops" / "museums")
    assert len(drop.arrivals()) == 1
    (arrived,) = collect(settings, home, catalogue, day=1)["museums"]
    assert arrived.status == "known"
    assert drop.arrivals() == []
    assert counts(home, settings)["measure_id"].nunique() == 2


def test_purge_removes_expired_records_everywhere_and_leaves_the_counts(
    tmp_path: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["schools", "pupil_transport"]
    settings, home = settings_of(tmp_path, names), Home(tmp_path / "home")
    _, deliveries = city()
    deliver(catalogue, tmp_path / "drops", deliveries, names)
    collect(settings, home, catalogue)
    vault = vault_of(home, settings)
    before = counts(home, settings)
    with vault.opened() as connection:
        (kept,) = vault.deliveries(connection, "pupil_transport")
        with vault.records(connection, kept) as records:
            secrets = [
                row[0] for row in connection.execute(f"select pupil from {records} limit 50").fetchall()
            ]
    everything = b"".join(p.read_bytes() for p in home.path.rglob("*") if p.is_file())
    assert sum(secret in everything for secret in secrets) > 40, "what is sought is found while it is kept"
    days = catalogue.registers["pupil_transport"].retention_days + 1
    found = collect(settings, home, catalogue, day=days)
    assert {a.status for arrived in found.values() for a in arrived} <= {"late"}
    everything = b"".join(p.read_bytes() for p in home.path.rglob("*") if p.is_file())
    assert not any(secret in everything for secret in secrets)
    pd.testing.assert_frame_equal(counts(home, settings), before)
    (deletion,) = [d for d in vault.deletions() if d.what == "records"]
    assert (deletion.name, deletion.rows) == (kept.id, kept.rows)
    shown = CliRunner().invoke(
        app, ["vault", "log", "--config", str(tmp_path / "city.yaml"), "--home", str(home.path)]
    )
    assert shown.exit_code == 0
    assert f"records  {kept.id}, {kept.rows:,} records" in shown.output


def test_counts_outlive_their_records_and_a_changed_map_counts_anew(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    """With the records there, another spelling of a Stadtteil is counted in; without them, nothing changes."""
    settings, home = settings_of(tmp_path, ["youth_work"]), Home(tmp_path / "home")
    _, deliveries = city()
    deliver(catalogue, tmp_path / "drops", deliveries, ["youth_work"])
    collect(settings, home, catalogue)
    lost = pick(counts(home, settings), "youth_work_offers", "city_district")["07111-ST00"]
    assert lost > 0
    text = (tmp_path / "city.yaml").read_text()
    (tmp_path / "city.yaml").write_text(
        text.replace('"Karthause Nord"', '"Karthause Nord", "aliases": ["Karthause"]').replace(
            '"aliases": ["Karthause"], "aliases": []', '"aliases": ["Karthause"]'
        )
    )
    changed = load_settings(tmp_path / "city.yaml")
    collect(changed, home, catalogue, day=1)
    told = pick(counts(home, changed), "youth_work_offers", "city_district")
    assert told["07111-ST00"] == 0
    collect(changed, home, catalogue, day=800)  # the records are gone
    collect(settings, home, catalogue, day=801)
    assert pick(counts(home, settings), "youth_work_offers", "city_district").to_dict() == told.to_dict()


def test_a_register_without_a_key_is_not_opened(
    tmp_path: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, home = settings_of(tmp_path, ["museums"]), Home(tmp_path / "home")
    monkeypatch.delenv("BILDUNGSMONITOR_REGISTER_KEY")
    with pytest.raises(ConfigurationError, match="expected a key"):
        collect(settings, home, catalogue)
    shown = CliRunner().invoke(
        app, ["nightly", "--config", str(tmp_path / "city.yaml"), "--home", str(home.path)]
    )
    assert shown.exit_code == 2, "said before the night begins, which would fail for every other source"


def test_drop_folders_lie_outside_the_home(tmp_path: Path, catalogue: Catalogue) -> None:
    (tmp_path / "home").mkdir()
    path = config_of(tmp_path / "city.yaml", {"drops": str(tmp_path / "home" / "drops")})
    with pytest.raises(ConfigurationError, match="lies inside the home"):
        collect(load_settings(path), Home(tmp_path / "home"), catalogue)


def test_a_silent_database_is_late_and_its_password_is_not_told(tmp_path: Path, catalogue: Catalogue) -> None:
    url = "postgresql://reader:secret-word@127.0.0.1:9/none"
    path = config_of(
        tmp_path / "city.yaml", {"databases": [{"url": url, "registers": ["pupils"]}], "only": ["pupils"]}
    )
    (arrived,) = collect(load_settings(path), Home(tmp_path / "home"), catalogue)["pupils"]
    assert arrived.status == "late"
    assert "127.0.0.1" in arrived.reasons[0]
    everything = b"".join(p.read_bytes() for p in (tmp_path / "home").rglob("*") if p.is_file())
    assert b"secret-word" not in everything


def test_the_sample_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    runner = CliRunner()
    for name in ("a", "b"):
        done = runner.invoke(app, ["sample", "--out", str(tmp_path / name), "--years", "1"])
        assert done.exit_code == 0, done.output
    one, other = (
        {
            p.relative_to(tmp_path / n): p.read_bytes()
            for p in (tmp_path / n).rglob("*")
            if p.is_file() and p.suffix != ".sqlite"
        }
        for n in ("a", "b")
    )
    assert one == other
    assert len(one) == 42
    dump = (tmp_path / "a" / "07111" / "edoo.sql").read_text()
    assert re.search(r"copy asv\.svp_schueler_stamm from stdin;", dump)


def keeping(catalogue: Catalogue, register: str, days: int) -> Catalogue:
    declared = catalogue.registers[register].model_copy(update={"original_days": days})
    return catalogue.model_copy(update={"registers": {**catalogue.registers, register: declared}})


def test_originals_are_kept_as_long_as_declared_and_refused_files_wait_for_their_sender(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    settings, home = settings_of(tmp_path, ["museums"]), Home(tmp_path / "home")
    kept = keeping(catalogue, "museums", 5)
    _, deliveries = city()
    drop = Drop(tmp_path / "drops" / "museums")
    deliver(kept, tmp_path / "drops", deliveries, ["museums"])
    (drop.inbox / "broken.csv").write_bytes(b"x")
    collect(settings, home, kept)
    for path in (drop.accepted / "museums_20251231.csv", drop.rejected / "broken.csv"):
        os.utime(path, (NIGHT.timestamp(), NIGHT.timestamp()))
    collect(settings, home, kept, day=5)
    assert (drop.accepted / "museums_20251231.csv").exists()
    collect(settings, home, kept, day=6)
    assert [p.name for p in drop.accepted.iterdir()] == ["museums_20251231.csv" + REPORT]
    assert (drop.rejected / "broken.csv").exists()
    collect(settings, home, kept, day=31)
    assert [p.name for p in drop.rejected.iterdir()] == ["broken.csv" + REPORT]
    assert [d.reason for d in vault_of(home, settings).deletions()] == ["retention is over"] * 2


def test_a_block_side_counts_where_it_lay_on_the_day(tmp_path: Path, catalogue: Catalogue) -> None:
    """The bridge is dated: a block side that went to another Stadtteil takes nobody's past along."""
    settings, home = settings_of(tmp_path, ["block_sides", "residents"]), Home(tmp_path / "home")
    _, deliveries = city()
    sides = deliveries["block_sides"].frame.copy()
    moved = sides.iloc[[0]].assign(**{"Stadtteil": "Lay", "gültig ab": "01.07.2026"})
    sides.loc[sides.index[0], "gültig bis"] = "30.06.2026"
    sides = pd.concat([sides, moved], ignore_index=True)
    people = deliveries["residents"].frame
    people = people[people["Blockseite"] == sides["Blockseite"].iloc[0]]
    assert len(people) > 5
    later = people.assign(Stichtag="30.09.2026")
    drops = tmp_path / "drops"
    bridge = Delivery("block_sides", dt.date(2026, 9, 30), sides)
    deliver(
        catalogue,
        drops,
        {"block_sides": bridge, "residents": Delivery("residents", dt.date(2025, 12, 31), people)},
    )
    found = collect(settings, home, catalogue)
    deliver(catalogue, drops, {"residents": Delivery("residents", dt.date(2026, 9, 30), later)})
    found |= collect(settings, home, catalogue, day=1)
    assert [a.status for a in found["residents"]] == ["accepted"]
    frame = counts(home, settings)
    told = frame[
        (frame["measure_id"] == "register_households")
        & (frame["area_level"] == "city_district")
        & (frame["value"] > 0)
    ]
    before, after = (
        set(told[told["period_label"] == label]["area_code"]) for label in ("31.12.2025", "30.09.2026")
    )
    assert before == {"07111-ST01"}
    assert after == {"07111-ST12"}


@pytest.mark.parametrize("name", ["pupils", "museums", "adult_education"])
def test_every_database_can_be_read_the_portable_way(
    tmp_path: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """SQLAlchemy's route, for MariaDB, SQL Server and Oracle, gives what ADBC gives."""
    writer, deliveries = city()
    url = into_sqlite(tables_of(catalogue, writer, deliveries), tmp_path / "registers.sqlite")
    register = catalogue.registers[name].for_city("07111")
    day = databases.references(url, register)[-1]

    def rows() -> list[tuple[object, ...]]:
        arrival = databases.read_database(url, register, day)
        admitted = admit(register, arrival, b"k" * 32, tmp_path / "door.duckdb", NIGHT.date())
        with duckdb.connect(str(admitted.path), read_only=True) as connection:
            return sorted(connection.execute("select * from admitted").fetchall(), key=repr)

    fast = rows()
    monkeypatch.setattr(databases, "_with_adbc", databases._with_sqlalchemy)
    assert rows() == fast
    assert len(fast) == len(deliveries[name].frame)


def test_a_fault_of_ours_harms_one_register_and_quotes_nothing(
    tmp_path: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orchestration.collect.registers import reception as module

    settings, home = settings_of(tmp_path, ["library", "museums"]), Home(tmp_path / "home")
    _, deliveries = city()
    deliver(catalogue, tmp_path / "drops", deliveries, ["library", "museums"])
    (Drop(tmp_path / "drops" / "museums").inbox / "second.csv").write_bytes(b"x")
    read_file = module.read_file

    def faulty(register: Register, path: Path) -> Arrival:
        if register.id == "library" or path.name == "second.csv":
            raise KeyError("Zwirnsteiner")
        return read_file(register, path)

    with monkeypatch.context() as patch:
        patch.setattr(module, "read_file", faulty)
        found = collect(settings, home, catalogue)
    assert [a.status for a in found["museums"]] == ["accepted", "late"], "what came before it is told"
    assert [(a.status, a.reasons) for a in found["library"]] == [("late", ["not taken in: KeyError"])]
    assert len(Drop(tmp_path / "drops" / "library").arrivals()) == 1, "the file waits for the next night"
    assert [a.status for a in collect(settings, home, catalogue, day=1)["library"]] == ["accepted"]


def test_a_folder_that_can_not_be_read_harms_its_own_register(tmp_path: Path, catalogue: Catalogue) -> None:
    settings, home = settings_of(tmp_path, ["library", "museums"]), Home(tmp_path / "home")
    _, deliveries = city()
    deliver(catalogue, tmp_path / "drops", deliveries, ["museums"])
    (tmp_path / "drops" / "library").write_text(
        "somebody's file where the folder should be", encoding="utf-8"
    )
    found = collect(settings, home, catalogue)
    assert [a.status for a in found["museums"]] == ["accepted"]
    assert [(a.status, a.reasons) for a in found["library"]] == [
        ("late", ["not taken in: NotADirectoryError"])
    ]


def test_a_database_that_is_not_there_is_late_and_not_made(tmp_path: Path, catalogue: Catalogue) -> None:
    missing = tmp_path / "none.sqlite"
    databases_ = [{"url": f"sqlite:///{missing}", "registers": ["library"]}]
    path = config_of(tmp_path / "city.yaml", {"databases": databases_, "only": ["library"]})
    (arrived,) = collect(load_settings(path), Home(tmp_path / "home"), catalogue)["library"]
    assert arrived.status == "late"
    assert not missing.exists()
