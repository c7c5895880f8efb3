"""The third journey: a poisoned table is held, the others go out, and the repaired file lets it out again."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import pyarrow.parquet as pq

from expectations.catalogue import load_catalogue
from orchestration.publish.release import Release
from tests.support.deliveries import (
    LATER,
    LATER_STILL,
    LEAVERS,
    WAIVED,
    abitur,
    arguments,
    edit_line,
    newer,
    poison,
    served,
)
from tests.support.nights import invoke


def test_a_poisoned_indicator_holds_its_table_only(city: Path) -> None:
    before = served(city)
    reader = duckdb.connect(str(before.folder / "mart.duckdb"), read_only=True)
    poison(city)
    # Another table changes a figure that is published, and nobody has declared it.
    births = city / "delivery" / "12612-01-01-4_00.csv"
    edit_line(births, "2025;07131;", {3: "1000", 4: "510", 5: "490"}, "utf-8")
    newer(births, "20.11.2026", "utf-8")

    night = invoke("nightly", *arguments(city), SOURCE_DATE_EPOCH=LATER)
    assert night.code == 3, night.err
    held = {t["table"]: t for t in night.json["tables"] if not t["published"]}
    assert set(held) == {"pub_leavers", "pub_population"}
    first = served(city)
    a_held_table_is_explained_and_a_revision_accepted(city)

    night = invoke("nightly", *arguments(city), SOURCE_DATE_EPOCH=WAIVED)
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
    assert "held" in invoke("status", "--home", str(city / "var")).out
    the_shell_tells_what_changed(city)

    alone = invoke("publish", *arguments(city), SOURCE_DATE_EPOCH=LATER_STILL)
    assert alone.code == 3, alone.err
    assert served(city).id == after.id
    assert abitur(served(city)) == abitur(before)

    # The sender repairs the file: the table is let out again by itself.
    file = city / "delivery" / LEAVERS
    line = next(x for x in file.read_text(encoding="cp1252").split("\n") if x.startswith("2025;07111;"))
    edit_line(file, "2025;07111;", {15: str(int(line.split(";")[15]) // 10)})
    newer_text = file.read_text(encoding="cp1252").replace("Stand: 20.11.2026", "Stand: 21.11.2026")
    file.write_bytes(newer_text.encode("cp1252"))
    repaired = invoke("nightly", *arguments(city), SOURCE_DATE_EPOCH="1795800000")
    assert repaired.code == 0, repaired.out
    assert served(city).manifest["tables"]["pub_leavers"]["status"] == "published"


def a_held_table_is_explained_and_a_revision_accepted(city: Path) -> None:
    """`why` in plain sentences, `waive` as one file; a waiver nobody needs can't be made."""
    places = ("--config", str(city / "city.yaml"), "--home", str(city / "var"))
    said = invoke("why", "pub_population", *places).out
    assert "„Bevölkerung“ wird zurückgehalten seit" in said
    assert "Gezeigt wird weiter der Stand vom" in said
    assert "Tabelle 12612-01-01-4, Stand 20.11.2026, ändert 3 veröffentlichte Werte, 3 unerklärt" in said
    assert "bildungsmonitor waive revision pub_population 12612-01-01-4" in said
    assert invoke("why", "pub_leaver", *places).code == 2
    why = ("--reason", "Berichtigung des Landesamts vom 20.11.2026", "--owner", "Statistikstelle")
    wrong = invoke(
        "waive", "revision", "pub_schools", "21111-01-03-4", *why, *places, SOURCE_DATE_EPOCH=WAIVED
    )
    assert (wrong.code, "does not hold" in wrong.err) == (2, True)
    never = invoke("waive", "disclosure", "pub_population", "live_births", *why, *places)
    assert (never.code, "can't be waived" in never.err) == (2, True)
    done = invoke(
        "waive", "revision", "pub_population", "12612-01-01-4", *why, *places, SOURCE_DATE_EPOCH=WAIVED
    )
    assert done.code == 0, done.err
    (file,) = (city / "own" / "waivers").glob("*.yml")
    assert file.stem == "revision_20261125_1"
    assert "expires: '2026-12-25'" in file.read_text()
    load_catalogue.cache_clear()  # the next night is a process of its own, and reads the city's declarations


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
    found = invoke("revisions", "12612-01-01-4", *home, "--output", str(target))
    assert "3 geänderte Zellen / changed cells" in found.out
    changed = pd.read_csv(target, dtype=str)
    assert set(changed["change_kind"]) == {"value"}
    assert set(changed["area_code"]) == {"07131"}
    assert "1000.0" in set(changed["value_after"])
    assert "keine Änderungen" in invoke("revisions", "21111-01-03-4", *home).out

    for day, boys in (("2026-11-19", None), ("2026-11-20", "510.0")):
        done = invoke("table", "12612-01-01-4", "--as-of", day, *config, *home, "--output", str(target))
        assert done.code == 0, done.err
        rows = pd.read_csv(target, dtype=str)
        cell = rows[
            (rows["area_code"] == "07131") & (rows["period_label"] == "2025") & (rows["GES"] == "GESM")
        ]
        assert (cell["value"].item() == boys) is (boys is not None)
    assert invoke("table", "99999-01-01-4", *config, *home).code == 1
    wrong = invoke("table", "12612-01-01-4", "--as-of", "gestern", *config, *home)
    assert (wrong.code, "expected a day" in wrong.err) == (2, True)

    sources = {s["table_code"]: s for s in invoke("status", *home, "--json").json["sources"]}
    assert sources["12612-01-01-4"]["data_until"] == "2025-12-31"
    assert sources["12612-01-01-4"]["next_due"] == "2027-09-27"
    assert not any(s["is_late"] for s in sources.values())
    later = invoke("status", *home, "--json", SOURCE_DATE_EPOCH="1893456000").json
    assert any(s["is_late"] for s in later["sources"])
