"""Every check on bad data: clean data trips none, each poison trips its own check and only it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from expectations.catalogue import Catalogue, load_catalogue
from expectations.catalogue.model import AcceptedRevision, Text
from expectations.checks import CHECKS, Subject
from expectations.checks.base import CorrectionResult, Delivery, Revisions, StructuralTest
from expectations.verdict import Status, Verdict
from orchestration.confirm.gate import expected_checks, judge

HOME = "07111"

Poison = Callable[[Subject], Subject]


@pytest.fixture(scope="module")
def clean(night_home: Path, catalogue: Catalogue) -> dict[str, Subject]:
    """The sample's tables as the gate sees them."""
    subjects = {}
    with duckdb.connect(str(night_home / "warehouse" / "candidate.duckdb"), read_only=True) as candidate:
        measures = candidate.execute("select * from monitoring.fct_measure").df()
        for name in catalogue.published:
            wanted = {m.id for i in catalogue.indicators_of(name) for m in catalogue.measures_of(i)}
            subjects[name] = Subject(
                table=name,
                catalogue=catalogue,
                home_area=HOME,
                today=pd.Timestamp("2026-11-24"),
                frame=candidate.execute(f"select * from published.{name}").df(),
                measures=measures[measures["measure_id"].isin(wanted)],
                deliveries={
                    t.code: Delivery(
                        t.code, 1, "file.csv", pd.Timestamp("2025-12-31"), revisions=Revisions({}, 1000)
                    )
                    for t in catalogue.tables_behind(name)
                },
                tests=[StructuralTest("unique", "pass", 0), StructuralTest("not_null", "pass", 0)],
                corrections={
                    c.id: CorrectionResult(c.id, True, c.found, c.found)
                    for c in catalogue.corrections.values()
                },
                told=frozenset(catalogue.indicators),
                reconciled=measures[
                    measures["measure_id"].isin(catalogue.measures_reconciled(name))
                    & (measures["area_code"] == HOME)
                ],
            )
    return subjects


def held_by(subject: Subject) -> set[str]:
    return {v.check for v in judge(subject) if v.status.holds}


def cells(frame: pd.DataFrame, **where: str) -> pd.Series:
    chosen = pd.Series(True, index=frame.index)
    names = load_catalogue().breakdowns
    for name in names:
        chosen &= frame[name] == where.pop(name, "total")
    for name, value in where.items():
        chosen &= frame[name] == value
    return chosen


def in_frame(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Poison:
    def poison(subject: Subject) -> Subject:
        assert subject.frame is not None
        return dataclasses.replace(subject, frame=change(subject.frame.copy()))

    return poison


def in_measures(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Poison:
    return lambda subject: dataclasses.replace(subject, measures=change(subject.measures.copy()))


def multiplied(frame: pd.DataFrame, rows: pd.Series, factor: float, newest: bool) -> pd.DataFrame:
    ends = frame.loc[rows, "period_end"]
    edge = ends.max() if newest else ends.min()
    chosen = rows & (frame["period_end"] == edge)
    assert chosen.any()
    frame.loc[chosen, "value"] *= factor
    return frame


def official(frame: pd.DataFrame) -> pd.Series:
    """The rows that no register of the city gave."""
    return ~frame["area_code"].str.contains("-")


def in_newest_official_period(frame: pd.DataFrame) -> pd.Series:
    return frame["period_end"] == frame.loc[official(frame), "period_end"].max()


def a_rate_above_hundred(frame: pd.DataFrame) -> pd.DataFrame:
    rows = cells(frame, indicator_id="leavers_without_certificate_percent", area_code="07131")
    return multiplied(frame, rows, 20, newest=False)


def a_negative_count(frame: pd.DataFrame) -> pd.DataFrame:
    rows = cells(frame, indicator_id="leavers_by_qualification", area_code="07131", qualification="BILABS14")
    return multiplied(frame, rows, -1, newest=False)


def thousands_for_units(frame: pd.DataFrame) -> pd.DataFrame:
    frame.loc[frame["indicator_id"] == "leavers_by_qualification", "unit"] = "1000 persons"
    return frame


def a_jump_at_home(frame: pd.DataFrame) -> pd.DataFrame:
    rows = cells(frame, indicator_id="leavers_with_abitur_percent", area_code=HOME)
    return multiplied(frame, rows, 1.8, newest=True)


def a_jump_everywhere(frame: pd.DataFrame) -> pd.DataFrame:
    rows = cells(frame, indicator_id="leavers_with_abitur_percent") & (frame["area_code"] != HOME)
    rows &= official(frame)
    return multiplied(frame, rows, 1.8, newest=True)


def a_land_missing(frame: pd.DataFrame) -> pd.DataFrame:
    gone = frame["area_code"].str[:4].isin(["0713", "0731", "0733"]) & (frame["period_label"] == "2019/20")
    return frame[~gone]


def home_missing(frame: pd.DataFrame) -> pd.DataFrame:
    newest = in_newest_official_period(frame)
    return frame[~(newest & (frame["area_code"] == HOME))]


def a_cell_of_home_missing(frame: pd.DataFrame) -> pd.DataFrame:
    newest = in_newest_official_period(frame)
    home = cells(frame, indicator_id="leavers_by_qualification", area_code=HOME, qualification="BILABS15")
    return frame[~(newest & home)]


def homes_headline_unknown(frame: pd.DataFrame) -> pd.DataFrame:
    """The row is there, the women are there, the total is not."""
    rows = cells(frame, indicator_id="leavers_without_certificate_percent", area_code=HOME)
    rows &= in_newest_official_period(frame)
    assert rows.sum() == 1
    frame.loc[rows, "value"] = float("nan")
    frame.loc[rows, "status"] = "confidential"
    return frame


def thousands_delivered_as_ones(frame: pd.DataFrame) -> pd.DataFrame:
    rows = cells(frame, indicator_id="day_care_places", area_code=HOME)
    return multiplied(frame, rows, 0.001, newest=True)


def an_indicator_gone(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["indicator_id"] != "leavers_male_percent"]


def parts_shifted(measures: pd.DataFrame) -> pd.DataFrame:
    rows = cells(measures, measure_id="leavers", area_code="07131", qualification="BILABS12")
    measures.loc[rows, "value"] += 7
    return measures


def a_rounded_land_out_of_step(measures: pd.DataFrame) -> pd.DataFrame:
    """More than two percent of the groups disagree by more than corrections explain."""
    rows = (measures["qualification"] == "BILABS12") & (measures["area_code"] == "DG")
    measures.loc[rows, "value"] *= 1.5
    return measures


def double_counts_above_the_sum(measures: pd.DataFrame) -> pd.DataFrame:
    rows = cells(
        measures, measure_id="children_in_day_care", area_code=HOME, care_type="centre", age_group="ALT000B03"
    )
    measures.loc[rows, "value"] -= 200
    return measures


def with_delivery(**changes: object) -> Poison:
    def poison(subject: Subject) -> Subject:
        code = "21111-02-06-4"
        changed = dataclasses.replace(subject.deliveries[code], **changes)  # type: ignore[arg-type]
        return dataclasses.replace(subject, deliveries={**subject.deliveries, code: changed})

    return poison


def with_tests(*tests: StructuralTest) -> Poison:
    return lambda subject: dataclasses.replace(subject, tests=list(tests))


def repaired_source(subject: Subject) -> Subject:
    name = "leavers_1995_fulda"
    repaired = CorrectionResult(name, True, 20.0, -21.0)
    return dataclasses.replace(subject, corrections={**subject.corrections, name: repaired})


def with_loss(subject: Subject, scope: str, measure: str, *, holds: bool = False) -> Subject:
    """A tenth of a register's newest period is gone; `holds` makes the reconciliation hold its table."""
    rows = subject.reconciled.copy()
    newest = rows.loc[rows["measure_id"] == measure, "period_end"].max()
    lost = (rows["measure_id"] == measure) & (rows["period_end"] == newest)
    rows.loc[lost, "value"] = (rows.loc[lost, "value"] * 0.9).round()
    declared = subject.catalogue.reconciliations
    strict = {**declared, scope: declared[scope].model_copy(update={"holds": holds})}
    catalogue = subject.catalogue.model_copy(update={"reconciliations": strict})
    return dataclasses.replace(subject, reconciled=rows, catalogue=catalogue)


def pupils_lost(subject: Subject) -> Subject:
    return with_loss(subject, "pupils", "register_pupils", holds=True)


POISONED: dict[str, tuple[str, Poison, set[str]]] = {
    "a register lost pupils": ("pub_schools", pupils_lost, {"reconciliation"}),
    "a rate above 100": ("pub_leavers", in_frame(a_rate_above_hundred), {"range"}),
    "a negative count": ("pub_leavers", in_frame(a_negative_count), {"range"}),
    "thousands for units": ("pub_leavers", in_frame(thousands_for_units), {"range"}),
    "a jump at home": ("pub_leavers", in_frame(a_jump_at_home), {"continuity"}),
    "a jump everywhere": ("pub_leavers", in_frame(a_jump_everywhere), {"continuity"}),
    "most districts missing in a year": ("pub_leavers", in_frame(a_land_missing), {"coverage"}),
    "home missing": ("pub_leavers", in_frame(home_missing), {"coverage"}),
    "the headline figure of home unknown": (
        "pub_leavers", in_frame(homes_headline_unknown), {"coverage"},
    ),
    "a count collapses": ("pub_early_childhood", in_frame(thousands_delivered_as_ones), {"continuity"}),
    "a cell of home missing": ("pub_leavers", in_frame(a_cell_of_home_missing), {"coverage"}),
    "an indicator gone": (
        "pub_leavers", in_frame(an_indicator_gone), {"range", "coverage", "continuity"},
    ),
    "columns in another order": ("pub_leavers", in_frame(lambda f: f[f.columns[::-1]]), {"schema"}),
    "a column gone": ("pub_vocational", in_frame(lambda f: f.drop(columns="sign")), {"schema"}),
    "an unknown state": ("pub_vocational", in_frame(lambda f: f.assign(status="maybe")), {"schema"}),
    "parts shifted": ("pub_leavers", in_measures(parts_shifted), {"additivity"}),
    "a level out of step": ("pub_leavers", in_measures(a_rounded_land_out_of_step), {"additivity"}),
    "double counts": ("pub_early_childhood", in_measures(double_counts_above_the_sum), {"additivity"}),
    "never arrived": ("pub_leavers", with_delivery(snapshots=0), {"arrival"}),
    "a snapshot no longer readable": ("pub_leavers", with_delivery(unreadable="x.csv: …"), {"arrival"}),
    "a tenth of the past changed": (
        "pub_leavers", with_delivery(revisions=Revisions({"2026-03-13": 100}, 1000, ["DG, 2020/21, BILABS: 5 → 7"])), {"revision"},
    ),
    "a test failed": ("pub_leavers", with_tests(StructuralTest("unique", "fail", 3)), {"integrity"}),
    "a test not run": ("pub_leavers", with_tests(StructuralTest("unique", None)), {"integrity"}),
    "no tests at all": ("pub_leavers", with_tests(), {"integrity"}),
    "a source repaired": ("pub_leavers", repaired_source, {"correction"}),
}  # fmt: skip


def test_clean_data_trips_no_check(clean: dict[str, Subject]) -> None:
    for name, subject in clean.items():
        assert held_by(subject) == set(), name


@pytest.mark.parametrize("case", POISONED)
def test_each_poison_trips_its_own_check(clean: dict[str, Subject], case: str) -> None:
    table, poison, checks = POISONED[case]
    assert held_by(poison(clean[table])) == checks


def test_every_check_has_a_poison() -> None:
    tripped = set().union(*(checks for _, _, checks in POISONED.values()))
    assert {check.name for check in CHECKS} <= tripped


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"refused": ["x.csv, line 3: found 'a', expected b"]}, "Letzte Lieferung abgelehnt"),
        ({"outstanding": ["www.regionalstatistik.de: HTTP 500"]}, "Nicht abgerufen"),
        ({"newest_period_end": pd.Timestamp("2019-07-31")}, "überfällig"),
    ],
)
def test_a_late_or_refused_delivery_carries_on_with_its_age(
    clean: dict[str, Subject], changes: dict[str, object], words: str
) -> None:
    subject = with_delivery(**changes)(clean["pub_leavers"])
    (found,) = [v for v in judge(subject) if v.check == "arrival" and v.status is not Status.PASS]
    assert found.status is Status.WARN
    assert words in found.message_de
    assert "2025-12-31" in found.message_de or "2019-07-31" in found.message_de


def test_an_accepted_revision_goes_out_and_is_shown(clean: dict[str, Subject]) -> None:
    subject = with_delivery(revisions=Revisions({"2026-03-13": 100}, 1000))(clean["pub_leavers"])
    table = subject.catalogue.tables["21111-02-06-4"]
    note = Text(de="Revision Niedersachsen", en="Revision of Lower Saxony")
    accepted = table.model_copy(
        update={"accepted_revisions": [AcceptedRevision(stand=dt.date(2026, 3, 13), note=note)]}
    )
    tables = {**subject.catalogue.tables, table.code: accepted}
    catalogue = subject.catalogue.model_copy(update={"tables": tables})
    assert held_by(subject) == {"revision"}
    accepting = dataclasses.replace(subject, catalogue=catalogue)
    assert held_by(accepting) == set()
    (found,) = [v for v in judge(accepting) if v.check == "revision" and v.scope == table.code]
    assert found.status is Status.WARN
    assert "100 frühere Werte geändert" in found.message_de


def test_a_message_names_place_and_value(clean: dict[str, Subject]) -> None:
    subject = in_frame(a_rate_above_hundred)(clean["pub_leavers"])
    (found,) = [v for v in judge(subject) if v.check == "range" and v.status is Status.FAIL]
    assert found.scope == "leavers_without_certificate_percent"
    assert "07131, 2013/14" in found.message_de
    assert "value ≥ 0 and ≤ 100" in found.message_en
    assert found.guidance_de
    assert found.guidance_en


def test_a_table_that_was_not_built_is_not_evaluated(clean: dict[str, Subject]) -> None:
    subject = dataclasses.replace(clean["pub_leavers"], frame=None, measures=pd.DataFrame({"measure_id": []}))
    verdicts = judge(subject)
    statuses = {v.check: v.status for v in verdicts}
    assert statuses["integrity"] is statuses["schema"] is statuses["range"] is Status.NOT_EVALUATED
    assert {v.key for v in verdicts} == expected_checks(subject.catalogue, "pub_leavers")


def test_a_check_that_breaks_holds_the_table(clean: dict[str, Subject]) -> None:
    subject = in_frame(lambda f: f.drop(columns="period_end"))(clean["pub_leavers"])
    broken = [v for v in judge(subject) if v.check == "continuity"]
    assert {v.status for v in broken} == {Status.NOT_EVALUATED}
    assert "could not be run" in broken[0].message_en


def test_a_jump_across_a_declared_break_is_none(clean: dict[str, Subject]) -> None:
    def declared(frame: pd.DataFrame) -> pd.DataFrame:
        frame = a_jump_at_home(frame)
        newest = in_newest_official_period(frame)
        return frame.assign(series_break_before=frame["series_break_before"] | newest)

    assert held_by(in_frame(declared)(clean["pub_leavers"])) == set()


def test_unknown_parts_leave_room_upwards_only(clean: dict[str, Subject]) -> None:
    """Grade 11: 56 pupils stand in an `x` cell and inside the total. Unknown is not zero."""
    subject = clean["pub_schools"]
    measures = subject.measures
    evening = cells(measures, measure_id="pupils", school_type="SCHULE28", grade="JGSTUFE11")
    assert measures.loc[evening, "value"].isna().all()
    total = cells(measures, measure_id="pupils", area_code=HOME, school_type="total", grade="JGSTUFE11")
    assert held_by(subject) == set()
    less = measures.copy()
    less.loc[total, "value"] = 1
    assert held_by(dataclasses.replace(subject, measures=less)) == {"additivity"}


def reconciled(subject: Subject, scope: str) -> Verdict:
    (found,) = [v for v in judge(subject) if v.check == "reconciliation" and v.scope == scope]
    return found


def test_registers_and_official_tables_agree_on_the_clean_sample(clean: dict[str, Subject]) -> None:
    found = [v for subject in clean.values() for v in judge(subject) if v.check == "reconciliation"]
    assert len(found) == 7
    assert {(v.status, v.observed) for v in found} == {(Status.PASS, "2 periods agree")}


@pytest.mark.parametrize(
    ("table", "scope", "measure"),
    [
        ("pub_early_childhood", "care_rate_under_3", "register_children_in_centres"),
        ("pub_early_childhood", "places", "register_day_care_places"),
        ("pub_population", "residents", "register_population"),
        ("pub_schools", "pupils", "register_pupils"),
    ],
)
def test_a_register_that_lost_a_tenth_is_told_by_name(
    clean: dict[str, Subject], table: str, scope: str, measure: str
) -> None:
    """In the newer of two periods only; the other one is not blamed. It warns unless declared to hold."""
    rows = clean[table].reconciled
    newest = rows[rows["measure_id"] == measure].sort_values("period_end")["period_label"].iloc[-1]
    verdict = reconciled(with_loss(clean[table], scope, measure), scope)
    assert verdict.status is Status.WARN
    assert verdict.observed.startswith(f"{newest}: ")
    assert verdict.observed.count(": ") == 1
    assert verdict.observed in verdict.message_de
    assert reconciled(with_loss(clean[table], scope, measure, holds=True), scope).status is Status.FAIL


def test_without_a_register_there_is_nothing_to_reconcile(clean: dict[str, Subject]) -> None:
    subject = clean["pub_schools"]
    rows = subject.reconciled[~subject.reconciled["measure_id"].str.startswith("register_")]
    verdict = reconciled(dataclasses.replace(subject, reconciled=rows), "pupils")
    assert (verdict.status, verdict.observed) == (Status.PASS, "nothing to compare")
