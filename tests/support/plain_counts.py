"""The indicators of registers once more, in plain pandas: no vault, no SQL, no dbt.

Reads what the offices of the invented city deliver and the catalogue's declarations, and nothing else of
the product: an independent way to the same figures.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from expectations.catalogue import Catalogue
from expectations.catalogue.base import TOTAL, ages_of
from expectations.catalogue.model import Indicator, Kind
from expectations.catalogue.registers import ANY_TEXT, ColumnType, Register, Term
from orchestration.collect.sample.register_files import Delivery
from orchestration.settings import CityDistrict

YES = {"ja", "j", "1", "true", "wahr", "y", "a1"}

Cells = dict[str, str]
"""Breakdown → cell; whatever is not named is the total."""


def day_of(text: str) -> dt.date:
    """A date in any of the offices' spellings."""
    text = text[:10]
    if match := re.fullmatch(r"(\d{2})\.(\d{2})\.(\d{4})", text):
        return dt.date(int(match[3]), int(match[2]), int(match[1]))
    if re.fullmatch(r"\d{8}", text):
        return dt.date(int(text[:4]), int(text[4:6]), int(text[6:]))
    return dt.date.fromisoformat(text)


def completed_years(born: dt.date, day: dt.date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def period_of(register: Register, day: dt.date) -> tuple[dt.date, dt.date]:
    """First and last day of what a delivery with this reference day speaks of."""
    if register.period == "calendar_year":
        return dt.date(day.year, 1, 1), dt.date(day.year, 12, 31)
    if register.period == "school_year":
        start = day.year if day.month >= 8 else day.year - 1
        return dt.date(start, 8, 1), dt.date(start + 1, 7, 31)
    return day, day


@dataclass(frozen=True)
class Rows:
    """One delivery, its columns under our names: codes as words, numbers as numbers, dates as ages."""

    frame: pd.DataFrame
    start: dt.date
    end: dt.date


class PlainCity:
    """All deliveries of a city, counted by hand."""

    def __init__(
        self, catalogue: Catalogue, code: str, districts: Iterable[CityDistrict], deliveries: list[Delivery]
    ) -> None:
        self.catalogue, self.code = catalogue, code
        self.districts = list(districts)
        self.deliveries = deliveries
        self._rows: dict[str, list[Rows]] = {}
        self._counts: dict[
            tuple[str, str, tuple[tuple[str, str], ...]], dict[tuple[str, dt.date], float]
        ] = {}

    @cached_property
    def district_codes(self) -> dict[str, str]:
        return {name: f"{self.code}-{d.code}" for d in self.districts for name in (d.name, *d.aliases)}

    @cached_property
    def block_districts(self) -> dict[str, str]:
        frame = next(d.frame for d in self.deliveries if d.register == "block_sides")
        return {
            b: self.district_codes[n] for b, n in zip(frame["Blockseite"], frame["Stadtteil"], strict=True)
        }

    def rows(self, name: str) -> list[Rows]:
        if name not in self._rows:
            register = self.catalogue.registers[name].for_city(self.code)
            self._rows[name] = [self._read(register, d) for d in self.deliveries if d.register == name]
        return self._rows[name]

    def _read(self, register: Register, delivery: Delivery) -> Rows:
        source = delivery.frame.astype(str).reset_index(drop=True)
        start, end = period_of(register, delivery.reference)
        days: pd.Series | None = None
        if register.reference.column:
            named = register.column(register.reference.column).name
            days = source[named].map(day_of)
        read = {}
        for column in register.kept:
            text = source[column.name]
            if column.type is ColumnType.CODE:
                words = text.map(lambda code, c=column: c.codes.get(code, c.codes.get("*")))
                read[column.id] = words.where(text != "")
            elif column.type is ColumnType.FLAG:
                read[column.id] = text.str.lower().map(lambda t: None if t == "" else str(t in YES).lower())
            elif column.type is ColumnType.AGE:
                born = text.map(day_of)
                # A stock is as old as on its day; an event happens to somebody on a day of its own.
                on = days if days is not None else pd.Series([delivery.reference] * len(text))
                if column.age_on is not None:
                    month, day = map(int, column.age_on.split("-"))
                    on = on.map(lambda d, m=month, n=day: d.replace(month=m, day=n))
                read[column.id] = pd.Series(
                    [completed_years(b, d) for b, d in zip(born, on, strict=True)], index=text.index
                )
            elif column.type in (ColumnType.INTEGER, ColumnType.NUMBER):
                plain = text.str.replace(".", "", regex=False) if text.str.contains(",").any() else text
                read[column.id] = pd.to_numeric(plain.str.replace(",", ".", regex=False), errors="coerce")
            else:
                read[column.id] = text
        return Rows(pd.DataFrame(read), start, end)

    def _areas(self, register: Register, column: str, level: str, rows: pd.DataFrame) -> pd.Series:
        if level == "district":
            return pd.Series(self.code, index=rows.index)
        system = register.column(column).system
        if level == "school":
            return f"{self.code}-S" + rows[column]
        known = self.block_districts if system == "block_side" else self.district_codes
        return rows[column].map(known).fillna(f"{self.code}-ST00")  # a name that means no Stadtteil

    def count(self, measure: str, level: str, cells: Cells) -> dict[tuple[str, dt.date], float]:
        """Area and period end → count, for one combination of cells."""
        key = (measure, level, tuple(sorted(cells.items())))
        if key in self._counts:
            return self._counts[key]
        source = self.catalogue.measures[measure].register_
        assert source is not None
        register = self.catalogue.registers[source.register_]
        found: dict[tuple[str, dt.date], float] = {}
        for delivered in self.rows(source.register_):
            rows = delivered.frame
            for column in source.where:
                wanted = source.wanted(column)
                if (span := source.span(column)) is not None:
                    low, high = span
                    rows = rows[
                        (rows[column] >= (low if low is not None else -1e9))
                        & (rows[column] <= (high if high is not None else 1e9))
                    ]
                elif wanted == [ANY_TEXT]:
                    rows = rows[rows[column] != ""]
                else:
                    rows = rows[rows[column].isin(wanted)]
            if source.running is not None:
                begins, ends = (
                    rows[c].map(lambda text: day_of(text) if text else None) for c in source.running
                )
                rows = rows[
                    [
                        (begin is None or begin <= delivered.end) and (end is None or end >= delivered.start)
                        for begin, end in zip(begins, ends, strict=True)
                    ]
                ]
            for breakdown, cell in cells.items():
                if cell == TOTAL or breakdown not in source.by:
                    continue
                column = source.by[breakdown]
                if breakdown == "age_group":
                    low_age, high_age = ages_of(cell) or (0, 0)
                    rows = rows[(rows[column] >= low_age) & (rows[column] < high_age)]
                else:
                    subsets = {
                        c.id for c in self.catalogue.breakdowns[breakdown].cells if c.subset_of == cell
                    }
                    rows = rows[rows[column].isin({cell, *subsets})]
            areas = self._areas(register, source.area or "", level, rows)
            if source.count == "rows":
                counts = areas.value_counts()
            elif source.count.startswith("distinct:"):
                counts = rows.assign(area=areas).groupby("area")[source.counted_column].nunique()
            else:
                counts = rows.assign(area=areas).groupby("area")[source.counted_column].sum()
            # Who left school in summer finished the school year before.
            end = delivered.start - dt.timedelta(days=1) if source.of_period_before else delivered.end
            end = end.replace(month=12, day=31) if source.in_year else end
            for area, value in counts.items():
                found[str(area), end] = float(value)
        self._counts[key] = found
        return found

    def term(
        self, term: Term, level: str, shown: Cells, indicator: Indicator
    ) -> dict[tuple[str, dt.date], float]:
        """A term of a formula: cells added up, measures added and taken away."""
        breakdowns = indicator.breakdowns
        total: dict[tuple[str, dt.date], float] = {}
        for sign, part in term.parts():
            choices: list[Cells] = [{}]
            delivered = self.catalogue.breakdowns_of_measure(part.measure)
            for breakdown in self.catalogue.breakdowns:
                fixed = part.cells(breakdown)
                if fixed is None:
                    wanted = (
                        shown.get(breakdown, TOTAL)
                        if breakdown in breakdowns and breakdown in delivered
                        else TOTAL
                    )
                    of_cells = wanted == TOTAL and breakdown in indicator.total_of_cells
                    fixed = indicator.cells[breakdown] if of_cells else [wanted]
                choices = [{**c, breakdown: cell} for c in choices for cell in fixed]
            for cells in choices:
                for key, value in self.count(part.measure, level, cells).items():
                    total[key] = total.get(key, 0.0) + sign * value
        return total

    def knows(self, measure: str, level: str, area: str, end: dt.date) -> bool:
        """Is there any record of a school in the measure's register? If not, nobody knows how many."""
        source = self.catalogue.measures[measure].register_
        if level != "school" or source is None:
            return True
        number = area.removeprefix(f"{self.code}-S")
        return any(
            (r.frame[source.area] == number).any()
            for r in self.rows(source.register_)
            if (r.start - dt.timedelta(days=1) if source.of_period_before else r.end) == end
        )

    def value(
        self, indicator: Indicator, origin: str, level: str, shown: Cells, area: str, end: dt.date
    ) -> tuple[float | None, float | None]:
        """Numerator and denominator of one area and period; where nobody was counted, there is nobody."""
        numerator, denominator = indicator.formulas[origin]
        if not all(self.knows(part.measure, level, area, end) for _, part in numerator.parts()):
            return None, None
        above = self.term(numerator, level, shown, indicator).get((area, end), 0.0)
        if denominator is None:
            return above, None
        at = {
            "same_period": end,
            "previous_year_end": dt.date(end.year - 1, 12, 31),
            "same_year_end": end,  # no formula of registers needs it
            "previous_period": end.replace(year=end.year - 1),
        }[indicator.alignment.value]
        return above, self.term(denominator, level, shown, indicator).get((area, at), 0.0)


def related(indicator: Indicator, numerator: float | None, denominator: float | None) -> float | None:
    """The value of a formula, unrounded."""
    if not indicator.kind.needs_denominator or numerator is None:
        return numerator
    assert denominator is not None
    if indicator.kind is Kind.DIFFERENCE:
        return numerator - denominator
    return None if denominator == 0 else numerator * indicator.multiplier / denominator
