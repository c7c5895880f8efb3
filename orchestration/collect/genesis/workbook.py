"""Workbooks of the offices: a GENESIS table as XLSX, the machine sheets of a Statistischer Bericht,
and the Gemeindeverzeichnis.

Belongs here: a workbook's sheets → long rows. Does not belong here: text files.
"""

from __future__ import annotations

import datetime as dt
import io
import re
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from python_calamine import CalamineError, CalamineWorkbook

from expectations.catalogue import Catalogue
from orchestration.collect.genesis.datencsv import STAND, stand_of
from orchestration.collect.genesis.errors import FormatError
from orchestration.collect.genesis.grid import Grid, read_grid, repeat_headings
from orchestration.collect.genesis.notation import (
    COUNTRY,
    STATE_CODES,
    Period,
    area_level,
    is_area,
    name_of_area,
    parse_period,
    parse_value,
)
from orchestration.collect.genesis.rows import (
    Coded,
    OfficialRows,
    long_table,
    period_columns,
    refuse_duplicates,
    split_values,
)

GENESIS_FORMAT = "xlsx"
REPORT_FORMAT = "statistical_report"
AREAS_FORMAT = "gemeindeverzeichnis"
MUNICIPALITY_LIST = "11111-GV"
"""Our code of the quarterly list of municipalities; the office gives it none."""

_CODE = re.compile(r"[0-9]{5}[A-Z]?(?:-[0-9A-Z]+)+|AI[A-Z0-9]*(?:-[0-9A-Z]+)+")
_MACHINE = "csv-"
_MUNICIPALITIES = "Onlineprodukt_Gemeinden"
_TIME = {
    "Jahr", "Berichtsjahr", "Stichtag", "Schuljahr", "Semester", "Monat", "Quartal", "Zeit",
    "Wintersemester", "Zeitraum",
}  # fmt: skip
_AREA = {"Gebiet", "Region", "Land", "Bundesland", "Bundesländer", "Länder", "Kreis", "Regionale_Gliederung"}
_AREA_CODE = {
    "AGS",
    "Regionalschluessel",
    "Regionalschlüssel",
    "Schluessel",
    "Kreisschluessel",
    "Gebietsschluessel",
}
_KEY = re.compile(r"code|nummer|nr$|schl|\bags\b|\bars\b|_id$|kldb|evas|^jahr", re.IGNORECASE)
"""Columns of keys: they hold numerals and mean no quantity."""

_REGIONAL = re.compile(r"kreis|gebiet|region|land|gemeinde|stadt|standort|bezirk", re.IGNORECASE)
_UNIT = {"Masseinheit", "Maßeinheit", "Einheit"}
_REMARK = {"Anmerkung", "Anmerkungen", "Qualitaet", "Qualität", "Zeichen"}

Sheet = list[list[str]]


def read_workbook(file: str, data: bytes, catalogue: Catalogue | None) -> OfficialRows:
    """Long rows of a workbook; of a Statistischer Bericht, of all its machine sheets together.

    Raises FormatError naming sheet, row and column for a workbook that is neither.
    """
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        names = workbook.sheet_names
        machine = [name for name in names if name.startswith(_MACHINE)]
        if machine:
            return _read_report(file, {name: _texts(workbook, name) for name in machine})
        if (listed := next((n for n in names if n.startswith(_MUNICIPALITIES)), None)) is not None:
            return _read_municipalities(file, listed, _texts(workbook, listed))
        for name in names:
            sheet = _texts(workbook, name)
            code = _code_of(name, sheet)
            if code is not None:
                return _read_table(file, name, sheet, code, catalogue)
    except CalamineError as error:
        raise FormatError(file, f"a workbook that can't be opened ({error})", "a whole workbook") from error
    raise FormatError(
        file, f"the sheets {', '.join(names)}",
        "a sheet named by a table's code, or the machine sheets (csv-…) of a Statistischer Bericht",
    )  # fmt: skip


def _texts(workbook: CalamineWorkbook, name: str) -> Sheet:
    rows = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
    return [[text_of_cell(cell) for cell in row] for row in rows]


def text_of_cell(cell: Any) -> str:
    """A cell as the office would print it: whole numbers without decimals, days as 31.12.2024."""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, dt.datetime | dt.date):
        return f"{cell:%d.%m.%Y}"
    return str(cell).strip()


def _code_of(name: str, sheet: Sheet) -> str | None:
    if _CODE.fullmatch(name):
        return name
    first = sheet[0][0] if sheet and sheet[0] else ""
    match = re.fullmatch(rf"(?:GENESIS-)?Tabelle: ({_CODE.pattern})", first)
    return match[1] if match else None


# --- a GENESIS table ------------------------------------------------------------------------------


def _read_table(file: str, name: str, sheet: Sheet, code: str, catalogue: Catalogue | None) -> OfficialRows:
    if sheet[0][0].endswith(code):
        sheet = [[], *sheet[1:]]
    contract = catalogue.tables.get(code) if catalogue else None
    classifications = catalogue.classifications if catalogue else {}
    grid = _grid(file, name, sheet, code)
    return read_grid(file, grid, "xlsx", contract, classifications, GENESIS_FORMAT)


def _grid(file: str, name: str, sheet: Sheet, code: str) -> Grid:
    footer = next((i for i, row in enumerate(sheet) if row and row[0].startswith("____")), None)
    if footer is None:
        raise FormatError(file, f"sheet {name} without its end", "a line of underscores after the values")
    start = next((i for i in range(footer) if sum(bool(c) for c in sheet[i]) > 1), None)
    data = next((i for i in range(start or 0, footer) if start is not None and _is_data(sheet[i])), None)
    if start is None or data is None or data == start:
        raise FormatError(file, f"sheet {name} without header or values", "header rows, then rows of values")
    width = max(len(row) for row in sheet[start:footer])
    cells = [row + [""] * (width - len(row)) for row in sheet[start:footer]]
    header, rows = cells[: data - start], cells[data - start :]
    bare = [row for row in header if not row[0]]
    if not bare:
        raise FormatError(
            file, f"sheet {name}: header rows that all begin with a word", "an empty first cell"
        )
    key_count = min(next((i for i, cell in enumerate(row) if cell), width) for row in bare)
    header = [[""] * key_count + row[key_count:] for row in header]
    last = len(header) - 1
    filled = [repeat_headings(row, key_count) if n < last else row for n, row in enumerate(header)]
    tail = [" ".join(c for c in row if c) for row in sheet[footer + 1 :]]
    stand_line = next((line for line in reversed(tail) if STAND.search(line)), None)
    licence = next((line.split("|")[0].strip() for line in tail if line.startswith("©")), None)
    return Grid(
        code=code,
        title=[row[0] for row in sheet[:start] if row],
        header=filled,
        header_line=start + 1,
        rows=pd.DataFrame(rows),
        numbers=np.arange(data + 1, footer + 1),
        footnotes="\n".join(line for line in tail if line and not line.startswith("©")),
        licence=licence,
        stand=stand_of(file, stand_line, None) if stand_line else None,
    )


def _is_data(row: list[str]) -> bool:
    """A row of values: something in its first cell, and numbers or signs at its end."""
    filled = [cell for cell in row[1:] if cell]
    return bool(row and row[0] and filled) and parse_value(filled[-1]) is not None


# --- a Statistischer Bericht ----------------------------------------------------------------------


def _read_report(file: str, sheets: dict[str, Sheet]) -> OfficialRows:
    parts: list[dict[str, pa.Array]] = []
    names_of_areas: dict[str, str] = {}
    dimensions: list[str] = []
    for name, sheet in sheets.items():
        columns, areas, dims = _machine_sheet(file, name, sheet)
        parts.append(columns)
        names_of_areas |= areas
        dimensions += [d for d in dims if d not in dimensions]
    tables = []
    for columns in parts:
        count = len(columns["value"])
        for missing in (d for d in dimensions if d not in columns):
            columns[missing] = pa.DictionaryArray.from_arrays(
                pa.nulls(count, pa.int32()), pa.array([], pa.string())
            )
        tables.append(long_table(columns, dimensions))
    table = pa.concat_tables(tables).unify_dictionaries().combine_chunks()
    code = next(iter(sheets)).removeprefix(_MACHINE).split("-")[0]
    notes = ["in these reports '-' also stands for unknown and secret values: it is never a zero"]
    codebook = {"areas": names_of_areas, "items": {}, "measures": {}}
    return OfficialRows(table, REPORT_FORMAT, code, "xlsx", codebook=codebook, notes=notes)


def _machine_sheet(
    file: str, name: str, sheet: Sheet
) -> tuple[dict[str, pa.Array], dict[str, str], list[str]]:
    where = f"{file}, sheet {name}"
    if not sheet:
        raise FormatError(where, "an empty sheet", "a header row and rows")
    header = sheet[0]
    numbers = [n for n, row in enumerate(sheet[1:], start=2) if any(row)]
    body = pd.DataFrame([sheet[n - 1] for n in numbers], columns=range(len(header)))
    if body.empty:
        raise FormatError(where, "a header and no rows", "at least one row", line=1)

    def line_of(row: int) -> int:
        return numbers[row % len(numbers)]

    def at(known: set[str]) -> int | None:
        found = [i for i, title in enumerate(header) if title in known]
        return found[0] if len(found) == 1 else None

    time = at(_TIME)
    if time is None:
        raise FormatError(
            where, f"the columns {', '.join(header)}", f"one of {', '.join(sorted(_TIME))}", line=1
        )
    texts = Coded.of(body[time].to_numpy())
    periods = [parse_period(text) for text in texts.texts]
    if (wrong := next((i for i, p in enumerate(periods) if p is None), None)) is not None:
        raise FormatError(
            where,
            repr(texts.texts[wrong]),
            "a year or a day",
            line=line_of(texts.first(wrong)),
            column=header[time],
        )
    areas, names, used = _report_areas(where, header, body, line_of, at(_AREA), at(_AREA_CODE))
    unit, remark = at(_UNIT), at(_REMARK)
    known = {time, unit, remark, *used, *(i for i, title in enumerate(header) if title == "Statistik")}
    values = [
        i
        for i in range(len(header))
        if i not in known and not _KEY.search(header[i]) and _holds_numbers(body[i])
    ]
    if not values:
        raise FormatError(where, f"the columns {', '.join(header)}", "one that holds numbers", line=1)
    labels = [i for i in range(len(header)) if i not in known and i not in values]
    if not used and (named := [header[i] for i in labels if _REGIONAL.search(header[i])]):
        expected = f"areas by key ({', '.join(sorted(_AREA_CODE))}) or Länder by name"
        raise FormatError(where, f"areas in column {named[0]!r}", expected, line=1)
    dims = {_name(header[i]): Coded.of(body[i].to_numpy()).column() for i in labels}
    count = len(body)
    code = name.removeprefix(_MACHINE)
    level = areas.map(lambda area: area_level(area, "KREISE"))
    parts = []
    for i in values:
        value, sign = split_values(where, Coded.of(body[i].to_numpy()), line_of, header[i])
        if remark is not None:
            mark = Coded.of(body[remark].to_numpy()).map(lambda text: None if text in ("", "-") else text)
            sign = pa.compute.coalesce(sign.cast(pa.string()), mark.cast(pa.string())).dictionary_encode()
        parts.append(
            long_table(
                {
                    "table_code": Coded.constant(code, count).column(),
                    "area_code": areas.column(),
                    "area_level": level,
                    **period_columns(texts.codes, [p for p in periods if p]),
                    **dims,
                    "measure": Coded.constant(header[i], count).column(),
                    "value": value,
                    "sign": sign,
                    "unit": Coded.of(body[unit].to_numpy()).column()
                    if unit is not None
                    else Coded.constant("", count).column(),
                },
                list(dims),
            )
        )
    table = pa.concat_tables(parts).unify_dictionaries().combine_chunks()
    refuse_duplicates(where, table, list(dims), line_of)
    return {c: table[c].combine_chunks() for c in table.column_names}, names, list(dims)


def _report_areas(
    where: str, header: list[str], body: pd.DataFrame, line_of: Any, named: int | None, coded: int | None
) -> tuple[Coded, dict[str, str], list[int]]:
    """Areas by code where there is one, else by the names of the Länder; Germany if neither stands."""
    if coded is not None:
        codes = Coded.of(body[coded].to_numpy())
        for index, code in enumerate(codes.texts):
            if not is_area(code):
                line = line_of(codes.first(index))
                raise FormatError(where, repr(code), "an area code", line=line, column=header[coded])
        names = (
            dict(zip(body[coded], body[named].map(name_of_area), strict=True)) if named is not None else {}
        )
        return codes, names, [i for i in (coded, named) if i is not None]
    if named is None:
        return Coded.constant(COUNTRY, len(body)), {COUNTRY: "Deutschland"}, []
    labels = Coded.of(body[named].map(name_of_area).to_numpy())
    for index, label in enumerate(labels.texts):
        if label not in STATE_CODES:
            line = line_of(labels.first(index))
            raise FormatError(
                where, repr(label), "Deutschland or the name of a Land", line=line, column=header[named]
            )
    states = [STATE_CODES[label] for label in labels.texts]
    return Coded(labels.codes, states), dict(zip(states, labels.texts, strict=True)), [named]


def _holds_numbers(texts: pd.Series) -> bool:
    """Does a column hold numbers and signs only, and at least one number?"""
    parsed = [parse_value(text) for text in texts.unique()]
    return all(p is not None for p in parsed) and any(p and p.value is not None for p in parsed)


def _name(title: str) -> str:
    return re.sub(r"\W+", "_", title).strip("_").lower()


# --- the Gemeindeverzeichnis ----------------------------------------------------------------------

_KINDS = {"10": 2, "20": 3, "40": 5, "60": 8}
"""Kind of record (Satzart) → digits of its key: Land, region, district, municipality.

Regions of Baden-Württemberg (30) and associations of municipalities (50) have no key of their own.
"""


def _read_municipalities(file: str, name: str, sheet: Sheet) -> OfficialRows:
    """Area in km² and inhabitants of every municipality; all keys that exist on the list's day.

    The keys and their names stand in the codebook, under `areas`, and the list's day under
    `register`: districts and Länder have a record, but no figures of their own.
    """
    where = f"{file}, sheet {name}"
    head = [" ".join(row) for row in sheet[:6]]
    as_of = _day_in(where, head, r"Gebietsstand am (\d{2}\.\d{2}\.\d{4})")
    figures = _day_in(where, head, r"am (\d{2}\.\d{2}\.\d{4}) \(Jahr\)")
    records = [(n, row) for n, row in enumerate(sheet, start=1) if row and row[0] in _KINDS]
    if not records:
        raise FormatError(where, "no record of a Land or a municipality", "records of kind 10, 20, 40 and 60")
    names: dict[str, str] = {}
    lines: list[int] = []
    codes: list[str] = []
    cells: list[list[str]] = []
    for number, row in records:
        code = "".join((row[2], row[3], row[4], row[6]))
        if len(code) != _KINDS[row[0]] or not code.isdigit():
            expected = f"a key of {_KINDS[row[0]]} digits for a record of kind {row[0]}"
            raise FormatError(where, repr(code), expected, line=number, column="C to G")
        if code in names:
            raise FormatError(where, f"the key {code} again", "every area once", line=number)
        names[code] = name_of_area(row[7])
        if row[0] == "60":
            codes.append(code)
            lines.append(number)
            cells.append(row)
    areas = Coded.of(codes)
    parts = []
    for column, measure, unit, sex in _FIGURES:
        texts = Coded.of([row[column] for row in cells])
        value, sign = split_values(where, texts, lines.__getitem__, column + 1)
        constants = {"table_code": MUNICIPALITY_LIST, "measure": measure, "unit": unit}
        made = {
            "area_code": areas.column(),
            "area_level": areas.map(lambda _: "municipality"),
            **period_columns(np.zeros(len(codes), dtype=np.int32), [figures]),
            "GES": Coded.constant(sex, len(codes)).column(),
            "value": value,
            "sign": sign,
            **{key: Coded.constant(text, len(codes)).column() for key, text in constants.items()},
        }
        parts.append(long_table(made, ["GES"]))
    table = pa.concat_tables(parts).unify_dictionaries().combine_chunks()
    refuse_duplicates(where, table, ["GES"], lambda row: lines[row % len(lines)])
    stand = dt.datetime.combine(as_of.end, dt.time())
    codebook = {"areas": names, "items": {}, "measures": {}, "register": as_of.end.isoformat()}
    return OfficialRows(table, AREAS_FORMAT, MUNICIPALITY_LIST, "xlsx", stand, codebook=codebook)


_FIGURES = (
    (8, "FLC006", "qkm", ""),
    (9, "BEVSTD", "Anzahl", ""),
    (10, "BEVSTD", "Anzahl", "GESM"),
    (11, "BEVSTD", "Anzahl", "GESW"),
)
"""Column, measure, unit and sex of the list's figures; density follows from two of them."""


def _day_in(where: str, head: list[str], pattern: str) -> Period:
    for line in head:
        if (match := re.search(pattern, line)) and (period := parse_period(match[1])):
            return period
    raise FormatError(where, "no such day in the first rows", f"a text like {pattern}", line=1)
