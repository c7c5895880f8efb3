"""Catalogue → suites, as plain dictionaries. Imports no Great Expectations, so it costs nothing."""

from __future__ import annotations

from typing import Any

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
            "type": "expect_column_distinct_values_to_equal_set",
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
            "kwargs": {"column": "area_code", "regex": r"^(DG|\d{2}|\d{3}|\d{5})$"},
        },
    ]


def indicator_suite(indicator: Indicator) -> list[Expectation]:
    """What holds for the values of one indicator."""
    low, high = indicator.valid_range
    return [
        {
            "type": "expect_column_values_to_be_between",
            "kwargs": {"column": "value", "min_value": low, "max_value": high},
        },
        {
            "type": "expect_column_values_to_be_in_set",
            "kwargs": {"column": "unit", "value_set": [indicator.unit]},
        },
        {
            "type": "expect_column_values_to_be_in_set",
            "kwargs": {"column": "area_level", "value_set": list(indicator.levels)},
        },
    ]
