"""Numbers, days and sentences in the language they stand in: the one place where texts of the product get their figures.

Belongs here: how German and English write a number, a share, a day, a period and a count of things (CLDR, by babel).
Does not belong here: what is said.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from babel.dates import format_date
from babel.numbers import format_decimal, format_percent

from expectations.catalogue.base import Text

Language = Literal["de", "en"]

_LOCALES: Mapping[str, str] = {"de": "de_DE", "en": "en_GB"}

NOTHING = "–"
"""Stands for a figure that is not there."""

_SIGNIFICANT = 6


def number(
    value: float | None, language: Language, decimals: int | None = None, *, signed: bool = False
) -> str:
    """1.234,5 or 1,234.5; without `decimals` as many as six significant digits have; an en dash for nothing."""
    if value is None or math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return _with_sign("1" if value > 0 else "-1", signed).replace("1", "∞")
    if decimals is None:
        whole = len(str(int(abs(value))))
        pattern = "#,##0." + "#" * max(_SIGNIFICANT - whole, 0)
    else:
        pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
    return _with_sign(format_decimal(value, pattern.rstrip("."), locale=_LOCALES[language]), signed)


def percent(share: float | None, language: Language, decimals: int = 0, *, signed: bool = False) -> str:
    """A share of one as a percentage: 12,5 % or 12.5%."""
    if share is None or math.isnan(share):
        return NOTHING
    pattern = (
        "#,##0"
        + ("." + "0" * decimals if decimals else "")
        + ("\N{NO-BREAK SPACE}%" if language == "de" else "%")
    )
    return _with_sign(format_percent(share, pattern, locale=_LOCALES[language]), signed)


def _with_sign(text: str, signed: bool) -> str:
    """A written number with a minus, or a plus where it is `signed`; what rounds to zero has neither."""
    if not re.search("[1-9]", text):
        return text.removeprefix("-")
    if text.startswith("-"):
        return "−" + text[1:]
    return "+" + text if signed else text


def day(date: dt.date, language: Language) -> str:
    """31.12.2025 or 31 December 2025."""
    return format_date(date, "dd.MM.yyyy" if language == "de" else "d MMMM yyyy", locale=_LOCALES[language])


def release_of(release_id: str, language: Language) -> str:
    """A release by its day and its id: 26.11.2026 (20261126T060000Z)."""
    return f"{day(dt.datetime.strptime(release_id[:8], '%Y%m%d').date(), language)} ({release_id})"


def period(label: str, language: Language) -> str:
    """A period by its label: 31.12.2025 or 31 December 2025 for a day; 2023 and 2023/24 are the same in both."""
    match = re.fullmatch(r"(\d{2})\.(\d{2})\.(\d{4})", label)
    return day(dt.date(*(int(part) for part in reversed(match.groups()))), language) if match else label


_PERIODS: Sequence[tuple[str, str, str]] = (
    (r"\d{2}\.\d{2}\.\d{4}", "am {0}", "on {0}"),
    (r"\d{4}", "im Jahr {0}", "in {0}"),
    (r"\d{4}/\d{2}", "im Schuljahr {0}", "in the school year {0}"),
    (r"WS \d{4}/\d{2}", "im Wintersemester {0}", "in the winter term {0}"),
)


def in_period(label: str, language: Language) -> str:
    """A period's label as a part of a sentence: am 31.12.2025, im Schuljahr 2025/26; on 31 December 2025."""
    for pattern, german, english in _PERIODS:
        if re.fullmatch(pattern, label):
            name = period(label.removeprefix("WS "), language)
            return (german if language == "de" else english).format(name)
    return label


def span(low: float, high: float, language: Language, decimals: int | None = None) -> str:
    """The range a figure lies in: 24,5 bis 36,2 or 24.5 to 36.2."""
    word = "bis" if language == "de" else "to"
    return f"{number(low, language, decimals)} {word} {number(high, language, decimals)}"


@dataclass(frozen=True)
class Range:
    """The range a figure lies in, ends included."""

    low: float
    high: float


@dataclass(frozen=True)
class Percent:
    """A share of one that a sentence shows as a percentage; a change has its sign."""

    share: float
    decimals: int = 0
    signed: bool = False


@dataclass(frozen=True)
class Period:
    """A period that a sentence names by its label."""

    label: str


class _Sentence(string.Formatter):
    """Fills a sentence: every value as its language writes it; `{n:Wert|Werte}` is a number and its noun."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def format_field(self, value: Any, format_spec: str) -> str:
        if "|" in format_spec:
            one, many = format_spec.split("|")
            written = number(value, self.language)
            # The noun follows what is read: 0.9999999 is written 1.
            return f"{written} {one if written.lstrip('−+') == '1' else many}"
        return _written(value, self.language)


def _written(value: Any, language: Language) -> str:
    if isinstance(value, Text):
        return value.de if language == "de" else value.en
    if isinstance(value, Percent):
        return percent(value.share, language, value.decimals, signed=value.signed)
    if isinstance(value, Range):
        return span(value.low, value.high, language)
    if isinstance(value, Period):
        return in_period(value.label, language)
    if getattr(value, "dtype", None) is not None and value.dtype.kind == "M":  # a day of numpy
        value = dt.date.fromisoformat(str(value)[:10])
    if isinstance(value, dt.date):
        return day(value, language)
    if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        return number(value, language)
    if hasattr(value, "dtype"):  # a number of numpy
        return number(float(value), language)
    return str(value)


def said(de: str, en: str, **values: Any) -> Text:
    """A sentence in both languages with the same values; years and codes come as texts and stay as they are."""
    return Text(de=_Sentence("de").format(de, **values), en=_Sentence("en").format(en, **values))


def listed(items: Sequence[str | Text], most: int = 3) -> Text:
    """The first few of a list, with the number of the others."""
    rest = f" (+{len(items) - most})" if len(items) > most else ""
    both = [
        item if isinstance(item, Text) else Text(de=item or NOTHING, en=item or NOTHING)
        for item in items[:most]
    ]
    return Text(
        de="; ".join(t.de for t in both) + rest or NOTHING, en="; ".join(t.en for t in both) + rest or NOTHING
    )
