"""How the offices write numbers, signs, periods and areas."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expectations.catalogue.model import PeriodMeaning
from orchestration.collect.genesis.notation import SIGNS, area_level, is_area, parse_period, parse_value


@pytest.mark.parametrize(
    ("text", "value", "sign"),
    [
        ("12846", 12846, None),
        ("-56", -56, None),
        ("28,1", 28.1, None),
        ("0.5", 0.5, None),
        ("0", 0, "0"),
        ("(17)", 17, "()"),
        ("17p", 17, "p"),
        ("17 r", 17, "r"),
        ("-", None, "-"),
        (".", None, "."),
        ("...", None, "..."),
        ("/", None, "/"),
        ("x", None, "x"),
        ("X", None, "x"),
        ("", None, None),
        ("  5 ", 5, None),
    ],
)
def test_number_and_sign_come_apart(text: str, value: float | None, sign: str | None) -> None:
    assert parse_value(text) == (value, sign)


@pytest.mark.parametrize("text", ["12a", "1.234,5", "(17", "17)", "--", "n/a", "1 234", "17pr", "NaN", "1e5"])
def test_what_is_neither_number_nor_sign_is_refused(text: str) -> None:
    assert parse_value(text) is None


@given(st.integers(-(10**12), 10**12), st.integers(0, 999), st.sampled_from(",."))
def test_every_decimal_survives(whole: int, thousandths: int, comma: str) -> None:
    text = f"{whole}{comma}{thousandths:03d}"
    parsed = parse_value(text)
    assert parsed is not None
    assert parsed.value == float(text.replace(",", "."))


@given(st.text(max_size=12))
def test_a_value_never_holds_a_sign_and_a_sign_never_is_a_number(text: str) -> None:
    parsed = parse_value(text)
    if parsed is not None:
        assert parsed.sign is None or parsed.sign in SIGNS
        assert parsed.value is not None or parsed.sign in (None, "-", ".", "...", "/", "x")


@pytest.mark.parametrize(
    ("text", "start", "end", "label"),
    [
        ("31.12.2023", "2023-12-31", "2023-12-31", "31.12.2023"),
        ("2023-12-31", "2023-12-31", "2023-12-31", "31.12.2023"),
        ("2023", "2023-01-01", "2023-12-31", "2023"),
        ("2023/24", "2023-08-01", "2024-07-31", "2023/24"),
        ("1999/00", "1999-08-01", "2000-07-31", "1999/00"),
        ("WS 2017/18", "2017-10-01", "2018-03-31", "WS 2017/18"),
        ("SS 2018", "2018-04-01", "2018-09-30", "SS 2018"),
        ("2023-10P6M", "2023-10-01", "2024-03-31", "WS 2023/24"),
        ("2023-04P6M", "2023-04-01", "2023-09-30", "SS 2023"),
        ("2024-02P1M", "2024-02-01", "2024-02-29", "2024-02P1M"),
        ("2024-Q4", "2024-10-01", "2024-12-31", "2024-Q4"),
    ],
)
def test_periods(text: str, start: str, end: str, label: str) -> None:
    period = parse_period(text)
    assert period is not None
    assert (period.start.isoformat(), period.end.isoformat(), period.label) == (start, end, label)


@pytest.mark.parametrize(
    "text", ["31.02.2023", "2023/22", "2023/2025", "WS 2023/25", "2023-13P6M", "23", "Jahr", ""]
)
def test_a_period_that_runs_backwards_or_is_none_is_refused(text: str) -> None:
    assert parse_period(text) is None


def test_the_same_year_means_two_school_years() -> None:
    """21111: pupils carry the year the school year starts in, leavers the year it ends in."""
    pupils = parse_period("2023", PeriodMeaning.SCHOOL_YEAR_START)
    leavers = parse_period("2023", PeriodMeaning.SCHOOL_YEAR_END)
    assert pupils is not None
    assert leavers is not None
    assert (pupils.label, leavers.label) == ("2023/24", "2022/23")
    assert leavers.end == dt.date(2023, 7, 31)


NAMES_NOTHING = (PeriodMeaning.REFERENCE_DAY, PeriodMeaning.WINTER_TERM)


@pytest.mark.parametrize("meaning", NAMES_NOTHING)
def test_a_bare_year_is_no_reference_day(meaning: PeriodMeaning) -> None:
    assert parse_period("2023", meaning) is None


def test_a_bare_year_is_the_year_end_only_where_declared() -> None:
    period = parse_period("2015", PeriodMeaning.YEAR_END_DAY)
    assert period is not None
    assert period.start == period.end == dt.date(2015, 12, 31)


@given(
    st.integers(1950, 2090),
    st.sampled_from([None, *(m for m in PeriodMeaning if m not in NAMES_NOTHING)]),
)
def test_no_period_ends_before_it_starts(year: int, meaning: PeriodMeaning | None) -> None:
    period = parse_period(str(year), meaning)
    assert period is not None
    assert period.start <= period.end


@pytest.mark.parametrize(
    ("code", "variable", "level"),
    [
        ("DG", "KREISE", "country"),
        ("07", "KREISE", "state"),
        ("071", "KREISE", "region"),
        ("07111", "KREISE", "district"),
        ("03241001", "KREISE", "sub_district"),
        ("07111000", "GEMEIN", "municipality"),
        ("0713701", "GEMEIN", "association"),
        ("0713700003", "GEMEIN", "municipality"),
        ("071110000000", "GEOGM4", "municipality"),
        ("F03101", "GEMEIN", "function_area"),
    ],
)
def test_the_length_of_a_code_is_its_level(code: str, variable: str, level: str) -> None:
    assert is_area(code)
    assert area_level(code, variable) == level


@pytest.mark.parametrize("code", ["7111", "Koblenz", "", "071 11", "7", "dg"])
def test_a_code_that_lost_its_zero_is_no_area(code: str) -> None:
    assert not is_area(code)
