"""What the mart says, indicator by indicator: complete, in range, and equal to a plain count."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from expectations.catalogue import Catalogue, load_catalogue
from expectations.catalogue.base import TOTAL
from expectations.catalogue.model import Indicator
from orchestration.collect.sample.events import SEED
from orchestration.collect.sample.population import unit_of
from orchestration.collect.sample.registers import EMBEDDED_YEARS, RegisterWriter
from orchestration.explanation import formula_sql
from tests.support.plain_counts import PlainCity, related
from tests.support.registers import koblenz_districts

HOME = "07111"


@pytest.fixture(scope="module")
def mart(night_home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(night_home / "warehouse" / "candidate.duckdb"), read_only=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def plain(catalogue: Catalogue) -> PlainCity:
    districts = koblenz_districts()
    writer = RegisterWriter(HOME, districts, unit_of(HOME), SEED)
    return PlainCity(
        catalogue, HOME, districts, list(writer.deliveries(EMBEDDED_YEARS[0], EMBEDDED_YEARS[-1]))
    )


def test_every_published_indicator_has_values_at_its_levels(
    mart: duckdb.DuckDBPyConnection, catalogue: Catalogue
) -> None:
    """On the embedded default: none is constant, all null or outside its range."""
    found = {
        (name, level): (count, distinct, low, high)
        for name, level, count, distinct, low, high in mart.execute(
            """select indicator_id, area_level, count(coalesce(value, value_to)), count(distinct coalesce(value, value_to)),
                min(value), max(value)
            from monitoring.fct_told_value group by 1, 2"""
        ).fetchall()
    }
    published = [i for i in catalogue.indicators.values() if i.status == "published"]
    assert len(published) >= 120
    for indicator in published:
        for level in indicator.all_levels:
            assert found.get((indicator.id, level), (0,))[0] > 0, f"{indicator.id}: nothing for {level}"
        ours = [values for (name, _), values in found.items() if name == indicator.id]
        assert max(distinct for _, distinct, _, _ in ours) > 1 or len(ours) > 1, f"{indicator.id} is constant"
        low, high = indicator.valid_range
        for _, _, smallest, largest in ours:
            assert smallest is None or low is None or smallest >= low, indicator.id
            assert largest is None or high is None or largest <= high, indicator.id


def _of_registers(indicator: Indicator, catalogue: Catalogue) -> list[str]:
    """The origins of an indicator that only registers stand behind."""
    if indicator.status != "published":
        return []
    return [
        origin
        for origin, terms in indicator.formulas.items()
        if all(
            catalogue.measures[part.measure].register_ for term in terms if term for _, part in term.parts()
        )
    ]


BY_REGISTER = [
    (name, origin)
    for name, indicator in sorted(load_catalogue().indicators.items())
    for origin in _of_registers(indicator, load_catalogue())
]


# One in six in every run, the others in the second tier.
@pytest.mark.parametrize(
    ("name", "origin"),
    [
        pytest.param(*pair, marks=[] if n % 6 == 0 else pytest.mark.full_tier)
        for n, pair in enumerate(BY_REGISTER)
    ],
)
def test_an_indicator_of_registers_equals_a_plain_count(
    name: str, origin: str, mart: duckdb.DuckDBPyConnection, catalogue: Catalogue, plain: PlainCity
) -> None:
    """City, Stadtteile and schools; the total and every cell of each breakdown."""
    indicator = catalogue.indicators[name]
    levels = indicator.levels if origin == "main" or indicator.local is None else indicator.local.levels
    available = catalogue.breakdowns_of_measure(indicator.formulas[origin][0].measure)
    compared = 0
    for level in set(levels) & {"district", "city_district", "school"}:
        for breakdown, cell in [
            (None, TOTAL),
            *(
                (b, c.id)
                for b in indicator.breakdowns
                if b in available
                for c in catalogue.breakdowns[b].cells
            ),
        ]:
            shown = {breakdown: cell} if breakdown else {}
            where = " and ".join(f"{b} = '{shown.get(b, TOTAL)}'" for b in catalogue.breakdowns)
            rows = mart.execute(
                f"""select area_code, period_end, numerator, denominator, value from monitoring.fct_indicator_value
                where indicator_id = $name and area_level = $level and {where}""",
                {"name": name, "level": level},
            ).fetchall()
            if not rows:
                continue
            for area, end, numerator, denominator, value in rows:
                above, below = plain.value(indicator, origin, level, shown, area, end)
                if above is None:
                    # What could not be placed has a row wherever it is counted, zeros included.
                    nowhere = area in ("07111-ST00", "07111-S00") and not numerator and not denominator
                    assert numerator is None or nowhere, (area, end, shown)
                    continue
                assert numerator == pytest.approx(above, abs=1e-6), (area, end, shown)
                if indicator.kind.needs_denominator:
                    assert (denominator or 0) == pytest.approx(below or 0, abs=1e-6), (area, end, shown)
                wanted = related(indicator, above, below)
                if value is None or wanted is None:
                    assert value is None
                    assert not below
                else:
                    assert value == pytest.approx(wanted, abs=0.5 * 10**-indicator.decimals + 1e-9)
                compared += 1
            counted = plain.term(indicator.formulas[origin][0], level, shown, indicator)
            if not indicator.kind.needs_denominator:
                missing = {key for key, count in counted.items() if count} - {(a, e) for a, e, *_ in rows}
                assert missing == set(), "a count of the registers is missing in the mart"
    assert compared


def test_the_sql_of_explain_gives_the_values_of_the_mart(
    mart: duckdb.DuckDBPyConnection, catalogue: Catalogue
) -> None:
    totals = " and ".join(f"{b} = '{TOTAL}'" for b in catalogue.breakdowns)
    compared = 0
    for indicator in catalogue.indicators.values():
        sql = formula_sql(catalogue, indicator) if indicator.status == "published" else None
        if sql is None:
            continue
        theirs = {(area, end): value for area, end, value in mart.execute(sql).fetchall()}
        for area, end, value in mart.execute(
            f"""select area_code, period_end, value from monitoring.fct_indicator_value
            where indicator_id = $name and value is not null and {totals}
              and area_level in (select area_level from catalogue.indicator_level
                                 where indicator_id = $name and origin = 'main')""",
            {"name": indicator.id},
        ).fetchall():
            assert theirs[area, end] == pytest.approx(value, abs=10**-indicator.decimals), (
                indicator.id,
                area,
            )
            compared += 1
    assert compared > 10_000
