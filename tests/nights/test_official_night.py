"""The night on the real official files: published rates to the decimal, and no zero where nobody counted."""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb

from expectations.catalogue import Catalogue
from orchestration.collect.genesis import read_official
from tests.support.nights import OFFICIAL

GOLDEN = {
    "leavers_abitur_share": ("leavers_with_abitur_percent", {}),
    "leavers_no_degree_share": ("leavers_without_certificate_percent", {}),
    "male_share_abitur": ("leavers_male_percent", {"qualification": "BILABS15"}),
    "male_share_no_degree": ("leavers_male_percent", {"qualification": "BILABS11"}),
    "care_rate_u3": ("care_rate_under_3_percent", {}),
    "care_rate_3_6": ("care_rate_3_to_5_percent", {}),
    "care_rate_u3_kita": ("care_rate_under_3_percent", {"care_type": "centre"}),
    "care_rate_3_6_kita": ("care_rate_3_to_5_percent", {"care_type": "centre"}),
    "jugendquotient": ("youth_dependency_ratio", {}),
    "altenquotient": ("old_age_dependency_ratio", {}),
}

LESS_THAN_KOBLENZ = {
    # what the files lie in the folder with: districts only
    "population": ("07", "DG"), "population_by_age_group": ("07", "DG"), "population_by_year_of_age": ("07", "DG"),
    "students": ("07", "DG"), "international_students_percent": ("07", "DG"),
    # the Land prints `-` in two years
    "long_term_unemployed_percent": ("07",),
}  # fmt: skip
"""Indicators whose source has fewer periods for the Land or Germany than for Koblenz, and where."""


def test_published_rates_are_reproduced_to_the_decimal(
    shared: Path, official_home: Path, catalogue: Catalogue
) -> None:
    mart = duckdb.connect(str(official_home / "releases" / "current" / "mart.duckdb"), read_only=True)
    with open(shared / "reference" / "golden_rates.csv", encoding="utf-8") as handle:
        golden = list(csv.DictReader(handle))
    assert len(golden) == 20
    for row in golden:
        indicator, cells = GOLDEN[row["indicator"]]
        where = " and ".join(f"{b} = '{cells.get(b, 'total')}'" for b in catalogue.breakdowns)
        found = mart.execute(
            f"""select value, numerator, denominator from indicator_value
            where indicator_id = $id and area_code = $area and {where}
                and extract(year from period_end) = $year""",
            {"id": indicator, "area": row["geo_code"], "year": int(row["period"][-4:])},
        ).fetchall()
        expected = tuple(float(row[c]) for c in ("published_pct", "numerator", "denominator"))
        assert found == [expected], row


def test_youth_and_old_age_ratio_equal_the_offices_own_table(shared: Path, official_home: Path) -> None:
    """12411-08-01-4 is not a source of ours: every area's published ratio is an oracle."""
    path = OFFICIAL / "datencsv/2017/12411-08-01-4_00.csv"
    own = read_official(path.name, path.read_bytes(), None).frame
    mart = duckdb.connect(str(official_home / "releases" / "current" / "mart.duckdb"), read_only=True)
    compared = 0
    for measure, indicator in (
        ("Jugendquotient", "youth_dependency_ratio"),
        ("Altenquotient", "old_age_dependency_ratio"),
    ):
        theirs = own[(own["measure"] == measure) & own["value"].notna()].set_index("area_code")["value"]
        ours = dict(
            mart.execute(
                """select area_code, value from indicator_value
                where indicator_id = $id and sex = 'total' and period_end = date '2015-12-31'""",
                {"id": indicator},
            ).fetchall()
        )
        for area, value in ours.items():
            assert theirs[area] == value, (indicator, area)
            compared += 1
    assert compared == 2 * 446


def test_dissolved_districts_are_not_published_as_zero(official_home: Path) -> None:
    mart = duckdb.connect(str(official_home / "releases" / "current" / "mart.duckdb"), read_only=True)
    rows = mart.execute(
        "select count(*) from indicator_value where area_code in ('03152', '05313') and period_end > date '2018-01-01'"
    ).fetchall()
    assert rows == [(0,)]
    zeros = mart.execute(
        "select count(*) from indicator_value where indicator_id = 'population' and value = 0"
    ).fetchall()
    assert zeros == [(0,)]


def test_what_nobody_collected_is_not_zero(official_home: Path) -> None:
    """21111-02-06-4: 'dar. schulischer Teil der FHR' is `-` for every area until it was collected."""
    mart = duckdb.connect(str(official_home / "releases" / "current" / "mart.duckdb"), read_only=True)
    years = mart.execute(
        """select min(period_label) filter (where value is not null), count(*) filter (where status = 'unavailable')
        from indicator_value where indicator_id = 'leavers_by_qualification' and qualification = 'BILABS14D'
        and area_code = '07' and sex = 'total'"""
    ).fetchall()
    first, unavailable = years[0]
    assert first == "2013/14"
    assert unavailable == 19


def test_a_break_touches_its_cells_and_survives_empty_periods(official_home: Path) -> None:
    mart = duckdb.connect(str(official_home / "releases" / "current" / "mart.duckdb"), read_only=True)
    flagged = mart.execute(
        """select distinct qualification from indicator_value where indicator_id = 'leavers_by_qualification'
        and area_code = '07111' and period_label = '2013/14' and series_break_before order by 1"""
    ).fetchall()
    assert flagged == [("BILABS14",)]
    none = mart.execute(
        """select count(*) from indicator_value where indicator_id = 'leavers_without_certificate_percent'
        and area_code = '07111' and period_label in ('2013/14', '2014/15') and series_break_before"""
    ).fetchall()
    assert none == [(0,)]


def test_an_area_that_is_only_unknown_keeps_its_rows(official_home: Path) -> None:
    """Bremen does not report vocational pupils in 21121-01-05-4, 2015/16: `.`, not absent."""
    mart = duckdb.connect(str(official_home / "releases" / "current" / "mart.duckdb"), read_only=True)
    states = mart.execute(
        "select distinct status from indicator_value where indicator_id = 'vocational_pupils' and area_code = '04'"
    ).fetchall()
    assert states == [("confidential",)]


def test_every_indicator_of_the_folder_has_koblenz_the_land_and_germany_in_all_its_periods(
    official_home: Path,
) -> None:
    mart = duckdb.connect(str(official_home / "releases" / "current" / "mart.duckdb"), read_only=True)
    rows = mart.execute(
        """with period as (
            select indicator_id, period_end,
                bool_or(value is not null) filter (area_code = '07111') as koblenz,
                bool_or(value is not null) filter (area_code = '07') as land,
                bool_or(value is not null) filter (area_code = 'DG') as germany
            from indicator_value where area_code in ('07111', '07', 'DG') group by all
        )
        select indicator_id, count(*) filter (koblenz), count(*) filter (land), count(*) filter (germany)
        from period group by 1 order by 1"""
    ).fetchall()
    assert len(rows) >= 45
    for name, koblenz, land, germany in rows:
        print(f"{name:<45} Koblenz {koblenz:>3}  Land {land:>3}  Germany {germany:>3}")
        assert koblenz > 0, name
        short = LESS_THAN_KOBLENZ.get(name, ())
        assert land == koblenz or "07" in short, name
        assert germany == koblenz or "DG" in short, name
