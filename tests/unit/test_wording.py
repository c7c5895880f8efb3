"""How German and English write figures, days and sentences."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest

from expectations.catalogue.model import Text
from expectations.wording import (
    Language,
    Percent,
    Period,
    day,
    in_period,
    listed,
    number,
    percent,
    release_of,
    said,
)


@pytest.mark.parametrize(
    ("value", "decimals", "german", "english"),
    [
        (1234.5, 1, "1.234,5", "1,234.5"),
        (1234567.0, 0, "1.234.567", "1,234,567"),
        (15.6, None, "15,6", "15.6"),
        (-3.25, 2, "−3,25", "−3.25"),
        (-0.04, 1, "0,0", "0.0"),
        (0.000123456, None, "0,00012", "0.00012"),
        (12803, None, "12.803", "12,803"),
        (None, 1, "–", "–"),
        (math.nan, None, "–", "–"),
    ],
)
def test_numbers_follow_the_language(
    value: float | None, decimals: int | None, german: str, english: str
) -> None:
    assert (number(value, "de", decimals), number(value, "en", decimals)) == (german, english)


def test_a_change_has_its_sign_and_none_where_nothing_changed() -> None:
    assert [number(v, "de", 1, signed=True) for v in (1.26, -1.26, 0.01)] == ["+1,3", "−1,3", "0,0"]


def test_percentages_have_a_space_in_german() -> None:
    assert percent(0.1234, "de", 1) == "12,3\N{NO-BREAK SPACE}%"
    assert percent(0.1234, "en", 1) == "12.3%"


def test_a_share_that_rounds_to_zero_has_no_sign() -> None:
    assert [percent(v, "en", signed=True) for v in (-0.001, 0.001, -0.011, 0.011)] == [
        "0%",
        "0%",
        "−1%",
        "+1%",
    ]


@pytest.mark.parametrize(
    ("label", "german", "english"),
    [
        ("31.12.2025", "am 31.12.2025", "on 31 December 2025"),
        ("2025", "im Jahr 2025", "in 2025"),
        ("2025/26", "im Schuljahr 2025/26", "in the school year 2025/26"),
        ("WS 2024/25", "im Wintersemester 2024/25", "in the winter term 2024/25"),
        ("Q3", "Q3", "Q3"),
    ],
)
def test_periods_are_parts_of_a_sentence(label: str, german: str, english: str) -> None:
    assert (in_period(label, "de"), in_period(label, "en")) == (german, english)


def test_a_sentence_gets_its_values_in_its_language() -> None:
    found = said(
        "{count:Wert|Werte} von {area}: {share}, {period}, Stand {on}",
        "{count:value|values} of {area}: {share}, {period}, as of {on}",
        count=1, area=Text(de="Güls", en="Guels"), share=Percent(0.5, 1), period=Period("2024/25"), on=dt.date(2026, 3, 1),
    )  # fmt: skip
    assert found.de == "1 Wert von Güls: 50,0\N{NO-BREAK SPACE}%, im Schuljahr 2024/25, Stand 01.03.2026"
    assert found.en == "1 value of Guels: 50.0%, in the school year 2024/25, as of 1 March 2026"
    assert said("{n:Wert|Werte}", "{n:value|values}", n=1200) == Text(de="1.200 Werte", en="1,200 values")


def test_a_release_is_named_by_its_day() -> None:
    assert release_of("20261126T060000Z", "de") == "26.11.2026 (20261126T060000Z)"
    assert release_of("20261126T060000Z", "en") == "26 November 2026 (20261126T060000Z)"


def test_a_long_list_names_its_first_few() -> None:
    assert listed(["a", Text(de="b", en="B"), "c", "d"]) == Text(de="a; b; c (+1)", en="a; B; c (+1)")


@pytest.mark.parametrize("language", ["de", "en"])
def test_a_day_is_a_day(language: Language) -> None:
    assert "2025" in day(dt.date(2025, 1, 2), language)


def test_a_noun_follows_the_number_that_is_read() -> None:
    text = said("{n:Wert|Werte}", "{n:value|values}", n=0.99999999)
    assert (text.de, text.en) == ("1 Wert", "1 value")
    assert said("{n:Wert|Werte}", "{n:value|values}", n=-1).de == "−1 Wert"
    assert said("{n:Wert|Werte}", "{n:value|values}", n=1.5).de == "1,5 Werte"


def test_numbers_without_end_and_days_of_numpy_are_written() -> None:
    assert number(math.inf, "de") == "∞"
    assert number(-math.inf, "de", 1, signed=True) == "−∞"
    assert said("{d}", "{d}", d=np.datetime64("2025-12-31")).de == "31.12.2025"
    assert said("{d}", "{d}", d=np.datetime64("2025-12-31T00:00:00.000000000")).en == "31 December 2025"
