"""The city and its parts in exact counts: what the checks of parts and whole compare.

Belongs here: sums over Stadtteile and schools beside the city's own figure, and the schools that only one term of a
formula counts. Does not belong here: any opinion about a difference (expectations/checks).
"""

from __future__ import annotations

import datetime as dt

import duckdb
import pandas as pd

from expectations.catalogue import Catalogue
from expectations.catalogue.model import TOTAL, Kind
from expectations.catalogue.registers import Term
from orchestration.compute.increment import has_table

_TERMS = (
    ("numerator", "{}.numerator".format, "c.numerator"),
    ("denominator", "{}.denominator".format, "c.denominator"),
    ("difference", "{0}.numerator - {0}.denominator".format, "greatest(c.numerator, c.denominator)"),
)
"""What is compared: its name, its SQL for a row, and what a gap is measured by."""


def parts_of_city(
    connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, table: str, municipality: str
) -> pd.DataFrame:
    """Numerators and denominators of a published table: the city's own beside the sum over its areas.

    One row per indicator, level inside the city, term (`role`), period and cells: `whole`, `parts`, and `areas`, how
    many areas have a count; `most`, how many ever have in this level and term. Of a difference only the figure itself
    is compared (moves inside the city are in both terms of a Stadtteil). `size` is what a gap is measured by: the
    city's count, of a difference the larger of its two.
    """
    names = list(catalogue.breakdowns)
    ids = [i.id for i in catalogue.indicators_of(table) if not i.kind.is_modelled]
    differences = [i.id for i in catalogue.indicators_of(table) if i.kind is Kind.DIFFERENCE]
    columns = ["indicator_id", "area_level", "role", "period_end", "period_label", *names]
    if not ids or not has_table(connection, "monitoring", "fct_indicator_value"):
        return pd.DataFrame(columns=[*columns, "whole", "parts", "areas", "size", "most"])
    cells = ", ".join(f"v.{name}" for name in names)
    same = " and ".join(f"c.{name} = v.{name}" for name in names)
    terms = " union all ".join(
        f"""select v.indicator_id, v.area_level, '{role}' as role, v.period_end, v.period_label, {cells},
            any_value({figure("c")}) as whole, sum(({figure("v")})::decimal(28, 6))::double as parts,
            count({figure("v")}) as areas, any_value({size}) as size
        from monitoring.fct_indicator_value as v
        inner join monitoring.fct_indicator_value as c
            on c.indicator_id = v.indicator_id and c.period_start = v.period_start and c.period_end = v.period_end
            and c.area_code = $city and {same}
        where list_contains($ids, v.indicator_id) and starts_with(v.area_code, $city || '-') and {figure("c")} is not null
            and list_contains($differences, v.indicator_id) = {role == "difference"}
        group by all"""
        for role, figure, size in _TERMS
    )
    return connection.execute(
        f"""select *, max(areas) over (partition by indicator_id, area_level, role) as most
        from ({terms}) where areas > 0 order by {", ".join(columns)}""",
        {"ids": ids, "differences": differences, "city": municipality},
    ).df()


def lone_institutions(
    connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, table: str, municipality: str
) -> pd.DataFrame:
    """The schools that one term of a formula counts and the other does not, in the newest period of both.

    One row per indicator, term that has it (`role`) and school. Only formulas that add schools up are asked: a school
    that one term does not know has no value of its own, and misleads nobody.
    """
    columns = ["indicator_id", "role", "area_code"]
    rows: list[tuple[str, str, str]] = []
    if has_table(connection, "monitoring", "fct_measure"):
        for indicator in catalogue.indicators_of(table):
            for numerator, denominator in catalogue.terms_over_schools(indicator):
                above = _schools(connection, catalogue, numerator, municipality)
                below = _schools(connection, catalogue, denominator, municipality)
                for end in sorted(set(above) & set(below))[-1:]:
                    pairs = (("numerator", above[end] - below[end]), ("denominator", below[end] - above[end]))
                    rows += [(indicator.id, role, school) for role, of in pairs for school in sorted(of)]
    return pd.DataFrame(rows, columns=columns)


def _schools(
    connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, term: Term, municipality: str
) -> dict[dt.date, set[str]]:
    """By period the schools where a term counts anything."""
    found: dict[dt.date, set[str]] = {}
    totals = " and ".join(f"{name} = '{TOTAL}'" for name in catalogue.breakdowns)
    for sign, part in term.parts():
        if sign < 0:
            continue
        rows = connection.execute(
            f"""select period_end, area_code from monitoring.fct_measure
            where measure_id = $measure and area_level = 'school' and value > 0 and {totals}
                and starts_with(area_code, $city || '-')""",
            {"measure": part.measure, "city": municipality},
        ).fetchall()
        for end, school in rows:
            found.setdefault(end, set()).add(school)
    return found
