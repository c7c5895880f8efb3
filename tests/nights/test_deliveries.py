"""Nights on deliveries that are wrong or missing: what is refused, what is held, and what goes out all the same."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pyarrow.parquet as pq

from expectations.catalogue import Catalogue
from orchestration.collect.genesis import read_official
from tests.support.deliveries import LATER, LATER_STILL, LEAVERS, abitur, arguments, served
from tests.support.nights import folder_config, invoke
from tests.support.printing import cells_of_rows, flat_today


def test_a_night_without_dbt_s_tests_holds_every_table(city: Path) -> None:
    before = served(city)
    without = invoke("nightly", "--exclude-dbt-tests", *arguments(city), SOURCE_DATE_EPOCH=LATER_STILL)
    assert without.code == 3, without.err
    assert all(not t["published"] for t in without.json["tables"])
    assert "Strukturtests wurden nicht ausgeführt" in without.json["tables"][1]["reason_de"]
    last = served(city)
    assert {s["status"] for s in last.manifest["tables"].values()} == {"held"}
    for name in last.manifest["tables"]:
        assert pq.read_table(last.parquet(name)).equals(pq.read_table(before.parquet(name)))


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

    night = invoke("nightly", *arguments(city), SOURCE_DATE_EPOCH=LATER)
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
    assert all(re.search(r"Daten bis \d\d\.\d\d\.20\d\d", message) for message in warned.values())


def test_a_table_without_any_delivery_is_held_and_the_rest_goes_out(city: Path) -> None:
    shutil.rmtree(city / "var")
    (city / "delivery" / LEAVERS).unlink()
    night = invoke("nightly", *arguments(city))
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
    night = invoke("nightly", *arguments(tmp_path))
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
    night = invoke("nightly", *arguments(city), SOURCE_DATE_EPOCH=LATER)
    assert night.code == 3, night.err
    # The flat files name no area ("Gebiet 07"): that alone is noticed in every table.
    verdicts = pq.read_table(served(city).folder / "verdicts.parquet").to_pylist()
    (found,) = [v for v in verdicts if v["check"] == "revision" and v["scope"] == table.code]
    assert (found["table"], found["status"]) == ("pub_leavers", "FAIL")
    assert "→" in found["message_de"]
    others = {v["check"] for v in verdicts if v["status"] == "FAIL" and v["table"] != "pub_leavers"}
    assert others == {"area_names"}
    assert abitur(served(city)) == abitur(before)
