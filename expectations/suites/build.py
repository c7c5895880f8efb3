"""Catalogue → suites, as plain dictionaries. Imports no Great Expectations, so it costs next to nothing."""

from __future__ import annotations

from typing import Any

import pandas as pd

from expectations.catalogue import Catalogue
from expectations.catalogue.model import Indicator

STATUSES = ["reported", "estimated", "unreliable", "not_applicable", "unavailable", "confidential"]
SIGNS = ["0", "-", ".", "...", "/", "*", "x", "()", "p", "r", "s", "e"]

Expectation = dict[str, Any]


def published_columns(catalogue: Catalogue) -> list[str]:
    """The columns of every published table, in order: its contract with readers."""
    return [
        "indicator_id",
        "indicator_name_de",
        "indicator_name_en",
        "area_code",
        "area_name",
        "area_level",
        "period_start",
        "period_end",
        "period_label",
        *catalogue.breakdowns,
        "value",
        "numerator",
        "denominator",
        "unit",
        "status",
        "sign",
        "rounded_to",
        "tolerance",
        "value_city",
        "value_state",
        "value_country",
        "value_peers",
        "rank",
        "rank_of",
        "distance",
        "change_previous_year",
        "trend_five_years",
        "series_break_before",
        "footnotes",
        "source",
        "retrieved_at",
    ]


def table_suite(catalogue: Catalogue, table: str) -> list[Expectation]:
    """What holds for a whole published table."""
    ids = [indicator.id for indicator in catalogue.indicators_of(table)]
    return [
        {
            "type": "expect_table_columns_to_match_ordered_list",
            "kwargs": {"column_list": published_columns(catalogue)},
        },
        {
            "type": "expect_column_distinct_values_to_be_in_set",
            "kwargs": {"column": "indicator_id", "value_set": ids},
        },
        {
            "type": "expect_column_values_to_be_in_set",
            "kwargs": {"column": "status", "value_set": STATUSES},
        },
        {
            "type": "expect_column_values_to_be_in_set",
            "kwargs": {"column": "sign", "value_set": SIGNS},
        },
        {
            "type": "expect_column_values_to_match_regex",
            "kwargs": {"column": "area_code", "regex": r"^(DG|\d{2}|\d{3}|\d{5}(-[A-Z]{1,2}[0-9A-Z-]+)?)$"},
        },
    ]


def range_suite() -> list[Expectation]:
    """What holds for every row, beside the limits its indicator declares (`with_limits`).

    One suite for a whole table: a run costs a tenth of a second, whatever it looks at.
    """
    missing = {"ignore_row_if": "either_value_is_missing"}
    above = "expect_column_pair_values_a_to_be_greater_than_b"
    return [
        {"type": above, "kwargs": {"column_A": "value", "column_B": "low", "or_equal": True, **missing}},
        {"type": above, "kwargs": {"column_A": "high", "column_B": "value", "or_equal": True, **missing}},
        {
            "type": "expect_column_pair_values_to_be_equal",
            "kwargs": {"column_A": "unit", "column_B": "declared_unit"},
        },
        {
            "type": "expect_column_values_to_be_in_set",
            "kwargs": {"column": "is_declared_level", "value_set": [True]},
        },
    ]


def with_limits(frame: pd.DataFrame, indicators: list[Indicator]) -> pd.DataFrame:
    """The rows a suite looks at, each beside what its indicator declares."""
    names = frame["indicator_id"]
    allowed = {(i.id, level) for i in indicators for level in i.all_levels}
    return frame[["value", "unit"]].assign(
        low=names.map({i.id: i.valid_range[0] for i in indicators}).astype("float64"),
        high=names.map({i.id: i.valid_range[1] for i in indicators}).astype("float64"),
        declared_unit=names.map({i.id: str(i.unit) for i in indicators}),
        is_declared_level=[pair in allowed for pair in zip(names, frame["area_level"], strict=True)],
    )
