"""`catalogue audit`: sentences, formulas and figures side by side, and 1 where they come apart."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from expectations.catalogue import Catalogue
from expectations.catalogue.model import Text
from orchestration.audit import Audit, audit, audit_lines
from orchestration.publish.release import ReleaseStore
from tests.support.nights import invoke

HOME = "07111"


def audited(home: Path, catalogue: Catalogue, name: str, **changes: object) -> Audit:
    """The audit of one indicator of a home's release, after changes to its declaration."""
    release = ReleaseStore(home / "releases").current()
    assert release is not None
    indicator = catalogue.indicators[name].model_copy(update=changes)
    with release.reading() as query:
        return audit(catalogue, indicator, query, HOME)


def test_on_the_embedded_default_nothing_comes_apart(night_home: Path, catalogue: Catalogue) -> None:
    done = invoke("catalogue", "audit", "--home", str(night_home), "--json")
    assert done.code == 0, done.err
    entries = json.loads(done.out)
    assert [e["code"] for e in entries] == [i.code for i in catalogue.in_order()]
    assert {e["indicator_id"]: e["problems"] for e in entries if e["problems"]} == {}
    published = [e for e in entries if e["status"] == "published"]
    assert all(e["formula"] for e in entries)
    assert sum(bool(e["values"]) for e in published) >= 115
    assert sum(bool(e["levels"]) for e in published) >= 40


def test_one_indicator_by_its_code_or_its_id(night_home: Path) -> None:
    by_code = invoke("catalogue", "audit", "C3.1", "--home", str(night_home))
    by_id = invoke("catalogue", "audit", "full_day_care_rate_percent", "--home", str(night_home))
    assert by_code.code == by_id.code == 0
    assert by_code.out == by_id.out
    assert "register_children_full_day" in by_code.out
    unknown = invoke("catalogue", "audit", "full_day_care_rat")
    assert unknown.code == 2
    assert "did you mean 'full_day_care_rate_percent'?" in unknown.err + unknown.out


def test_parts_and_levels_stand_beside_their_wholes(night_home: Path, catalogue: Catalogue) -> None:
    leavers = audited(night_home, catalogue, "leavers_by_qualification")
    (parts,) = [p for p in leavers.parts if p.breakdown == "qualification"]
    assert parts.cells == parts.total > 1000
    (schools,) = [s for s in leavers.levels if s.role == "numerator"]
    assert schools.level == "school"
    assert abs(schools.areas - schools.city) < 0.01 * schools.city
    balance = audited(night_home, catalogue, "net_migration")
    assert [s.role for s in balance.levels] == ["difference"]


@pytest.mark.parametrize(
    ("name", "field", "old", "new", "problem"),
    [
        ("care_rate_3_to_5_percent", "calculation", "(01.03.;", "am 31.12. (01.03.;", "a value is of 01.03."),
        ("entrance_qualification_percent", "calculation", "18 bis unter 20", "18 bis unter 21", "no age border 21"),
    ],
)  # fmt: skip
def test_a_sentence_that_says_otherwise_is_a_problem(
    night_home: Path, catalogue: Catalogue, name: str, field: str, old: str, new: str, problem: str
) -> None:
    text = getattr(catalogue.indicators[name], field)
    found = audited(night_home, catalogue, name, **{field: Text(de=text.de.replace(old, new), en=text.en)})
    assert any(problem in one for one in found.problems), found.problems
    assert any("PROBLEM" in line for line in audit_lines(found))


def test_a_level_without_a_value_is_a_problem(night_home: Path, catalogue: Catalogue) -> None:
    levels = [*catalogue.indicators["live_births"].levels, "planning_district"]
    found = audited(night_home, catalogue, "live_births", levels=levels)
    assert found.problems == ["no value for level 'planning_district'"]


def test_without_a_release_only_declarations_are_read(catalogue: Catalogue) -> None:
    found = audit(catalogue, catalogue.indicators["pupils"], None, HOME)
    assert found.problems == []
    assert found.values == []
    assert dataclasses.asdict(found)["populations"][0]["measure"] == "pupils"
