"""The first two journeys: a cold night on the embedded default, run as a user runs it, and a second one that changes nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest
from frictionless import Package

from expectations.catalogue import Catalogue
from orchestration.collect.sample.events import EVENTS, KOBLENZ
from orchestration.publish.derived import DERIVED
from orchestration.publish.release import ReleaseStore
from tests.support.nights import contents, invoke, run

TABLES = {
    "indicator_value",
    "indicator",
    "area",
    "period",
    "breakdown_cell",
    "series_break",
    "footnote",
    "official_table",
    "area_successor",
    "revision",
    "correction",
    "waiver",
    "verdict",
}


@pytest.fixture(scope="module")
def mart(night_home: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(night_home / "releases" / "current" / "mart.duckdb"), read_only=True)


def test_a_release_holds_every_table_in_every_format(night_home: Path, catalogue: Catalogue) -> None:
    release = ReleaseStore(night_home / "releases").current()
    assert release is not None
    assert release.damage() == []
    names = TABLES | {"pub_findings", *DERIVED} | set(catalogue.published)
    assert {p.stem for p in (release.folder / "parquet").iterdir()} == names
    assert {p.stem for p in (release.folder / "csv").glob("*.csv")} == names
    connection = duckdb.connect(str(release.folder / "mart.duckdb"), read_only=True)
    for name in sorted(names):
        in_parquet = pq.read_table(release.parquet(name)).num_rows
        in_csv = pd.read_csv(release.folder / "csv" / f"{name}.csv", dtype=str).shape[0]
        in_duckdb = connection.execute(f"select count(*) from {name}").fetchall()[0][0]
        assert in_parquet == in_csv == in_duckdb, name
    assert release.manifest["synthetic"] is True
    assert {s["synthetic"] for s in release.manifest["sources"]} == {True}


def test_findings_name_every_planted_event(mart: duckdb.DuckDBPyConnection) -> None:
    """Six problems and three successes (docs/registers.md), each in its direction, and little that was not planted."""
    found = mart.execute("select indicator_id, area_code, difference > 0 from pub_findings").fetchall()
    codes = dict(
        mart.execute("select area_name, area_code from area where area_level = 'city_district'").fetchall()
    )
    wanted = set()
    for event in EVENTS:
        place = KOBLENZ if event.place == KOBLENZ else codes.get(event.place, f"{KOBLENZ}-S{event.place}")
        # Fewer teachers are more pupils for each.
        rises = (event.factor > 1) != (event.theme == "teachers")
        wanted.add((event.indicator, place, rises))
    assert sum(event.is_problem for event in EVENTS) == 6
    assert len(wanted) == 9
    assert not wanted - set(found)
    assert len({(indicator, area) for indicator, area, _ in found}) <= 2 * len(EVENTS)


def test_stadtteile_and_schools_have_a_trend(mart: duckdb.DuckDBPyConnection) -> None:
    """Five years inside the city: the embedded sample shows what a trend is."""
    (areas,) = mart.execute(
        "select count(distinct area_code) from indicator_value "
        "where area_level in ('city_district', 'school') and trend_per_year is not null"
    ).fetchone()
    assert areas >= 60


def test_everything_is_marked_synthetic(night_home: Path) -> None:
    current = night_home / "releases" / "current"
    for path in (current / "parquet").iterdir():
        metadata = pq.read_schema(path).metadata
        assert metadata[b"synthetic"] == b"true"
        assert "SYNTHETISCHE DATEN" in metadata[b"description"].decode()
    connection = duckdb.connect(str(current / "mart.duckdb"), read_only=True)
    comments = connection.execute("select comment from duckdb_tables()").fetchall()
    assert comments
    assert all("SYNTHETISCHE DATEN" in comment for (comment,) in comments)
    assert "SYNTHETISCHE DATEN" in (current / "dictionary.html").read_text()
    for origin in night_home.glob("landing/sample/*/*/origin.json"):
        assert json.loads(origin.read_text())["synthetic"] is True


def test_no_page_ends_a_sentence_twice(night_home: Path) -> None:
    for path in (night_home / "releases" / "current").rglob("*.html"):
        text = re.sub(r"<[^>]+>", " ", path.read_text(encoding="utf-8"))
        assert re.search(r"(?<!\.)\.\. ", text) is None, path


def test_every_column_is_described(mart: duckdb.DuckDBPyConnection) -> None:
    bare = mart.execute(
        "select table_name, column_name from duckdb_columns() where not internal and comment is null"
    ).fetchall()
    assert bare == []


def test_the_data_package_is_valid(night_home: Path, tmp_path: Path) -> None:
    """Frictionless reads descriptor and data; the large tables by their head."""
    folder = tmp_path / "release"
    shutil.copytree((night_home / "releases" / "current").resolve(), folder)
    for path in (folder / "csv").iterdir():
        os.chmod(path, 0o644)
        lines = path.read_text().split("\n")
        path.write_text("\n".join(lines[:200]) + "\n" if len(lines) > 200 else "\n".join(lines))
    report = Package(str(folder / "datapackage.json")).validate()
    assert report.valid, report.flatten(["resourceName", "type", "note"])


def test_keys_and_columns_of_the_long_table(mart: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> None:
    columns = [r[0] for r in mart.execute("describe indicator_value").fetchall()]
    assert columns == [
        "indicator_id", "area_code", "area_level", "period_start", "period_end", "period_label",
        *catalogue.breakdowns, "value", "value_from", "value_to", "numerator", "denominator", "unit", "status", "sign", "rounded_to",
        "tolerance", "value_city", "value_state", "value_country", "value_peers", "rank", "rank_of", "distance",
        "change_previous_year", "change_tolerance", "is_change_uncertain", "trend_per_year", "trend_tolerance", "is_trend_uncertain", "series_break_before", "footnotes", "source", "retrieved_at",
    ]  # fmt: skip
    key = ", ".join(["indicator_id", "area_code", "period_start", "period_end", *catalogue.breakdowns])
    twice = mart.execute(f"select {key} from indicator_value group by all having count(*) > 1").fetchall()
    assert twice == []
    lost = mart.execute("select count(*) from indicator_value anti join area using (area_code)").fetchall()
    assert lost == [(0,)]


def test_no_missing_value_is_a_zero_and_no_number_is_missing(mart: duckdb.DuckDBPyConnection) -> None:
    states = mart.execute(
        "select status, bool_or(value is not null), bool_or(value is null) from indicator_value group by 1"
    ).fetchall()
    for status, some_numbers, some_missing in states:
        assert not (status in ("reported", "estimated") and some_missing)
        assert not (status in ("not_applicable", "unavailable", "confidential") and some_numbers)


def test_every_value_follows_from_its_parts(mart: duckdb.DuckDBPyConnection) -> None:
    """An independent computation in Python, with decimal arithmetic and rounding half up."""
    from decimal import ROUND_HALF_UP, Decimal

    rows = mart.execute(
        """select v.value, v.numerator, v.denominator, i.multiplier, i.decimals
        from indicator_value v join indicator i using (indicator_id)
        where v.denominator > 0 and v.value is not null and i.kind not in ('difference', 'model')
            and (v.area_code in ('07111', '07', 'DG') or v.area_code like '07111-%')"""
    ).fetchall()
    assert len(rows) > 1000
    for value, numerator, denominator, multiplier, decimals in rows:
        exact = Decimal(str(numerator)) * Decimal(multiplier) / Decimal(str(denominator))
        rounded = exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
        assert Decimal(str(value)) == rounded


def test_the_care_rate_relates_march_to_the_december_before(mart: duckdb.DuckDBPyConnection) -> None:
    (rate,) = mart.execute(
        """select numerator, denominator from indicator_value where indicator_id = 'care_rate_under_3_percent'
        and area_code = '07111' and period_end = date '2025-03-01' and care_type = 'total'"""
    ).fetchall()
    (children,) = mart.execute(
        """select value from indicator_value where indicator_id = 'population_by_age_group'
        and area_code = '07111' and period_end = date '2024-12-31' and age_group = 'ALT000B03' and sex = 'total'"""
    ).fetchall()
    assert rate[1] == children[0]


def test_breaks_are_marked_where_they_are_declared(mart: duckdb.DuckDBPyConnection) -> None:
    broken = mart.execute(
        """select distinct period_label from indicator_value
        where indicator_id = 'population' and area_code = '07111' and series_break_before"""
    ).fetchall()
    assert sorted(broken) == [("31.12.2011",), ("31.12.2024",)]
    in_germany = mart.execute(
        """select count(*) from indicator_value where indicator_id = 'leavers_by_qualification'
        and area_code = 'DG' and period_label in ('2013/14', '2014/15') and series_break_before"""
    ).fetchall()
    assert in_germany == [(0,)], "the break of Rhineland-Palatinate is none of Germany"


def test_a_dissolved_district_and_a_borough_stay_out(mart: duckdb.DuckDBPyConnection) -> None:
    found = mart.execute(
        "select area_code from area where area_code in ('03152', '15101', '03241001')"
    ).fetchall()
    assert found == []


def test_a_second_night_changes_nothing_but_the_history(home: Path) -> None:
    before = contents(home), sorted(home.glob("landing/sample/*/*"))
    later = run("nightly", "--home", str(home), "--json", SOURCE_DATE_EPOCH="1795600000")
    assert later.code == 0, later.err
    assert later.json["is_new"] is False
    computed = later.json["computed"]
    assert computed == {
        "is_full": False, "changed_sources": [], "indicators_computed": 0, "indicators_proved_unchanged": 121,
    }  # fmt: skip
    assert (contents(home), sorted(home.glob("landing/sample/*/*"))) == before


def test_status_and_explain_speak_of_the_release(night_home: Path) -> None:
    status = invoke("status", "--home", str(night_home), "--json")
    assert status.code == 0
    assert {t["status"] for t in status.json["tables"].values()} == {"published"}
    assert "pub_leavers" in invoke("status", "--home", str(night_home)).out
    explained = invoke("explain", "care_rate_under_3_percent", "--home", str(night_home))
    assert explained.code == 0
    for part in ("C2.2", "previous year end", "22543-01-02-4", "PASS", "Koblenz", "synthetisch"):
        assert part in explained.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("explain", "care_rate_under_3"), "did you mean 'care_rate_under_3_percent'?"),
        (("nightly", "--config", "none.yaml"), "there is no such file"),
        (("read", "none.csv"), "No such file"),
        (("read", "README.md", "--output", "x.xlsx"), "expected a name ending in .parquet or .csv"),
        (("nightly", "--nonsense"), "nonsense"),
    ],
)
def test_usage_errors_exit_with_2(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    done = invoke(*arguments, *(["--home", str(tmp_path)] if arguments[0] != "read" else []))
    assert done.code == 2
    assert message in done.err


def test_reading_what_is_no_official_file_exits_with_1() -> None:
    done = invoke("read", "README.md")
    assert done.code == 1
    assert "expected ffcsv" in done.err
