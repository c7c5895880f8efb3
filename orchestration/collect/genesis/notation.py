"""How the offices write numbers, signs, periods and areas, in every dialect seen.

Belongs here: one cell's text → its meaning. Does not belong here: where in a file it stands.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from expectations.catalogue.model import PeriodMeaning

SIGNS = {
    "0": "less than half of the last digit shown, but more than nothing",
    "-": "nothing there (zero only under conditions)",
    ".": "unknown or secret",
    "...": "not yet available",
    "/": "too unreliable",
    "*": "secret (employment agency)",
    "x": "not meaningful",
    "()": "limited reliability",
    "p": "preliminary",
    "r": "revised",
    "s": "estimated",
    "e": "final",
}
"""The legend of the offices; a value never holds a sign and a sign never is a value."""

QUALITY_SIGNS = frozenset({"p", "r", "s", "e", "()"})
"""What ffcsv's column value_q may add to a number."""

_NUMBER = re.compile(r"^(\()?([-+]?\d+(?:[.,]\d+)?)(\))? ?([prse])?$")


class Value(NamedTuple):
    """A number and its sign, apart; either may be missing."""

    value: float | None
    sign: str | None


def parse_value(text: str) -> Value | None:
    """The number and sign in one cell; None if it is neither.

    There is no thousands separator in GENESIS, so comma and point both mark decimals.
    """
    text = text.strip()
    if not text:
        return Value(None, None)
    if text in ("-", ".", "...", "/", "x", "X"):
        return Value(None, text.lower())
    match = _NUMBER.match(text)
    if not match or (match[1] is None) != (match[3] is None):
        return None
    value = float(match[2].replace(",", "."))
    sign = "()" if match[1] else match[4] or ("0" if value == 0 else None)
    return Value(value, sign)


@dataclass(frozen=True, order=True)
class Period:
    """A span of days with the name the office gives it; a reference day starts and ends itself."""

    start: dt.date
    end: dt.date
    label: str


_MONTHS = (
    "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober",
    "November", "Dezember",
)  # fmt: skip
_MONTHS_EN = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip


_WHOLE_YEAR = ("Insgesamt", "Total", "Jahr", "Year")


def part_of_year(text: str) -> str | None:
    """The month or quarter a cell names, as it is appended to a year: `03`, `Q2`; None if neither.

    Known: their names, and the items of the GENESIS variables MONAT and QUARTG.
    """
    text = text.strip()
    for names in (_MONTHS, _MONTHS_EN):
        if text in names:
            return f"{names.index(text) + 1:02d}"
    if match := re.fullmatch(r"MONAT(0[1-9]|1[0-2])", text):
        return match[1]
    match = re.fullmatch(r"([1-4])\. ?(?:Quartal|Vierteljahr)|QUART([1-4])", text)
    return f"Q{match[1] or match[2]}" if match else None


def parts_of_year(texts: Iterable[str]) -> dict[str, str] | None:
    """What to append to a year for each text of a row or column of months or quarters.

    Nothing for the whole year's total beside them; None where the texts are no parts of a year.
    """
    parts = {text: part_of_year(text) for text in texts}
    if not any(parts.values()):
        return None
    found = {t: f"-{p}" if p else "" for t, p in parts.items() if p or t.strip() in _WHOLE_YEAR}
    return found if len(found) == len(parts) else None


def _day(text: str) -> dt.date | None:
    match = re.fullmatch(r"(\d{2})\.(\d{2})\.(\d{4})", text)
    if match:
        day, month, year = (int(g) for g in match.groups())
    elif match := re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})", text):
        year, month, day = (int(g) for g in match.groups())
    else:
        return None
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def _months(start: dt.date, count: int) -> dt.date:
    """The last day of the span of `count` months beginning on the first day `start`."""
    index = start.year * 12 + start.month - 1 + count - 1
    year, month = divmod(index, 12)
    return dt.date(year, month + 1, calendar.monthrange(year, month + 1)[1])


def _year(year: int, meaning: PeriodMeaning | None) -> Period | None:
    if meaning in (PeriodMeaning.REFERENCE_DAY, PeriodMeaning.WINTER_TERM):
        return None
    if meaning is PeriodMeaning.YEAR_END_DAY:
        day = dt.date(year, 12, 31)
        return Period(day, day, day.strftime("%d.%m.%Y"))
    if meaning is PeriodMeaning.SCHOOL_YEAR_START:
        return _school_year(year)
    if meaning is PeriodMeaning.SCHOOL_YEAR_END:
        return _school_year(year - 1)
    return Period(dt.date(year, 1, 1), dt.date(year, 12, 31), str(year))


def _school_year(start: int) -> Period:
    label = f"{start}/{(start + 1) % 100:02d}"
    return Period(dt.date(start, 8, 1), dt.date(start + 1, 7, 31), label)


def parse_period(text: str, meaning: PeriodMeaning | None = None) -> Period | None:
    """The period a cell names, or None if it names none or runs backwards.

    A bare year is the calendar year unless the table's contract says what it stands for; where
    the contract says reference day, a bare year names none.
    Known: 31.12.2023, 2023-12-31, 2023, 2023/24, WS 2023/24, SS 2023, 2023-10P6M, 2023-Q1.
    """
    text = text.strip()
    if day := _day(text):
        return Period(day, day, day.strftime("%d.%m.%Y"))
    if re.fullmatch(r"(19|20)\d{2}", text):
        return _year(int(text), meaning)
    if match := re.fullmatch(r"(WS )?((?:19|20)\d{2})/(\d{2}|\d{4})", text):
        start = int(match[2])
        if int(match[3]) % 100 != (start + 1) % 100 or (len(match[3]) == 4 and int(match[3]) != start + 1):
            return None
        if match[1]:
            return Period(dt.date(start, 10, 1), dt.date(start + 1, 3, 31), text)
        return _school_year(start)
    if match := re.fullmatch(r"SS ((?:19|20)\d{2})", text):
        return Period(dt.date(int(match[1]), 4, 1), dt.date(int(match[1]), 9, 30), text)
    if match := re.fullmatch(r"((?:19|20)\d{2})-(\d{2})(?:P(\d{1,2})M)?", text):
        year, month, count = int(match[1]), int(match[2]), int(match[3] or 1)
        if not (1 <= month <= 12 and 1 <= count <= 12):
            return None
        first = dt.date(year, month, 1)
        label = text
        if count == 6 and month in (4, 10):
            label = f"SS {year}" if month == 4 else f"WS {year}/{(year + 1) % 100:02d}"
        return Period(first, _months(first, count), label)
    if match := re.fullmatch(r"((?:19|20)\d{2})-Q([1-4])", text):
        first = dt.date(int(match[1]), 3 * int(match[2]) - 2, 1)
        return Period(first, _months(first, 3), text)
    return None


COUNTRY = "DG"
"""Germany's code in GENESIS."""

STATE_CODES = {
    "Schleswig-Holstein": "01", "Hamburg": "02", "Niedersachsen": "03", "Bremen": "04",
    "Nordrhein-Westfalen": "05", "Hessen": "06", "Rheinland-Pfalz": "07", "Baden-Württemberg": "08",
    "Bayern": "09", "Saarland": "10", "Berlin": "11", "Brandenburg": "12",
    "Mecklenburg-Vorpommern": "13", "Sachsen": "14", "Sachsen-Anhalt": "15", "Thüringen": "16",
    "Deutschland": COUNTRY,
}  # fmt: skip
"""The Länder by name: no other area's name is safe as a key (nine districts' names occur twice)."""

_AREA = re.compile(r"DG|[A-Z]?(?:0[1-9]|1[0-6])(?:\d{1}|\d{3}|\d{5}|\d{6}|\d{8,10})?")
"""Every key begins with one of the sixteen Länder; a key that lost its zero begins with none."""

AREA_EXPECTED = "an area code (DG, or 2 to 12 digits beginning with 01 to 16, none of them lost)"

_REGION = re.compile(
    r"DG|F?DINSG|F?DLAND[A-Z]?|F?REGBEZ|F?KREISE|DKREIS|[FP]?GEMEIN|FAMTGEM|GRSTADT"
    r"|GEO(?:DL|BL|RB|LK|VB|GM|BZ)[0-9]"
)
"""Variables whose items are areas. Others are dimensions, whatever their codes look like."""


def is_region_variable(name: str) -> bool:
    """Does a GENESIS variable hold areas? Regional database, Destatis, and the census' GEO…"""
    return _REGION.fullmatch(name) is not None


def is_area(code: str) -> bool:
    """Does this text look like an area code (AGS, ARS, DG, association, function area)?

    Seven digits after 10 are none: the Saarland has no associations, so this is a municipality of
    Schleswig-Holstein whose zero was lost.
    """
    return _AREA.fullmatch(code) is not None and not (len(code) == 7 and code.startswith("10"))


def names_areas(codes: Iterable[str], names: Iterable[str]) -> bool:
    """Do keys and names stand for areas? Two digits alone may be grades or ages: the name decides."""
    pairs = set(zip(codes, names, strict=True))
    if any(code == COUNTRY or len(code) > 3 for code, _ in pairs):
        return True
    lander = {code: name for name, code in STATE_CODES.items()}
    short = [(code, name) for code, name in pairs if len(code) == 2]
    if not short:  # regions alone, as in `071 Reg.-Bez. Koblenz`
        return all(re.search("[Bb]ez|[Rr]egion", name) for _, name in pairs)
    return all(lander.get(code, "?").lower() in name.lower() for code, name in short)


def area_level(code: str, variable: str | None = None) -> str:
    """The level of an area code, by its length: in every dialect the length is the level.

    Eight digits are a municipality in GEMEIN tables and a part of a district in KREISE tables
    (Hannover 03241001, Berlin's boroughs), where both stand under the same variable. Older
    municipality tables write the association of municipalities into the key: 7 digits for a
    Verbandsgemeinde, 10 or 11 for a municipality below one, 12 in the ARS of the census.
    """
    if code == "DG":
        return "country"
    if not code.isdigit():
        return "function_area"
    if len(code) == 8:
        return "municipality" if variable in ("GEMEIN", None) else "sub_district"
    levels = {2: "state", 3: "region", 5: "district", 7: "association"}
    return levels.get(len(code), "municipality")


def name_of_area(label: str) -> str:
    """An area's label without the indentation that shows its level."""
    return " ".join(label.split())
