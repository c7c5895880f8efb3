"""Every register-based figure of a release is computed again from the raw deliveries and compared with it."""

import ast
from pathlib import Path

import pandas as pd
import pytest

from tests.recomputation import calculation
from tests.recomputation.definitions import AS_PUBLISHED, INDICATORS, Indicator
from tests.recomputation.deliveries import CITY, tables_of

BREAKDOWNS = [
    "sex",
    "nationality",
    "age_group",
    "school_type",
    "qualification",
    "care_type",
    "grade",
    "category",
]
PARTS = ["numerator", "denominator"]
CASES = [(indicator, level) for indicator in INDICATORS for level in indicator.levels]
DEPARTURES = {indicator.code: indicator.departs for indicator in AS_PUBLISHED}


def cases() -> list:
    """A case for each indicator and level; where the product departs from the reference, one more."""
    listed = []
    for indicator, level in CASES:
        reason = DEPARTURES.get(indicator.code)
        marks = [pytest.mark.xfail(reason=reason, strict=True, raises=AssertionError)] if reason else []
        listed.append(pytest.param(indicator, level, id=f"{indicator.code}-{level}", marks=marks))
    for indicator in AS_PUBLISHED:
        listed += [
            pytest.param(indicator, level, id=f"{indicator.code}-{level}-as-published")
            for level in indicator.levels
        ]
    return listed


@pytest.fixture(scope="module")
def tables(city: Path, published: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The deliveries of the city, one table per register; and what is published of the index's components."""
    components = published[published["code"].isin(calculation.INDEX_COMPONENTS)]
    totals = components[(components[BREAKDOWNS] == "total").all(axis=1)]
    return {**tables_of(city), "published_components": totals}


@pytest.fixture(scope="module")
def published(release: Path) -> pd.DataFrame:
    """The published figures of the city and of the areas inside it that were made from registers."""
    values = pd.read_parquet(release / "parquet" / "indicator_value.parquet")
    indicators = pd.read_parquet(release / "parquet" / "indicator.parquet")[
        ["indicator_id", "code", "kind", "decimals"]
    ]
    values = values.merge(indicators, on="indicator_id", validate="many_to_one")
    inside = values["area_code"].str.startswith(CITY)
    official = values["source"].str.contains(r"\d{5}-\d{2}-\d{2}", na=False)
    figures = values[inside & ~official].rename(columns={"area_code": "area"})
    figures["year"] = figures["period_label"].str.extract(r"(\d{4})(?:/\d\d)?$", expand=False).astype(int)
    return figures


def recomputed(
    indicator: Indicator, level: str, tables: dict[str, pd.DataFrame], cells: pd.DataFrame
) -> pd.DataFrame:
    """The cells with a numerator, a denominator and a value of our own."""
    by = [column for column in BREAKDOWNS if (cells[column] != "total").any()]
    if indicator.model:
        own = indicator.model(tables, level)
        keys = ["year", "area", *[column for column in by if column in own]]
        own = own[[*keys, *[column for column in [*PARTS, "value"] if column in own]]]
        renamed = own.rename(columns={column: f"own_{column}" for column in [*PARTS, "value"]})
        return cells.merge(renamed, on=keys, how="left", validate="one_to_one")
    numerator = indicator.numerator_at.get(level, indicator.numerator)
    cells = cells.assign(own_numerator=calculation.count_all(numerator, tables, level, cells, by))
    cells["own_value"] = cells["own_numerator"]
    if indicator.denominator:
        cells["own_denominator"] = calculation.count_all(indicator.denominator, tables, level, cells, by)
        if indicator.minus:
            cells["own_value"] = cells["own_numerator"] - cells["own_denominator"]
        else:
            cells["own_value"] = cells["own_numerator"] / cells["own_denominator"] * indicator.scale
    return cells


def disagreements(indicator: Indicator, cells: pd.DataFrame) -> pd.DataFrame:
    """The cells whose value, numerator, denominator or status differs by more than the rounding allows."""
    base = cells["rounded_to"].fillna(0)
    wrong = pd.Series(False, index=cells.index)
    for part in PARTS:
        if f"own_{part}" in cells:
            distance = (cells[part] - cells[f"own_{part}"]).abs()
            wrong |= distance > (base / 2 * indicator.parts) + 1e-6
    half_a_unit = 0.5 * 10.0 ** -cells["decimals"]
    allowed = cells["tolerance"].fillna(half_a_unit) + 1e-6
    shown = cells["value"].notna()
    wrong |= shown & ~((cells["value"] - cells["own_value"]).abs() <= allowed)
    is_range = cells["status"] == "range"
    wrong |= is_range & ~cells["own_value"].between(cells["value_from"] - 1e-6, cells["value_to"] + 1e-6)
    if indicator.denominator and not indicator.minus:
        nobody = cells["own_denominator"] <= base / 2
        wrong |= (cells["status"] == "not_applicable") & ~nobody
    return cells[wrong]


def unpublished_areas(
    indicator: Indicator, level: str, tables: dict[str, pd.DataFrame], cells: pd.DataFrame
) -> list:
    """The areas and years that we have a figure for and the release has no row for."""
    if indicator.model:
        own = indicator.model(tables, level).dropna(subset="value")
    else:
        numerator = indicator.numerator_at.get(level, indicator.numerator)
        areas = sorted(calculation.areas_counted(numerator + indicator.denominator, tables, level))
        own = pd.MultiIndex.from_product([cells["year"].unique(), areas], names=["year", "area"]).to_frame(
            index=False
        )
        count = calculation.count_all(numerator, tables, level, own, []) > 0
        if indicator.denominator:
            count &= calculation.count_all(indicator.denominator, tables, level, own, []) > 0
        own = own[count]
    rows = set(zip(cells["year"], cells["area"], strict=True))
    return sorted(set(zip(own["year"], own["area"], strict=True)) - rows)


@pytest.mark.parametrize(("indicator", "level"), cases())
def test_the_published_figure_is_the_recomputed_one(
    indicator: Indicator, level: str, tables, published
) -> None:
    cells = published[(published["code"] == indicator.code) & (published["area_level"] == level)].reset_index(
        drop=True
    )
    assert len(cells) > 0
    assert cells["period_label"].str.fullmatch(indicator.period_pattern).all(), cells["period_label"].unique()
    own = recomputed(indicator, level, tables, cells)
    wrong = disagreements(indicator, own)
    columns = ["area", "period_label", *[c for c in BREAKDOWNS if (cells[c] != "total").any()]]
    columns += [c for part in [*PARTS, "value"] for c in (part, f"own_{part}") if c in wrong] + [
        "status",
        "tolerance",
    ]
    assert wrong.empty, f"{len(wrong)} of {len(cells)} cells differ:\n{wrong[columns].head(20).to_string()}"
    assert unpublished_areas(indicator, level, tables, cells) == []


def test_every_figure_made_of_rounded_counts_names_its_tolerance(published) -> None:
    made_of_rounded = published[published["rounded_to"].notna() & published["value"].notna()]
    # D4.2 is the difference of two rates; its sheet says that they are made of rounded counts.
    assert set(made_of_rounded.loc[made_of_rounded["tolerance"].isna(), "code"]) <= {"D4.2"}


def test_no_rate_of_fewer_than_30_people_is_shown(tables, published) -> None:
    of_people = published[
        published["kind"].isin(["share", "rate", "distribution"]) & published["rounded_to"].notna()
    ]
    shown = of_people[of_people["value"].notna() | (of_people["status"] == "range")]
    told = []
    # Places offered in the holidays are no people.
    left_out = {*DEPARTURES, "H6.1"}
    for indicator, level in [(i, level) for i, level in CASES if i.code not in left_out and i.denominator]:
        cells = shown[(shown["code"] == indicator.code) & (shown["area_level"] == level)].reset_index(
            drop=True
        )
        if len(cells):
            own = recomputed(indicator, level, tables, cells)
            few = calculation.rounded(own["own_denominator"]) < 30
            told += own.loc[few, ["code", "area", "own_denominator"]].values.tolist()
    assert told == []


def test_every_register_based_figure_has_a_definition(published) -> None:
    made = set(published[["code", "area_level"]].drop_duplicates().itertuples(index=False, name=None))
    defined = {(indicator.code, level) for indicator, level in CASES}
    assert made == defined


def test_the_recomputation_imports_nothing_of_the_product() -> None:
    imported = set()
    for file in Path(__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {name.name.split(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add((node.module or "").split(".")[0])
    assert not imported & {"expectations", "orchestration"}
