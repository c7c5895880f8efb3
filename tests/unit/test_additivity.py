"""Parts against totals: what agrees passes, what does not is found, unknown leaves room upwards."""

from __future__ import annotations

import math

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.catalogue.model import Additivity, Rounding
from expectations.checks.additivity import disagreements

BREAKDOWNS = ["sex", "school_type"]
RULE = Additivity(breakdown="school_type", parts=["a", "b", "c"], exact_in=["07"])

few = settings(max_examples=25)
"""Every example builds frames; these laws break on the first few or never."""

counts = st.integers(0, 10**7)
parts = st.tuples(counts, counts, counts)


def rows(values: tuple[float | None, ...], total: float, area: str = "07111") -> pd.DataFrame:
    cells = [("total", total), *zip(RULE.parts, values, strict=True)]
    return pd.DataFrame(
        [
            {
                "area_code": area,
                "period_end": pd.Timestamp("2024-07-31"),
                "period_label": "2023/24",
                "sex": "total",
                "school_type": cell,
                "value": math.nan if value is None else float(value),
            }
            for cell, value in cells
        ]
    )


def wrong(frame: pd.DataFrame, rule: Additivity = RULE) -> bool:
    found = disagreements(frame, rule, BREAKDOWNS)
    assert len(found) == 1
    return bool(found["wrong"].item())


def test_a_missing_cell_is_a_cell_too() -> None:
    """Rows whose other cell is missing are compared with one another, not left out."""
    assert not wrong(rows((1, 2, 3), 6).assign(sex=None))
    assert wrong(rows((1, 2, 3), 60).assign(sex=None))


@few
@given(parts)
def test_parts_that_make_the_total_agree(values: tuple[int, int, int]) -> None:
    assert not wrong(rows(values, sum(values)))


@few
@given(parts, st.integers(1, 1000), st.booleans())
def test_one_person_too_many_or_too_few_is_found(values: tuple[int, int, int], off: int, more: bool) -> None:
    assert wrong(rows(values, sum(values) + (off if more else -off)))


@few
@given(parts, st.integers(0, 2), st.integers(0, 10**6))
def test_an_unknown_part_leaves_room_upwards_and_none_downwards(
    values: tuple[int, int, int], hidden: int, room: int
) -> None:
    shown = [None if n == hidden else v for n, v in enumerate(values)]
    known = sum(v for v in shown if v is not None)
    assert not wrong(rows(tuple(shown), known + room))
    assert wrong(rows(tuple(shown), known - 1 - room))


@few
@given(parts, st.sampled_from([3, 5]), st.data())
def test_a_rounded_land_may_differ_by_its_rounding(
    values: tuple[int, int, int], base: int, data: st.DataObject
) -> None:
    """Every number rounded to the base for itself: the parts' sum is off by at most half a base each."""
    rule = RULE.model_copy(update={"rounded_in": {"05": Rounding(base=base)}})
    rounded = tuple(base * round(v / base) for v in values)
    total = base * round(sum(values) / base)
    assert not wrong(rows(rounded, total, "05111"), rule)
    assert wrong(rows(rounded, total + 4 * base, "05111"), rule) or sum(rounded) > total
    assert not wrong(rows(values, sum(values), "07111"), rule), "Rhineland-Palatinate does not round"


@few
@given(parts, st.floats(0, 1))
def test_double_counts_lie_between_the_largest_part_and_the_sum(
    values: tuple[int, int, int], share: float
) -> None:
    rule = RULE.model_copy(update={"rule": "double_counted"})
    low, high = max(values), sum(values)
    assert not wrong(rows(values, low + math.floor(share * (high - low))), rule)
    assert wrong(rows(values, high + 1), rule)
    assert wrong(rows(values, low - 1), rule)
