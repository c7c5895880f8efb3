"""The gate at night: what is refused, what goes out all the same, and what readers keep."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest

from expectations.catalogue import Catalogue
from orchestration.collect.genesis import read_official
from orchestration.publish.release import Release, ReleaseStore
from tests.support.deliveries import edit_line, newer
from tests.support.nights import folder_config, run
from tests.support.printing import cells_of_rows, flat_today

LATER = "1795600000"
WAIVED = "1795650000"
LATER_STILL = "1795700000"
LEAVERS = "21111-02-06-4.csv"


@pytest.fixture
def city(city_base: Path, tmp_path: Path) -> Path:
    """A city of one's own."""
    shutil.copytree(city_base, tmp_path / "city", symlinks=True)
    own = folder_config(tmp_path / "city" / "city.yaml", tmp_path / "city" / "delivery")
    (tmp_path / "city" / "own").mkdir()
    own.write_text(own.read_text() + f"catalogue: {tmp_path / 'city' / 'own'}\n", encoding="utf-8")
    return tmp_path / "city"


def arguments(city: Path) -> list[str]:
    return ["--config", str(city / "city.yaml"), "--home", str(city / "var"), "--json"]


def served(city: Path) -> Release:
    release = ReleaseStore(city / "var" / "releases").current()
    assert release is not None
    assert release.damage() == []
    return release


def abitur(release: Release) -> float:
    rows = (
        duckdb.connect(str(release.folder / "mart.duckdb"), read_only=True)
        .execute(
            """select numerator from indicator_value where indicator_id = 'leavers_with_abitur_percent'
            and area_code = '07111' and period_label = '2024/25' and sex = 'total'"""
        )
        .fetchall()
    )
    return rows[0][0]


def poison(city: Path) -> None:
    """Koblenz's Abitur column ten times too high, as a lost decimal makes it."""
    file = city / "delivery" / LEAVERS
    line = next(x for x in file.read_text(encoding="cp1252").split("\n") if x.startswith("2025;07111;"))
    edit_line(file, "2025;07111;", {15: str(10 * int(line.split(";")[15]))})
    newer(file, "20.11.2026")


def test_a_poisoned_indicator_holds_its_table_only(city: Path) -> None:
    before = served(city)
    reader = duckdb.connect(str(before.folder / "mart.duckdb"), read_only=True)
    poison(city)
    # Another table changes a figure that is published, and nobody has declared it.
    births = city / "delivery" / "12612-01-01-4_00.csv"
    edit_line(births, "2025;07131;", {3: "1000", 4: "510", 5: "490"}, "utf-8")
    newer(births, "20.11.2026", "utf-8")

    night = run("nightly", *arguments(city), SOURCE_DATE_EPOCH=LATER)
    assert night.code == 3, night.err
    held = {t["table"]: t for t in night.json["tables"] if not t["published"]}
    assert set(held) == {"pub_leavers", "pub_population"}
    first = served(city)
    a_held_table_is_explained_and_a_revision_accepted(city)

    night = run("nightly", *arguments(city), SOURCE_DATE_EPOCH=WAIVED)
    assert night.code == 3, night.err
    held = {t["table"]: t for t in night.json["tables"] if not t["published"]}
    assert set(held) == {"pub_leavers"}
    assert "2024/25" in held["pub_leavers"]["reason_de"]
    after = served(city)
    the_release_says_what_changed_and_why(after)
    assert after.id != before.id
    state = after.manifest["tables"]["pub_leavers"]
    assert (state["status"], state["held_since"], state["published_by"]) == ("held", first.id, before.id)
    assert state["reason_en"]
    assert abitur(after) == abitur(before), "readers keep the last good version"
    new_births = duckdb.connect(str(after.folder / "mart.duckdb"), read_only=True).execute(
        """select value from pub_population where indicator_id = 'live_births'
        and area_code = '07131' and period_label = '2025' and sex = 'total'"""
    )
    assert new_births.fetchall() == [(1000.0,)]
    assert reader.execute("select count(*) from pub_leavers").fetchall()[0][0] > 0
    assert "held" in run("status", "--home", str(city / "var")).out
    the_shell_tells_what_changed(city)

    alone = run("publish", *arguments(city), SOURCE_DATE_EPOCH=LATER_STILL)
    assert alone.code == 3, alone.err
    assert served(city).id == after.id
    assert abitur(served(city)) == abitur(before)

    without = run("nightly", "--exclude-dbt-tests", *arguments(city), SOURCE_DATE_EPOCH=LATER_STILL)
    assert without.code == 3, without.err
    assert all(not t["published"] for t in without.json["tables"])
    assert "Strukturtests wurden nicht ausgeführt" in without.json["tables"][1]["reason_de"]
    last = served(city)
    assert {s["status"] for s in last.manifest["tables"].values()} == {"held"}
    for name in last.manifest["tables"]:
        assert pq.read_table(last.parquet(name)).equals(pq.read_table(after.parquet(name)))

    # The sender repairs the file: the table is let out again by itself.
    file = city / "delivery" / LEAVERS
    line = next(x for x in file.read_text(encoding="cp1252").split("\n") if x.startswith("2025;07111;"))
    edit_line(file, "2025;07111;", {15: str(int(line.split(";")[15]) // 10)})
    newer_text = file.read_text(encoding="cp1252").replace("Stand: 20.11.2026", "Stand: 21.11.2026")
    file.write_bytes(newer_text.encode("cp1252"))
    repaired = run("nightly", *arguments(city), SOURCE_DATE_EPOCH="1795800000")
    assert repaired.code == 0, repaired.out
    assert served(city).manifest["tables"]["pub_leavers"]["status"] == "published"


def a_held_table_is_explained_and_a_revision_accepted(city: Path) -> None:
    """`why` in plain sentences, `waive` as one file; a waiver nobody needs can't be made."""
    places = ("--config", str(city / "city.yaml"), "--home", str(city / "var"))
    said = run("why", "pub_population", *places).out
    assert "„Bevölkerung“ wird zurückgehalten seit" in said
    assert "Gezeigt wird weiter der Stand" in said
    assert "Tabelle 12612-01-01-4, Stand 2026-11-20, ändert 3 veröffentlichte Werte, 3 unerklärt" in said
    assert "bildungsmonitor waive revision pub_population 12612-01-01-4" in said
    assert run("why", "pub_leaver", *places).code == 2
    why = ("--reason", "Berichtigung des Landesamts vom 20.11.2026", "--owner", "Statistikstelle")
    wrong = run("waive", "revision", "pub_schools", "21111-01-03-4", *why, *places, SOURCE_DATE_EPOCH=WAIVED)
    assert (wrong.code, "does not hold" in wrong.err) == (2, True)
    never = run("waive", "disclosure", "pub_population", "live_births", *why, *places)
    assert (never.code, "can't be waived" in never.err) == (2, True)
    done = run(
        "waive", "revision", "pub_population", "12612-01-01-4", *why, *places, SOURCE_DATE_EPOCH=WAIVED
    )
    assert done.code == 0, done.err
    (file,) = (city / "own" / "waivers").glob("*.yml")
    assert file.stem == "revision_20261125_1"
    assert "expires: '2026-12-25'" in file.read_text()


def the_release_says_what_changed_and_why(release: Release) -> None:
    changes = pq.read_table(release.folder / "changes.parquet").to_pylist()
    changed = {
        (c["area_code"], c["value_before"] != c["value_after"])
        for c in changes
        if c["kind"] == "changed" and c["indicator_id"] == "live_births"
    }
    assert ("07131", True) in changed
    births = [
        c
        for c in changes
        if c["table"] == "pub_population" and c["area_code"] == "07131" and c["kind"] == "changed"
    ]
    assert {c["why_de"] for c in births} >= {"neue Lieferung: 12612-01-01-4; Ausnahme revision_20261125_1"}
    held = [c for c in changes if c["table"] == "pub_leavers"]
    assert held
    assert {(c["kind"], c["value_after"]) for c in held} == {("held", None)}, "what may be wrong is not told"
    text = (release.folder / "CHANGES.md").read_text()
    assert "live_births" in text
    assert "Zurückgehalten seit" in text
    assert "Berichtigung des Landesamts" in text
    page = (release.folder / "quality" / "index.html").read_text()
    assert "Berichtigung des Landesamts" in page
    assert "Was tun:" in page
    waivers = pq.read_table(release.parquet("waiver")).to_pylist()
    assert [w["waiver_id"] for w in waivers] == ["revision_20261125_1"]
    assert release.manifest["tables"]["pub_population"]["waivers"] == ["revision_20261125_1"]
    assert not release.manifest["tables"]["pub_population"]["fit_for_machines"]
    assert release.manifest["tables"]["pub_schools"]["fit_for_machines"]


def the_shell_tells_what_changed(city: Path) -> None:
    """What was known of the births on a day, what changed since, and what is due."""
    home, target = ("--home", str(city / "var")), city / "told.csv"
    config = ("--config", str(city / "city.yaml"))
    found = run("revisions", "12612-01-01-4", *home, "--output", str(target))
    assert "3 geänderte Zellen / changed cells" in found.out
    changed = pd.read_csv(target, dtype=str)
    assert set(changed["change_kind"]) == {"value"}
    assert set(changed["area_code"]) == {"07131"}
    assert "1000.0" in set(changed["value_after"])
    assert "keine Änderungen" in run("revisions", "21111-01-03-4", *home).out

    for day, boys in (("2026-11-19", None), ("2026-11-20", "510.0")):
        done = run("table", "12612-01-01-4", "--as-of", day, *config, *home, "--output", str(target))
        assert done.code == 0, done.err
        rows = pd.read_csv(target, dtype=str)
        cell = rows[
            (rows["area_code"] == "07131") & (rows["period_label"] == "2025") & (rows["GES"] == "GESM")
        ]
        assert (cell["value"].item() == boys) is (boys is not None)
    assert run("table", "99999-01-01-4", *config, *home).code == 1
    wrong = run("table", "12612-01-01-4", "--as-of", "gestern", *config, *home)
    assert (wrong.code, "expected a day" in wrong.err) == (2, True)

    sources = {s["table_code"]: s for s in run("status", *home, "--json").json["sources"]}
    assert sources["12612-01-01-4"]["data_until"] == "2025-12-31"
    assert sources["12612-01-01-4"]["next_due"] == "2027-09-27"
    assert not any(s["is_late"] for s in sources.values())
    later = run("status", *home, "--json", SOURCE_DATE_EPOCH="1893456000").json
    assert any(s["is_late"] for s in later["sources"])


def test_evidence_about_other_content_does_not_count(city: Path) -> None:
    """Somebody changes the candidate after the checks: publish alone refuses that table."""
    before = served(city)
    with duckdb.connect(str(city / "var" / "warehouse" / "candidate.duckdb")) as candidate:
        candidate.execute("update published.pub_schools set value = value + 1 where area_code = '07111'")
        candidate.execute(
            "update evidence.verdict set catalogue_hash = 'other' where \"table\" = 'pub_vocational'"
        )
        candidate.execute(
            "delete from evidence.verdict where \"table\" = 'pub_leavers' and \"check\" = 'range'"
        )
    done = run("publish", *arguments(city), SOURCE_DATE_EPOCH=LATER)
    assert done.code == 3
    reasons = {t["table"]: t["reason_en"] for t in done.json["tables"] if not t["published"]}
    assert set(reasons) == {"pub_schools", "pub_vocational", "pub_leavers"}
    assert "another content" in reasons["pub_schools"]
    assert "another catalogue" in reasons["pub_vocational"]
    assert "checks are incomplete: range" in reasons["pub_leavers"]
    after = served(city)
    for name in reasons:
        assert pq.read_table(after.parquet(name)).equals(pq.read_table(before.parquet(name)))


def test_a_damaged_release_is_replaced_by_a_whole_one(city: Path) -> None:
    before = served(city)
    file = before.folder / "csv" / "area.csv"
    file.chmod(0o644)
    file.write_text("damaged")
    done = run("publish", *arguments(city), SOURCE_DATE_EPOCH=LATER)
    assert done.code == 0, done.err
    after = served(city)
    assert after.id != before.id
    assert after.manifest["content_digest"] == before.manifest["content_digest"]


def test_a_held_table_keeps_the_definitions_of_its_version(city: Path) -> None:
    """Tonight's catalogue names an indicator anew while its table is held: names and values agree."""
    before = served(city)
    with duckdb.connect(str(city / "var" / "warehouse" / "candidate.duckdb")) as candidate:
        candidate.execute("update monitoring.dim_indicator set indicator_name_de = 'neu', unit = 'EUR'")
        candidate.execute("delete from evidence.verdict where \"table\" = 'pub_leavers'")
    assert run("publish", *arguments(city), SOURCE_DATE_EPOCH=LATER).code == 3
    names = {r["indicator_id"]: r for r in pq.read_table(served(city).parquet("indicator")).to_pylist()}
    old = {r["indicator_id"]: r for r in pq.read_table(before.parquet("indicator")).to_pylist()}
    assert set(names) == set(old)
    assert names["leavers_with_abitur_percent"] == old["leavers_with_abitur_percent"]
    assert names["live_births"]["indicator_name_de"] == "neu"


def test_another_city_can_not_publish_this_candidate(city: Path) -> None:
    other = city / "trier.yaml"
    other.write_text((city / "city.yaml").read_text().replace("07111", "07211").replace("Koblenz", "Trier"))
    before = served(city)
    done = run("publish", "--config", str(other), "--home", str(city / "var"), "--json")
    assert not any(t["published"] for t in done.json["tables"])
    assert "another municipality" in done.json["tables"][0]["reason_en"]
    assert served(city).id == before.id


def test_bad_deliveries_are_refused_and_the_night_goes_on(city: Path) -> None:
    """Truncated, empty, wrong code in the name, columns moved, damaged text: one reason each."""
    before = served(city)
    delivery = city / "delivery"
    leavers = delivery / LEAVERS
    leavers.write_bytes(leavers.read_bytes()[:-900])
    (delivery / "21121-01-05-4_00.csv").write_bytes(b"")
    schools = delivery / "21111-01-03-4.csv"
    text = schools.read_text(encoding="cp1252").replace(
        "Insgesamt;weiblich;ausländisch", "weiblich;Insgesamt;ausländisch"
    )
    schools.write_bytes(text.encode("cp1252"))
    (delivery / "12612-01-01-4_00.csv").rename(delivery / "12612-02-01-4_00.csv")
    support = delivery / "22811-01-01-4_00.csv"
    support.write_bytes(
        support.read_bytes().decode("utf-8").encode("utf-8").decode("cp1252", "replace").encode("utf-8")
    )

    night = run("nightly", *arguments(city), SOURCE_DATE_EPOCH=LATER)
    assert night.code == 0, night.err
    receptions = json.loads((city / "var" / "landing" / "official" / "reception.json").read_text())
    reasons = {r["file"]: r["reason"] for r in receptions if r["status"] == "refused"}
    assert "cut short" in reasons[LEAVERS]
    assert "0 bytes" in reasons["21121-01-05-4_00.csv"]
    assert "the columns have moved" in reasons["21111-01-03-4.csv"]
    assert "damaged characters" in reasons["22811-01-01-4_00.csv"]
    assert len(reasons) == 4, "the renamed file is known by its hash"
    after = served(city)
    for name in after.manifest["tables"]:
        assert pq.read_table(after.parquet(name)).equals(pq.read_table(before.parquet(name))), name
    verdicts = pq.read_table(after.folder / "verdicts.parquet").to_pylist()
    warned = {
        v["scope"]: v["message_de"]
        for v in verdicts
        if v["check"] == "refused_delivery" and v["status"] == "WARN"
    }
    assert set(warned) == {"21111-02-06-4", "21121-01-05-4", "21111-01-03-4"}
    assert all("Daten bis 20" in message for message in warned.values())


def test_a_table_without_any_delivery_is_held_and_the_rest_goes_out(city: Path) -> None:
    shutil.rmtree(city / "var")
    (city / "delivery" / LEAVERS).unlink()
    night = run("nightly", *arguments(city))
    assert night.code == 3, night.err
    held = {t["table"]: t["reason_de"] for t in night.json["tables"] if not t["published"]}
    assert set(held) == {"pub_leavers"}
    assert "keine angenommene Lieferung" in held["pub_leavers"]
    release = served(city)
    assert not release.parquet("pub_leavers").exists()
    assert release.manifest["tables"]["pub_leavers"]["rows"] is None


def test_an_empty_folder_publishes_nothing(tmp_path: Path) -> None:
    (tmp_path / "delivery").mkdir()
    folder_config(tmp_path / "city.yaml", tmp_path / "delivery")
    night = run("nightly", *arguments(tmp_path))
    assert night.code == 1, night.out + night.err
    assert not any(t["published"] for t in night.json["tables"])
    assert not (tmp_path / "var" / "releases" / "current").exists()


def test_a_mass_revision_is_held_whatever_file_it_comes_in(city: Path, catalogue: Catalogue) -> None:
    """Every figure doubled, in another format and order; a further delivery does not let it out."""
    before = served(city)
    path = city / "delivery" / LEAVERS
    rows = read_official(path.name, path.read_bytes(), catalogue)
    table = catalogue.tables[rows.table_code]
    doubled = [
        cell._replace(
            text=str(2 * int(cell.text)) if cell.text.isdigit() else cell.text, items=cell.items[::-1]
        )
        for cell in cells_of_rows(rows, table.period)
    ]
    path.unlink()
    for moment, cells in (
        ("1795500100000", doubled),
        ("1795500200000", [doubled[0]._replace(text="7"), *doubled[1:]]),
    ):
        flat = city / "delivery" / f"{table.code}_{moment}_de_flat.csv"
        flat.write_bytes(flat_today(table.evas, cells).encode())
    night = run("nightly", *arguments(city), SOURCE_DATE_EPOCH=LATER)
    assert night.code == 3, night.err
    # The flat files name no area ("Gebiet 07"): that alone is noticed in every table.
    verdicts = pq.read_table(served(city).folder / "verdicts.parquet").to_pylist()
    (found,) = [v for v in verdicts if v["check"] == "revision" and v["scope"] == table.code]
    assert (found["table"], found["status"]) == ("pub_leavers", "FAIL")
    assert "→" in found["message_de"]
    others = {v["check"] for v in verdicts if v["status"] == "FAIL" and v["table"] != "pub_leavers"}
    assert others == {"area_names"}
    assert abitur(served(city)) == abitur(before)
