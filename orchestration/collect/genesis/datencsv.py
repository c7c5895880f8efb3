"""datencsv, the offices' spreadsheet layout: a title, header rows, a grid, footnotes.

Codes stand only on areas; everything else is a label. With a table's contract the columns are
taken by position and proved by their headers, and row labels become official items; without one
the labels are passed on as they are.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from expectations.catalogue.model import Classification, OfficialTable, PeriodMeaning
from orchestration.collect.genesis.errors import FormatError
from orchestration.collect.genesis.notation import (
    Period,
    area_level,
    is_area,
    name_of_area,
    parse_period,
)
from orchestration.collect.genesis.rows import (
    KEY_COLUMNS,
    VALUE_COLUMNS,
    OfficialRows,
    cells_of,
    refuse_duplicates,
    refuse_incomplete,
    split_values,
)

FORMAT = "datencsv"

_FIRST = re.compile(r"^(?:GENESIS-)?Tabelle: ([0-9A-Z-]+);*$")
_FOOTER = "__________"
_STAND = re.compile(r"^Stand: (\d{2}\.\d{2}\.\d{4})(?: / (\d{2}:\d{2}:\d{2}))?;*$")
_UNITS = {
    "Anzahl", "Prozent", "EUR", "Tsd. EUR", "Mill. EUR", "qkm", "Jahre", "1000", "ha", "Promille",
}  # fmt: skip
_TITLE_UNIT = re.compile(r"\(([^()]+)\);*$")
_LONE_PERIOD = re.compile(r"^(?:Jahr: )?([^;]+);*$")


def is_datencsv(first_line: str) -> bool:
    """Does the file begin with the table's code, as every datencsv does?"""
    return _FIRST.match(first_line) is not None


@dataclass(frozen=True)
class _Grid:
    """The parts of the sheet, each with the number of its first line."""

    title: list[str]
    header: list[list[str]]
    header_line: int
    rows: list[str]
    first_row: int
    footnotes: str
    licence: str | None
    stand: dt.datetime


@dataclass(frozen=True)
class _Column:
    path: str
    subject: str
    unit: str
    period: Period | None
    number: int

    @property
    def label(self) -> str:
        """The measure's name where no contract gives it a code."""
        return " | ".join(part for part in (self.subject, self.path) if part)


def read_datencsv(
    file: str,
    text: str,
    encoding: str,
    contract: OfficialTable | None,
    classifications: dict[str, Classification],
) -> OfficialRows:
    """Long rows of a datencsv text.

    Raises FormatError with file, line and column for a sheet that is cut short, whose columns
    moved, whose labels are unknown to the contract, or whose cells are neither number nor sign.
    """
    lines = text.split("\n")
    match = _FIRST.match(lines[0])
    if match is None:
        raise FormatError(file, repr(lines[0]), "'GENESIS-Tabelle: <code>'", line=1)
    code = match[1]
    grid = _grid(file, lines)
    key_count = min(next((i for i, cell in enumerate(row) if cell), len(row)) for row in grid.header)
    if key_count < 2 or key_count == len(grid.header[0]):
        raise FormatError(file, "header rows without a value column", "at least one", line=grid.header_line)
    meaning = contract.period if contract else None
    columns = _columns(grid, key_count, meaning)
    title_period = _title_period(grid, meaning)
    table = cells_of(grid.rows)
    numbers = np.arange(grid.first_row, grid.first_row + len(table))
    periods, at = _row_periods(file, table, numbers, key_count, meaning)
    if periods is None and title_period is None and columns[0].period is None:
        raise FormatError(
            file, "no period in title, header or first column", "a year or a reference day",
            line=grid.header_line,
        )  # fmt: skip
    areas, names = _areas(file, table, numbers, at, code)
    wide = columns[0].period is not None
    row_labels = list(range(at + 2, key_count))
    dims, items = _row_dimensions(file, table, numbers, row_labels, contract, classifications)
    cells = _cells(file, columns, contract, grid.header_line)

    parts, cell_lines, cell_names = [], [], []
    for column, (measure, unit, fixed) in zip(columns, cells, strict=True):
        part = pd.DataFrame({"table_code": code, **areas}, index=table.index)
        span = periods or _throughout(column.period or title_period, len(table))
        part["period_start"] = [p.start for p in span]
        part["period_end"] = [p.end for p in span]
        part["period_label"] = [p.label for p in span]
        part = part.assign(**dims, **fixed, measure=measure, unit=unit)
        part["text"] = table[key_count + column.number].to_numpy()
        parts.append(part)
        cell_lines.append(numbers)
        cell_names.append(np.full(len(table), f"{key_count + column.number + 1}", dtype=object))
    frame = pd.concat(parts, ignore_index=True)
    all_lines = np.concatenate(cell_lines)
    frame["value"], frame["sign"] = split_values(
        file, frame.pop("text").to_numpy(), all_lines, np.concatenate(cell_names)
    )
    dimension_names = [c for c in frame.columns if c not in {*KEY_COLUMNS, *VALUE_COLUMNS}]
    frame[dimension_names] = frame[dimension_names].astype("str")
    frame = frame[[*KEY_COLUMNS, *dimension_names, *VALUE_COLUMNS]]
    keys = [*KEY_COLUMNS[:4], *dimension_names, "measure", "unit"]
    refuse_duplicates(file, frame, keys, pd.Series(all_lines))
    if contract and not wide:
        refuse_incomplete(file, frame, dimension_names)
    codebook = {
        "areas": names,
        "items": items,
        "measures": {m: c.label for (m, _, _), c in zip(cells, columns, strict=True)},
    }
    return OfficialRows(frame, FORMAT, code, encoding, grid.stand, grid.licence, grid.footnotes, codebook)


def _grid(file: str, lines: list[str]) -> _Grid:
    footer = next((i for i, line in enumerate(lines) if line.startswith(_FOOTER)), None)
    if footer is None:
        raise FormatError(
            file, f"the end of the file after {lines[-1][:60]!r}",
            f"the line {_FOOTER} that ends the values; the file seems to be cut short",
            line=len(lines),
        )  # fmt: skip
    start = next((i for i in range(1, footer) if lines[i].startswith(";;")), None)
    if start is None:
        raise FormatError(file, "no header rows", "rows that begin with ';;'", line=2)
    data = next((i for i in range(start, footer) if not lines[i].startswith(";;")), footer)
    if data == footer:
        raise FormatError(file, "a header and no rows", "at least one row", line=start + 1)
    width = lines[start].count(";")
    for index in range(start, footer):
        if lines[index].count(";") != width:
            found = f"{lines[index].count(';') + 1} columns"
            raise FormatError(file, found, f"{width + 1}, as in the first header row", line=index + 1)
    tail = [line.strip().strip('"').replace('""', '"') for line in lines[footer + 1 :]]
    stand = next((m for line in reversed(tail) if (m := _STAND.match(line))), None)
    if stand is None:
        raise FormatError(
            file, "no line 'Stand: …' at the end", "the date of the data; the file seems to be cut short",
            line=len(lines),
        )  # fmt: skip
    licence_at = next((i for i, line in enumerate(tail) if line.startswith("©")), None)
    stand_at = next(i for i, line in enumerate(tail) if _STAND.match(line))
    return _Grid(
        title=[line.rstrip(";") for line in lines[1:start]],
        header=[line.split(";") for line in lines[start:data]],
        header_line=start + 1,
        rows=lines[data:footer],
        first_row=data + 1,
        footnotes="\n".join(tail[:licence_at]).strip(),
        licence=" ".join(tail[licence_at:stand_at]) if licence_at is not None else None,
        stand=_stand(file, stand[1], stand[2], len(lines)),
    )


def _stand(file: str, day: str, time: str | None, line: int) -> dt.datetime:
    try:
        return dt.datetime.strptime(f"{day} {time or '00:00:00'}", "%d.%m.%Y %H:%M:%S")
    except ValueError as error:
        raise FormatError(file, f"Stand: {day} / {time}", "a day and a time that exist", line=line) from error


def _columns(grid: _Grid, key_count: int, meaning: PeriodMeaning | None) -> list[_Column]:
    """Every value column: its header path without unit and period rows, its unit, its period."""
    rows = [row[key_count:] for row in grid.header]
    units: list[str] | None = None
    if set(rows[-1]) - {""} <= _UNITS:
        units = rows.pop()
    periods: list[Period | None] = [None] * len(rows[0] if rows else units or [])
    kept: list[list[str]] = []
    for row in rows:
        parsed = [parse_period(cell, meaning) for cell in row]
        if all(p is not None for p in parsed):
            periods = parsed
        else:
            kept.append(row)
    if any(p is not None for p in periods) and any(set(row) == {"Stichtag"} for row in kept):
        kept = [row for row in kept if set(row) != {"Stichtag"}]
    subject, title_unit = _subject(grid.title)
    count = len(grid.header[0]) - key_count
    return [
        _Column(
            path=" | ".join(row[i] for row in kept if row[i]),
            subject=subject,
            unit=(units[i] if units else "") or title_unit,
            period=periods[i],
            number=i,
        )
        for i in range(count)
    ]


def _throughout(period: Period | None, rows: int) -> list[Period]:
    """One period for every row: the column's own or the title's."""
    assert period is not None, "read_datencsv refuses a sheet without any period"
    return [period] * rows


def _subject(title: list[str]) -> tuple[str, str]:
    """Measure and unit where the title names them: `Bevölkerungsstand (Anzahl)`."""
    for line in reversed(title):
        match = _TITLE_UNIT.search(line)
        if match and match[1] in _UNITS:
            return line[: match.start()].strip(), match[1]
    return "", ""


def _title_period(grid: _Grid, meaning: PeriodMeaning | None) -> Period | None:
    for line in reversed(grid.title):
        match = _LONE_PERIOD.match(line)
        if match and (period := parse_period(match[1], meaning)):
            return period
    return None


def _row_periods(
    file: str, table: pd.DataFrame, numbers: np.ndarray, key_count: int, meaning: PeriodMeaning | None
) -> tuple[list[Period] | None, int]:
    """The periods in the first column, if it holds them, and the column of the area's code."""
    first = table[0].to_numpy()
    if parse_period(first[0], meaning) is None or is_area(first[0]):
        return None, 0
    known: dict[str, Period] = {}
    for text, number in zip(first, numbers, strict=True):
        if text not in known:
            period = parse_period(text, meaning)
            if period is None:
                raise FormatError(
                    file, repr(text), "a year or a day such as 31.12.2015, as on the lines before",
                    line=int(number), column=1,
                )  # fmt: skip
            known[text] = period
    return [known[text] for text in first], 1


def _areas(
    file: str, table: pd.DataFrame, numbers: np.ndarray, at: int, table_code: str
) -> tuple[dict[str, list[str]], dict[str, str]]:
    codes = table[at].to_numpy()
    for code, number in zip(codes, numbers, strict=True):
        if not is_area(code):
            raise FormatError(
                file, repr(code), "an area code (DG, or 2 to 12 digits)",
                line=int(number), column=at + 1,
            )  # fmt: skip
    variable = "GEMEIN" if table_code.split("-")[-1].startswith("5") else "KREISE"
    level = {code: area_level(code, variable) for code in set(codes)}
    names = {c: name_of_area(n) for c, n in table[[at, at + 1]].drop_duplicates().itertuples(index=False)}
    return {"area_code": list(codes), "area_level": [level[c] for c in codes]}, names


def _row_dimensions(
    file: str,
    table: pd.DataFrame,
    numbers: np.ndarray,
    positions: list[int],
    contract: OfficialTable | None,
    classifications: dict[str, Classification],
) -> tuple[dict[str, np.ndarray], dict[str, dict[str, str]]]:
    """Text columns after the area: official items by the contract, else the labels themselves."""
    if contract is None:
        return {
            f"dimension_{n}": table[p].str.strip().to_numpy() for n, p in enumerate(positions, start=1)
        }, {}
    if len(positions) != len(contract.row_dimensions):
        raise FormatError(
            file,
            f"{len(positions)} text columns after the area's name",
            f"{len(contract.row_dimensions)} ({', '.join(contract.row_dimensions) or 'none'}), "
            f"as table {contract.code} has",
            line=int(numbers[0]),
        )
    dims, items = {}, {}
    for position, variable in zip(positions, contract.row_dimensions, strict=True):
        known = {label: i.code for i in classifications[variable].items for label in i.labels}
        codes, distinct = pd.factorize(table[position].str.strip())
        for index, label in enumerate(distinct):
            if label not in known:
                row = int(np.argmax(codes == index))
                raise FormatError(
                    file, repr(label), f"a label of {variable}: {', '.join(known)}",
                    line=int(numbers[row]), column=position + 1,
                )  # fmt: skip
        dims[variable] = np.array([known[label] for label in distinct], dtype=object)[codes]
        items[variable] = {known[label]: label for label in distinct}
    return dims, items


def _cells(
    file: str, columns: list[_Column], contract: OfficialTable | None, line: int
) -> list[tuple[str, str, dict[str, str | None]]]:
    """Measure, unit and fixed items of every value column; with a contract, by position."""
    if contract is None:
        return [(c.label, c.unit, {}) for c in columns]
    groups = len({c.period for c in columns})
    if len(columns) != groups * len(contract.columns):
        raise FormatError(
            file, f"{len(columns)} value columns", f"{groups * len(contract.columns)}, as table {contract.code} has",
            line=line,
        )  # fmt: skip
    variables = sorted({v for c in contract.columns for v in c.items})
    cells: list[tuple[str, str, dict[str, str | None]]] = []
    for column in columns:
        expected = contract.columns[column.number % len(contract.columns)]
        if not re.search(expected.header, column.path):
            raise FormatError(
                file, f"header {column.path!r}", f"a header like {expected.header!r}: the columns have moved",
                line=line, column=column.number + 1,
            )  # fmt: skip
        if column.unit and column.unit != expected.unit:
            raise FormatError(
                file, f"unit {column.unit!r}", repr(expected.unit), line=line, column=column.number + 1
            )
        fixed: dict[str, str | None] = {v: expected.items.get(v) for v in variables}
        cells.append((expected.measure, expected.unit, fixed))
    return cells
