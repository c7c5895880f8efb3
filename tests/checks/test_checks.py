"""Every check on bad data: clean data trips none, each poison trips its own check and only it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from pathlib import Path

import pandas as pd
import pytest

from expectations.catalogue import Catalogue, load_catalogue
from expectations.catalogue.base import RANGE
from expectations.catalogue.model import Exemption, Text, Waiver
from expectations.checks import CHECKS, Subject
from expectations.checks.base import Revisions
from expectations.checks.changes import changed_rows, unexplained
from expectations.verdict import Status, Verdict
from orchestration.confirm import gate
from orchestration.confirm.gate import expected_checks
from tests.checks.poisons import (
    HOME,
    LEAVERS,
    POISONS,
    a_jump_at_home,
    a_past_figure_changed,
    a_rate_above_hundred,
    against_told,
    in_both,
    in_frame,
    mojibake,
    plain,
    rows_of,
    with_delivery,
    with_loss,
    with_policy,
)
from tests.checks.subjects import Subjects


@pytest.fixture(scope="module")
def clean(night_home: Path) -> Subjects:
    """The sample's tables as the gate sees them."""
    return Subjects(night_home)


COMPARING = tuple(check.name for check in CHECKS if check.compares)
"""The checks that compare tonight's figures with those that readers have."""


def judged(subject: Subject, *checks: str) -> list[Verdict]:
    """The verdicts of some checks alone, as the gate decides them; of all if none is named."""
    with pytest.MonkeyPatch.context() as patch:
        if checks:
            patch.setattr(gate, "CHECKS", [check for check in gate.CHECKS if check.name in checks])
        return gate.judge(subject)


def held_by(subject: Subject, *checks: str) -> set[str]:
    return {v.check for v in judged(subject, *checks) if v.status.holds}


def test_a_value_that_becomes_a_range_is_a_change_and_nothing_withdrawn(clean: Subjects) -> None:
    """A redelivery makes a figure less sure: it is named with both ends, and the check of withdrawn values keeps still."""

    def unsure(frame: pd.DataFrame) -> pd.DataFrame:
        rows = rows_of(frame, indicator_id="leavers_without_certificate_percent", area_code="07131")
        rows &= frame["value"].notna()
        frame.loc[rows, ["value_from", "value_to"]] = [1.5, 99.5]
        frame.loc[rows, ["value", "status"]] = [float("nan"), RANGE]
        return frame

    subject = against_told(unsure)(clean["pub_leavers"])
    found = changed_rows(subject)
    assert len(found)
    assert set(found["kind"]) == {"changed"}
    assert found["value_before"].notna().all()
    assert "withdrawn_values" not in held_by(subject, "withdrawn_values", "published_values")
    (verdict,) = [
        v for v in judged(subject, "published_values") if v.scope == "leavers_without_certificate_percent"
    ]
    assert "→ 1,5 bis 99,5" in verdict.message_de
    assert "→ 1.5 to 99.5" in verdict.message_en


def test_a_rate_of_hardly_anybody_is_no_gap(clean: Subjects) -> None:
    """Two people last year, one this year: the published denominator is 0 now, and nothing was lost."""

    def nobody(frame: pd.DataFrame) -> pd.DataFrame:
        rows = (frame["indicator_id"] == "migration_background_percent") & (frame["area_level"] == "district")
        rows &= (frame["sex"] == "diverse") & (frame["age_group"] == "ALT010B15")
        assert rows.any()
        last = rows & (frame["period_end"] == frame.loc[rows, "period_end"].max())
        figures = ["value", "value_from", "value_to", "numerator", "tolerance"]
        frame.loc[rows, [*figures, "denominator"]] = float("nan")
        frame.loc[rows, ["status", "sign"]] = ["confidential", "."]
        frame.loc[last, ["status", "sign", "denominator"]] = ["not_applicable", None, 0.0]
        return frame

    assert held_by(in_both(nobody)(clean["pub_newcomers"]), "coverage") == set()


@pytest.mark.full_tier  # the cold night's journey has published all of them
def test_clean_data_trips_no_check(clean: Subjects) -> None:
    for name, subject in clean.items():
        assert held_by(subject) == set(), name


@pytest.mark.parametrize("case", POISONS)
def test_each_poison_trips_its_own_check(clean: Subjects, case: str) -> None:
    """The checks that it is made for, in a German and in an English sentence; `…_and_no_other` asks all."""
    poison = POISONS[case]
    verdicts = judged(poison.make(clean[poison.table]), *poison.trips)
    found = [v for v in verdicts if v.status.holds]
    assert {v.check for v in found} == poison.trips
    for verdict in found:
        # Rules of Great Expectations stand between quotation marks, as its own program names them.
        german = re.sub("„[^“]*“", "", verdict.message_de)
        assert not re.search(
            r"\b(of|the|with|cells?|values?|parts|whole|beside|years?|districts?|areas?)\b", german
        )
        assert not re.search(r"\b1 (Werte|Fälle|Zeilen|Kreise|Gebiete)\b|\d%|\b\d{4}-\d{2}-\d{2}\b", german)
        assert not re.search(
            r"\b(der|die|das|von|mit|Werte?|Teile)\b", re.sub("“[^”]*”", "", verdict.message_en)
        )


@pytest.mark.full_tier  # all checks of whole tables, as the gate runs them
@pytest.mark.parametrize("case", POISONS)
def test_each_poison_trips_its_own_check_and_no_other(clean: Subjects, case: str) -> None:
    poison = POISONS[case]
    assert held_by(poison.make(clean[poison.table])) == poison.expected


def test_every_check_has_a_poison_and_a_policy(catalogue: Catalogue) -> None:
    """Prints how many there are: `pytest -s`."""
    tripped = set().union(*(poison.trips for poison in POISONS.values()))
    names = [check.name for check in CHECKS]
    assert len(names) == len(set(names))
    assert set(names) == tripped
    assert set(names) == set(catalogue.checks)
    exceptions = {name: p.also for name, p in POISONS.items() if p.also[0]}
    print(
        f"\n{len(names)} checks, {len(POISONS)} poisoned fixtures, {len(exceptions)} of them trip others, too:"
    )
    for name, (also, because) in exceptions.items():
        print(f"  {name}: {', '.join(sorted(also)) if len(also) < 6 else f'{len(also)} checks'}: {because}")
    assert len(names) >= 45


def _scope_of(verdicts: list[Verdict], check: str) -> Verdict:
    return next(v for v in verdicts if v.check == check and v.status is not Status.PASS)


def test_severity_is_the_catalogues(clean: Subjects) -> None:
    """The same finding holds, warns, or warns in one scope only, as the policy says."""
    subject = in_frame(mojibake)(clean["pub_leavers"])
    assert held_by(subject) == {"encoding"}
    lenient = dataclasses.replace(
        subject, catalogue=with_policy(subject.catalogue, "encoding", broken="warn")
    )
    found = _scope_of(judged(lenient, "encoding"), "encoding")
    assert (found.status, found.fit_for_machines) == (Status.WARN, False)
    policy = subject.catalogue.checks["encoding"]
    reason = Text(de="alte Datei", en="old file")
    for exemption, holds in (
        (Exemption(table="pub_leavers", broken="warn", reason=reason), False),
        (Exemption(table="pub_schools", broken="warn", reason=reason), True),
    ):
        own = policy.model_copy(update={"exemptions": [exemption]})
        catalogue = subject.catalogue.model_copy(
            update={"checks": {**subject.catalogue.checks, "encoding": own}}
        )
        assert bool(held_by(dataclasses.replace(subject, catalogue=catalogue), "encoding")) is holds


def test_a_waiver_lets_its_finding_pass_and_nothing_else(clean: Subjects) -> None:
    subject = in_frame(mojibake)(clean["pub_leavers"])
    waiver = Waiver(
        id="accepted", check="encoding", table="pub_leavers", scope="pub_leavers", reason="an old file of the office",
        owner="Statistikstelle", made_on=dt.date(2026, 11, 1), expires=dt.date(2027, 1, 31),
    )  # fmt: skip

    involved = ("encoding", "continuity", "unusual_change", "waiver")

    def with_waiver(found: Subject, **changes: object) -> Subject:
        waivers = {"accepted": waiver.model_copy(update=changes)}
        return dataclasses.replace(found, catalogue=found.catalogue.model_copy(update={"waivers": waivers}))

    verdicts = judged(with_waiver(subject), *involved)
    assert not [v for v in verdicts if v.status.holds]
    found = _scope_of(verdicts, "encoding")
    assert (found.status, found.waiver, found.fit_for_machines) == (Status.WARN, "accepted", False)
    (own,) = [v for v in verdicts if v.check == "waiver"]
    assert own.status is Status.PASS
    assert "31.01.2027" in own.message_de
    # Another scope, not yet, no longer, and something worse beside it.
    assert held_by(with_waiver(subject, scope="pub_schools"), *involved) == {"encoding", "waiver"}
    assert held_by(with_waiver(subject, made_on=dt.date(2026, 12, 1)), *involved) == {"encoding", "waiver"}
    assert held_by(with_waiver(in_frame(a_jump_at_home)(subject)), *involved) == {
        "continuity",
        "unusual_change",
    }
    soon = judged(with_waiver(subject, expires=dt.date(2026, 11, 30)), *involved)
    assert _scope_of(soon, "waiver").status is Status.WARN
    # What it let out is served: it stays alive until its day, though tonight nothing differs any more.
    served = dataclasses.replace(with_waiver(clean["pub_leavers"]), used_waivers=frozenset({"accepted"}))
    assert held_by(served, *involved) == set()


def test_a_change_is_explained_by_its_declaration_or_its_source(clean: Subjects) -> None:
    subject = against_told(a_past_figure_changed)(clean["pub_leavers"])
    assert held_by(subject, *COMPARING) == {"published_values"}
    before = subject.before
    assert before is not None
    delivered = dataclasses.replace(before, delivered=frozenset({LEAVERS}))
    assert held_by(dataclasses.replace(subject, before=delivered), *COMPARING) == set()
    other = dataclasses.replace(before, delivered=frozenset({"12612-01-01-4"}))
    assert held_by(dataclasses.replace(subject, before=other), *COMPARING) == {"published_values"}
    anew = {**before.definitions, "leavers_by_qualification": "another"}
    assert (
        held_by(
            dataclasses.replace(subject, before=dataclasses.replace(before, definitions=anew)), *COMPARING
        )
        == set()
    )


def test_a_register_may_change_its_newest_period_only(clean: Subjects) -> None:
    def changed(newest: bool) -> Subject:
        def change(frame: pd.DataFrame) -> pd.DataFrame:
            rows = rows_of(frame, indicator_id="pupils_in_german_courses", area_code=HOME)
            ends = frame.loc[rows, "period_end"]
            rows &= frame["period_end"] == (ends.max() if newest else ends.min())
            frame.loc[rows, ["value", "numerator"]] += 5
            frame[["value_city", "value_state", "value_country"]] = float("nan")
            return frame

        subject = against_told(change)(clean["pub_newcomers"])
        assert subject.before is not None
        sources = subject.catalogue.origins_of(subject.catalogue.indicators["pupils_in_german_courses"])
        return dataclasses.replace(
            subject, before=dataclasses.replace(subject.before, delivered=frozenset(sources))
        )

    assert held_by(changed(newest=True), *COMPARING) == set()
    assert held_by(changed(newest=False), *COMPARING) == {"published_values"}


def test_a_change_is_explained_by_a_source_of_its_own_formula(clean: Subjects) -> None:
    """The city's pupils come from an official table that is a year ahead of the register of the schools."""

    whole = clean["pub_schools"]
    assert whole.frame is not None
    assert whole.before is not None
    before = whole.before
    of_schools = whole.frame["area_level"] == "school"
    behind = whole.frame[~(of_schools & (whole.frame["period_end"] == whole.frame["period_end"].max()))]

    def found(told: pd.DataFrame, level: str, *delivered: str, newest: bool = True) -> int:
        """How many of one period's figures that differ from those told nobody has explained."""
        told = told.reset_index(drop=True)
        frame = plain(told)
        mine = rows_of(frame, indicator_id="pupils", area_level=level) & frame["value"].notna()
        ends = frame.loc[mine, "period_end"]
        mine &= frame["period_end"] == (ends.max() if newest else ends.min())
        frame.loc[mine, ["value", "numerator"]] += 5
        of_readers = dataclasses.replace(before, rows=told, delivered=frozenset(delivered))
        subject = dataclasses.replace(whole, frame=frame, before=of_readers)
        changes = changed_rows(subject)
        assert len(changes) == mine.sum() > 0
        return int(unexplained(subject, changes).sum())

    official = "21111-01-03-4"
    assert found(behind, "school", "pupils") == 0
    assert found(behind, "school", "pupils", official) == 0
    assert found(behind, "school", official) > 0
    assert found(whole.frame, "school", "pupils", newest=False) > 0
    assert found(whole.frame, "school", "pupils", official, newest=False) > 0
    assert found(whole.frame, "district", official, newest=False) == 0
    assert found(whole.frame, "district", "pupils") > 0


def test_a_check_that_evaluated_nothing_holds(clean: Subjects) -> None:
    """No check passes over nothing; what never came and was never told is a remark."""
    subject = clean["pub_leavers"]
    for check in CHECKS:
        for scope in check.scopes(subject.catalogue, "pub_leavers"):
            empty = dataclasses.replace(
                subject, frame=subject.frame.iloc[:0], measures=subject.measures.iloc[:0], deliveries={}, tests=[],
                registers={}, corrections={}, rated=subject.rated.iloc[:0], before=None, reconciled=subject.reconciled.iloc[:0],
                parts_of_city=subject.parts_of_city.iloc[:0], lone_institutions=subject.lone_institutions.iloc[:0],
            )  # fmt: skip
            found = next(v for v in judge_one(empty, check.name) if v.scope == scope)
            # A register that is no part of what is told has its own remark, that it did not come.
            never_told = found.observed == "no value yet" and check.name in (
                "shrunken_register",
                "unmatched_places",
            )
            assert found.status is not Status.PASS or never_told, (check.name, found)
            break


def judge_one(subject: Subject, name: str) -> list[Verdict]:
    (check,) = [c for c in CHECKS if c.name == name]
    return [check.run(subject, scope) for scope in check.scopes(subject.catalogue, subject.table)]


def test_a_period_that_waits_for_another_table_holds_nothing(clean: Subjects) -> None:
    """Schools have delivered, the population has not: no rate yet, and no reason to hold what stands."""
    indicator, awaited = "education_participation_percent", "12411-02-03-4"

    def waiting(frame: pd.DataFrame, source: str) -> pd.DataFrame:
        rows = frame["indicator_id"].eq(indicator)
        newest = rows & frame["period_end"].eq(frame.loc[rows, "period_end"].max())
        assert awaited in frame.loc[newest, "source"].iloc[0]
        frame.loc[newest, ["value", "denominator"]] = float("nan")
        frame.loc[newest, "status"] = "unavailable"
        frame.loc[newest, "source"] = source
        return frame

    both = f"21111-01-03-4, 21121-01-05-4 / {awaited}"
    for source, expected in (("21111-01-03-4, 21121-01-05-4", Status.WARN), (both, Status.FAIL)):
        poisoned = in_frame(lambda f, s=source: waiting(f, s))(clean["pub_resources"])
        (verdict,) = (v for v in judge_one(poisoned, "coverage") if v.scope == indicator)
        assert verdict.status is expected, verdict.observed
        assert (awaited in verdict.observed) == (expected is Status.WARN)


@pytest.mark.parametrize("what", ["indicator", "area", "period"])
def test_whatever_is_gone_is_named_by_coverage(clean: Subjects, what: str) -> None:
    subject = clean["pub_leavers"]
    frame = subject.frame
    assert frame is not None
    gone, named = {
        "indicator": (frame["indicator_id"] == "leavers_male_percent", "leavers_male_percent"),
        "area": ((frame["area_code"] == HOME), HOME),
        "period": ((frame["period_label"] == "2019/20") & (frame["area_level"] == "district") & (frame["area_code"] != HOME), "2019/20"),
    }[what]  # fmt: skip
    poisoned = dataclasses.replace(subject, frame=frame[~gone], before=None)
    found = [v for v in judge_one(poisoned, "coverage") if v.status.holds]
    assert found
    assert any(named in v.message_de for v in found)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"refused": ["x.csv, line 3: found 'a', expected b"]}, "Letzte Lieferung abgelehnt"),
        ({"outstanding": ["www.regionalstatistik.de: HTTP 500"]}, "Nicht abgerufen"),
        ({"newest_period_end": pd.Timestamp("2019-07-31")}, "überfällig"),
    ],
)
def test_a_late_or_refused_delivery_carries_on_with_its_age(
    clean: Subjects, changes: dict[str, object], words: str
) -> None:
    subject = with_delivery(**changes)(clean["pub_leavers"])
    (found,) = [
        v for v in judged(subject, "freshness", "refused_delivery") if v.scope == LEAVERS and v.status is not Status.PASS
    ]  # fmt: skip
    assert found.status is Status.WARN
    assert words in found.message_de
    assert "31.07.2025" in found.message_de or "31.07.2019" in found.message_de


@pytest.mark.parametrize(
    ("told", "holds"),
    [
        (Revisions(0, 0, 0, (), 1000), False),
        (Revisions(0, 15, 0, ("2026-03-13",), 1000), False),
        (Revisions(0, 25, 0, ("2026-03-13",), 1000), True),
        (Revisions(0, 100, 100, ("2026-03-13",), 1000), False),
        (Revisions(1, 0, 0, ("2026-03-13",), 1000), True),
    ],
)
def test_a_revision_goes_out_if_it_is_declared(clean: Subjects, told: Revisions, holds: bool) -> None:
    """Undeclared never; declared up to the table's limit; accepted by its day, however much it is."""
    subject = with_delivery(revisions=told)(clean["pub_leavers"])
    assert held_by(subject, *COMPARING) == ({"revision"} if holds else set())
    found = next(v for v in judged(subject, "revision") if v.scope == LEAVERS)
    changed = told.declared + told.undeclared
    assert (found.status is Status.PASS) == (changed == 0)
    assert not changed or str(changed) in found.message_de


def test_a_message_names_place_and_value(clean: Subjects) -> None:
    subject = in_frame(a_rate_above_hundred)(clean["pub_social_situation"])
    (found,) = [v for v in judged(subject, "range") if v.status is Status.FAIL]
    assert found.scope == "unemployment_rate_percent"
    assert "07131, 2014: 104" in found.message_de
    assert "from 0 to 40" in found.message_en
    assert "von 0 bis 40" in found.message_de
    assert found.guidance_de
    assert found.guidance_en


def test_a_table_that_was_not_built_is_not_evaluated(clean: Subjects) -> None:
    subject = dataclasses.replace(clean["pub_leavers"], frame=None, measures=pd.DataFrame({"measure_id": []}))
    verdicts = judged(subject)
    statuses = {v.check: v.status for v in verdicts}
    assert statuses["integrity"] is statuses["schema"] is statuses["range"] is Status.NOT_EVALUATED
    assert {v.key for v in verdicts} == expected_checks(subject.catalogue, "pub_leavers")


def test_a_check_that_breaks_holds_the_table(clean: Subjects) -> None:
    subject = in_frame(lambda f: f.drop(columns="period_end"))(clean["pub_leavers"])
    broken = judged(subject, "continuity")
    assert {v.status for v in broken} == {Status.NOT_EVALUATED}
    assert "could not be run" in broken[0].message_en


def test_a_jump_across_a_declared_break_is_none(clean: Subjects) -> None:
    def declared(frame: pd.DataFrame) -> pd.DataFrame:
        frame = a_jump_at_home(frame)
        rows = rows_of(frame, indicator_id="leavers_with_abitur_percent", area_code=HOME)
        newest = rows & (frame["period_end"] == frame.loc[rows, "period_end"].max())
        return frame.assign(series_break_before=frame["series_break_before"] | newest)

    # The jump is none; a mark without a declaration would be told (series_break), but these years have one.
    assert held_by(in_frame(declared)(clean["pub_leavers"])) == set()


def test_unknown_parts_leave_room_upwards_only(clean: Subjects) -> None:
    """Grade 11: 56 pupils stand in an `x` cell and inside the total. Unknown is not zero."""
    subject = clean["pub_schools"]
    measures = subject.measures
    evening = rows_of(measures, measure_id="pupils", school_type="SCHULE28", grade="JGSTUFE11")
    assert measures.loc[evening, "value"].isna().all()
    total = rows_of(measures, measure_id="pupils", area_code=HOME, school_type="total", grade="JGSTUFE11")
    assert held_by(subject) == set()
    less = measures.copy()
    less.loc[total, "value"] = 1
    assert held_by(dataclasses.replace(subject, measures=less)) == {"additivity"}


def reconciled(subject: Subject, scope: str) -> Verdict:
    (found,) = [v for v in judged(subject, "reconciliation") if v.scope == scope]
    return found


def test_registers_and_official_tables_agree_on_the_clean_sample(clean: Subjects) -> None:
    found = [v for subject in clean.values() for v in judged(subject, "reconciliation")]
    assert len(found) == len(load_catalogue().reconciliations) >= 20
    assert {(v.status, v.observed) for v in found} == {(Status.PASS, "5 periods agree")}


@pytest.mark.parametrize(
    ("table", "scope", "measure"),
    [
        ("pub_early_childhood", "care_rate_under_3", "register_children_in_centres"),
        ("pub_early_childhood", "day_care_places", "register_day_care_places"),
        ("pub_population", "population", "register_population"),
        ("pub_schools", "pupils", "register_pupils"),
    ],
)
def test_a_register_that_lost_a_tenth_is_told_by_name(
    clean: Subjects, table: str, scope: str, measure: str
) -> None:
    """In the newer of two periods only; the other one is not blamed. A third lost holds; so does a tenth where declared."""
    rows = clean[table].reconciled
    newest = rows[rows["measure_id"] == measure].sort_values("period_end")["period_label"].iloc[-1]
    verdict = reconciled(with_loss(clean[table], scope, measure, 0.9), scope)
    assert verdict.status is not Status.PASS
    assert verdict.observed.startswith(f"{newest}: ")
    assert verdict.observed.count(": ") == 1
    assert verdict.observed in verdict.message_en
    assert f"({newest}: " in verdict.message_de
    assert reconciled(with_loss(clean[table], scope, measure, 0.9, holds=True), scope).status is Status.FAIL
    assert reconciled(with_loss(clean[table], scope, measure, 0.6), scope).status is Status.FAIL


def test_without_a_register_there_is_nothing_to_reconcile(clean: Subjects) -> None:
    subject = clean["pub_schools"]
    rows = subject.reconciled[~subject.reconciled["measure_id"].str.startswith("register_")]
    verdict = reconciled(dataclasses.replace(subject, reconciled=rows), "pupils")
    assert (verdict.status, verdict.observed) == (Status.PASS, "nothing to compare")


def test_an_indicator_at_none_of_its_levels_is_not_built(clean: Subjects) -> None:
    """Coverage once stumbled over it and held the table with the words of a programmer."""
    indicator = "leavers_without_certificate_percent"

    def elsewhere(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(area_level=frame["area_level"].mask(frame["indicator_id"] == indicator, "school"))

    verdicts = judged(in_frame(elsewhere)(clean["pub_leavers"]), "coverage")
    found = next(v for v in verdicts if (v.check, v.scope) == ("coverage", indicator))
    assert found.status is Status.NOT_EVALUATED
    assert "Error" not in found.observed
