"""Judging and publishing alone, on the candidate of a good night that somebody has touched since."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from expectations.checks import Subject
from expectations.checks.base import Check
from expectations.verdict import Verdict
from orchestration.confirm import gate
from orchestration.resources.home import Home
from orchestration.settings import catalogue_of, load_settings
from tests.support.deliveries import LATER, arguments, served
from tests.support.nights import invoke


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
    done = invoke("publish", *arguments(city), SOURCE_DATE_EPOCH=LATER)
    assert done.code == 3
    reasons = {t["table"]: t["reason_en"] for t in done.json["tables"] if not t["published"]}
    assert set(reasons) == {"pub_schools", "pub_vocational", "pub_leavers"}
    assert "another content" in reasons["pub_schools"]
    assert "another catalogue" in reasons["pub_vocational"]
    assert "checks are incomplete: range" in reasons["pub_leavers"]
    after = served(city)
    for name in reasons:
        assert pq.read_table(after.parquet(name)).equals(pq.read_table(before.parquet(name)))


@pytest.mark.full_tier
def test_a_damaged_release_is_replaced_by_a_whole_one(city: Path) -> None:
    before = served(city)
    file = before.folder / "csv" / "area.csv"
    file.unlink()  # it is a hard link to that of a home that others use
    file.write_text("damaged")
    done = invoke("publish", *arguments(city), SOURCE_DATE_EPOCH=LATER)
    assert done.code == 0, done.err
    after = served(city)
    assert after.id != before.id
    assert after.manifest["content_digest"] == before.manifest["content_digest"]


@pytest.mark.full_tier
def test_a_held_table_keeps_the_definitions_of_its_version(city: Path) -> None:
    """Tonight's catalogue names an indicator anew while its table is held: names and values agree."""
    before = served(city)
    with duckdb.connect(str(city / "var" / "warehouse" / "candidate.duckdb")) as candidate:
        candidate.execute("update monitoring.dim_indicator set indicator_name_de = 'neu', unit = 'EUR'")
        candidate.execute("delete from evidence.verdict where \"table\" = 'pub_leavers'")
    assert invoke("publish", *arguments(city), SOURCE_DATE_EPOCH=LATER).code == 3
    names = {r["indicator_id"]: r for r in pq.read_table(served(city).parquet("indicator")).to_pylist()}
    old = {r["indicator_id"]: r for r in pq.read_table(before.parquet("indicator")).to_pylist()}
    assert set(names) == set(old)
    assert names["leavers_with_abitur_percent"] == old["leavers_with_abitur_percent"]
    assert names["live_births"]["indicator_name_de"] == "neu"


def test_another_city_can_not_publish_this_candidate(city: Path) -> None:
    other = city / "trier.yaml"
    other.write_text((city / "city.yaml").read_text().replace("07111", "07211").replace("Koblenz", "Trier"))
    before = served(city)
    done = invoke("publish", "--config", str(other), "--home", str(city / "var"), "--json")
    assert not any(t["published"] for t in done.json["tables"])
    assert "another municipality" in done.json["tables"][0]["reason_en"]
    assert served(city).id == before.id


MOMENT = dt.datetime(2026, 11, 24, 6, tzinfo=dt.UTC)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[tuple[str, str]]:
    """How often every check of every table was asked."""
    counts: Counter[tuple[str, str]] = Counter()
    found: Callable[[Subject, Check, str], Verdict] = gate._found

    def counted(subject: Subject, check: Check, scope: str) -> Verdict:
        counts[subject.table, check.name] += 1
        return found(subject, check, scope)

    monkeypatch.setattr(gate, "_found", counted)
    return counts


@pytest.fixture
def confirmed(city: Path, asked: Counter[tuple[str, str]]) -> Callable[[int], dict[str, list[Verdict]]]:
    """Judges all tables so many days later; `asked` then has what was asked for that."""
    home, settings = Home(city / "var"), load_settings(city / "city.yaml")
    catalogue = catalogue_of(settings)

    def confirm(days: int) -> dict[str, list[Verdict]]:
        asked.clear()
        return gate.confirm_tables(home, settings, catalogue, MOMENT + dt.timedelta(days=days))

    confirm(0)  # with the release that is served since the night
    return confirm


def test_what_looks_at_the_clock_is_asked_every_night_and_nothing_else(
    confirmed: Callable[[int], dict[str, list[Verdict]]], asked: Counter[tuple[str, str]]
) -> None:
    verdicts = confirmed(0)
    assert {check for _, check in asked} <= {c.name for c in gate.CHECKS if c.is_last}
    later = confirmed(1)
    assert {("pub_leavers", "freshness"), ("pub_leavers", "provenance")} <= set(asked)
    assert not {check for _, check in asked} & {"additivity", "range", "coverage", "level_shift"}
    assert {name: len(found) for name, found in later.items()} == {n: len(v) for n, v in verdicts.items()}


@pytest.mark.full_tier  # three judgements of a small night
def test_a_check_is_asked_again_where_a_figure_or_measure_is_another(
    city: Path,
    confirmed: Callable[[int], dict[str, list[Verdict]]],
    asked: Counter[tuple[str, str]],
) -> None:
    candidate_file = str(city / "var" / "warehouse" / "candidate.duckdb")
    with duckdb.connect(candidate_file) as candidate:
        candidate.execute("update published.pub_schools set value = value + 1 where area_code = '07111'")
        candidate.execute("update monitoring.fct_measure set value = value + 7 where measure_id = 'leavers'")
    changed = confirmed(0)
    assert {("pub_schools", "range"), ("pub_schools", "level_shift")} <= set(asked)
    assert not any(check == "range" for table, check in asked if table != "pub_schools")
    assert {check for table, check in asked if table == "pub_leavers"} >= {"additivity"}
    with duckdb.connect(candidate_file) as candidate:
        candidate.execute("drop table evidence.check_result")
    assert confirmed(0) == changed, "what is kept says what judging everything says"
