"""Tables made of what a release tells: a school's profile, the measures, the network, the fields of action.

Belongs here: running the statements beside this module on the tables of a release, so that a held table is
held in them, too, and nothing in them says more than the release does. Does not belong here: figures that
need single values nobody is told (dbt).
"""

from __future__ import annotations

from importlib.resources import files

import duckdb
import pyarrow as pa

from expectations.catalogue.base import WIDEST_TOLERANCE
from expectations.catalogue.model import TOTAL, Text

DERIVED = {
    "pub_school_profile": Text(de="Schulprofile", en="School profiles"),
    "pub_measures": Text(de="Maßnahmen und ihre Indikatoren", en="Measures and their indicators"),
    "pub_network": Text(de="Netzwerkpartner", en="Network partners"),
    "pub_field_of_action": Text(de="Handlungsfelder", en="Fields of action"),
    "pub_social_index_component": Text(de="Merkmale des Sozialindex", en="Components of the social index"),
    "pub_social_index": Text(de="Sozialindex der Stadtteile", en="Social index of the city districts"),
    "pub_social_gradient": Text(de="Sozialgradient", en="Social gradient"),
    "pub_survey_results": Text(de="Befragungsergebnisse", en="Survey results"),
}

DERIVED_KEYS = {
    "pub_school_profile": ["area_code", "period_label"],
    "pub_measures": ["measure_number", "indicator_id"],
    "pub_network": ["partner", "field_of_action"],
    "pub_field_of_action": ["field_of_action", "indicator_id"],
    "pub_social_index_component": ["index_id", "indicator_id", "area_code", "period_label"],
    "pub_social_index": ["index_id", "area_code", "period_label"],
    "pub_social_gradient": ["index_id", "indicator_id", "period_label"],
    "pub_survey_results": ["survey_id", "period_label", "answer"],
}


_ESTIMATE = """case
    when v.value_to is null then v.value
    else round(v.numerator * i.multiplier * power(10, i.decimals) / v.denominator) / power(10, i.decimals)
end"""
"""A figure as computations over many areas take it: of a range what its published counts give, weighted by their people."""


def derive(tables: dict[str, pa.Table], home: str, breakdowns: list[str]) -> dict[str, pa.Table]:
    """The derived tables, each one statement in a file of its name, later ones seeing the earlier.

    `tables`: the release's tables, the rows of registers that are told as they are, what the catalogue says
    of indices and surveys, and told answers. `home`: the municipality's key. Beside them the statements
    see `total_value` (values that are not broken down), `school_type_value` (by school type only) and
    `public_total_value`: the figures that indices are made of, in an internal release from `public_value`. In all three
    `estimate` is the value, and of a range what its published counts give.
    """
    found: dict[str, pa.Table] = {}
    with duckdb.connect() as connection:
        for name, rows in tables.items():
            connection.register(name, rows)
        connection.execute("set variable home = $home", {"home": home})
        connection.execute("set variable widest_tolerance = $points", {"points": WIDEST_TOLERANCE})
        public = "public_value" if "public_value" in tables else "indicator_value"
        for view, of, free in (
            ("total_value", "indicator_value", ""), ("school_type_value", "indicator_value", "school_type"), ("public_total_value", public, ""),
        ):  # fmt: skip
            totals = " and ".join(f"v.{name} = '{TOTAL}'" for name in breakdowns if name != free)
            connection.execute(
                f"create view {view} as select v.*, {_ESTIMATE} as estimate from {of} as v "
                f"left join indicator as i on i.indicator_id = v.indicator_id where {totals}"
            )
        for name in DERIVED:
            statement = files(__package__).joinpath(f"{name}.sql").read_text(encoding="utf-8")
            keys = ", ".join(f"{key} nulls first" for key in DERIVED_KEYS[name])
            rows = connection.sql(f"from ({statement}) order by {keys}").to_arrow_table()
            found[name] = rows
            connection.register(name, rows)
    return found
