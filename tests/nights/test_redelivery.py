"""A period delivered again: what is published stays as it is, what is hidden stays hidden, and nothing says what changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from expectations.catalogue import Catalogue
from tests.campaigns.stranger import campaign
from tests.support.nights import invoke
from tests.support.registers import KEY, city, config_of, deliver

TABLES = ("pub_newcomers", "pub_schools")
REGISTERS = [
    "block_sides", "schools", "residents", "pupils", "day_care_centres", "day_care_children", "integration_courses", "newcomer_pupils",
    "school_entry_examination", "social_office",
]  # fmt: skip
ENVIRONMENT = {"BILDUNGSMONITOR_REGISTER_KEY": KEY}
FIRST = 1_795_000_000
DAY = 86_400


class Office:
    """A small city whose offices deliver again, and the nights that follow."""

    def __init__(self, folder: Path, catalogue: Catalogue) -> None:
        self.folder, self.catalogue, self.nights = folder, catalogue, 0
        self.drops = folder / "drops"
        self.config = config_of(
            folder / "city.yaml",
            {"drops": str(self.drops), "only": REGISTERS},
            {"source": "sample", "extent": "tiny"},
            tables=TABLES,
            publication={"internal": {}},
        )
        _, deliveries = city(districts=8)
        self.deliveries = {name: deliveries[name] for name in REGISTERS}

    def deliver(self, *names: str) -> None:
        deliver(self.catalogue, self.drops, self.deliveries, list(names))

    def change(self, name: str, frame: pd.DataFrame) -> None:
        """Another delivery of the same reference day."""
        self.deliveries[name] = replace(self.deliveries[name], frame=frame.reset_index(drop=True))
        self.deliver(name)

    def night(self) -> dict[str, object]:
        """A night; by table True, or why it is held."""
        self.nights += 1
        done = invoke(
            "nightly", "--json", "--config", str(self.config), "--home", str(self.folder / "var"),
            SOURCE_DATE_EPOCH=str(FIRST + self.nights * DAY), **ENVIRONMENT,
        )  # fmt: skip
        assert done.code in (0, 3), done.err
        return {t["table"]: t["published"] or t["reason_de"] for t in done.json["tables"]}

    @property
    def release(self) -> Path:
        return self.folder / "var" / "releases" / "current"

    @property
    def internal(self) -> Path:
        return self.folder / "var" / "internal" / "releases" / "current"

    def candidate(self, sql: str) -> int:
        with duckdb.connect(
            str(self.folder / "var" / "warehouse" / "candidate.duckdb"), read_only=True
        ) as connection:
            return int(connection.execute(sql).fetchall()[0][0])

    def figures(self) -> pd.DataFrame:
        with duckdb.connect(str(self.release / "mart.duckdb"), read_only=True) as mart:
            # All figures of a period that was delivered again are less sure, whatever was corrected: some percentages become
            # ranges, which have no place and no change. Their counts are what they were.
            return mart.execute(
                """select * exclude (retrieved_at, source, tolerance, change_tolerance, is_change_uncertain, trend_tolerance,
                    is_trend_uncertain, value_from, value_to)
                    replace (
                        case when unit <> 'percent' or rounded_to is null then value end as value,
                        case when status = 'range' then 'reported' else status end as status,
                        case when unit <> 'percent' then value_city end as value_city, case when unit <> 'percent' then rank end as rank,
                        case when unit <> 'percent' then rank_of end as rank_of,
                        case when unit <> 'percent' then distance end as distance,
                        case when unit <> 'percent' then change_previous_year end as change_previous_year,
                        case when unit <> 'percent' then trend_per_year end as trend_per_year
                    )
                from indicator_value
                order by indicator_id, area_code, period_end, sex, nationality, age_group, school_type, grade, category"""
            ).df()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Office:
    found = Office(tmp_path_factory.mktemp("office"), catalogue)
    found.deliver(*REGISTERS)
    assert found.night() == dict.fromkeys(TABLES, True)
    return found


def people(office: Office) -> pd.DataFrame:
    return office.deliveries["residents"].frame


def _set(frame: pd.DataFrame, row: int, column: str, value: str) -> pd.DataFrame:
    changed = frame.copy()
    changed.iloc[row, changed.columns.get_loc(column)] = value
    return changed


def test_one_person_more_changes_no_figure(office: Office) -> None:
    """Somebody is added where rounding goes up by that: 12 people become 13, which would be published as 15."""
    before = office.figures()
    frame = people(office)
    foreign = frame["Staatsangehörigkeit"] != "000"
    groups = [
        here & of
        for here in (True, *(frame["Geschlecht"] == sex for sex in "mwd"))
        for of in (foreign, ~foreign, foreign | True)
    ]
    on_the_edge = next(group for group in groups if group.sum() % 5 == 2)
    somebody = frame[on_the_edge].iloc[[0]].assign(PID="999999999991")
    office.change("residents", pd.concat([frame, somebody]))
    assert office.night() == dict.fromkeys(TABLES, True), "a correction locks no table"
    pd.testing.assert_frame_equal(before, office.figures())
    changes = pd.read_parquet(office.release / "changes.parquet")
    assert len(changes) > 0
    assert (changes["status_after"] == "range").all(), "a figure is less sure, and nothing else"
    for end, after in (("from", changes["value_from_after"]), ("to", changes["value_to_after"])):
        before_it = changes["value_before"].fillna(changes[f"value_{end}_before"])
        assert ((after <= before_it) if end == "from" else (after >= before_it)).all(), (
            "the range holds what was published"
        )
    # The statistics office sees what the correction changed.
    inside = pd.read_parquet(office.internal / "changes.parquet")
    assert len(inside) > 0
    assert set(inside["kind"]) == {"changed"}
    assert (inside["why_de"] == "neue Lieferung: residents").all()
    assert (inside["value_after"] != inside["value_before"]).all()
    assert "neue Lieferung: residents" in (office.internal / "CHANGES.md").read_text(encoding="utf-8")
    exact = office.candidate("select count(*) from disclosure.int_kept_count where published is not null")
    assert exact > 1000
    moved = office.candidate(
        """select count(*) from disclosure.int_count as c join disclosure.int_kept_count as k using (measure_id, counted_period_end,
        area_code, counted_sex, counted_nationality, counted_age_group, counted_school_type, counted_grade)
        where k.published <> round(c.value / c.base) * c.base"""
    )
    assert moved > 0, "rounding alone would have shown the difference"


def test_one_person_moved_and_one_pupil_corrected_change_no_figure(office: Office) -> None:
    before = office.figures()
    office.change("residents", _set(people(office), 30, "Blockseite", people(office)["Blockseite"].iloc[900]))
    office.change("pupils", _set(office.deliveries["pupils"].frame, 70, "Staatsangehörigkeit", "163"))
    assert office.night() == dict.fromkeys(TABLES, True)
    pd.testing.assert_frame_equal(before, office.figures())


def test_a_stranger_learns_nothing_from_all_of_these_releases(office: Office) -> None:
    releases = sorted(p for p in office.release.parent.glob("2*") if p.is_dir())
    assert len(releases) >= 3
    assert campaign(releases[-1], releases[:-1], exact=20) == []


def test_a_large_correction_goes_out_and_names_nothing_hidden(office: Office) -> None:
    """Two hundred people more in one block side: the figures that are a base away follow; what was hidden stays hidden."""
    before = office.figures()
    frame = people(office)
    more = frame.iloc[:200].assign(
        PID=[f"9{n:011d}" for n in range(200)], Blockseite=frame["Blockseite"].iloc[0]
    )
    office.change("residents", pd.concat([frame, more]))
    assert office.night() == dict.fromkeys(TABLES, True)
    after = office.figures()
    keys = [
        c
        for c in before.columns
        if c in office.catalogue.breakdowns or c in ("indicator_id", "area_code", "period_end")
    ]
    both = before.merge(after, on=keys, suffixes=("_before", ""))
    assert len(both) == len(before) == len(after)
    followed = both[both["denominator"].notna() & (both["denominator"] != both["denominator_before"])]
    assert len(followed) > 5
    assert ((followed["denominator"] - followed["denominator_before"]) >= 5).all()
    # What was confidential is, and what was shown is shown.
    confidential = both["status_before"] == "confidential"
    assert confidential.any()
    assert (confidential == (both["status"] == "confidential")).all()
    changes = pd.read_parquet(office.release / "changes.parquet")
    assert len(changes) > 0
    assert not set(changes["status_before"]) & {"confidential"}
    assert not set(changes["status_after"]) & {"confidential"}
