"""Findings: what was planted is found, chance is not, and nothing hidden is spoken of."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.catalogue import Catalogue, load_catalogue
from expectations.catalogue.base import TOTAL
from expectations.findings import FALSE_DISCOVERY_RATE, findings
from tests.campaigns import findings as campaign

RATE = "child_poverty_percent"


def published(counts: list[int], people: list[int], year: int = 2025) -> pd.DataFrame:
    """One rate of Stadtteile in one year, as a release has it."""
    frame = pd.DataFrame({"numerator": counts, "denominator": people}, dtype=float)
    breakdowns = dict.fromkeys(load_catalogue().breakdowns, TOTAL)
    return frame.assign(
        indicator_id=RATE, area_code=[f"07111-ST{n or 99:02d}" for n in range(len(counts))], area_level="city_district",
        period_end=pd.Timestamp(year, 12, 31), period_label=str(year), rounded_to=5, series_break_before=False,
        value=(100 * frame["numerator"] / frame["denominator"]).round(1), **breakdowns,
    )  # fmt: skip


def test_a_campaign_of_three_cities_meets_the_limits() -> None:
    """The whole of it: python -m tests.campaigns.findings --seeds 100."""
    detected, rate = campaign.campaign(3)
    assert detected >= 0.85
    assert rate <= 0.15


def test_one_area_far_off_is_an_outlier_and_the_sentence_says_so(catalogue: Catalogue) -> None:
    counts = [60 + 5 * (n % 3) for n in range(20)]
    counts[7] = 200
    found = findings(published(counts, [400] * 20), catalogue, "07111", {"07111-ST07": "Lützel"})
    assert list(found["area_code"]) == ["07111-ST07"]
    finding = found.iloc[0]
    assert finding["kind"] == "outlier"
    assert (
        "Lützel liegt im Jahr 2025 mit 50,0 Prozent über dem, was die anderen Stadtteile zeigen"
        in finding["sentence_de"]
    )
    assert (
        "Lützel at 50.0 percent in 2025 lies above what the other Stadtteile show" in finding["sentence_en"]
    )
    assert finding["evidence_de"].startswith("200 von 400 Fällen; ")
    assert "p < 0,001" in finding["evidence_de"]
    assert "weniger als 0,1\N{NO-BREAK SPACE}% falsch" in finding["evidence_de"]
    assert "0,00" not in finding["evidence_de"].replace("0,001", "")
    assert finding["people"] == 135
    assert finding["is_implausible"]
    assert "eher ein Fehler der Daten" in finding["evidence_de"]
    assert finding["q_value"] <= 0.05


def test_a_city_is_compared_with_its_declared_peers(catalogue: Catalogue) -> None:
    """The other cities are as high as ours; rural districts, which are not, set no standard for it."""
    (group,) = catalogue.peer_groups.values()
    cities = published([600 + 5 * (n % 4) for n in range(12)], [4000] * 12).assign(area_code=group.areas)
    rural = published([300] * 24, [4000] * 24).assign(area_code=[f"07{n}" for n in range(400, 424)])
    districts = pd.concat([cities, rural]).assign(area_level="district")
    assert findings(districts, catalogue, "07111", {}).empty
    ours = districts["area_code"] == "07111"
    districts.loc[ours, ["numerator", "value"]] = [1200.0, 30.0]
    (found,) = findings(districts, catalogue, "07111", {"07111": "Koblenz"}).to_dict("records")
    assert found["compared_with"] == group.id
    assert "was die anderen kreisfreien Städte des Landes zeigen" in found["sentence_de"]
    alone = catalogue.model_copy(update={"peer_groups": {}})
    assert list(findings(districts, alone, "07111", {})["compared_with"]) == [None]


def test_findings_of_most_consequence_come_first(catalogue: Catalogue) -> None:
    counts, people = [60 + 5 * (n % 3) for n in range(20)], [400] * 20
    counts[3], counts[7], people[7] = 200, 600, 1200
    found = findings(published(counts, people), catalogue, "07111", {})
    assert list(found["area_code"]) == ["07111-ST07", "07111-ST03"]
    assert found["people"].is_monotonic_decreasing


def test_small_areas_need_a_larger_distance(catalogue: Catalogue) -> None:
    """The same rate: a finding of 4,000 people, none of 40."""
    people = [4000] * 19
    counts = [600 + 5 * (n % 3) for n in range(19)]
    large = findings(published([*counts, 800], [*people, 4000]), catalogue, "07111", {})
    small = findings(published([*counts, 8], [*people, 40]), catalogue, "07111", {})
    assert list(large["area_code"]) == ["07111-ST19"]
    assert small.empty


def test_where_areas_are_of_two_kinds_neither_is_an_outlier(catalogue: Catalogue) -> None:
    """Eleven of 25 primary schools have no all-day classes: that is how they are, not a finding each."""
    for without in (8, 11):
        two_kinds = published([0] * without + [380] * (25 - without), [400] * 25)
        assert findings(two_kinds, catalogue, "07111", {}).empty
    few = published([0] * 2 + [380] * 23, [400] * 25)
    assert list(findings(few, catalogue, "07111", {})["area_code"]) == ["07111-ST01", "07111-ST99"]


def test_a_school_of_a_rare_type_is_asked_how_it_changed(catalogue: Catalogue) -> None:
    """Five schools of a type say nothing of how high a rate may be; how rates change, all schools say."""
    counts, people = [40] * 25 + [90] * 5, [400] * 30
    before, after = published(counts, people, 2024), published([*counts[:-1], 190], people, 2025)
    schools = pd.concat([before, after]).assign(area_level="school", indicator_id="foreign_pupils_percent")
    types = schools.assign(
        indicator_id="pupils", unit="persons", value=400, numerator=400, denominator=np.nan,
        school_type=["SCHULE03"] * 25 + ["SCHULE06"] * 5 + ["SCHULE03"] * 25 + ["SCHULE06"] * 5,
    )  # fmt: skip
    found = findings(pd.concat([schools, types]), catalogue, "07111", {})
    assert [tuple(row) for row in found[["kind", "area_code"]].to_numpy()] == [("change", "07111-ST29")]


def test_ratios_are_asked_and_have_their_unit(catalogue: Catalogue) -> None:
    """Persons a class: one school of 25 has twice as many."""
    pupils = [400 + 5 * (n % 3) for n in range(25)]
    pupils[4] = 800
    schools = published(pupils, [20] * 25).assign(
        indicator_id="pupils_per_class", value=[p / 20 for p in pupils]
    )
    (found,) = findings(schools, catalogue, "07111", {"07111-ST04": "Schule am Rhein"}).to_dict("records")
    assert found["kind"] == "outlier"
    assert "Schule am Rhein liegt im Jahr 2025 mit 40,0 Personen je Klasse über dem" in found["sentence_de"]
    assert "(20,3 Personen je Klasse)" in found["sentence_de"]
    assert found["difference"] == pytest.approx(19.8, abs=0.1)
    assert found["people"] == pytest.approx(19.8 * 20, abs=5)


def test_counts_say_how_areas_change_and_not_that_one_is_larger(catalogue: Catalogue) -> None:
    sizes = [400 + 60 * n for n in range(20)]
    after = [*sizes[:-1], 2400]
    years = [
        published(sizes, [1] * 20, 2024).assign(value=sizes),
        published(after, [1] * 20, 2025).assign(value=after),
    ]
    counts = pd.concat(years).assign(indicator_id="pupils", denominator=np.nan)
    (found,) = findings(counts, catalogue, "07111", {}).to_dict("records")
    assert (found["kind"], found["area_code"]) == ("change", "07111-ST19")
    assert ": 2.400 Personen im Jahr 2025 nach 1.540 im Jahr davor (+55,8 Prozent)" in found["sentence_de"]
    assert "2,400 persons in 2025 after 1,540 the year before (+55.8 percent)" in found["sentence_en"]
    assert found["people"] == pytest.approx(860, abs=15)
    assert found["reference"] == pytest.approx(0, abs=0.5)
    assert found["difference"] == pytest.approx(55.8, abs=0.5)


def test_capacities_are_not_asked(catalogue: Catalogue) -> None:
    """Places and facilities are decided; no distribution says how far they scatter."""
    after = [400] * 19 + [900]
    years = [
        published([400] * 20, [1] * 20, 2024).assign(value=400),
        published(after, [1] * 20, 2025).assign(value=after),
    ]
    assert findings(pd.concat(years).assign(indicator_id="day_care_places"), catalogue, "07111", {}).empty


def test_a_count_that_all_but_vanishes_is_found(catalogue: Catalogue) -> None:
    after = [400] * 19 + [5]
    years = [
        published([400] * 20, [1] * 20, 2024).assign(value=400),
        published(after, [1] * 20, 2025).assign(value=after),
    ]
    (found,) = findings(pd.concat(years).assign(indicator_id="pupils"), catalogue, "07111", {}).to_dict(
        "records"
    )
    assert found["difference"] < -98


def test_a_year_that_is_missing_is_no_change(catalogue: Catalogue) -> None:
    before, after = published([60] * 20, [400] * 20, 2021), published([60] * 19 + [120], [400] * 20, 2025)
    assert set(findings(pd.concat([before, after]), catalogue, "07111", {})["kind"]) == {"outlier"}


def test_quiet_years_before_a_loud_one_stop_nothing(catalogue: Catalogue) -> None:
    """All areas but one far from the middle: nobody is near anybody, and no number is lost."""
    years = [published([100] * 9, [400] * 9, year) for year in range(2020, 2025)]
    loud = published([100] + [50] * 4 + [200] * 4, [400] * 9, 2025)
    found = findings(pd.concat([*years, loud]), catalogue, "07111", {})
    assert found["z"].notna().all()


def test_what_could_not_be_placed_is_no_stadtteil(catalogue: Catalogue) -> None:
    rows = published([60] * 19 + [300], [400] * 20)
    rows["area_code"] = rows["area_code"].replace("07111-ST19", "07111-ST00")
    assert findings(rows, catalogue, "07111", {}).empty


@pytest.mark.parametrize(
    ("women", "side"),
    [
        (1120, "+40,0 Prozentpunkte nach +15,0 im Jahr davor (+25,0 Prozentpunkte)"),
        (500, "+1,2 Prozentpunkte nach +15,0 im Jahr davor (−13,8 Prozentpunkte)"),
        (400, "−5,0 Prozentpunkte nach +15,0 im Jahr davor (−20,0 Prozentpunkte)"),  # it turned round
    ],
)
def test_a_gap_says_what_it_was_and_is(catalogue: Catalogue, women: int, side: str) -> None:
    def year(end: int, last: int) -> list[pd.DataFrame]:
        first, second = [720] * 19 + [last], [480] * 20
        return [
            published(first, [1600] * 20, end).assign(sex="female"), published(second, [1600] * 20, end).assign(sex="male"),
            published([1200] * 19 + [480 + last], [3200] * 20, end),
        ]  # fmt: skip

    rows = pd.concat([*year(2024, 720), *year(2025, women)]).assign(
        indicator_id="migration_background_percent"
    )
    found = findings(rows, catalogue, "07111", {})
    gap = found[found["kind"] == "gap"].iloc[0]
    assert side in gap["sentence_de"]
    assert f"{women:,} von 1.600 und 480 von 1.600 Fällen".replace(",", ".") in gap["evidence_de"]


@pytest.mark.parametrize(
    ("before", "now", "says", "people"),
    [
        (10, 60, "60 Personen im Jahr 2025 nach 10 im Jahr davor (+500,0 Prozent);", 50),
        (0, 60, "60 Personen im Jahr 2025 nach 0 im Jahr davor;", 60),
        (400, 0, "0 Personen im Jahr 2025 nach 400 im Jahr davor (−100,0 Prozent);", 400),
    ],
)
def test_a_changed_count_can_be_checked_by_hand(
    catalogue: Catalogue, before: int, now: int, says: str, people: int
) -> None:
    rows = pd.concat([
        published([400] * 19 + [last], [1] * 20, year).assign(value=[400.0] * 19 + [last], denominator=np.nan)
        for year, last in ((2024, before), (2025, now))
    ]).assign(indicator_id="pupils")  # fmt: skip
    (finding,) = findings(rows, catalogue, "07111", {}).to_dict("records")
    assert says in finding["sentence_de"]
    assert finding["people"] == pytest.approx(people, abs=5)


def test_an_area_that_is_a_year_ahead_hides_no_finding(catalogue: Catalogue) -> None:
    rows = published([*(60 + 5 * (n % 3) for n in range(19)), 200], [400] * 20)
    assert len(findings(rows, catalogue, "07111", {})) == 1
    ahead = published([60], [400], 2026)
    assert len(findings(pd.concat([rows, ahead]), catalogue, "07111", {})) == 1


def test_visits_are_no_people(catalogue: Catalogue) -> None:
    (group,) = catalogue.peer_groups.values()
    visits = [400_000 + 1000 * (n % 4) for n in range(12)]
    visits[group.areas.index("07111")] = 250_000
    rows = published(visits, [100_000] * 12).assign(
        indicator_id="library_visits_per_head", area_level="district", area_code=group.areas,
        value=[visit / 100_000 for visit in visits], rounded_to=np.nan,
    )  # fmt: skip
    (finding,) = findings(rows, catalogue, "07111", {}).to_dict("records")
    assert pd.isna(finding["people"])


def test_a_difference_that_no_published_figure_shows_is_no_finding(catalogue: Catalogue) -> None:
    """0.2 pupils a teacher beside 0.2."""
    rows = published([166_100, *[200_000] * 19], [1_000_000] * 20).assign(
        indicator_id="pupils_per_teacher", value=0.2
    )
    assert findings(rows, catalogue, "07111", {}).empty


def test_figures_without_parts_are_asked_too(catalogue: Catalogue) -> None:
    """What an office computed has no numerator: the spread of the areas alone says what is far."""
    (group,) = catalogue.peer_groups.values()
    rates = [5.0 + 0.3 * (n % 5) for n in range(12)]
    rates[group.areas.index("07111")] = 14.0
    cities = published([0] * 12, [0] * 12).assign(
        indicator_id="unemployment_rate_percent", area_code=group.areas, area_level="district", value=rates,
        numerator=np.nan, denominator=np.nan, rounded_to=np.nan,
    )  # fmt: skip
    (found,) = findings(cities, catalogue, "07111", {"07111": "Koblenz"}).to_dict("records")
    assert "Koblenz liegt im Jahr 2025 mit 14,0 Prozent über dem" in found["sentence_de"]
    assert found["people"] is None or np.isnan(found["people"])
    assert found["evidence_de"].startswith("Abstand ")


def test_stocks_of_the_same_people_scatter_less_than_samples(catalogue: Catalogue) -> None:
    """Four quiet years make a change a finding that two samples would not."""
    rng = np.random.default_rng(1)
    base = rng.integers(120, 180, 25)
    years = [
        published(list(base + rng.integers(-2, 3, 25)), [600] * 25, year).assign(rounded_to=1)
        for year in range(2020, 2026)
    ]
    years[-1].loc[3, "numerator"] += 30
    years[-1]["value"] = (100 * years[-1]["numerator"] / 600).round(1)
    kinds = {
        tuple(row)
        for row in findings(pd.concat(years), catalogue, "07111", {})[["kind", "area_code"]].to_numpy()
    }
    assert kinds == {("change", "07111-ST03")}
    assert findings(pd.concat(years[-2:]), catalogue, "07111", {}).empty


def test_population_by_age_is_not_asked_twice(catalogue: Catalogue) -> None:
    sizes = [4000] * 20
    after = [*sizes[:-1], 5200]
    rows = pd.concat(
        [
            published(sizes, [1] * 20, 2024).assign(value=sizes),
            published(after, [1] * 20, 2025).assign(value=after),
        ]
    )
    rows = rows.assign(denominator=np.nan)
    both = pd.concat([rows.assign(indicator_id=name) for name in ("population", "population_by_age_group")])
    assert list(findings(both, catalogue, "07111", {})["indicator_id"]) == ["population"]


def test_nothing_is_compared_across_a_break(catalogue: Catalogue) -> None:
    before = published([60] * 20, [400] * 20, 2024)
    after = published([60] * 19 + [120], [400] * 20, 2025)
    kinds = set(findings(pd.concat([before, after]), catalogue, "07111", {})["kind"])
    assert "change" in kinds
    broken = after.assign(series_break_before=True)
    assert "change" not in set(findings(pd.concat([before, broken]), catalogue, "07111", {})["kind"])


def test_a_hidden_value_is_never_spoken_of(catalogue: Catalogue) -> None:
    frame = published([60] * 19 + [300], [400] * 20)
    hidden = frame["area_code"] == "07111-ST19"
    frame.loc[hidden, ["value", "numerator", "denominator"]] = np.nan
    assert findings(frame, catalogue, "07111", {}).empty


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 80), min_size=8, max_size=30))
def test_every_finding_is_sure_enough_and_of_a_value_that_is_published(counts: list[int]) -> None:
    frame = published([5 * c for c in counts], [400] * len(counts))
    found = findings(frame, load_catalogue(), "07111", {})
    assert (found["q_value"] <= FALSE_DISCOVERY_RATE).all()
    values = dict(zip(frame["area_code"], frame["value"], strict=True))
    assert all(values[area] == value for area, value in zip(found["area_code"], found["value"], strict=True))
