"""Catalogue → suites, as plain dictionaries. Imports no Great Expectations, so it costs next to nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from expectations.catalogue import Catalogue
from expectations.catalogue.base import RANGE
from expectations.catalogue.model import TOTAL, Indicator

STATUSES = ["reported", "estimated", "unreliable", RANGE, "not_applicable", "unavailable", "confidential"]
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
        "value_from",
        "value_to",
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
        "change_tolerance",
        "is_change_uncertain",
        "trend_per_year",
        "trend_tolerance",
        "is_trend_uncertain",
        "series_break_before",
        "footnotes",
        "source",
        "retrieved_at",
    ]


def table_suite(catalogue: Catalogue, table: str) -> list[Expectation]:
    """Everything Great Expectations judges of a published table; `check` in its meta says for whom.

    Expectations about single rows see them beside what their indicator declares (`with_limits`). One suite for
    all: a run costs a tenth of a second, whatever it looks at.
    """
    ids = [indicator.id for indicator in catalogue.indicators_of(table)]
    keys = ["indicator_id", "area_code", "period_start", "period_end", *catalogue.breakdowns]
    used = _used_breakdowns(catalogue, table)
    missing = {"ignore_row_if": "either_value_is_missing"}
    above = "expect_column_pair_values_a_to_be_greater_than_b"
    numbers = ("value", "value_from", "value_to", "numerator", "denominator")
    return [
        _expect("schema", "expect_table_columns_to_match_ordered_list", column_list=published_columns(catalogue)),
        _expect("schema", "expect_column_distinct_values_to_be_in_set", column="indicator_id", value_set=ids),
        *(_expect("types", "expect_column_values_to_be_in_type_list", column=c, type_list=NUMBERS) for c in numbers),
        _expect("types", "expect_column_values_to_be_in_type_list", column="series_break_before", type_list=_TRUTH),
        _expect("keys", "expect_compound_columns_to_be_unique", column_list=keys, ignore_row_if="never"),
        _expect("keys", "expect_column_values_to_be_in_set", column="has_whole_key", value_set=[True]),
        *(
            _expect("code_lists", "expect_column_values_to_be_in_set", column=name, value_set=sorted(catalogue.breakdowns[name].cell_ids()))
            for name in catalogue.breakdowns if name in used
        ),
        _expect("code_lists", "expect_column_values_to_be_in_set", column="is_undivided_elsewhere", value_set=[True]),
        _expect("states", "expect_column_values_to_be_in_set", column="status", value_set=STATUSES),
        _expect("states", "expect_column_values_to_be_in_set", column="sign", value_set=SIGNS),
        _expect("area_codes", "expect_column_values_to_match_regex", column="area_code", regex=_AREA_CODE),
        _expect("range", above, column_A="value", column_B="low", or_equal=True, **missing),
        _expect("range", above, column_A="high", column_B="value", or_equal=True, **missing),
        # A published range may reach beyond the valid values: rounding moved its ends. Not all of it lies beyond them.
        _expect("range", above, column_A="value_to", column_B="low", or_equal=True, **missing),
        _expect("range", above, column_A="high", column_B="value_from", or_equal=True, **missing),
        _expect("unit", "expect_column_pair_values_to_be_equal", column_A="unit", column_B="declared_unit"),
        _expect("level", "expect_column_values_to_be_in_set", column="is_declared_level", value_set=[True]),
    ]  # fmt: skip


def common_suite(catalogue: Catalogue) -> list[Expectation]:
    """What is expected of the rows of every table alike; nowhere less strict than `table_suite` of any table.

    The rows carry what their table and indicator declare (`with_limits`).
    """
    by_table = ("expect_table_columns_to_match_ordered_list", "expect_column_distinct_values_to_be_in_set")
    found = [
        _expect("schema", "expect_column_values_to_be_in_set", column="has_contract_columns", value_set=[True]),
        _expect("schema", "expect_column_values_to_be_in_set", column="is_declared_indicator", value_set=[True]),
    ]  # fmt: skip
    rules: dict[str, Expectation] = {}
    for table in catalogue.published:
        for rule in table_suite(catalogue, table):
            if rule["type"] not in by_table:
                rules.setdefault(repr(rule), rule)
    return [*found, *rules.values()]


def _used_breakdowns(catalogue: Catalogue, table: str) -> set[str]:
    return {name for indicator in catalogue.indicators_of(table) for name in indicator.breakdowns}


NUMBERS = ["float64", "float", "Float64", "int64", "Int64", "int32"]
"""Types of a column of numbers; pandas has fractions where a value is missing, and else may have whole numbers."""
_TRUTH = ["bool", "boolean", "bool_"]
_AREA_CODE = r"^(DG|\d{2}|\d{3}|\d{5}(-[A-Z]{1,2}[0-9A-Z-]+)?)$"


def _expect(check: str, kind: str, **kwargs: Any) -> Expectation:
    return {"type": kind, "kwargs": kwargs, "meta": {"check": check}}


def with_limits(frame: pd.DataFrame, catalogue: Catalogue, table: str) -> pd.DataFrame:
    """A table's rows beside what their indicator declares; a column of the contract that is missing is empty.

    The columns themselves are judged on the table as it is.
    """
    indicators = catalogue.indicators_of(table)
    missing = [c for c in published_columns(catalogue) if c not in frame.columns]
    names = frame["indicator_id"]
    keys = ["indicator_id", "area_code", "period_start", "period_end", *catalogue.breakdowns]
    unused = [
        n for n in catalogue.breakdowns if n in frame.columns and n not in _used_breakdowns(catalogue, table)
    ]
    return frame.assign(
        **dict.fromkeys(missing),
        has_whole_key=frame.reindex(columns=keys).notna().all(axis=1),
        is_undivided_elsewhere=(frame[unused] == TOTAL).all(axis=1),
        low=names.map({i.id: i.valid_range[0] for i in indicators}).astype("float64"),
        high=names.map({i.id: i.valid_range[1] for i in indicators}).astype("float64"),
        declared_unit=names.map({i.id: str(i.unit) for i in indicators}).astype("object"),
        has_contract_columns=list(frame.columns) == published_columns(catalogue),
        is_declared_indicator=names.isin([i.id for i in indicators]),
        is_declared_level=_has_declared_level(frame, indicators),
    )


def _has_declared_level(frame: pd.DataFrame, indicators: list[Indicator]) -> npt.NDArray[np.bool_]:
    """Which rows stand at a level that their indicator declares; asked once for every pair of the two."""
    allowed = {(i.id, level) for i in indicators for level in i.all_levels}
    name, names = pd.factorize(frame["indicator_id"])
    level, levels = pd.factorize(frame["area_level"])
    of_pair = np.zeros((len(names) + 1, len(levels) + 1), dtype=bool)  # the last of each: missing
    for n, one in enumerate(names):
        of_pair[n, :-1] = [(one, other) in allowed for other in levels]
    return of_pair[name, level]
