"""Derived tables: made of what a release tells, and of nothing else."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from expectations.catalogue import Catalogue, load_catalogue
from expectations.catalogue.base import TOTAL
from expectations.catalogue.registers import Register
from orchestration.publish.derived import DERIVED, DERIVED_KEYS, derive

HOME = "07111"
BREAKDOWNS = list(load_catalogue().breakdowns)


def value(indicator: str, area: str, end: str, number: float | None, **more: Any) -> dict[str, Any]:
    level = {5: "district", 10: "city_district", 12: "school"}[len(area)]
    day = dt.date.fromisoformat(end)
    return {
        "indicator_id": indicator, "area_code": area, "area_level": level, "period_end": day,
        "period_label": end, "value": number, "denominator": None, "unit": "percent", "series_break_before": False,
        "value_state": None, "value_country": None, "value_peers": None, "change_previous_year": None,
        "change_tolerance": None, "is_change_uncertain": None, "trend_per_year": None, "is_trend_uncertain": None,
        "numerator": None, "tolerance": None, "rounded_to": None, "value_from": None, "value_to": None, **dict.fromkeys(BREAKDOWNS, TOTAL), **more,
    }  # fmt: skip


def release(values: list[dict[str, Any]], **more: list[dict[str, Any]]) -> dict[str, pa.Table]:
    """The tables of a release that derived ones are made of; empty unless said otherwise."""
    kinds = {
        "indicator_value": {
            **dict.fromkeys([*value("x", HOME, "2024-12-31", 1.0)], pa.string()),
            **dict.fromkeys(("value", "denominator", "value_state", "value_country", "value_peers",
                             "change_previous_year", "change_tolerance", "trend_per_year", "numerator", "tolerance", "rounded_to", "value_from", "value_to"), pa.float64()),
            "period_end": pa.date32(),
            **dict.fromkeys(("series_break_before", "is_change_uncertain", "is_trend_uncertain"), pa.bool_()),
        },
        "area": dict.fromkeys(("area_code", "area_name"), pa.string()),
        "indicator": {
            **dict.fromkeys(
                ("indicator_id", "indicator_name_de", "indicator_name_en", "unit", "fields_of_action"), pa.string()
            ),
            "is_share_of_people": pa.bool_(), "multiplier": pa.float64(), "decimals": pa.int32(),
        },
        "breakdown_cell": dict.fromkeys(("breakdown", "cell", "label_de", "label_en"), pa.string()),
        "pub_findings": {"indicator_id": pa.string()},
        "measures_and_projects": {
            "period_end": pa.date32(), "number": pa.int64(), "since": pa.date32(), "until": pa.date32(),
            **dict.fromkeys(("title", "field_of_action", "status", "responsible", "partners", "life_stage",
                             "target_group", "indicators"), pa.string()),
        },
        "network_partners": {
            "period_end": pa.date32(), "partner": pa.string(), "kind": pa.string(),
            "field_of_action": pa.string(), "since": pa.date32(),
        },
        "index_component": {
            "index_id": pa.string(), "indicator_id": pa.string(), "area_level": pa.string(), "weight": pa.float64()
        },
        "index_outcome": dict.fromkeys(("index_id", "indicator_id", "area_level"), pa.string()),
        "survey": dict.fromkeys(("survey_id", "title_de", "title_en", "question_de", "question_en"), pa.string()),
        "survey_answer": {
            "survey_id": pa.string(), "period_end": pa.date32(), "period_label": pa.string(), "stratum": pa.string(),
            "answer": pa.string(), "answers": pa.float64(), "people": pa.float64(), "rounded_to": pa.int32(),
        },
    }  # fmt: skip
    rows = {"indicator_value": values, **more}
    return {
        name: pa.Table.from_pylist(rows.get(name, []), schema=pa.schema(list(schema.items())))
        for name, schema in kinds.items()
    }


def derived(name: str, *arguments: Any, **more: Any) -> pd.DataFrame:
    return derive(release(*arguments, **more), HOME, BREAKDOWNS)[name].to_pandas()


def measure(number: int, since: str | None, indicators: str, **more: Any) -> dict[str, Any]:
    return {
        "period_end": dt.date(2025, 12, 31), "number": number, "title": f"M{number}",
        "field_of_action": "field_inclusion", "status": "running", "responsible": "Bildungsbüro",
        "partners": "", "since": dt.date.fromisoformat(since) if since else None, "indicators": indicators, **more,
    }  # fmt: skip


def test_nothing_to_tell_gives_empty_tables_with_their_columns() -> None:
    found = derive(release([]), HOME, BREAKDOWNS)
    assert set(found) == set(DERIVED)
    for name, table in found.items():
        assert table.num_rows == 0
        assert set(DERIVED_KEYS[name]) <= set(table.column_names)


SERIES = [
    value("a", HOME, "2022-12-31", 10.0),
    value("a", HOME, "2023-12-31", 12.0),
    value("a", HOME, "2024-12-31", 15.0),
]


def test_a_measure_is_compared_over_its_own_life() -> None:
    """From the last figure not after its beginning to the last not after its end, beside the Land's change."""
    series = [
        {**row, "value_state": state, "tolerance": 0.5}
        for row, state in zip(SERIES, (20.0, 21.0, 22.5), strict=True)
    ]
    rows = derived("pub_measures", series, measures_and_projects=[measure(1, "2023-02-01", "a")])
    (row,) = rows.to_dict("records")
    assert (row["period_at_start"], row["value_at_start"]) == ("2022-12-31", 10.0)
    assert (row["period_at_end"], row["value_at_end"]) == ("2024-12-31", 15.0)
    assert (row["change_during_measure"], row["change_state"]) == (5.0, 2.5)
    assert (row["change_tolerance"], row["is_change_uncertain"]) == (1.0, False)
    ended = measure(1, "2023-02-01", "a", status="implemented", until=dt.date(2024, 6, 30))
    (row,) = derived("pub_measures", series, measures_and_projects=[ended]).to_dict("records")
    assert (row["period_at_end"], row["change_during_measure"]) == ("2023-12-31", 2.0)


@pytest.mark.parametrize(
    ("since", "until"),
    [
        ("2022-12-30", None),  # no figure from before it began
        ("2023-02-01", "2023-06-30"),  # none between beginning and end
        ("2024-12-31", None),  # none since it began
    ],
)
def test_without_a_baseline_there_is_no_change(since: str, until: str | None) -> None:
    end = dt.date.fromisoformat(until) if until else None
    (row,) = derived(
        "pub_measures", SERIES, measures_and_projects=[measure(1, since, "a", until=end)]
    ).to_dict("records")
    assert row["unit"] == "percent"
    for name in ("value_at_start", "value_at_end", "change_during_measure", "change_state"):
        assert pd.isna(row[name]), name


def test_a_change_within_rounding_and_chance_is_marked() -> None:
    counted = [
        {**value("a", HOME, f"{year}-12-31", number), "numerator": n, "denominator": d, "tolerance": t}
        for year, number, n, d, t in ((2023, 53.8, 35, 65, 5.0), (2024, 35.7, 25, 70, 4.0))
    ]
    known = {"indicator_id": "a", "is_share_of_people": True, "multiplier": 100.0}
    (row,) = derived(
        "pub_measures", counted, measures_and_projects=[measure(1, "2024-02-01", "a")], indicator=[known]
    ).to_dict("records")
    assert row["change_during_measure"] == -18.1
    assert 25 < row["change_tolerance"] < 26
    assert row["is_change_uncertain"]


def test_nothing_is_compared_across_a_break_nor_for_what_is_only_planned() -> None:
    broken = [*SERIES[:2], {**SERIES[2], "series_break_before": True}]
    rows = derived("pub_measures", broken, measures_and_projects=[measure(1, "2023-06-01", "a")])
    assert rows["change_during_measure"].isna().all()
    assert rows["series_break_between"].tolist() == [True]
    planned = measure(1, "2022-06-01", "a", status="planned")
    assert (
        derived("pub_measures", SERIES, measures_and_projects=[planned])["change_during_measure"].isna().all()
    )


def test_every_link_of_a_measure_has_a_row_and_none_is_lost() -> None:
    """Also a link that no indicator of the release answers to, and a measure without any."""
    rows = derived(
        "pub_measures", SERIES, measures_and_projects=[measure(1, None, "a, gone"), measure(2, None, "")]
    )
    assert list(zip(rows["measure_number"], rows["indicator_id"].fillna(""), strict=True)) == [
        (1, "a"), (1, "gone"), (2, ""),
    ]  # fmt: skip


def test_only_the_newest_list_of_measures_counts() -> None:
    older = measure(9, None, "", period_end=dt.date(2024, 12, 31))
    rows = derived("pub_measures", [], measures_and_projects=[older, measure(1, None, "")])
    assert rows["measure_number"].tolist() == [1]


def test_a_school_profile_shows_what_is_told_and_leaves_the_rest_empty() -> None:
    school = "07111-S10007"
    values = [
        value("pupils", school, "2025-07-31", 200.0, period_label="2024/25"),
        value("pupils", school, "2025-07-31", 200.0, period_label="2024/25", school_type="SCHULE03"),
        value("foreign_pupils_percent", school, "2025-07-31", None, period_label="2024/25"),
        value("transition_rate_percent", school, "2025-07-31", 62.5, period_label="2024/25", school_type="SCHULE08"),
        value("pupils", "07111-S10008", "2025-07-31", None, period_label="2024/25"),
    ]  # fmt: skip
    rows = derived("pub_school_profile", values, area=[{"area_code": school, "area_name": "Schule"}])
    (row,) = rows.to_dict("records")
    assert (row["pupils"], row["school_type"], row["transition_to_grammar_percent"]) == (
        200,
        "SCHULE03",
        62.5,
    )
    assert pd.isna(row["foreign_pupils_percent"])


def test_a_school_profile_shows_a_range_as_one() -> None:
    school, year = "07111-S10007", {"period_label": "2024/25"}
    unsure = {"value_from": 25.0, "value_to": 35.5, "numerator": 15.0, "denominator": 50.0, **year}
    values = [
        value("pupils", school, "2025-07-31", 50.0, **year),
        value("foreign_pupils_percent", school, "2025-07-31", None, **unsure),
        value("transition_rate_percent", school, "2025-07-31", None, school_type="SCHULE08", **unsure),
    ]
    rows = derived("pub_school_profile", values, area=[{"area_code": school, "area_name": "Schule"}])
    (row,) = rows.to_dict("records")
    for name in ("foreign_pupils_percent", "transition_to_grammar_percent"):
        assert (row[f"{name}_from"], row[f"{name}_to"]) == (25.0, 35.5)
        assert pd.isna(row[name])


def districts(
    indicator: str, numbers: list[float], end: str = "2024-12-31", **more: Any
) -> list[dict[str, Any]]:
    return [value(indicator, f"07111-ST{n:02d}", end, x, **more) for n, x in enumerate(numbers, start=1)]


def index(outcome: list[float]) -> dict[str, pa.Table]:
    """Twelve areas whose index is the mean of two like components, and an outcome."""
    burden = [float(n) for n in range(12)]
    components = [
        {"index_id": "i", "indicator_id": c, "area_level": "city_district", "weight": 1.0} for c in "ab"
    ]
    score = [(b - 5.5) / 3.452 for b in burden]
    return release(
        [*districts("a", burden), *districts("b", burden), *districts("i", score), *districts("o", outcome)],
        area=[{"area_code": f"07111-ST{n:02d}", "area_name": str(n)} for n in range(1, 13)],
        indicator=[{"indicator_id": c, "multiplier": 100.0} for c in "ab"],
        index_component=components,
        index_outcome=[{"index_id": "i", "indicator_id": "o", "area_level": "city_district"}],
    )


def test_like_components_leave_no_doubt_about_a_place() -> None:
    rows = derive(index([0.0] * 12), HOME, BREAKDOWNS)["pub_social_index"].to_pandas()
    assert (rows["rank_low"] == rows["rank"]).all()
    assert (rows["rank_high"] == rows["rank"]).all()
    assert rows.sort_values("value")["rank"].tolist() == list(range(12, 0, -1))


def shares_of_areas(counts: dict[str, dict[str, tuple[int, int]]]) -> dict[str, pa.Table]:
    """The derived tables of a release with an index of shares: component → area → cases and people."""
    rows = [
        value(name, f"07111-ST{area}", "2024-12-31", round(100 * cases / people, 1), numerator=cases,
              denominator=people, rounded_to=5)
        for name, areas in counts.items() for area, (cases, people) in areas.items()
    ]  # fmt: skip
    components = [
        {"index_id": "i", "indicator_id": c, "area_level": "city_district", "weight": 1.0} for c in counts
    ]
    areas = sorted({area for of in counts.values() for area in of})

    def derived_with(index: dict[str, float]) -> dict[str, pa.Table]:
        places = [value("i", area, "2024-12-31", score) for area, score in index.items()]
        tables = release(
            [*rows, *places],
            area=[{"area_code": f"07111-ST{area}", "area_name": area} for area in areas],
            indicator=[{"indicator_id": c, "multiplier": 100.0} for c in counts],
            index_component=components,
        )
        return derive(tables, HOME, BREAKDOWNS)

    parts = derived_with({})["pub_social_index_component"].to_pandas()
    index = (parts["score"] * parts["weight"]).groupby(parts["area_code"]).sum().round(2)
    return derived_with(index.to_dict())


def test_a_component_s_score_keeps_what_is_no_chance() -> None:
    """The same figures as dbt's unit test of the index has, by hand after Marshall (1991)."""
    found = shares_of_areas({
        "small": {"01": (20, 50), "02": (40, 200), "03": (20, 200)},
        "large": {"01": (600, 2000), "02": (200, 2000), "03": (400, 2000), "04": (300, 2000)},
        "third": {"01": (500, 1000), "02": (300, 1000), "03": (100, 1000), "04": (200, 1000)},
    })  # fmt: skip
    parts = found["pub_social_index_component"].to_pandas()
    small = parts[parts["indicator_id"] == "small"].set_index("area_code")
    assert small["reliability"].tolist() == [0.654, 0.903, 0.903, 0.0]
    index = found["pub_social_index"].to_pandas()
    assert index["value"].tolist() == [1.31, -0.36, -0.61, -0.33]
    assert index["components"].tolist() == [3, 3, 3, 2]
    # What is not published of an area counts as the mean, and nobody knows how far off that is.
    missing = small.loc["07111-ST04"]
    assert (missing["reliability"], missing["score"]) == (0, 0)
    assert missing["standard_error"] > small.loc["07111-ST01", "standard_error"]


def test_nothing_is_said_of_a_band_that_belongs_to_another_index() -> None:
    """A component's table is held: what is published of it is not what the index was made of."""
    tables = index([0.0] * 12)
    rows = [
        {**row, "value": -row["value"]} if row["indicator_id"] == "b" else row
        for row in tables["indicator_value"].to_pylist()
    ]
    held = {**tables, "indicator_value": pa.Table.from_pylist(rows, schema=tables["indicator_value"].schema)}
    found = derive(held, HOME, BREAKDOWNS)["pub_social_index"].to_pandas()
    assert found["rank"].notna().all()
    assert found[["value_low", "value_high", "rank_low", "rank_high", "standard_error"]].isna().all(axis=None)


def test_an_internal_release_makes_its_index_of_public_figures() -> None:
    tables = index([0.0] * 12)
    exact = [
        {**row, "value": None if row["value"] is None else row["value"] + 0.4}
        for row in tables["indicator_value"].to_pylist()
    ]
    inside = pa.Table.from_pylist(exact, schema=tables["indicator_value"].schema)
    found = derive(
        {**tables, "indicator_value": inside, "public_value": tables["indicator_value"]}, HOME, BREAKDOWNS
    )
    public = derive(tables, HOME, BREAKDOWNS)
    assert found["pub_social_index_component"].equals(public["pub_social_index_component"])


def test_noise_alone_places_nobody() -> None:
    """Twelve areas of forty people differ by less than chance: each of them may have any place."""
    cases = [10, 5, 10, 15, 10, 10, 10, 10, 10, 10, 10, 10]
    areas = {f"{n:02d}": (count, 40) for n, count in enumerate(cases, start=1)}
    found = shares_of_areas({"a": areas, "b": areas})
    assert (found["pub_social_index_component"].to_pandas()["reliability"] == 0).all()
    index = found["pub_social_index"].to_pandas()
    assert (index["rank_low"] == 1).all()
    assert (index["rank_high"] == 12).all()


def test_a_band_holds_its_own_place() -> None:
    rng = np.random.default_rng(1)
    areas = {f"{n:02d}": (int(rng.integers(10, 100)) * 5, 1000) for n in range(1, 31)}
    other = {name: (int(rng.integers(1, 40)) * 5, 400) for name in areas}
    index = shares_of_areas({"a": areas, "b": other})["pub_social_index"].to_pandas()
    assert ((index["rank_low"] <= index["rank"]) & (index["rank"] <= index["rank_high"])).all()
    assert ((index["value_low"] <= index["value"]) & (index["value"] <= index["value_high"])).all()


def test_a_gradient_is_the_slope_and_tells_its_error() -> None:
    (row,) = derive(index([50 - 2.0 * n for n in range(12)]), HOME, BREAKDOWNS)[
        "pub_social_gradient"
    ].to_pylist()
    assert row["slope"] == pytest.approx(-2 * 3.452, abs=0.05)
    assert row["standard_error"] == pytest.approx(0, abs=0.01)
    assert row["explained_share"] == pytest.approx(1)
    assert row["difference"] < 0
    rng = [3, -1, 4, -1, 5, -9, 2, -6, 5, 3, -5, 8]
    (noise,) = derive(index([50.0 + x for x in rng]), HOME, BREAKDOWNS)["pub_social_gradient"].to_pylist()
    assert abs(noise["slope"]) < 2 * noise["standard_error"]
    assert noise["slope_low"] < 0 < noise["slope_high"]


def test_an_area_of_few_people_hardly_moves_a_gradient() -> None:
    """One Stadtteil of five children lies far off; the others, of five hundred, are on a line."""
    values = [50 - 2.0 * n for n in range(12)]
    values[0] = 0.0
    tables = index(values)
    people = [5.0, *[500.0] * 11]
    rows = tables["indicator_value"].to_pylist()
    order = {area: n for n, area in enumerate(sorted({r["area_code"] for r in rows}))}
    outcome = tables["index_outcome"].to_pylist()[0]["indicator_id"]
    for row in rows:
        if row["indicator_id"] == outcome:
            row["denominator"] = people[order[row["area_code"]]]
    weighted = {
        **tables,
        "indicator_value": pa.Table.from_pylist(rows, schema=tables["indicator_value"].schema),
    }
    (plain,) = derive(tables, HOME, BREAKDOWNS)["pub_social_gradient"].to_pylist()
    (found,) = derive(weighted, HOME, BREAKDOWNS)["pub_social_gradient"].to_pylist()
    assert found["slope"] == pytest.approx(-2 * 3.452, abs=0.4)
    assert abs(found["slope"]) > abs(plain["slope"]) + 1
    # Chance alone gives percentages of five hundred a standard error.
    assert found["standard_error"] > 0.2
    assert found["slope_low"] < found["slope"] < found["slope_high"] < 0


def test_a_range_goes_into_a_gradient_with_its_counts() -> None:
    """A rate that is published as a range is still a point of the line, for as many people as it is of."""
    tables = index([50 - 2.0 * n for n in range(12)])
    (exact,) = derive(tables, HOME, BREAKDOWNS)["pub_social_gradient"].to_pylist()
    rows = tables["indicator_value"].to_pylist()
    outcome = tables["index_outcome"].to_pylist()[0]["indicator_id"]
    for row in rows:
        if row["indicator_id"] == outcome:
            row |= {"numerator": row["value"], "denominator": 100.0}
            row |= {"value": None, "value_from": row["value"] - 6, "value_to": row["value"] + 6}
    declared = tables["indicator"]
    ranges = {
        **tables,
        "indicator_value": pa.Table.from_pylist(rows, schema=tables["indicator_value"].schema),
        "indicator": pa.Table.from_pylist(
            [{"indicator_id": outcome, "multiplier": 100.0, "decimals": 1}], schema=declared.schema
        ),
    }
    (found,) = derive(ranges, HOME, BREAKDOWNS)["pub_social_gradient"].to_pylist()
    assert (found["slope"], found["areas"]) == (exact["slope"], 12)


def test_a_component_of_an_index_is_no_outcome_of_it() -> None:
    tables = index([50 - 2.0 * n for n in range(12)])
    part = tables["index_component"].to_pylist()[0]["indicator_id"]
    outcomes = [{**tables["index_outcome"].to_pylist()[0], "indicator_id": part}]
    circular = pa.Table.from_pylist(outcomes, schema=tables["index_outcome"].schema)
    found = derive({**tables, "index_outcome": circular}, HOME, BREAKDOWNS)["pub_social_gradient"]
    assert found.num_rows == 0


def survey(strata: dict[str, tuple[int, int, int | None]], rounded_to: int = 1) -> pd.DataFrame:
    """Results of one question; a stratum's answers yes and no, and its people."""
    rows = [
        {"survey_id": "s", "period_end": dt.date(2025, 7, 31), "period_label": "2024/25", "stratum": stratum,
         "answer": answer, "answers": float(count), "rounded_to": rounded_to,
         "people": None if people is None else float(people)}
        for stratum, (yes, no, people) in strata.items()
        for answer, count in (("yes", yes), ("no", no))
    ]  # fmt: skip
    found = derived("pub_survey_results", [], survey=[{"survey_id": "s"}], survey_answer=rows)
    return found.set_index("answer")


def test_who_answers_less_is_weighted_up_to_its_people() -> None:
    """Half of the people are in each stratum, but nine tenths of the answers come from the first."""
    found = survey({"a": (720, 180, 1000), "b": (20, 80, 1000)})
    assert found["unweighted_percent"].to_dict() == {"no": 26.0, "yes": 74.0}
    assert found["share_percent"].to_dict() == {"no": 50.0, "yes": 50.0}
    # By hand, for the tenth and the nine tenths who did not answer: symmetric at one half.
    margin = 100 / (1 + math.exp(-1.96 * math.sqrt(0.25 * 0.16 * (0.1 / 899 + 0.9 / 99)) / 0.25)) - 50
    assert found.loc["yes", "share_high"] == pytest.approx(50 + margin, abs=0.06)
    assert found.loc["yes", "share_low"] == pytest.approx(50 - margin, abs=0.06)


def test_a_survey_of_few_tells_nothing_and_one_without_a_no_is_not_certain() -> None:
    few = survey({"a": (15, 10, 100)})
    assert few[["share_percent", "share_low", "share_high"]].isna().all(axis=None)
    # The rule of three, for the nine tenths who did not answer.
    sure = survey({"a": (100, 0, 1000)})
    assert sure.loc["yes", ["share_low", "share_high"]].tolist() == [97.3, 100.0]
    assert sure.loc["no", ["share_low", "share_high"]].tolist() == [0.0, 2.7]


def test_answers_that_rounding_may_move_far_have_an_interval_only() -> None:
    """Ten of thirty at base five may be 27 to 40 percent: the interval holds that, a figure would not."""
    survey = [{"survey_id": "s", "title_de": "t", "title_en": "t", "question_de": "q", "question_en": "q"}]
    rows = [
        {"survey_id": "s", "period_end": dt.date(2025, 7, 31), "period_label": "2024/25", "stratum": "a", "answer": answer,
         "answers": count, "people": 100.0, "rounded_to": 5}
        for answer, count in (("yes", 10.0), ("no", 20.0))
    ]  # fmt: skip
    few = derived("pub_survey_results", [], survey=survey, survey_answer=rows).set_index("answer").loc["yes"]
    assert pd.isna(few["share_percent"])
    assert pd.isna(few["unweighted_percent"])
    assert few["share_low"] < 27 < 40 < few["share_high"]
    many = [{**row, "answers": row["answers"] * 10, "people": row["people"] * 10} for row in rows]
    found = (
        derived("pub_survey_results", [], survey=survey, survey_answer=many).set_index("answer").loc["yes"]
    )
    assert found["share_percent"] == found["unweighted_percent"] == 33.3


def test_where_everybody_answered_only_rounding_is_left_to_doubt() -> None:
    everybody = survey({"a": (60, 40, 100)})
    assert everybody.loc["yes", ["share_low", "share_percent", "share_high"]].tolist() == [60.0, 60.0, 60.0]
    rounded = survey({"a": (60, 40, 100)}, rounded_to=5)
    assert rounded.loc["yes", "share_low"] < 60 < rounded.loc["yes", "share_high"]


@pytest.mark.parametrize("people", [None, 0])
def test_answers_of_an_unknown_number_of_people_are_not_weighted(people: int | None) -> None:
    """The register has no figure of this year yet: nobody knows how many did not answer, and whom to weight up to."""
    found = survey({"a": (50, 50, 400), "b": (80, 20, people)})
    assert found.loc["yes", ["answers", "respondents", "unweighted_percent"]].tolist() == [130, 200, 65.0]
    assert (
        found.loc["yes", ["people", "response_percent", "share_percent", "share_low", "share_high"]]
        .isna()
        .all()
    )


def test_there_are_never_fewer_people_than_answered() -> None:
    """The register's day is not the survey's, and both counts are rounded."""
    found = survey({"a": (60, 45, 100)})
    assert found.loc["yes", ["respondents", "people", "response_percent"]].tolist() == [105, 105, 100.0]


def test_a_stratum_without_answers_speaks_for_nobody() -> None:
    found = survey({"a": (50, 50, 100), "b": (0, 0, 900)})
    assert found.loc["yes", "share_percent"] == 50.0
    assert found.loc["yes", "people"] == 100


def test_rows_about_persons_are_never_told(catalogue: Catalogue) -> None:
    register = catalogue.registers["residents"].model_dump(by_alias=True)
    with pytest.raises(ValueError, match="rows about persons are never told"):
        Register.model_validate({**register, "rows_are_told": True})
    assert [n for n, r in catalogue.registers.items() if r.rows_are_told and r.personal] == []
