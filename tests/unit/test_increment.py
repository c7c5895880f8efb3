"""What a night computes: all of it, a part, or nothing; and what stands behind a model's indicator."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from expectations.catalogue import Catalogue
from orchestration.compute import increment
from orchestration.compute.dbt import PROJECT_DIR
from orchestration.compute.increment import Inputs
from orchestration.resources.home import Home

FIRST = Inputs("city and code", {"library": "1", "12411-01-01-4": "1"})


@pytest.fixture
def computed(tmp_path: Path) -> Home:
    """A home whose candidate was computed from `FIRST`, to its end."""
    home = Home(tmp_path)
    home.prepare()
    with duckdb.connect(str(home.candidate)) as connection:
        connection.execute("create schema raw")
        connection.execute("create schema change")
        for kind in ("source", "measure", "indicator"):
            connection.execute(f"create table change.int_change__{kind} ({kind}_id varchar)")
        increment.begin(connection, FIRST, increment.planned(Home(tmp_path / "none"), FIRST))
        connection.execute("update evidence.computation set is_complete = true")
    return home


def changed(home: Home, inputs: Inputs) -> list[str] | None:
    """The changed sources; None where everything is computed."""
    plan = increment.planned(home, inputs)
    return None if plan.is_full else plan.changed


def test_without_a_mart_everything_is_computed(tmp_path: Path) -> None:
    plan = increment.planned(Home(tmp_path), FIRST)
    assert plan.is_full
    assert plan.changed == ["12411-01-01-4", "library"]


def test_what_was_delivered_anew_came_or_went_is_computed(computed: Home) -> None:
    assert changed(computed, FIRST) == []
    assert changed(computed, Inputs(FIRST.whole, {**FIRST.sources, "library": "2"})) == ["library"]
    assert changed(computed, Inputs(FIRST.whole, {**FIRST.sources, "museums": "1"})) == ["museums"]
    assert changed(computed, Inputs(FIRST.whole, {"library": "1"})) == ["12411-01-01-4"]


def test_another_city_catalogue_or_code_computes_everything(computed: Home) -> None:
    assert changed(computed, Inputs("another", FIRST.sources)) is None


def test_nothing_is_built_on_what_did_not_come_to_its_end(computed: Home) -> None:
    with duckdb.connect(str(computed.candidate)) as connection:
        increment.begin(connection, FIRST, increment.planned(Home(computed.path / "none"), FIRST))
    assert changed(computed, FIRST) is None
    computed.candidate.write_bytes(b"not a database")
    assert changed(computed, FIRST) is None


def test_every_seventh_night_computes_everything(computed: Home) -> None:
    for night in range(increment.MOST_INCREMENTS):
        inputs = Inputs(FIRST.whole, {**FIRST.sources, "library": f"night {night}"})
        plan = increment.planned(computed, inputs)
        assert plan.changed == ["library"]
        assert not plan.is_full
        with duckdb.connect(str(computed.candidate)) as connection:
            increment.begin(connection, inputs, plan)
            connection.execute("update evidence.computation set is_complete = true")
    assert changed(computed, FIRST) is None


def test_nights_without_a_change_are_not_counted(computed: Home) -> None:
    for _ in range(increment.MOST_INCREMENTS + 1):
        plan = increment.planned(computed, FIRST)
        assert plan.changed == []
        assert not plan.is_full
        with duckdb.connect(str(computed.candidate)) as connection:
            increment.begin(connection, FIRST, plan)
            connection.execute("update evidence.computation set is_complete = true")


def test_the_catalogue_knows_every_source_a_model_reads(catalogue: Catalogue) -> None:
    """A model names its measures in SQL; what it forgets to declare would not be computed anew."""
    modelled = [i for i in catalogue.indicators.values() if i.model]
    assert modelled
    for indicator in modelled:
        sql = next(PROJECT_DIR.rglob(f"{indicator.model}.sql")).read_text(encoding="utf-8")
        lists = re.findall(r"measure_id (?:=|in) \(?((?:'\w+'(?:, )?)+)", sql)
        named = set(re.findall(r"'(\w+)'", " ".join(lists)))
        assert named, indicator.id
        read = {origin for m in named for origin in catalogue.measures[m].origins}
        assert read <= catalogue.origins_of(indicator), indicator.id


def test_names_that_sources_and_indicators_share_hide_nothing(computed: Home) -> None:
    """The register `pupils` delivered anew; the indicator `pupils` of an official table must not change."""
    with duckdb.connect(str(computed.candidate)) as connection:
        for schema in ("conformed", "monitoring"):
            connection.execute(f"create schema {schema}")
        for name, key in (("conformed.int_genesis__observation", "table_code"), ("conformed.int_genesis__revision", "table_code"),
                          ("monitoring.fct_measure", "measure_id"), ("monitoring.fct_indicator_value", "indicator_id"),
                          ("monitoring.fct_published_value", "indicator_id")):  # fmt: skip
            connection.execute(f"create table {name} as select 'pupils' as {key}, 1 as value")
    assert increment.complete(computed, []).broken == []
    with duckdb.connect(str(computed.candidate)) as connection:
        connection.execute("insert into change.int_change__source values ('pupils')")
    assert increment.complete(computed, []).broken == []
    with duckdb.connect(str(computed.candidate)) as connection:
        connection.execute("update monitoring.fct_indicator_value set value = 2")
    assert increment.complete(computed, []).broken == ["monitoring.fct_indicator_value pupils"]
